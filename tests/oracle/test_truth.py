"""The oracle against figures worked out by hand or printed elsewhere: it must not be wrong in its own way."""
from datetime import date, datetime, timezone
from math import comb

import pytest

from oracle.generator import Generator
from oracle.hand import CASES
from oracle.hand_money import MONEY_CASES, SURVIVORS, survivors
from oracle.truth import EVERYONE, KPIS, LABELS, order_ranks, p_value
from oracle.zones import Period, custom, day_start, named, period_of, periods, trailing


def figure(measure, name):
    return measure.parts[name] if name in measure.parts else getattr(measure, name)


@pytest.mark.parametrize("case", CASES + MONEY_CASES, ids=lambda case: case.name)
def test_hand_case(oracle, case):
    oracle.load(case.records, case.zone, case.settings)
    asked = [period for _, period, _, _ in case.expected]
    answers = oracle.ask(asked + [period.previous() for period in asked],
                         [filter_ for _, _, filter_, _ in case.expected])
    for kpi, period, filter_, figures in case.expected:
        this, before = answers[kpi, period, filter_], answers[kpi, period.previous(), filter_]
        for name, wanted in figures.items():
            if name == "p_value":
                found = p_value(kpi, this, before)
            elif name == "significant":
                found = p_value(kpi, this, before)
                found = None if found is None else found < 0.05
            else:
                found = figure(this, name)
            if isinstance(wanted, (int, float)):
                wanted = pytest.approx(wanted, abs=max(case.digits, 1e-9 * abs(wanted)), rel=0)
            assert found == wanted, f"{kpi} {period.label} {filter_}: {name}"


def test_order_ranks_follow_the_binomial_tail():
    ranks = dict(order_ranks(400))
    assert min(ranks) == 6
    # Tables of distribution-free 95 % intervals of the median: ranks 1–6, 2–9, 3–10, 6–15, 40–61.
    assert [ranks[n] for n in (6, 10, 12, 20, 100)] == [1, 2, 3, 6, 40]
    for n in (6, 7, 25, 31, 64, 399, 400):
        tail = [sum(comb(n, j) for j in range(r)) / 2 ** n for r in (ranks[n], ranks[n] + 1)]
        assert tail[0] <= 0.025 < tail[1]


def test_days_begin_at_their_first_instant():
    def at(*parts):
        return datetime(*parts, tzinfo=timezone.utc)
    assert day_start("America/Sao_Paulo", date(2017, 10, 15)) == at(2017, 10, 15, 3)
    assert day_start("America/Sao_Paulo", date(2017, 10, 16)) == at(2017, 10, 16, 2)
    assert day_start("America/Havana", date(2018, 11, 4)) == at(2018, 11, 4, 4)
    assert day_start("Asia/Kolkata", date(2018, 1, 1)) == at(2017, 12, 31, 18, 30)
    # A day that does not exist has no length.
    assert day_start("Pacific/Apia", date(2011, 12, 30)) == day_start("Pacific/Apia", date(2011, 12, 31))


def test_periods_have_their_iso_names():
    assert period_of("week", date(2021, 1, 3)).key == "2020-W53"
    assert period_of("quarter", date(2026, 9, 30)).key == "2026-Q3"
    assert period_of("quarter", date(2026, 1, 5)).previous().key == "2025-Q4"
    assert [p.key for p in periods("month", date(2025, 12, 31), date(2026, 1, 2))] == ["2025-12", "2026-01"]


def test_what_periods_are_compared_with():
    def before(granularity, *day):
        return getattr(period_of(granularity, date(*day)).year_ago(), "key", None)
    assert before("week", 2020, 12, 30) is None
    assert before("week", 2021, 1, 5) == "2020-W01"
    assert before("day", 2024, 2, 29) == "2023-02-28"
    assert before("quarter", 2026, 9, 30) == "2025-Q3"
    assert custom("2024-02-29", "2024-03-05").year_ago() == custom("2023-02-28", "2023-03-05")
    names = named(date(2026, 3, 31))
    assert names["last_12_months"] == trailing(date(2026, 3, 1), 12)
    assert names["last_12_months"].previous() == Period("range", date(2024, 3, 1), date(2025, 3, 1), 12)
    assert names["last_90_days"].previous() == custom("2025-10-02", "2025-12-31")
    assert (names["last_quarter"].key, names["last_week"].key) == ("2025-Q4", "2026-W13")


def test_cohort_table_of_print(oracle):
    oracle.load(survivors(), "UTC")
    years = periods("year", date(2009, 1, 1), date(2024, 1, 1))
    rows = [oracle.cohorts(year, now=datetime(2022, 6, 1, tzinfo=timezone.utc)) for year in years]
    assert rows[1] == list(SURVIVORS)
    assert rows[0] == [0] * 14 and rows[2] == [0] * 12 and rows[13] == [0]


@pytest.mark.parametrize("seed", (1, 2))
def test_generated_records_keep_the_identities(oracle, seed):
    """Properties that need no second computation: balance of customers, cohorts, groups and periods that add up."""
    made = Generator(seed, "America/Sao_Paulo", date(2017, 1, 1), date(2018, 12, 31), size=0.3)
    made.correct()
    oracle.load(made.records(), made.zone)
    months = periods("month", made.first, made.end)
    quarters = periods("quarter", made.first, made.end)
    answers = oracle.ask(months + quarters, [EVERYONE])
    for (kpi, _, _), m in answers.items():
        if kpi == "churn_rate":
            p = m.parts
            came, went = p["acquired"] + p["reactivated"], p["cancelled"]
            assert p["customers_at_start"] + came - went == p["customers_at_end"]
        if kpi == "revenue":
            assert m.value is None or m.parts["gross"] - m.parts["refunds"] == m.value
        if None not in (m.low, m.value):
            slip = 1e-9 * max(1, abs(m.value))
            assert m.low - slip <= m.value <= m.high + slip
    for period in months + quarters:
        churn, kept = (answers[k, period, EVERYONE] for k in ("churn_rate", "retention_rate"))
        assert churn.value is None or abs(churn.value + kept.value - 100) < 1e-9
    for i, quarter in enumerate(quarters):
        for kpi, part in ADDITIVE:
            of_months = [of(answers[kpi, month, EVERYONE], part) for month in months[3 * i:3 * i + 3]]
            assert sum(of_months) == of(answers[kpi, quarter, EVERYONE], part)
    assert {kpi for (kpi, _, _), m in answers.items() if m.value is not None} == set(KPIS)


ADDITIVE = (("csat", "satisfied"), ("nps", "detractors"), ("ces", "hard"), ("feedback", "negative"),
            ("response_rate", "late"), ("interactions", "closed_unresolved"), ("revenue", "refunds"),
            ("revenue", "n"), ("revenue", "unattributed"), ("cac", "costs"), ("cac", "acquired"), ("arpc", "numerator"),
            ("ltv", "numerator"), ("follow_up_rate", "numerator"), ("follow_up_rate", "within_48h"))
GROUPED = {("churn_rate", part): ("segment", "channel") for part in
           ("lost", "lost_new", "acquired", "redundant", "lost_voluntary", "customers_at_end")}
GROUPED.update({(kpi, part): LABELS[kpi] for kpi, part in ADDITIVE})
GROUPED["cac", "acquired"] = ("segment", "channel")
GROUPED["churn_rate", "lost"] = GROUPED["churn_rate", "lost_new"] = ("segment", "channel", "reason")


def of(measure, name):
    return getattr(measure, name, None) if name in ("n", "numerator") else measure.parts[name]


def test_groups_add_up_to_the_whole(oracle):
    made = Generator(5, "America/Havana", date(2018, 1, 1), date(2018, 12, 31), size=0.3)
    made.correct()
    oracle.load(made.records(), made.zone)
    months = periods("month", made.first, made.end)
    for by in sorted({by for labels in LABELS.values() for by in labels}):
        groups = oracle.groups(by)
        kpis = sorted({kpi for kpi, part in GROUPED if by in GROUPED[kpi, part]})
        answers = oracle.ask(months, [EVERYONE, *groups], kpis)
        for (kpi, part), labels in GROUPED.items():
            # What has an aspect is not in the headline.
            if by in labels and not (by == "aspect" and kpi in ("csat", "nps", "ces")):
                for month in months:
                    parts = [of(answers[kpi, month, group], part) for group in groups]
                    assert sum(parts) == of(answers[kpi, month, EVERYONE], part), (kpi, part, by)
        if by == "aspect":
            assert all(answers[kpi, month, groups[-1]] == answers[kpi, month, EVERYONE]
                       for kpi in ("csat", "nps", "ces") for month in months)
