"""The service against the figures worked out by hand or in print, and against the oracle on the same records."""
from datetime import date, datetime, timedelta, timezone

import pytest

from oracle.comparer import (MEDIANS, SKETCHED_PARTS, Tally, compare_cohorts, compare_groups, compare_period, fetch)
from oracle.feed import post_all, post_batch
from oracle.hand import CASES
from oracle.hand_money import MONEY_CASES, SURVIVORS, survivors
from oracle.measure import Settings
from oracle.truth import EVERYONE
from oracle.zones import period_of, periods


def figure(answer, name):
    if name in ("low", "high"):
        return (answer["interval"] or {}).get(name)
    if name in ("p_value", "significant"):
        return (answer["change"] or {}).get(name)
    return answer[name] if name in answer else answer["parts"][name]


def set_up(client, case):
    """The case's settings, where they are not the defaults."""
    if case.settings != Settings():
        response = client.patch("/v1/workspace", {"settings": case.settings.sent()})
        assert response.status == 200, response


def answer_of(client, kpi, period, filter_):
    if filter_.by is None:
        return fetch(client, f"/v1/kpis/{kpi}", **period.query(), **filter_.query())["kpis"][kpi]
    document = fetch(client, f"/v1/kpis/{kpi}", by=filter_.by, **period.query(), **filter_.query())
    name = filter_.names[0] if filter_.names else None
    return next(entry for entry in document["series"] if entry["group"] == name)


def compare_case(tally, client, oracle, case):
    oracle.load(case.records, case.zone, case.settings)
    asked = list(dict.fromkeys((period, filter_) for _, period, filter_, _ in case.expected if filter_.by is None))
    answers = oracle.ask([p for period, _ in asked for p in (period, period.previous())],
                         [filter_ for _, filter_ in asked])
    for period, filter_ in asked:
        compare_period(tally, client, answers, case.zone, period, filter_)
    for kpi, period, filter_, _ in case.expected:
        if filter_.by:
            groups = oracle.groups(filter_.by)
            compare_groups(tally, client, oracle.ask([period], groups, [kpi]), kpi, groups, [period])


@pytest.mark.parametrize("case", CASES + MONEY_CASES, ids=lambda case: case.name)
def test_hand_case(open_workspace, oracle, total, case):
    client = open_workspace(case.zone)
    set_up(client, case)
    post_all(client, case.records)
    tally = Tally(case.name)
    compare_case(tally, client, oracle, case)
    for kpi, period, filter_, figures in case.expected:
        answer = answer_of(client, kpi, period, filter_)
        for name, wanted in figures.items():
            if isinstance(wanted, (int, float)):
                sketched = kpi in MEDIANS and name in ("value", "low", "high") or name in SKETCHED_PARTS.get(kpi, ())
                about = 0.01 if sketched or kpi == "relationship_quality" and name == "value" else 1e-9
                wanted = pytest.approx(wanted, rel=about, abs=max(1.001e-6, case.digits))
            assert figure(answer, name) == wanted, f"{kpi} {period.label} {filter_.label()}: {name}"
    tally.finish(total)


@pytest.mark.parametrize("moved", ("2026-02-11T12:00:00.000001Z", "2026-02-03T12:00:00Z", "2026-02-01T00:00:00Z"))
def test_an_answer_moves_away_from_its_follow_up(open_workspace, oracle, total, moved):
    """The answer's corrected time lies after the action, within 168 hours before it, and longer before."""
    survey = {"id": "s", "type": "csat", "score": 1, "answered_at": "2026-02-10T12:00:00Z"}
    action = {"id": "a", "title": "ligar", "survey_id": "s", "status": "done", "opened_at": "2026-02-01T00:00:00Z",
              "done_at": "2026-02-11T12:00:00Z"}
    client = open_workspace()
    post_all(client, {"surveys": [survey], "actions": [action]})
    response = client.patch("/v1/surveys/s", {"answered_at": moved})
    assert response.status == 200, response
    oracle.load({"surveys": [{**survey, "answered_at": moved}], "actions": [action]}, "UTC")
    february = period_of("month", date(2026, 2, 1))
    tally = Tally(f"follow-up of an answer moved to {moved}")
    compare_period(tally, client, oracle.ask([february, february.previous()]), "UTC", february)
    tally.finish(total)


def test_cohort_table_of_print(open_workspace, oracle, total):
    client = open_workspace()
    records = survivors()
    post_all(client, records)
    oracle.load(records, "UTC")
    years = periods("year", date(2009, 1, 1), date(2012, 1, 1))
    document = fetch(client, "/v1/cohorts", granularity="year", **{"from": "2010-01-01", "to": "2011-01-01"})
    assert document["rows"][0]["cells"][:len(SURVIVORS)] == list(SURVIVORS)
    tally = Tally("Fader & Hardie 2007")
    compare_cohorts(tally, client, oracle, years)
    tally.finish(total)


def test_provisional_while_more_may_come(open_workspace, oracle, total):
    """Relative to today: the month now running is unfinished, invitations' answers and follow-ups still come."""
    now = datetime.now(timezone.utc)
    surveys = [{"id": f"{age}-{n}", "type": "nps", "sent_at": (now - timedelta(days=age)).isoformat(),
                **({"score": 9 if n % 4 == 1 else 3,
                    "answered_at": (now - timedelta(days=age - 1)).isoformat()} if n % 2 else {})}
               for age in (2, 33, 64, 95, 126) for n in range(6)]
    client = open_workspace("UTC")
    post_batch(client, "surveys", surveys)
    oracle.load({"surveys": surveys}, "UTC")
    months = [period_of("month", now.date())]
    while len(months) < 5:
        months.append(months[-1].previous())
    answers = oracle.ask(months + [months[-1].previous()])
    for kpi in ("response_rate", "follow_up_rate"):
        assert answers[kpi, months[0], EVERYONE].provisional
        assert not answers[kpi, months[3], EVERYONE].provisional
    tally = Tally("provisional")
    for month in months:
        compare_period(tally, client, answers, "UTC", month)
    assert fetch(client, "/v1/kpis", period=months[0].key)["period"]["complete"] is False
    tally.finish(total)
