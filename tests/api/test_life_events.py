"""Cancellations and reactivations: facts that need their customer, active or not."""

import datetime

import pytest

from api.checks import expect, expect_problem, new_id, path_of, sample

START = "2025-01-05T12:00:00Z"
EVENTS = (("cancellations", "cancelled_at"), ("reactivations", "reactivated_at"))


def ahead(**span):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**span)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def customer(shop):
    given = sample("customers", id=new_id("customer"), started_at=START)
    expect(shop.post("/v1/customers", given), 201)
    return given["id"]


@pytest.mark.parametrize("kind, moment", EVENTS)
def test_the_customer_must_exist(shop, kind, moment):
    given = sample(kind, customer_id="nobody")
    for answer in (shop.post(f"/v1/{kind}", given), shop.put(path_of(kind, given["id"]), given)):
        expect_problem(answer, 422, "invalid_record", "unknown_customer", "/customer_id")
    expect_problem(shop.get(path_of(kind, given["id"])), 404, "not_found")


@pytest.mark.parametrize("kind, moment", EVENTS)
def test_not_before_the_start(shop, customer, kind, moment):
    early = sample(kind, customer_id=customer, **{moment: "2025-01-05T11:59:59.999999Z"})
    for answer in (shop.post(f"/v1/{kind}", early), shop.put(path_of(kind, early["id"]), early)):
        expect_problem(answer, 422, "invalid_record", "before_start", f"/{moment}")
    at_start = sample(kind, customer_id=customer, **{moment: START})
    expect(shop.post(f"/v1/{kind}", at_start), 201)
    answer = shop.patch(path_of(kind, at_start["id"]), {moment: "2025-01-05T11:00:00Z"})
    expect_problem(answer, 422, "invalid_record", "before_start", f"/{moment}")
    answer = shop.patch(path_of(kind, at_start["id"]), {"customer_id": "nobody"})
    expect_problem(answer, 422, "invalid_record", "unknown_customer", "/customer_id")


@pytest.mark.parametrize("kind, moment", EVENTS)
def test_a_customer_with_events_is_not_deleted(shop, customer, kind, moment):
    event = sample(kind, customer_id=customer)
    expect(shop.post(f"/v1/{kind}", event), 201)
    expect_problem(shop.delete(path_of("customers", customer)), 409, "has_dependents")
    expect(shop.get(path_of("customers", customer)), 200)
    assert shop.delete(path_of(kind, event["id"])).status == 204
    assert shop.delete(path_of("customers", customer)).status == 204


@pytest.mark.parametrize("kind, moment", EVENTS)
def test_the_start_does_not_move_past_an_event(shop, customer, kind, moment):
    expect(shop.post(f"/v1/{kind}", sample(kind, customer_id=customer,
                                           **{moment: "2025-03-04T10:00:00Z"})), 201)
    path = path_of("customers", customer)
    late = {"started_at": "2025-03-04T10:00:00.000001Z"}
    for answer in (shop.patch(path, late), shop.put(path, late)):
        expect_problem(answer, 422, "invalid_record", "before_start", "/started_at")
    assert expect(shop.get(path), 200)["started_at"] == START
    expect(shop.patch(path, {"started_at": "2025-03-04T10:00:00Z"}), 200)
    expect(shop.patch(path, {"started_at": "2024-03-04T10:00:00Z"}), 200)


def test_bulk_refuses_single_events(shop, customer):
    lines = [sample("cancellations", customer_id=customer),
             sample("cancellations", customer_id="nobody"),
             sample("cancellations", customer_id=customer, cancelled_at="2024-01-01T00:00:00Z"),
             sample("cancellations", customer_id=customer, cancelled_at="2025-06-01T00:00:00Z")]
    summary = expect(shop.post_ndjson("/v1/cancellations", lines), 207)
    assert [item["outcome"] for item in summary["results"]] == ["created", "rejected", "rejected",
                                                               "created"]
    found = [item["problem"]["errors"][0]["code"] for item in summary["results"]
             if item["outcome"] == "rejected"]
    assert found == ["unknown_customer", "before_start"]


def test_a_state_that_already_holds_is_kept_and_is_redundant(fresh):
    expect(fresh.post("/v1/customers", sample("customers", id="c")), 201)
    for day in (1, 2):
        expect(fresh.post("/v1/cancellations", sample(
            "cancellations", customer_id="c", cancelled_at=f"2025-03-0{day}T00:00:00Z")), 201)
    expect(fresh.post("/v1/reactivations", sample(
        "reactivations", customer_id="c", reactivated_at="2025-02-01T00:00:00Z")), 201)
    answer = expect(fresh.get("/v1/kpis", period="2025-Q1", kpis="churn_rate"), 200)
    parts = answer["kpis"]["churn_rate"]["parts"]
    assert (parts["cancelled"], parts["reactivated"], parts["redundant"]) == (1, 0, 2)


def test_how_far_ahead_times_may_be(shop, customer):
    for kind, field, near, far in (
            ("cancellations", "cancelled_at", {"days": 399}, {"days": 401}),
            ("reactivations", "reactivated_at", {"hours": 23}, {"hours": 25}),
            ("interactions", "opened_at", {"hours": 23}, {"hours": 25}),
            ("surveys", "answered_at", {"hours": 23}, {"hours": 25}),
            ("customers", "started_at", {"hours": 23}, {"hours": 25})):
        named = {"customer_id": customer} if kind in ("cancellations", "reactivations") else {}
        answer = shop.post(f"/v1/{kind}", sample(kind, **{**named, field: ahead(**far)}))
        expect_problem(answer, 422, "invalid_record", "in_future", f"/{field}")
        expect(shop.post(f"/v1/{kind}", sample(kind, **{**named, field: ahead(**near)})), 201)
    answer = shop.post("/v1/customers", sample("customers", started_at="1899-12-31T00:00:00Z"))
    expect_problem(answer, 422, "invalid_record", "out_of_range", "/started_at")


def test_other_kinds_may_name_customers_who_do_not_exist_yet(fresh):
    for kind in ("surveys", "interactions"):
        expect(fresh.post(f"/v1/{kind}", sample(kind, customer_id="later")), 201)
    expect(fresh.post("/v1/customers", sample("customers", id="later", segment="gold")), 201)
    answer = expect(fresh.get("/v1/kpis", period="2025-03", segment="gold"), 200)
    assert answer["kpis"]["nps"]["n"] == 1
    assert answer["kpis"]["interactions"]["parts"]["opened"] == 1
