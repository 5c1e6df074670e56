"""Real data sets of ../shared/data: every KPI of all that they span, by every label that they have.

The default run takes a sample of the customers; VINCULO_TEST_ALL=1 takes all records, every filter, weeks, many ranges.
"""
import json
import os
import random
from datetime import date, datetime, timedelta, timezone
from zlib import crc32

from oracle.comparer import Tally, compare_period
from oracle.feed import post_all
from oracle.sweep import filters_of, sweep, sweep_cohorts, sweep_scorecards, sweep_singles
from oracle.truth import EVERYONE, Filter
from oracle.zones import DAY, custom, named, periods

ALL = os.environ.get("VINCULO_TEST_ALL") == "1"
SEED = int(os.environ.get("VINCULO_TEST_SEED", "2026"))


def sample(records, one_in):
    """The records of every one_in-th customer; all of them in a long run."""
    if ALL:
        return records

    def drawn(row, kind):
        return crc32(row["id" if kind == "customers" else "customer_id"].encode()) % one_in == 0
    return {kind: [row for row in rows if drawn(row, kind)] for kind, rows in records.items()}


def span_of(records):
    moments = sorted(value for rows in records.values() for row in rows
                     for name, value in row.items() if name.endswith("_at"))
    first, last = (datetime.fromisoformat(moment).date() for moment in (moments[0], moments[-1]))
    return first, last + DAY


def random_ranges(first, end, count):
    chance = random.Random(f"{SEED} {first}")
    days = (end - first).days
    found = []
    while len(found) < count:
        a, length = chance.randrange(days), chance.choice((1, 2, 5, 9, 14, 31, 60, 90, 200, 365))
        found.append(custom(str(first + a * DAY), str(min(first + (a + length) * DAY, end + DAY))))
    return found


def windows(end, count):
    """Twelve months and ninety days up to the starts of months before `end`."""
    month = date(end.year, end.month, 1)
    found = []
    for _ in range(count):
        found += [custom(str(month.replace(year=month.year - 1)), str(month)),
                  custom(str(month - timedelta(days=90)), str(month))]
        month = (month - DAY).replace(day=1)
    return found


def compare_all(name, client, oracle, total, records, filters=None):
    first, end = span_of(records)
    oracle.load(records, "UTC")
    filters = filters or filters_of(records)
    spans = {granularity: periods(granularity, first, end) for granularity in ("month", "quarter", "year", "week")}
    few = list(dict.fromkeys((EVERYONE, *filters[1:2], filters[-1])))
    ranges = random_ranges(first, end, 25 if ALL else 3)
    tally = Tally(name)
    if ALL:
        singles = [period for granularity in ("month", "quarter", "year") for period in spans[granularity]]
        sweep(tally, client, oracle, spans, singles + ranges + windows(end, 6), filters, few, filters[-1:])
    else:
        spans = {"month": spans["month"][3:9], "year": spans["year"]}
        sweep(tally, client, oracle, spans, ranges[:1] + windows(end, 1), filters[:3], few[:2])
    sweep_scorecards(tally, client, oracle, [end - days * DAY for days in ((0, 1, 40, 95, 200) if ALL else (3,))], few)
    sweep_cohorts(tally, client, oracle, spans, few)
    tally.finish(total)


def load_all(data_set, name, *kinds):
    return {kind: data_set(name, kind) for kind in kinds}


def test_cdnow(open_workspace, oracle, total, data_set):
    records = sample(load_all(data_set, "cdnow", "customers", "payments"), 150)
    client = open_workspace(currency="USD")
    post_all(client, records)
    compare_all("cdnow", client, oracle, total, records)


def test_olist_classified(open_workspace, oracle, total, data_set):
    records = sample(load_all(data_set, "olist_classified", "interactions", "surveys", "payments"), 12)
    client = open_workspace()
    post_all(client, records)
    compare_all("olist_classified", client, oracle, total, records)


def ravenstack(data_set):
    return sample(load_all(data_set, "ravenstack_accounts", "customers", "cancellations", "reactivations",
                           "interactions", "surveys"), 5)


def test_ravenstack_accounts(open_workspace, oracle, total, data_set):
    """With made-up money: the set has none."""
    records = ravenstack(data_set)
    chance = random.Random(SEED)
    records["payments"] = [
        {"id": f"{row['id']}-{n}", "customer_id": row["id"], "amount": chance.randrange(1000, 90000),
         "paid_at": (datetime.fromisoformat(row["started_at"]) + timedelta(days=30 * n)).isoformat()}
        for row in records["customers"] for n in range(chance.randrange(9))]
    records["costs"] = [
        {"id": f"{i}", "amount": chance.randrange(1000, 900000), "channel": channel, "category": category,
         "incurred_at": f"202{3 + i % 2}-{1 + i % 12:02}-15T12:00:00Z"}
        for i, (channel, category) in enumerate((channel, category) for channel in ("ads", "event", "partner", None)
                                                for category in ("media", "salaries", None) for _ in range(7))]
    client = open_workspace()
    post_all(client, records)
    compare_all("ravenstack_accounts", client, oracle, total, records)


def shifted(records, days):
    """The same as if it had happened later."""
    def later(row):
        return {name: (datetime.fromisoformat(value) + timedelta(days=days)).isoformat() if name.endswith("_at") else
                value for name, value in row.items()}
    return {kind: [later(row) for row in rows] for kind, rows in records.items()}


def test_named_periods(open_workspace, oracle, total, data_set):
    """ravenstack_accounts as if its last day were today: the periods that are named after today's."""
    records = ravenstack(data_set)
    today = datetime.now(timezone.utc).date()
    records = shifted(records, (today - span_of(records)[1]).days + 1)
    client = open_workspace()
    post_all(client, records)
    oracle.load(records, "UTC")
    wanted = named(today)
    tally = Tally("named periods")
    filters = [EVERYONE, Filter("Pro"), Filter(None, "ads")]
    for compare in ("previous", "year_ago"):
        asked = [p for period in wanted.values() for p in (period, getattr(period, compare)()) if p]
        answers = oracle.ask(asked, filters)
        for name, period in wanted.items():
            for filter_ in filters:
                compare_period(tally, client, answers, "UTC", period, filter_, compare=compare, name=name)
    assert datetime.now(timezone.utc).date() == today, "midnight passed: run again"
    tally.finish(total)


def test_olist_reviews_refuses_the_two_repeated_ids(open_workspace, oracle, total, data_set):
    rows = data_set("olist_reviews", "surveys")
    kept, repeated = {}, []
    for number, row in enumerate(rows):
        if row["id"] in kept:
            repeated.append((number, row["id"]))
        else:
            kept[row["id"]] = row
    assert len(repeated) == 2
    client = open_workspace()
    body = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    response = client.request("POST", "/v1/surveys", body, {"Content-Type": "application/x-ndjson"})
    answer = response.json()
    assert response.status == 207
    assert {name: answer[name] for name in ("received", "created", "unchanged", "updated", "rejected")} == \
        {"received": len(rows), "created": len(rows) - 2, "unchanged": 0, "updated": 0, "rejected": 2}
    refused = [result for result in answer["results"] if result.get("problem")]
    assert [(result["index"], result["id"], result["problem"]["code"]) for result in refused] == \
        [(number, id_, "id_conflict") for number, id_ in repeated]
    oracle.load({"surveys": list(kept.values())}, "UTC")
    first, end = span_of({"surveys": rows})
    tally = Tally("olist_reviews")
    sweep_singles(tally, client, oracle, periods("year" if not ALL else "month", first, end), [EVERYONE])
    tally.finish(total)
