"""Asks for one workspace's figures in every way: series, single periods, groups, cohorts, and compares them all."""
from oracle.comparer import compare_cohorts, compare_groups, compare_period, compare_scorecard, compare_series
from oracle.truth import EVERYONE, KPIS, LABELS, Filter

LONG = ("month", "quarter", "year")


def sweep(tally, client, oracle, spans, singles, filters, few, within=()):
    """spans: granularity → periods without a gap; months, quarters and years under every filter, the rest and the single
    periods under a few. By every label too: of everyone and within each of `within`."""
    sweep_series(tally, client, oracle, {g: many for g, many in spans.items() if g in LONG}, filters)
    sweep_series(tally, client, oracle, {g: many for g, many in spans.items() if g not in LONG}, few)
    sweep_singles(tally, client, oracle, singles, few)
    sweep_groups(tally, client, oracle, spans, singles, within)


def sweep_series(tally, client, oracle, spans, filters):
    answers = oracle.ask([period for many in spans.values() for period in many], filters)
    for filter_ in filters:
        for granularity, many in spans.items():
            compare_series(tally, client, answers, granularity, many, filter_)


def sweep_singles(tally, client, oracle, singles, filters):
    compared = [p for period in singles for p in (period, period.previous(), period.year_ago()) if p]
    answers = oracle.ask(compared, filters)
    for i, period in enumerate(singles):
        for filter_ in filters:
            compare_period(tally, client, answers, oracle.zone, period, filter_)
        compare_period(tally, client, answers, oracle.zone, period, filters[i % len(filters)], compare="year_ago")


def sweep_groups(tally, client, oracle, spans, singles, within=()):
    """Every KPI by every label that it has; `within` selects by the label that is not grouped by."""
    asked = [period for many in spans.values() for period in many] + list(singles)
    for by in dict.fromkeys(by for labels in LABELS.values() for by in labels):
        kpis = [kpi for kpi in KPIS if by in LABELS[kpi]]
        selections = [EVERYONE] + [f for f in within if by in ("segment", "channel") and getattr(f, by) is None]
        for selection in selections:
            groups = oracle.groups(by, selection)
            answers = oracle.ask(asked, groups, kpis)
            for kpi in kpis:
                for granularity, many in spans.items():
                    compare_groups(tally, client, answers, kpi, groups, many, granularity)
                for period in singles:
                    compare_groups(tally, client, answers, kpi, groups, [period])


def sweep_cohorts(tally, client, oracle, spans, filters=(EVERYONE,)):
    for granularity, many in spans.items():
        for filter_ in filters if granularity != "day" else ():
            compare_cohorts(tally, client, oracle, many[:60], filter_)


def sweep_scorecards(tally, client, oracle, dates, filters):
    for at in dates:
        for window in ("trailing", "calendar"):
            for filter_ in filters:
                compare_scorecard(tally, client, oracle, at, window, filter_)


def labels_of(records, kind, name):
    return sorted({row[name] for row in records.get(kind, ()) if row.get(name)})


def filters_of(records):
    """Everyone, each segment and each channel, and pairs of the first few."""
    segments = sorted({label for kind in records for label in labels_of(records, kind, "segment")})
    channels = sorted({label for kind in records for label in labels_of(records, kind, "channel")})
    pairs = [Filter(s, c) for s in segments[:4] for c in channels[:3]]
    return [EVERYONE] + [Filter(s) for s in segments] + [Filter(None, c) for c in channels] + pairs
