"""GET /v1/customers/{id}/relationship: one customer at a moment, against figures worked out by hand."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from api.checks import expect, expect_problem, make_client, new_id, path_of
from oracle.feed import post_batch

AT = "2026-03-01T00:00:00Z"


def relationship(client, customer, status=200, **query):
    return expect(client.get(f"{path_of('customers', customer)}/relationship", **query), status)


def codes(answer):
    return [reason["code"] for reason in answer["reasons"]]


def start(client, started_at="2025-06-01T12:00:00Z", **fields):
    customer = {"id": new_id("c"), "started_at": started_at, **fields}
    return expect(client.post("/v1/customers", customer), 201)


def store(client, kind, customer, **fields):
    record = {"id": new_id(kind), "customer_id": customer["id"], **fields}
    return expect(client.post(f"/v1/{kind}", record), 201)


def test_nothing_but_a_start(shop):
    customer = start(shop)
    answer = relationship(shop, customer["id"], at="2025-12-28T12:00:00Z")
    assert list(answer) == ["at", "customer", "state", "health", "reasons", "figures", "timeline", "timeline_more"]
    assert answer["at"] == "2025-12-28T12:00:00Z"
    assert answer["customer"] == customer
    assert answer["state"] == {"status": "active", "since": "2025-06-01T12:00:00Z", "ends_at": None}
    # 210 days without a sign of life: 70 - 15.
    assert answer["health"] == 55
    assert answer["reasons"] == [{"code": "quiet", "points": -15,
                                  "sentence": "Neither answered, got in touch nor paid for 210 days."}]
    assert answer["figures"] == {
        "nps": None, "csat": None, "ces": None, "surveys": 0, "surveys_answered": 0, "low_scores": 0,
        "low_scores_open": 0, "interactions": 0, "interactions_open": 0, "median_first_response_seconds": None,
        "actions": 0, "actions_open": 0, "payments": 0, "purchases": 0, "revenue": 0, "revenue_last_12_months": 0,
        "currency": "BRL", "last_activity_at": None, "days_since_last_activity": None, "last_purchase_at": None,
        "days_since_last_purchase": None, "minor_digits": 2}
    assert answer["timeline"] == [{"kind": "start", "id": customer["id"], "at": "2025-06-01T12:00:00Z",
                                   "effective": True, "reason": None, "voluntary": None}]
    assert answer["timeline_more"] is False


def test_quiet_tells_of_a_year_at_most(shop):
    """What came before the last 365 days is not looked at, so a sentence says nothing of it."""
    customer = start(shop, "2023-06-01T12:00:00Z")
    store(shop, "payments", customer, amount=100, paid_at="2024-12-01T12:00:00Z")
    quiet = relationship(shop, customer["id"], at=AT)["reasons"][0]
    assert quiet["sentence"] == "Neither answered, got in touch nor paid for 365 days."


@pytest.fixture(scope="module")
def detractor(shop):
    """A customer with a record of every kind before 1 March 2026, and some after it."""
    customer = start(shop, "2024-01-10T12:00:00Z", name="Café do Porto", segment="large")
    for opened, answered, resolved in (("2026-02-01", "01:00", "02-02"), ("2026-02-10", "03:00", "02-11"),
                                       ("2026-02-15", "02:00", None), ("2026-03-02", "00:30", "03-03")):
        store(shop, "interactions", customer, opened_at=f"{opened}T00:00:00Z", channel="chat",
              first_response_at=f"{opened}T{answered}:00Z", resolved_at=resolved and f"2026-{resolved}T00:00:00Z")
    store(shop, "interactions", customer, opened_at="2026-02-03T00:00:00Z", direction="outbound",
          first_response_at="2026-02-04T00:00:00Z")
    store(shop, "surveys", customer, type="nps", score=10, answered_at="2025-08-01T12:00:00Z")
    low = store(shop, "surveys", customer, type="nps", score=3, answered_at="2026-02-20T12:00:00Z",
                comment="Demorou muito")
    store(shop, "surveys", customer, type="ces", score=6, direction="low_is_easy", answered_at="2026-02-21T12:00:00Z")
    store(shop, "surveys", customer, type="csat", score=1, aspect="empathy", answered_at="2026-02-22T12:00:00Z")
    store(shop, "surveys", customer, type="csat", sent_at="2026-02-23T12:00:00Z")
    store(shop, "surveys", customer, type="nps", score=9, answered_at="2026-03-05T12:00:00Z")
    for amount, paid in ((1000, "2024-12-01"), (2500, "2025-10-01"), (2500, "2025-11-01"), (2500, "2025-12-01"),
                         (-500, "2026-01-15"), (9900, "2026-03-02")):
        store(shop, "payments", customer, amount=amount, paid_at=f"{paid}T12:00:00Z")
    store(shop, "actions", customer, title="Ligar", survey_id=low["id"], opened_at="2026-02-21T12:00:00Z",
          status="done", done_at="2026-03-04T12:00:00Z")
    return customer


def test_figures_by_hand(shop, detractor):
    figures = relationship(shop, detractor["id"], at=AT)["figures"]
    assert {name: (figures[name] or {}).get("score") for name in ("nps", "csat", "ces")} == \
        {"nps": 3, "csat": None, "ces": 6}
    assert figures["nps"]["score_class"] == figures["ces"]["score_class"] == "negative"
    assert figures["nps"]["answered_at"] == "2026-02-20T12:00:00Z"
    assert figures["ces"]["direction"] == "low_is_easy"
    # The empathy of 22 February is a low score, but not of the headline.
    assert (figures["surveys"], figures["surveys_answered"]) == (5, 4)
    assert (figures["low_scores"], figures["low_scores_open"]) == (3, 3)
    # 1 h, 3 h, 2 h inbound; the outbound one has no part in response times and is open still.
    assert (figures["interactions"], figures["interactions_open"]) == (4, 2)
    assert figures["median_first_response_seconds"] == 7200
    assert (figures["actions"], figures["actions_open"]) == (1, 1)
    assert (figures["payments"], figures["purchases"]) == (5, 4)
    assert (figures["revenue"], figures["revenue_last_12_months"], figures["currency"]) == (8000, 7000, "BRL")
    assert (figures["last_activity_at"], figures["days_since_last_activity"]) == ("2026-02-22T12:00:00Z", 6)
    assert (figures["last_purchase_at"], figures["days_since_last_purchase"]) == ("2025-12-01T12:00:00Z", 89)


def test_reasons_by_hand(shop, detractor):
    answer = relationship(shop, detractor["id"], at=AT)
    assert [(reason["code"], reason["points"], reason["sentence"]) for reason in answer["reasons"]] == [
        ("nps_detractor", -25, "Was a detractor in the last NPS answer, 8 days ago."),
        ("ces_hard", -15, "Found it hard in the last CES answer, 7 days ago."),
        ("low_score_open", -10, "Gave 3 low scores about which no action has been done."),
        ("waiting_long", -15, "Has been waiting for a solution for 14 days."),
        ("many_contacts", -10, "Got in touch 3 times in the last 90 days."),
        # 1 October, November, December: 30 days between, by whole days; 89 > 2 × 30.
        ("purchase_overdue", -20, "Last bought 89 days ago, more than twice as long as usual between purchases."),
        ("refunded", -10, "Got 1 refund in the last 90 days."),
        ("loyal", 5, "Has stayed for 780 days without a break.")]
    assert answer["health"] == 0  # 70 - 100, kept above


def test_what_came_later_counts_later(shop, detractor):
    answer = relationship(shop, detractor["id"], at="2026-03-10T00:00:00Z")
    assert answer["figures"]["nps"]["score"] == 9
    assert "nps_promoter" in codes(answer) and "nps_detractor" not in codes(answer)
    assert answer["figures"]["low_scores_open"] == 2  # the action was done on 4 March
    assert answer["figures"]["actions_open"] == 0
    assert answer["figures"]["revenue"] == 17900
    assert "purchase_regular" in codes(answer)


def test_timeline(shop, detractor):
    answer = relationship(shop, detractor["id"], at=AT)
    line = answer["timeline"]
    assert [(event["kind"], event["at"][:10]) for event in line] == [
        ("survey", "2026-02-23"), ("survey", "2026-02-22"), ("action", "2026-02-21"), ("survey", "2026-02-21"),
        ("survey", "2026-02-20"), ("interaction", "2026-02-15"), ("interaction", "2026-02-10"),
        ("interaction", "2026-02-03"), ("interaction", "2026-02-01"), ("payment", "2026-01-15"),
        ("payment", "2025-12-01"), ("payment", "2025-11-01"), ("payment", "2025-10-01"), ("survey", "2025-08-01"),
        ("payment", "2024-12-01"), ("start", "2024-01-10")]
    invitation, _, action, _, low, waiting, solved = line[:7]
    assert (invitation["answered"], invitation["score"], invitation["score_class"]) == (False, None, "unscored")
    assert (action["status"], action["done_at"], action["survey_id"]) == ("open", None, low["id"])
    assert (low["score"], low["score_class"], low["comment"]) == (3, "negative", "Demorou muito")
    assert (waiting["status"], waiting["first_response_seconds"]) == ("open", 7200)
    assert (solved["status"], solved["channel"]) == ("resolved", "chat")
    assert (line[9]["amount"], line[9]["currency"]) == (-500, "BRL")


def test_a_timeline_ends_at_a_hundred(shop):
    customer = start(shop, "2024-01-01T00:00:00Z")
    first = datetime(2025, 1, 1, tzinfo=timezone.utc)
    payments = [{"id": f"{customer['id']}-{n:03}", "customer_id": customer["id"], "amount": n + 1,
                 "paid_at": (first + timedelta(hours=n // 3)).isoformat()} for n in range(150)]
    post_batch(shop, "payments", payments)
    newest = sorted(payments, key=lambda payment: payment["id"])
    newest.sort(key=lambda payment: payment["paid_at"], reverse=True)
    answer = relationship(shop, customer["id"])
    assert [event["id"] for event in answer["timeline"]] == [payment["id"] for payment in newest[:100]]
    assert answer["timeline_more"] is True
    at = newest[-99]["paid_at"].replace("+00:00", "Z")
    older = relationship(shop, customer["id"], at=at)
    assert older["timeline_more"] is False
    assert len(older["timeline"]) == 1 + sum(payment["paid_at"] < newest[-99]["paid_at"] for payment in payments)


def test_states_of_a_life(shop):
    customer = start(shop, "2025-01-01T00:00:00Z")
    for number, moment in enumerate(("2025-02-01", "2025-03-01", "2025-05-01")):
        store(shop, "cancellations", customer, cancelled_at=f"{moment}T00:00:00Z", reason="price", voluntary=number > 0)
    store(shop, "reactivations", customer, reactivated_at="2025-04-01T00:00:00Z")
    for at, status, since in (("2025-01-01T00:00:00Z", "not_started", None), ("2025-01-01T00:00:01Z", "active", "01-01"),
                              ("2025-02-01T00:00:00Z", "active", "01-01"), ("2025-02-15T00:00:00Z", "gone", "02-01"),
                              ("2025-03-15T00:00:00Z", "gone", "02-01"), ("2025-04-15T00:00:00Z", "active", "04-01"),
                              ("2025-05-15T00:00:00Z", "gone", "05-01")):
        answer = relationship(shop, customer["id"], at=at)
        assert answer["state"] == {"status": status, "ends_at": None,
                                   "since": since and f"2025-{since}T00:00:00Z"}, at
        assert (answer["health"] is None) == (status != "active") == (answer["reasons"] == [] and status != "active")
    assert codes(relationship(shop, customer["id"], at="2025-04-15T00:00:00Z")) == ["came_back"]
    line = relationship(shop, customer["id"], at="2025-06-01T00:00:00Z")["timeline"]
    assert [(event["kind"], event["effective"], event["voluntary"]) for event in line] == [
        ("cancellation", True, True), ("reactivation", True, None), ("cancellation", False, True),
        ("cancellation", True, False), ("start", True, None)]


def test_a_scheduled_cancellation_is_known_now_alone(shop):
    customer = start(shop)
    ahead = (datetime.now(timezone.utc) + timedelta(days=20, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    store(shop, "cancellations", customer, cancelled_at=ahead)
    answer = relationship(shop, customer["id"])
    assert answer["state"] == {"status": "active", "since": "2025-06-01T12:00:00Z", "ends_at": ahead}
    assert answer["reasons"][0] == {"code": "cancellation_scheduled", "points": -50, "sentence": "Is set to leave in 20 days."}
    assert "cancellation" not in [event["kind"] for event in answer["timeline"]]
    assert "cancellation_scheduled" not in codes(relationship(shop, customer["id"], at="2026-01-01T00:00:00Z"))


def test_a_date_is_its_midnight_in_the_workspaces_zone(shop, detractor):
    answer = relationship(shop, detractor["id"], at="2026-03-01")
    assert answer["at"] == "2026-03-01T03:00:00Z"
    escaped = relationship(shop, detractor["id"], at="2026-03-01T00:00:00-03:00")
    assert escaped == answer
    assert relationship(shop, detractor["id"])["at"] <= datetime.now(timezone.utc).isoformat()


def test_refusals(shop, api):
    expect_problem(shop.get("/v1/customers/nobody/relationship"), 404, "not_found")
    customer = start(shop)["id"]
    path = f"/v1/customers/{customer}/relationship"
    for at in ("yesterday", "2026-13-01", "2026-03-01T00:00:00", "", "2999-01-01T00:00:00Z", "2199-01-01"):
        expect_problem(shop.get(path, at=at), 400, "invalid_parameter", parameter="at")
    expect_problem(shop.get(path, limit="5"), 400, "unknown_parameter", parameter="limit")
    expect_problem(shop.get("/v1/surveys/x/relationship"), 404, "not_found")
    expect_problem(shop.post(path, {}), 405, "method_not_allowed")
    assert shop.request("HEAD", path).status == 200
    for scope in ("figures", "publishable"):
        expect_problem(make_client(api, shop.workspace, scope).get(path), 403, "forbidden_scope")
    assert make_client(api, shop.workspace, "read").get(path).status == 200


def test_an_id_with_a_slash(shop):
    expect(shop.post("/v1/customers", {"id": "a/b é", "started_at": "2025-06-01T12:00:00Z"}), 201)
    assert relationship(shop, "a/b é")["customer"]["id"] == "a/b é"


def test_another_workspace_has_no_part(api, workspace, shop, detractor):
    other = workspace(api)
    expect_problem(other.get(f"{path_of('customers', detractor['id'])}/relationship"), 404, "not_found")
    expect(other.post("/v1/customers", {"id": detractor["id"], "started_at": "2026-01-01T00:00:00Z"}), 201)
    answer = relationship(other, detractor["id"], at=AT)
    assert [event["kind"] for event in answer["timeline"]] == ["start"]
    assert answer["figures"]["surveys"] == answer["figures"]["revenue"] == 0
    assert relationship(shop, detractor["id"], at=AT)["figures"]["surveys"] == 5
    assert json.dumps(answer["figures"]).count("null") == 8
