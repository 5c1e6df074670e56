"""Asks the service for figures and holds every cell of its answers against the oracle's."""
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from http.client import RemoteDisconnected
from zoneinfo import ZoneInfo

from oracle.truth import EVERYONE, KPIS, MEDIANS, p_value
from oracle.zones import period_of, trailing

SHOWN = 20
EXACT = 1e-6 + 1e-9  # six decimals, and the floating-point noise of the comparison itself
NOISE = 1e-14  # of large figures
SKETCHED = 0.01
COHORT_CELLS = 120  # a row has no more (docs/decisions.md)
UNITS = {"csat": "percent", "nps": "points", "ces": "percent", "response_rate": "percent", "churn_rate": "percent",
         "retention_rate": "percent", "buyer_retention_rate": "percent", "repeat_purchase_rate": "percent",
         "revenue": "money", "revenue_growth_rate": "percent", "arpc": "money", "cac": "money", "ltv": "money",
         "ltv_cac_ratio": "ratio", "first_response_time": "seconds", "resolution_time": "seconds",
         "first_contact_resolution": "percent", "interactions": "count", "feedback": "count",
         "follow_up_rate": "percent", "relationship_quality": "points"}
CADENCES = {kpi: "month" for kpi in KPIS}
CADENCES.update({"nps": "quarter", "feedback": "quarter", "relationship_quality": "quarter", "churn_rate": "year",
                 "retention_rate": "year", "buyer_retention_rate": "year", "repeat_purchase_rate": "year",
                 "ltv": "year", "ltv_cac_ratio": "year"})
METHODS = {"nps": "adjusted_wald", "first_response_time": "order_statistics", "resolution_time": "order_statistics",
           "ltv": "poisson_score"}
SKETCHED_PARTS = {"first_response_time": ("p50", "p90", "p95"), "resolution_time": ("p50", "p90", "p95"),
                  "follow_up_rate": ("median_time",), "relationship_quality": ("speed",)}
MISSING = "(missing)"


class Either(tuple):
    """Figures of which each is right, where the contract is silent."""


@dataclass
class Tally:
    name: str
    cells: int = 0
    not_null: int = 0
    differences: int = 0
    shown: list = field(default_factory=list)
    kinds: Counter = field(default_factory=Counter)
    closings: list = field(default_factory=list)  # of the tallies added to this one

    def check(self, where, name, wanted, found, tolerance=EXACT):
        """where: (kpi, period, filter, question). One cell."""
        self.cells += 1
        # `provisional` always has a figure: counting it would only swell the number.
        choices = wanted if isinstance(wanted, Either) else (wanted,)
        if name != "provisional" and choices[0] is not None:
            self.not_null += 1
        if not any(_same(choice, found, tolerance) for choice in choices):
            self.differences += 1
            self.kinds[where[0], name] += 1
            self.shown.append((where, name, wanted, found))

    def add(self, other):
        self.cells += other.cells
        self.not_null += other.not_null
        self.differences += other.differences
        self.closings.append(other.closing())

    def closing(self):
        return (f"oracle: {self.cells} cells compared, {self.not_null} not null, "
                f"{self.differences} differences ({self.name})")

    def finish(self, total=None):
        """Add to the total, and fail on any difference with the first of them."""
        if total is not None:
            total.add(self)
        if self.differences:
            lines = [self.closing()]
            lines += [f"  {kpi} {name}: {count}" for (kpi, name), count in self.kinds.most_common(SHOWN)]
            lines += [f"  {kpi} {period.label} {filter_.label()} [{question}] {name}: "
                      f"oracle {wanted!r}, service {found!r}"
                      for (kpi, period, filter_, question), name, wanted, found in self._varied()]
            raise AssertionError("\n".join(lines))

    def _varied(self):
        """The first differences, of as many sorts as possible."""
        seen = Counter()
        ranked = []
        for entry in self.shown:
            sort = entry[0][0], entry[1]
            ranked.append((seen[sort], entry))
            seen[sort] += 1
        return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])][:SHOWN]


def _same(wanted, found, tolerance):
    if wanted is None or isinstance(wanted, (bool, str)):
        return found is wanted or (isinstance(wanted, str) and found == wanted)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return False
    return abs(found - wanted) <= tolerance


def compare_measure(tally, where, measure, answer):
    """All cells of one KPI, one period, one filter. `answer` is the service's object for it."""
    kpi = where[0]
    about = SKETCHED if kpi in MEDIANS else 0
    reason = measure.null_reason

    def near(figure, share=about):
        return max(EXACT, (share + NOISE) * abs(figure or 0)) + measure.slack

    def count(figure):
        # Counts are 0 where a record of the kind is dated before the end; before that 0 and null are both true.
        return Either((figure, None)) if figure == 0 and not measure.dated else figure

    tally.check(where, "value", measure.value, answer.get("value", MISSING), near(measure.value))
    interval = answer.get("interval") or {}
    tally.check(where, "interval.low", measure.low, interval.get("low"), near(measure.low))
    tally.check(where, "interval.high", measure.high, interval.get("high"), near(measure.high))
    tally.check(where, "null_reason", reason, answer.get("null_reason", MISSING))
    tally.check(where, "provisional", measure.provisional, answer.get("provisional", MISSING))
    if reason == "not_applicable_to_filter":
        return  # Nothing is counted under such a filter: what stands for it is not said.
    tally.check(where, "n", count(measure.n), answer.get("n", MISSING))
    top, bottom = count(measure.numerator), count(measure.denominator)
    if kpi == "ltv_cac_ratio" and reason:
        top, bottom = Either((top, None)), Either((bottom, None))  # the one that there is stands in parts
    tally.check(where, "numerator", top, answer.get("numerator", MISSING), near(measure.numerator))
    # Sums and medians have n records and no denominator; giving the records as one is as true.
    tally.check(where, "denominator", Either((None, measure.n)) if bottom is None else bottom,
                answer.get("denominator", MISSING), near(measure.denominator))
    compare_parts(tally, where, measure, answer.get("parts") or {}, count)


def compare_parts(tally, where, measure, parts, count):
    kpi = where[0]
    for name, figure in measure.parts.items():
        share = SKETCHED if name in SKETCHED_PARTS.get(kpi, ()) else NOISE
        tally.check(where, f"parts.{name}", figure if isinstance(figure, float) else count(figure),
                    parts.get(name, MISSING), max(EXACT, share * abs(figure or 0)))
    for name in parts.keys() - measure.parts.keys():
        tally.check(where, f"parts.{name}", MISSING, parts[name])


def compare_change(tally, where, this, before, answer, complete, earlier):
    """previous and change of one period's answer; earlier: the period compared with, and `before` its measure."""
    kpi = where[0]
    if earlier is None:
        tally.check(where, "previous", None, answer.get("previous", MISSING))
        tally.check(where, "change", None, answer.get("change", MISSING))
        return
    about = SKETCHED if kpi in MEDIANS else 0
    previous, change = answer.get("previous") or {}, answer.get("change") or {}
    tally.check(where, "previous.value", before.value, previous.get("value"),
                max(EXACT, (about + NOISE) * abs(before.value or 0)) + before.slack)
    if before.null_reason != "not_applicable_to_filter":
        tally.check(where, "previous.n", Either((before.n, None)) if before.n == 0 else before.n, previous.get("n"))
    if before.value is not None and earlier.key:
        tally.check(where, "previous.period", earlier.key, previous.get("period"))
    known = complete and this.value is not None and before.value is not None
    if kpi == "relationship_quality" and known:
        known = present(this) == present(before)
    step = this.value - before.value if known else None
    slack = (about + NOISE) * (abs(this.value) + abs(before.value)) + this.slack + before.slack if known else 0
    tally.check(where, "change.absolute", step, change.get("absolute"), max(2 * EXACT, slack + EXACT))
    chance = p_value(kpi, this, before) if known else None
    tally.check(where, "change.p_value", chance, change.get("p_value"))
    tally.check(where, "change.significant", None if chance is None else chance < 0.05, change.get("significant"))


def present(measure):
    return {name for name, figure in measure.parts.items() if figure is not None}


def fetch(client, path, **query):
    try:
        response = client.get(path, **query)
    except RemoteDisconnected:
        # The oracle took so long that the service closed the idle connection.
        response = client.get(path, **query)
    assert response.status == 200, f"GET {path} {query}: {response.status} {response.body[:400]!r}"
    return response.json()


def compare_period(tally, client, answers, zone, period, filter_=EVERYONE, compare="previous", name=None):
    """One request for all KPIs of one period. `answers` must hold the period, and the one it is compared with."""
    query = {**period.query(), **filter_.query()}
    if name:
        query["period"] = name
        query.pop("from", None), query.pop("to", None)
    if compare != "previous":
        query["compare"] = compare
    document = fetch(client, "/v1/kpis", **query)
    echoed = document["period"]
    assert (echoed["from"], echoed["to"], echoed["timezone"]) == \
        (period.first.isoformat(), period.end.isoformat(), zone), f"{query}: {echoed}"
    assert period.key in (None, echoed["key"]), f"{query}: {echoed}"
    earlier = period.year_ago() if compare == "year_ago" else period.previous()
    for kpi in KPIS:
        where = (kpi, period, filter_, name or compare)
        answer = document["kpis"].get(kpi)
        assert answer is not None, f"{query}: {kpi} is missing"
        check_frame(kpi, answer, client)
        this = answers[kpi, period, filter_]
        compare_measure(tally, where, this, answer)
        compare_change(tally, where, this, earlier and answers[kpi, earlier, filter_], answer, echoed["complete"],
                       earlier)


def check_frame(kpi, answer, client):
    """What says how to read the figure."""
    assert (answer["kpi"], answer["unit"], answer["cadence"]) == (kpi, UNITS[kpi], CADENCES[kpi])
    if answer["interval"]:
        assert (answer["interval"]["level"], answer["interval"]["method"]) == (0.95, METHODS.get(kpi, "wilson"))
    if UNITS[kpi] == "money":
        assert (answer["currency"], answer["minor_digits"]) == (getattr(client, "currency", "BRL"), 2)


def compare_series(tally, client, answers, granularity, wanted, filter_=EVERYONE, kpis=KPIS):
    """One request a KPI for all periods of one granularity, first to last without a gap."""
    for kpi in kpis:
        query = {"granularity": granularity, "from": wanted[0].first.isoformat(), "to": wanted[-1].end.isoformat(),
                 **filter_.query()}
        document = fetch(client, f"/v1/kpis/{kpi}", **query)
        keys = [entry["period"]["key"] for entry in document["series"]]
        assert keys == [period.key for period in wanted], f"{kpi} {query}: periods {keys}"
        for period, entry in zip(wanted, document["series"]):
            compare_measure(tally, (kpi, period, filter_, "series"), answers[kpi, period, filter_], entry)


def compare_groups(tally, client, answers, kpi, groups, wanted, granularity=None):
    """One request by a label, as a series or of one period. groups: a filter for each value and for none of them, all
    with the same label and the same selection; `answers` must hold them all. Empty groups may be absent."""
    by, selected = groups[0].by, groups[0].query()
    span = {"granularity": granularity, "from": wanted[0].first.isoformat(), "to": wanted[-1].end.isoformat()} \
        if granularity else wanted[0].query()
    document = fetch(client, f"/v1/kpis/{kpi}", by=by, **span, **selected)
    assert (document["kpi"], document["by"]) == (kpi, by)
    entries = {}
    for entry in document["series"]:
        key = entry["period"]["from"], entry["period"]["to"], entry["group"]
        assert key not in entries, f"{kpi} by {by}: {key} twice"
        entries[key] = entry
    for period in wanted:
        for group in groups:
            where = (kpi, period, group, f"by {by}, {granularity or 'one period'}")
            name = group.names[0] if group.names else None
            entry = entries.pop((period.first.isoformat(), period.end.isoformat(), name), None)
            measure = answers[kpi, period, group]
            # Grouped by these the denominator is that of the whole.
            empty = measure.empty
            if by == "reason":
                empty = not measure.parts["lost"] + measure.parts["lost_new"]
            elif by == "category":
                empty = measure.null_reason == "no_data"
            if entry is not None:
                compare_measure(tally, where, measure, entry)
            else:
                tally.check(where, "absent", True, empty)
    for (first, _, name), entry in entries.items():
        tally.check((kpi, wanted[0], groups[0], f"by {by}: {first} {name}"), "unknown group", MISSING, entry)


def compare_scorecard(tally, client, oracle, at, window="trailing", filter_=EVERYONE):
    """Each KPI at its own cadence: the last month and quarter that are over at that date; of yearly ones twelve months
    up to it, or the last calendar year."""
    document = fetch(client, "/v1/scorecard", at=at.isoformat(), window=window, **filter_.query())
    assert (document["at"], document["window"], document["timezone"]) == (at.isoformat(), window, oracle.zone)
    last = {granularity: period_of(granularity, at).previous() for granularity in ("month", "quarter", "year")}
    if window == "trailing":
        last["year"] = trailing(period_of("month", at).first, 12)
    assert document["kpis"].keys() == set(KPIS)
    # Actions have no labels to filter by.
    today = datetime.now(ZoneInfo(oracle.zone)).date()
    for name, count in oracle.actions(last["month"], today).items():
        tally.check(("actions", last["month"], filter_, f"scorecard at {at}"), name, count, document["actions"][name])
    for cadence, period in last.items():
        kpis = [kpi for kpi in KPIS if CADENCES[kpi] == cadence]
        answers = oracle.ask([period, period.previous()], [filter_], kpis)
        for kpi in kpis:
            where = (kpi, period, filter_, f"scorecard at {at}")
            answer = document["kpis"][kpi]
            echoed = answer["period"]
            assert (echoed["from"], echoed["to"]) == (period.first.isoformat(), period.end.isoformat()), where
            check_frame(kpi, answer, client)
            this, before = (answers[kpi, p, filter_] for p in (period, period.previous()))
            compare_measure(tally, where, this, answer)
            compare_change(tally, where, this, before, answer, echoed["complete"], period.previous())


def compare_cohorts(tally, client, oracle, wanted, filter_=EVERYONE):
    """The cohort table of periods without a gap, by the customers' own labels."""
    granularity = wanted[0].granularity
    document = fetch(client, "/v1/cohorts", granularity=granularity, **{"from": wanted[0].first.isoformat(),
                                                                       "to": wanted[-1].end.isoformat(),
                                                                       **filter_.query()})
    assert (document["granularity"], document["timezone"]) == (granularity, oracle.zone)
    assert [row["period"]["key"] for row in document["rows"]] == [period.key for period in wanted]
    for period, row in zip(wanted, document["rows"]):
        cells = oracle.cohorts(period, filter_)[:COHORT_CELLS]
        where = ("cohorts", period, filter_, granularity)
        tally.check(where, "cells", len(cells), len(row["cells"]))
        for k, (cell, found) in enumerate(zip(cells, row["cells"])):
            tally.check(where, f"cell {k}", cell, found)
