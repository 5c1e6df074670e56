"""More labels than an answer names: the hundred largest groups, the rest added up as `other`, those without as null."""
import os
import random
from datetime import date, datetime, timedelta, timezone

import pytest

from oracle.comparer import Tally, compare_measure, fetch
from oracle.feed import post_all
from oracle.truth import EVERYONE
from oracle.zones import period_of, periods

LABELS = [f"l{i:03}" for i in range(130)]
MOST = 100
ASKED = (("interactions", "agent"), ("first_response_time", "agent"), ("csat", "agent"), ("csat", "touchpoint"),
         ("follow_up_rate", "touchpoint"), ("churn_rate", "segment"), ("churn_rate", "reason"), ("revenue", "segment"),
         ("repeat_purchase_rate", "segment"), ("arpc", "channel"), ("ltv", "segment"), ("cac", "category"),
         ("cac", "segment"), ("relationship_quality", "channel"))
SAMPLE = [ASKED[i] for i in (1, 3, 6, 9)]


def made():
    """Label i is on 1 + i // 12 records of each kind in spring, so that there are ties; few records have none."""
    chance = random.Random(1)
    spring = datetime(2026, 3, 1, tzinfo=timezone.utc)

    def when(days=91):
        return (spring + timedelta(seconds=chance.randrange(days * 86400))).isoformat()
    kinds = {kind: [] for kind in ("customers", "interactions", "surveys", "cancellations", "payments", "costs")}
    for i, label in enumerate([*LABELS, None]):
        for n in range(1 + i // 12 if label else 2):
            id_, customer = f"{i}-{n}", f"c{i}-{n}"
            kinds["customers"].append({"id": customer, "started_at": "2026-01-05T00:00:00Z" if n % 3 else when(20),
                                       "segment": label, "channel": label})
            if n % 2 == 0:
                kinds["cancellations"].append({"id": id_, "customer_id": customer, "reason": label,
                                               "cancelled_at": (spring + timedelta(days=25 + i % 60)).isoformat()})
            opened = spring + timedelta(seconds=chance.randrange(90 * 86400))
            answered = opened + timedelta(seconds=60 + i * 37 + n)
            kinds["interactions"].append({"id": id_, "customer_id": customer, "agent": label,
                                          "opened_at": opened.isoformat(), "first_response_at": answered.isoformat()})
            kinds["surveys"].append({"id": id_, "type": "csat", "score": 1 + (i + n) % 5, "answered_at": when(),
                                     "interaction_id": id_, "touchpoint": label, "channel": label})
            kinds["payments"] += [{"id": f"{id_}-{k}", "customer_id": customer, "amount": 100 + i, "paid_at": when()}
                                  for k in range(2)]
            kinds["costs"].append({"id": id_, "amount": 10 + i, "incurred_at": when(), "category": label,
                                   "segment": label})
    return kinds


@pytest.fixture(scope="module")
def crowd(open_workspace, oracle):
    records = made()
    client = open_workspace()
    post_all(client, records)
    oracle.load(records, "UTC")
    return client


def compare(tally, client, oracle, kpi, by, wanted, span):
    document = fetch(client, f"/v1/kpis/{kpi}", by=by, **span)
    names = {entry["group"] for entry in document["series"]} - {None, "other"}
    # Those without a label may count as one of the hundred.
    assert len(names) in (MOST, MOST - 1) and names < set(LABELS)
    rest = sorted(set(LABELS) - names)
    groups = {name: EVERYONE.group(by, name) for name in LABELS}
    groups.update({None: EVERYONE.group(by), "other": EVERYONE.group(by, *rest)})
    answers = oracle.ask(wanted, groups.values(), [kpi])
    found = {(entry["period"]["from"], entry["group"]): entry for entry in document["series"]}
    assert len(found) == len(document["series"])
    for period in wanted:
        for name in (*names, None, "other"):
            entry = found.get((period.first.isoformat(), name))
            measure = answers[kpi, period, groups[name]]
            if entry:
                compare_measure(tally, (kpi, period, groups[name], f"by {by}"), measure, entry)
            else:
                tally.check((kpi, period, groups[name], f"by {by}"), "absent", True, measure.empty)
    return names, rest, answers, groups


@pytest.mark.parametrize("kpi, by", ASKED if os.environ.get("VINCULO_TEST_ALL") == "1" else SAMPLE)
def test_the_hundred_largest(crowd, oracle, total, kpi, by):
    spring = period_of("quarter", date(2026, 5, 1))
    tally = Tally(f"{kpi} by 130 values of {by}")
    names, rest, answers, groups = compare(tally, crowd, oracle, kpi, by, [spring], spring.query())
    if kpi in ("interactions", "first_response_time", "csat", "revenue"):
        def size(name):
            return answers[kpi, spring, groups[name]].n
        assert min(map(size, names)) >= max(map(size, rest))
    months = periods("month", date(2026, 2, 1), date(2026, 6, 1))
    compare(tally, crowd, oracle, kpi, by, months, {"granularity": "month", "from": "2026-02-01", "to": "2026-06-01"})
    tally.finish(total)
