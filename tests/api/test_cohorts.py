"""GET /v1/cohorts: against a published table, against SQL over the raw records, and at the edges."""

import contextlib
import csv
import datetime
import io

import psycopg2
import pytest

from api.checks import expect, expect_problem
from support.forms import post_many

# Fader and Hardie 2007, How to Project Customer Retention, Journal of Interactive Marketing 21(1), table 1: percent of
# customers surviving at the end of each year.
SURVIVAL = {
    "high_end": [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4],
    "regular": [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3],
}
CUSTOMERS = 1000
FIRST_YEAR = datetime.date.today().year - 12


def cells(client, **query):
    return [row["cells"] for row in expect(client.get("/v1/cohorts", **query), 200)["rows"]]


def store(client, kind, records):
    done = expect(post_many(client, f"/v1/{kind}", records), 200)
    assert done["created"] == len(records)


def test_the_table_of_fader_and_hardie(fresh):
    tables = {segment: [round(CUSTOMERS * percent / 100) for percent in survival]
              for segment, survival in SURVIVAL.items()}
    assert tables["high_end"][:5] == [1000, 869, 743, 653, 593]
    customers, cancellations = [], []
    for segment, left in tables.items():
        customers += [{"id": f"{segment}-{number}", "segment": segment,
                       "started_at": f"{FIRST_YEAR}-{number % 12 + 1:02}-15T00:00:00Z"} for number in range(CUSTOMERS)]
        for year in range(1, len(left)):
            cancellations += [{"id": f"{segment}-{number}", "customer_id": f"{segment}-{number}",
                               "cancelled_at": f"{FIRST_YEAR + year - 1}-12-31T23:59:59.999999Z"}
                              for number in range(left[year], left[year - 1])]
    store(fresh, "customers", customers)
    store(fresh, "cancellations", cancellations)
    year = {"granularity": "year", "period": str(FIRST_YEAR)}
    for segment, left in tables.items():
        assert cells(fresh, segment=segment, **year) == [left]
    assert cells(fresh, **year) == [[sum(both) for both in zip(*tables.values())]]


# Independent of src/: every customer's state at every boundary, by the last of their raw records before it.
TRUTH = """
    WITH zone AS (SELECT id, timezone FROM workspace WHERE name = %(workspace)s),
    boundary AS (SELECT x.place, (x.day::timestamp AT TIME ZONE zone.timezone) AS at
                   FROM zone, unnest(%(days)s::date[]) WITH ORDINALITY AS x(day, place)),
    event AS (
        SELECT id AS customer, started_at AS at, 0 AS rank, '' AS id FROM customer WHERE workspace_id = (SELECT id FROM zone)
        UNION ALL SELECT customer_id, cancelled_at, 1, id FROM cancellation WHERE workspace_id = (SELECT id FROM zone)
        UNION ALL SELECT customer_id, reactivated_at, 2, id FROM reactivation WHERE workspace_id = (SELECT id FROM zone))
    SELECT a.place - 1, b.place - a.place,
           count(*) FILTER (WHERE b.place = a.place OR (
               SELECT e.rank FROM event e WHERE e.customer = c.id AND e.at < b.at
                ORDER BY e.at DESC, e.rank DESC, e.id COLLATE "C" DESC LIMIT 1) <> 1)
      FROM boundary a
      JOIN boundary z ON z.place = a.place + 1
      JOIN boundary b ON b.place >= a.place AND b.at <= now()
      JOIN customer c ON c.workspace_id = (SELECT id FROM zone) AND c.started_at >= a.at AND c.started_at < z.at
       AND (%(segment)s IS NULL OR c.segment = %(segment)s) AND (%(channel)s IS NULL OR c.channel = %(channel)s)
     WHERE a.place <= %(rows)s AND b.place < a.place + 120
     GROUP BY 1, 2"""


def truth(api, client, starts, rows, segment=None, channel=None):
    """{(row, cell): n} of the cohorts with customers."""
    with contextlib.closing(psycopg2.connect(api.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(TRUTH, {"workspace": client.workspace, "days": starts, "rows": rows, "segment": segment,
                               "channel": channel})
        return {(row, cell): n for row, cell, n in cursor.fetchall()}


def starts_after(answer, granularity):
    """First days of the rows' periods, and of those after them to the next one that is to come."""
    days = [datetime.date.fromisoformat(row["period"]["from"]) for row in answer["rows"]]
    days.append(datetime.date.fromisoformat(answer["rows"][-1]["period"]["to"]))
    while days[-1] <= datetime.date.today():
        day = days[-1]
        months = {"month": 1, "quarter": 3, "year": 12}.get(granularity)
        if months is None:
            days.append(day + datetime.timedelta(days=7))
        else:
            index = day.year * 12 + day.month - 1 + months
            days.append(datetime.date(index // 12, index % 12 + 1, 1))
    return days


@pytest.fixture(scope="module")
def accounts(api, workspace, data_set):
    client = workspace(api, timezone="America/Sao_Paulo")
    for kind in ("customers", "cancellations", "reactivations"):
        store(client, kind, data_set("ravenstack_accounts", kind))
    return client


@pytest.mark.parametrize("granularity, query", [
    ("month", {"period": "2023"}), ("month", {"from_": "2023-01-01", "to": "2025-01-01"}), ("quarter", {"period": "2023"}),
    ("year", {"from_": "2023-06-01", "to": "2024-06-01"}), ("week", {"from_": "2024-01-01", "to": "2024-12-31"})], ids=str)
def test_real_accounts(api, accounts, granularity, query):
    labels = expect(accounts.get("/v1/customers", limit=1000), 200)["items"]
    filters = [{}, *({"segment": label} for label in sorted({each["segment"] for each in labels} - {None})),
               *({"channel": label} for label in sorted({each["channel"] for each in labels} - {None}))]
    filters.append({**filters[1], **filters[-1]})
    compared = started = 0
    for filter_ in filters:
        answer = expect(accounts.get("/v1/cohorts", granularity=granularity, **query, **filter_), 200)
        assert answer["filters"] == filter_
        rows = answer["rows"]
        starts = starts_after(answer, granularity)
        expected = truth(api, accounts, starts, len(rows), **filter_)
        told = {(row, cell): n for row, each in enumerate(rows) for cell, n in enumerate(each["cells"])}
        assert {place: n for place, n in told.items() if n} == {place: n for place, n in expected.items() if n}
        assert [len(each["cells"]) for each in rows] == \
            [min(120, sum(start <= datetime.date.today() for start in starts[row:])) for row in range(len(rows))]
        compared += len(told)
        started += sum(each["cells"][0] for each in rows if each["cells"])
    assert started > 0 and len(filters) > 3
    print(f"\n{compared} cells, {len(filters)} filters, 0 differences")


def life(client, customer, start, *events):
    """Events are cancellations and reactivations in turn."""
    expect(client.post("/v1/customers", {"id": customer, "started_at": start}), 201)
    for number, moment in enumerate(events):
        kind, field = (("cancellations", "cancelled_at"), ("reactivations", "reactivated_at"))[number % 2]
        expect(client.post(f"/v1/{kind}", {"id": f"{customer}{number}", "customer_id": customer, field: moment}), 201)


MONTHS = {"from_": "2025-01-01", "to": "2025-03-01"}


def first(client, count, **query):
    return [row[:count] for row in cells(client, **{**MONTHS, **query})]


def test_a_life_is_told_by_what_lies_strictly_before(fresh):
    life(fresh, "at-the-start", "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z")
    assert first(fresh, 3) == [[1, 1, 0], [0, 0, 0]], "who leaves at a boundary was there just before it"
    life(fresh, "within", "2025-01-31T23:59:59.999999Z", "2025-01-31T23:59:59.999999Z")
    assert first(fresh, 3) == [[2, 1, 0], [0, 0, 0]], "gone before the next month"
    life(fresh, "back", "2025-01-10T00:00:00Z", "2025-01-20T00:00:00Z", "2025-02-28T00:00:00Z", "2025-03-31T23:00:00Z")
    assert first(fresh, 4) == [[3, 1, 1, 0], [0, 0, 0, 0]]
    life(fresh, "next", "2025-02-01T00:00:00Z")
    assert first(fresh, 4) == [[3, 1, 1, 0], [1, 1, 1, 1]]
    life(fresh, "earlier", "2024-12-31T23:59:59Z")
    life(fresh, "later", "2025-03-01T00:00:00Z")
    assert first(fresh, 4) == [[3, 1, 1, 0], [1, 1, 1, 1]]


def test_events_that_change_nothing_and_late_corrections(fresh):
    life(fresh, "a", "2025-01-05T00:00:00Z", "2025-01-20T00:00:00Z")
    again = {"id": "again", "customer_id": "a", "cancelled_at": "2025-03-20T00:00:00Z"}
    expect(fresh.post("/v1/cancellations", again), 201)
    assert first(fresh, 4) == [[1, 0, 0, 0], [0, 0, 0, 0]], "cancelled twice, lost once"
    assert fresh.delete("/v1/cancellations/a0").status == 204
    assert first(fresh, 4) == [[1, 1, 1, 0], [0, 0, 0, 0]]
    expect(fresh.patch("/v1/customers/a", {"started_at": "2025-02-02T00:00:00Z", "segment": "small"}), 200)
    assert first(fresh, 4) == [[0, 0, 0, 0], [1, 1, 0, 0]]
    assert first(fresh, 4, segment="small") == [[0, 0, 0, 0], [1, 1, 0, 0]]
    assert first(fresh, 4, segment="large") == [[0, 0, 0, 0], [0, 0, 0, 0]]


def test_what_is_to_come_has_no_cells(fresh):
    today = datetime.datetime.now(datetime.timezone.utc)
    life(fresh, "a", today.isoformat(), (today + datetime.timedelta(days=300)).isoformat())
    answer = expect(fresh.get("/v1/cohorts", granularity="year", from_=f"{today.year}-01-01", to=f"{today.year + 2}-01-01"), 200)
    assert [(row["period"]["complete"], row["cells"]) for row in answer["rows"]] == [(False, [1]), (False, [])]
    past = cells(fresh, granularity="year", period=str(today.year - 1))
    assert past == [[0, 0]]


def test_the_default_is_twelve_months(fresh):
    answer = expect(fresh.get("/v1/cohorts"), 200)
    assert list(answer) == ["granularity", "timezone", "filters", "rows"]
    assert (answer["granularity"], answer["timezone"], answer["filters"]) == ("month", "UTC", {})
    assert [len(row["cells"]) for row in answer["rows"]] == list(range(13, 1, -1))
    assert all(row["period"]["complete"] and not any(row["cells"]) for row in answer["rows"])
    assert all(list(row) == ["period", "cells"] for row in answer["rows"])


def test_at_most_120_periods_of_120_cells(fresh):
    life(fresh, "a", "1990-01-15T00:00:00Z")
    rows = cells(fresh, from_="1990-01-01", to="2000-01-01")
    assert [len(row) for row in rows] == [120] * 120
    assert rows[0] == [1] * 120
    problem = expect_problem(fresh.get("/v1/cohorts", from_="1990-01-01", to="2000-01-02"), 400, "invalid_parameter",
                             parameter="granularity")
    assert "120" in problem["detail"]


def test_as_csv(fresh):
    life(fresh, "a", "2025-01-05T00:00:00Z", "2025-02-20T00:00:00Z")
    answer = fresh.get("/v1/cohorts", format="csv", **MONTHS)
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert list(rows[0].values()) == ["2025-01", "2025-01-01", "2025-02-01", "0", "1"]
    json = expect(fresh.get("/v1/cohorts", **MONTHS), 200)["rows"]
    assert rows == [{"period": row["period"]["key"], "from": row["period"]["from"], "to": row["period"]["to"],
                     "cell": str(cell), "n": str(n)} for row in json for cell, n in enumerate(row["cells"])]
    asked = fresh.request("GET", "/v1/cohorts?from=2025-01-01&to=2025-03-01", headers={"Accept": "text/csv"})
    assert asked.body == answer.body


def test_an_answer_that_is_known_is_not_sent_again(fresh):
    life(fresh, "a", "2025-01-05T00:00:00Z")
    answer = fresh.get("/v1/cohorts", **MONTHS)
    known = {"If-None-Match": answer.headers["ETag"]}
    path = "/v1/cohorts?from=2025-01-01&to=2025-03-01"
    again = fresh.request("GET", path, headers=known)
    assert (again.status, again.body) == (304, b"")
    life(fresh, "b", "2025-01-06T00:00:00Z")
    changed = fresh.request("GET", path, headers=known)
    assert changed.status == 200 and changed.json()["rows"][0]["cells"][0] == 2


@pytest.mark.parametrize("query, code, parameter", [
    ({"granularity": "day"}, "invalid_parameter", "granularity"),
    ({"granularity": "decade"}, "invalid_parameter", "granularity"),
    ({"period": "2025-13"}, "invalid_parameter", "period"),
    ({"period": "2025", "from_": "2025-01-01"}, "unsupported_combination", "period"),
    ({"from_": "2025-01-01"}, "invalid_parameter", "to"),
    ({"segment": ""}, "invalid_parameter", "segment"), ({"channel": "x" * 65}, "invalid_parameter", "channel"),
    ({"format": "ndjson"}, "invalid_parameter", "format"), ({"by": "segment"}, "unknown_parameter", "by"),
])
def test_refusals(shop, query, code, parameter):
    expect_problem(shop.get("/v1/cohorts", **query), 400, code, parameter=parameter)


def test_a_type_that_it_cannot_have(shop):
    answer = shop.request("GET", "/v1/cohorts", headers={"Accept": "text/html"})
    expect_problem(answer, 406, "not_acceptable")


def test_cohorts_are_the_workspaces_own(fresh, shop):
    life(fresh, "a", "2025-01-05T00:00:00Z")
    assert first(shop, 1) == [[0], [0]]
    assert first(fresh, 1) == [[1], [0]]
