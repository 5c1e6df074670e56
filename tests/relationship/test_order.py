"""GET /v1/customers?order=risk: pages, filters, refusals; the order itself is held by test_auc.py."""

import pytest

from api.checks import expect, expect_problem, make_client, path_of
from oracle.feed import post_batch

AT = "2026-03-01T00:00:00Z"


@pytest.fixture(scope="module")
def many(api, workspace):
    """600 customers, every 10th gone, every 3rd a detractor, every 7th a promoter unless that."""
    client = workspace(api)
    ids = [f"r{number:03}" for number in range(600)]
    post_batch(client, "customers", [
        {"id": name, "started_at": "2025-06-01T12:00:00Z", "segment": "even" if number % 2 == 0 else "odd",
         "channel": "web" if number % 5 == 0 else None} for number, name in enumerate(ids)])
    post_batch(client, "surveys", [
        {"id": name, "customer_id": name, "type": "nps", "score": 2 if number % 3 == 0 else 10,
         "answered_at": "2026-02-01T12:00:00Z"} for number, name in enumerate(ids) if number % 3 == 0 or number % 7 == 0])
    post_batch(client, "cancellations", [
        {"id": name, "customer_id": name, "cancelled_at": "2026-01-01T12:00:00Z"}
        for number, name in enumerate(ids) if number % 10 == 0])
    client.ids = ids
    return client


def expected(client, keep=lambda number: True):
    """(health, id): 35 for a detractor with an open low score, 85 for a promoter, 55 for the quiet rest."""
    return sorted((35 if number % 3 == 0 else 85 if number % 7 == 0 else 55, name)
                  for number, name in enumerate(client.ids) if number % 10 and keep(number))


def pages(client, **query):
    found = []
    while True:
        page = expect(client.get("/v1/customers", **query), 200)
        found.append(page)
        if page["next_cursor"] is None:
            return found
        query = {"cursor": page["next_cursor"]}


def order_of(found):
    return [(item["health"], item["customer"]["id"]) for page in found for item in page["items"]]


def test_pages_of_any_size_are_the_same_order(many):
    for limit in (1000, 540, 539, 100, 77):
        found = pages(many, order="risk", at=AT, limit=limit)
        assert order_of(found) == expected(many)
        assert [len(page["items"]) for page in found[:-1]] == [limit] * (540 // limit - (540 % limit == 0))
        assert {page["at"] for page in found} == {AT}
    assert len(pages(many, order="risk", at=AT)[0]["items"]) == 100


def test_an_item(many):
    item = expect(many.get("/v1/customers", order="risk", at=AT, limit=1), 200)["items"][0]
    assert item == {"customer": expect(many.get(path_of("customers", "r003")), 200), "health": 35, "reasons": [
        {"code": "nps_detractor", "points": -25, "sentence": "Was a detractor in the last NPS answer, 27 days ago."},
        {"code": "low_score_open", "points": -10, "sentence": "Gave 1 low score about which no action has been done."}]}
    alone = expect(many.get("/v1/customers/r003/relationship", at=AT), 200)
    assert {name: alone[name] for name in item} == item


def test_filters(many):
    assert order_of(pages(many, order="risk", at=AT, segment="odd", limit=90)) == \
        expected(many, lambda number: number % 2 == 1)
    assert order_of(pages(many, order="risk", at=AT, segment="odd", channel="web", limit=7)) == \
        expected(many, lambda number: number % 2 == 1 and number % 5 == 0)
    assert order_of(pages(many, order="risk", at=AT, segment="nobody")) == []
    assert order_of(pages(many, order="risk", at=AT, from_="2025-06-02")) == []
    assert len(order_of(pages(many, order="risk", at=AT, to="2025-06-02", limit=1000))) == 540


def test_the_moment_stays_that_of_the_first_page(many):
    first = expect(many.get("/v1/customers", order="risk", limit=10), 200)
    second = expect(many.get("/v1/customers", cursor=first["next_cursor"]), 200)
    assert second["at"] == first["at"]
    assert order_of([first, second]) == sorted(order_of([first, second]))
    assert order_of(pages(many, order="risk", at="2025-12-31", limit=1000))[-1][0] == 55  # none asked by then
    assert len(order_of(pages(many, order="risk", at="2025-12-31", limit=1000))) == 600
    assert order_of(pages(many, order="risk", at="2025-06-01", limit=1000)) == []


def test_a_cursor_holds_order_and_filters(many):
    cursor = expect(many.get("/v1/customers", order="risk", at=AT, limit=10), 200)["next_cursor"]
    for name, value in (("order", "risk"), ("at", AT), ("segment", "odd")):
        expect_problem(many.get("/v1/customers", cursor=cursor, **{name: value}), 400, "unsupported_combination",
                       parameter=name)
    expect_problem(many.get("/v1/customers", cursor=cursor[:-2]), 400, "bad_cursor")
    expect_problem(many.get("/v1/surveys", cursor=cursor), 400, "bad_cursor")
    assert len(expect(many.get("/v1/customers", cursor=cursor, limit=3), 200)["items"]) == 3


def test_refusals(many, api):
    get = many.get
    expect_problem(get("/v1/customers", order="newest"), 400, "invalid_parameter", parameter="order")
    expect_problem(get("/v1/customers", order=""), 400, "invalid_parameter", parameter="order")
    expect_problem(get("/v1/customers", at=AT), 400, "unsupported_combination", parameter="at")
    expect_problem(get("/v1/customers", order="risk", at="soon"), 400, "invalid_parameter", parameter="at")
    expect_problem(get("/v1/customers", order="risk", at="2199-01-01"), 400, "invalid_parameter", parameter="at")
    expect_problem(get("/v1/customers", order="risk", limit=1001), 400, "invalid_parameter", parameter="limit")
    for form in ("csv", "ndjson"):
        expect_problem(get("/v1/customers", order="risk", format=form), 400, "unsupported_combination", parameter="order")
    for kind in ("surveys", "payments", "actions"):
        expect_problem(get(f"/v1/{kind}", order="risk"), 400, "unknown_parameter", parameter="order")
        expect_problem(get(f"/v1/{kind}", at=AT), 400, "unknown_parameter", parameter="at")
    expect_problem(make_client(api, many.workspace, "figures").get("/v1/customers", order="risk"), 403, "forbidden_scope")


def test_another_workspace_has_no_part(many, api, workspace):
    other = workspace(api)
    assert expect(other.get("/v1/customers", order="risk"), 200)["items"] == []
    expect(other.post("/v1/customers", {"id": "r003", "started_at": "2025-06-01T12:00:00Z"}), 201)
    assert order_of(pages(other, order="risk", at="2025-10-01")) == [(70, "r003")]
    cursor = expect(many.get("/v1/customers", order="risk", at=AT, limit=10), 200)["next_cursor"]
    expect_problem(other.get("/v1/customers", cursor=cursor), 400, "bad_cursor")
