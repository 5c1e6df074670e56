"""Real data sets of ../shared/data: every KPI of every month, quarter and year that they span."""
import json
from datetime import datetime

from oracle.comparer import Tally, compare_period, compare_series
from oracle.feed import post_batch
from oracle.truth import EVERYONE, Filter
from oracle.zones import DAY, custom, periods


def filters_of(records):
    """Everyone, each segment and each channel, and pairs of the first few."""
    kinds = [row for rows in records.values() for row in rows]
    segments = sorted({row["segment"] for row in kinds if row.get("segment")})
    channels = sorted({row["channel"] for row in kinds if row.get("channel")})
    pairs = [Filter(s, c) for s in segments[:4] for c in channels[:3]]
    return [EVERYONE] + [Filter(s) for s in segments] + [Filter(None, c) for c in channels] + pairs


def span_of(records):
    moments = sorted(value for rows in records.values() for row in rows
                     for name, value in row.items() if name.endswith("_at"))
    first, last = (datetime.fromisoformat(moment).date() for moment in (moments[0], moments[-1]))
    return first, last + DAY


def compare_all(name, client, oracle, total, records):
    first, end = span_of(records)
    oracle.load(records, "UTC")
    filters = filters_of(records)
    spans = {granularity: periods(granularity, first, end) for granularity in ("month", "quarter", "year")}
    singles = [period for many in spans.values() for period in many]
    singles += [custom("2017-11-24", "2017-12-26"), custom("2024-02-27", "2024-03-05")]
    answers = oracle.ask([p for period in singles for p in (period, period.previous())], filters)
    tally = Tally(name)
    for filter_ in filters:
        for granularity, many in spans.items():
            compare_series(tally, client, answers, granularity, many, filter_)
    for period in singles:
        for filter_ in dict.fromkeys((EVERYONE, *filters[1:2], filters[-1])):
            compare_period(tally, client, answers, "UTC", period, filter_)
    tally.finish(total)


def test_olist_classified(open_workspace, oracle, total, data_set):
    records = {kind: data_set("olist_classified", kind) for kind in ("interactions", "surveys")}
    client = open_workspace()
    for kind, rows in records.items():
        post_batch(client, kind, rows)
    compare_all("olist_classified", client, oracle, total, records)


def test_ravenstack_accounts(open_workspace, oracle, total, data_set):
    kinds = ("customers", "cancellations", "reactivations", "interactions", "surveys")
    records = {kind: data_set("ravenstack_accounts", kind) for kind in kinds}
    client = open_workspace()
    for kind, rows in records.items():
        post_batch(client, kind, rows)
    compare_all("ravenstack_accounts", client, oracle, total, records)


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
    compare_all("olist_reviews", client, oracle, total, {"surveys": list(kept.values())})
