"""The service against the figures worked out by hand or in print, and against the oracle on the same records."""
from datetime import datetime, timedelta, timezone

import pytest

from oracle.comparer import MEDIANS, Tally, compare_period, fetch
from oracle.feed import post_batch
from oracle.hand import CASES
from oracle.truth import EVERYONE
from oracle.zones import period_of

ORDER = ("customers", "interactions", "surveys", "cancellations", "reactivations")


def figure(answer, name):
    if name in ("low", "high"):
        return (answer["interval"] or {}).get(name)
    if name in ("p_value", "significant"):
        return (answer["change"] or {}).get(name)
    return answer[name] if name in answer else answer["parts"][name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hand_case(open_workspace, oracle, total, case):
    client = open_workspace(case.zone)
    for kind in ORDER:
        if kind in case.records:
            post_batch(client, kind, case.records[kind])
    oracle.load(case.records, case.zone)
    asked = list(dict.fromkeys((period, filter_) for _, period, filter_, _ in case.expected))
    answers = oracle.ask([p for period, _ in asked for p in (period, period.previous())],
                         [filter_ for _, filter_ in asked])
    tally = Tally(case.name)
    for period, filter_ in asked:
        compare_period(tally, client, answers, case.zone, period, filter_)
    for kpi, period, filter_, figures in case.expected:
        answer = fetch(client, f"/v1/kpis/{kpi}", **period.query(), **filter_.query())["kpis"][kpi]
        for name, wanted in figures.items():
            if isinstance(wanted, (int, float)):
                about = 0.01 if kpi in MEDIANS and name in ("value", "p50", "p90", "p95", "low", "high") else 0
                # Newcombe's table has six decimals of the share, so four of the percentage.
                wanted = pytest.approx(wanted, rel=about, abs=1e-4 if case.name == "wilson" else 1.001e-6)
            assert figure(answer, name) == wanted, f"{kpi} {period.label} {filter_}: {name}"
    tally.finish(total)


def test_provisional_until_thirty_days_after(open_workspace, oracle, total):
    """Relative to today: the month now running is unfinished, its invitations' answers still come."""
    now = datetime.now(timezone.utc)
    surveys = [{"id": f"{age}-{n}", "type": "nps", "sent_at": (now - timedelta(days=age)).isoformat(),
                **({"score": 9, "answered_at": (now - timedelta(days=age - 1)).isoformat()} if n % 2 else {})}
               for age in (2, 33, 64, 95, 126) for n in range(6)]
    client = open_workspace("UTC")
    post_batch(client, "surveys", surveys)
    oracle.load({"surveys": surveys}, "UTC")
    months = [period_of("month", now.date())]
    while len(months) < 5:
        months.append(months[-1].previous())
    answers = oracle.ask(months + [months[-1].previous()])
    assert answers["response_rate", months[0], EVERYONE].provisional
    assert not answers["response_rate", months[3], EVERYONE].provisional
    tally = Tally("provisional")
    for month in months:
        compare_period(tally, client, answers, "UTC", month)
    assert fetch(client, "/v1/kpis", period=months[0].key)["period"]["complete"] is False
    tally.finish(total)
