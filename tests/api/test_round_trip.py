"""The data of ../shared/data in every form, out as CSV and in again: the same records, the same figures.

A sample by default, with two of the ways for each set; all of it in all ways with VINCULO_TEST_ALL=1.
"""

import concurrent.futures
import gzip
import json
import os
import re
import time

import pytest

from api.checks import expect
from api.many import without_times
from support.client import Client
from support.forms import PACKINGS, media, post_many

ALL = os.environ.get("VINCULO_TEST_ALL") == "1"
SAMPLE = 120  # records of each kind
SENDERS = 8
ARRAY_ITEMS = 1000

# Set → currency, and its kinds in an order in which they can be sent.
SETS = {
    "olist_classified": ("BRL", ("interactions", "payments", "surveys")),
    "olist_reviews": ("BRL", ("surveys",)),
    "ravenstack_accounts": ("USD", ("customers", "cancellations", "reactivations", "interactions",
                                    "surveys")),
    "cdnow": ("USD", ("customers", "payments")),
}
WAYS = (("object", False), ("object", True), *PACKINGS)
# The two records whose id came before with other content: a conflict, whatever the form.
REPEATED = {"olist_reviews": 2}


def ways_of(name):
    if ALL:
        return WAYS
    first = list(SETS).index(name)
    return WAYS[first], WAYS[first + len(SETS)]


@pytest.fixture
def records_of(data_set):
    """records_of(set) → kind → records; of a sample those whose customers are in it."""
    def load(name):
        kinds = {kind: data_set(name, kind) for kind in SETS[name][1]}
        if ALL:
            return kinds
        chosen = {row["id"] for row in kinds.get("customers", [])[:SAMPLE]}
        return {kind: [row for row in rows if kind == "customers" or not chosen
                       or row["customer_id"] in chosen][:SAMPLE] for kind, rows in kinds.items()}
    return load


def send_objects(client, kind, records, packed):
    """One request each, over several connections; returns how many were refused as conflicts."""
    def send(part):
        sender = Client(client.url, client.key)
        statuses = []
        for record in part:
            body = json.dumps(record).encode()
            answer = sender.request("POST", f"/v1/{kind}", gzip.compress(body, 1) if packed else body,
                                    media("array", packed))
            assert answer.status in (201, 409), answer
            statuses.append(answer.status)
        sender.close()
        return statuses.count(409)
    # A repeated id goes through the same connection as the first, so that the first is stored.
    parts = [[row for row in records if sum(row["id"].encode()) % SENDERS == number]
             for number in range(SENDERS)]
    client.close()  # its connection would idle until the service closes it
    with concurrent.futures.ThreadPoolExecutor(SENDERS) as senders:
        return sum(senders.map(send, parts))


def send_many(client, kind, records, form, packed):
    size = ARRAY_ITEMS if form == "array" else len(records)
    rejected = 0
    for at in range(0, len(records), size):
        part = records[at:at + size]
        answer = post_many(client, f"/v1/{kind}", part, form, packed)
        assert answer.status in (200, 207), answer
        summary = answer.json()
        assert summary["created"] + summary["rejected"] == summary["received"] == len(part)
        assert all(item["problem"]["code"] == "id_conflict" for item in summary["results"]
                   if item["outcome"] == "rejected")
        rejected += summary["rejected"]
    return rejected


def exported(client, kind):
    """What the workspace holds of a kind, newest first, as the NDJSON list gives it."""
    answer = client.get(f"/v1/{kind}", format="ndjson")
    assert answer.status == 200, answer
    return [without_times(json.loads(line)) for line in answer.body.splitlines()]


def instant(text):
    """As answers give them: no more digits of a second than needed."""
    return re.sub(r"\.?0+Z$", "Z", text) if "." in text else text


def check_stored(records, found, kind):
    """Every record is there once, with each field as it was sent."""
    first = {}
    for row in records:
        first.setdefault(row["id"], row)
    assert len(found) == len(first), kind
    for row in found:
        given = first.pop(row["id"])
        for name, value in given.items():
            expected = instant(value) if name.endswith("_at") else value
            assert row[name] == expected, (kind, row["id"], name)


def figures(client, records):
    """All KPIs of every month and year from the first record to the last."""
    years = sorted(value[:4] for rows in records.values() for row in rows
                   for name, value in row.items() if name.endswith("_at"))
    between = {"from_": f"{years[0]}-01-01", "to": f"{int(years[-1]) + 1}-01-01"}
    answers = [expect(client.get("/v1/kpis", granularity=granularity, **between), 200)
               for granularity in ("month", "year")]
    single = [expect(client.get("/v1/kpis", period=str(year)), 200)
              for year in range(int(years[0]), int(years[-1]) + 1)]
    assert any(part for answer in single for figure in answer["kpis"].values()
               for part in figure["parts"].values()), "figures of nothing"
    return [*answers, *single]


def send_again_as_csv(source, target, kinds):
    for kind in kinds:
        out = source.get(f"/v1/{kind}", format="csv")
        assert out.status == 200, out
        summary = expect(target.request("POST", f"/v1/{kind}", out.body, media("csv")), 200)
        assert summary["created"] == summary["received"] == out_rows(source, kind)


def out_rows(client, kind):
    return client.get(f"/v1/{kind}", format="ndjson").body.count(b"\n")


@pytest.mark.parametrize("name", SETS)
def test_every_form_and_out_and_in_again(api, workspace, records_of, name):
    currency, kinds = SETS[name]
    records = records_of(name)
    reference = None
    for form, packed in ways_of(name):
        begun = time.monotonic()
        client = workspace(api, currency=currency)
        client.connection.timeout = 600
        conflicts = 0
        for kind in kinds:
            conflicts += send_objects(client, kind, records[kind], packed) if form == "object" \
                else send_many(client, kind, records[kind], form, packed)
        found = {kind: exported(client, kind) for kind in kinds}
        for kind in kinds:
            check_stored(records[kind], found[kind], kind)
        if ALL:
            assert conflicts == REPEATED.get(name, 0)
        made = figures(client, records)
        client.close()  # as above, until the first one is asked again
        reference = reference or (client, found, made)
        assert found == reference[1] and made == reference[2], (form, packed)
        print(f"{name} as {form}{' gzip' if packed else ''}: "
              f"{sum(map(len, found.values()))} records, {time.monotonic() - begun:.1f} s")

    again = workspace(api, currency=currency)
    again.connection.timeout = 600
    send_again_as_csv(reference[0], again, kinds)
    assert {kind: exported(again, kind) for kind in kinds} == reference[1]
    assert figures(again, records) == reference[2]
    print(f"{name} out as CSV and in again: equal records, equal figures")
