"""POST of one object: creation, repetition, conflict, ids and defaults."""

import datetime
import re

import pytest

from api.checks import (FIELDS, KINDS, OWN_TIME, ensure_known, expect, expect_problem, has, moment_of, new_id,
                        path_of, sample)

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def seconds_from_now(text):
    return (moment_of(text) - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


@pytest.fixture(autouse=True)
def known_customer(shop):
    ensure_known(shop)


@pytest.mark.parametrize("kind", KINDS)
def test_created_with_location_and_every_field(shop, kind):
    given = sample(kind)
    answer = shop.post(f"/v1/{kind}", given)
    record = expect(answer, 201)
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.headers["Location"].endswith(path_of(kind, given["id"]))
    assert set(record) == FIELDS[kind]
    assert has(record, **given)
    for name in ("created_at", "updated_at"):
        assert UTC_TIME.fullmatch(record[name])
        assert abs(seconds_from_now(record[name])) < 60
    assert expect(shop.get(answer.headers["Location"]), 200) == record


@pytest.mark.parametrize("kind", KINDS)
def test_repeated_is_200_and_changes_nothing(shop, kind):
    given = sample(kind)
    created = expect(shop.post(f"/v1/{kind}", given), 201)
    assert expect(shop.post(f"/v1/{kind}", given), 200) == created
    assert expect(shop.get(path_of(kind, given["id"])), 200) == created


@pytest.mark.parametrize("kind", KINDS)
def test_other_content_conflicts_and_changes_nothing(shop, kind):
    given = sample(kind)
    created = expect(shop.post(f"/v1/{kind}", given), 201)
    other = {**given, "metadata": {"changed": True}}
    problem = expect_problem(shop.post(f"/v1/{kind}", other), 409, "id_conflict")
    assert "?on_conflict=replace" in problem["detail"]
    assert expect(shop.get(path_of(kind, given["id"])), 200) == created


def test_the_named_way_out_of_a_conflict_works(shop):
    given = sample("surveys")
    expect(shop.post("/v1/surveys", given), 201)
    replaced = expect(shop.post("/v1/surveys?on_conflict=replace", {**given, "score": 3}), 200)
    assert replaced["score"] == 3
    assert expect(shop.get(path_of("surveys", given["id"])), 200)["score"] == 3


def test_defaults_and_instants_are_the_same_content(shop):
    given = {"id": new_id(), "type": "csat", "score": 4, "answered_at": "2025-03-04T10:00:00Z"}
    created = expect(shop.post("/v1/surveys", given), 201)
    assert has(created, scale_min=1, scale_max=5, solicited=True)
    same = {**given, "scale_max": 5, "scale_min": 1, "solicited": True, "comment": None,
            "answered_at": "2025-03-04T07:00:00.000-03:00", "created_at": "2001-01-01T00:00:00Z"}
    assert expect(shop.post("/v1/surveys", same), 200) == created


def test_defaults_of_ces_and_interactions(shop):
    ces = {"type": "ces", "score": 2, "answered_at": "2025-03-04T10:00:00Z"}
    assert has(expect(shop.post("/v1/surveys", ces), 201), scale_max=7, direction="high_is_easy")
    assert expect(shop.post("/v1/interactions", sample("interactions")), 201)["direction"] == \
        "inbound"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "customers"])
def test_an_id_is_made_where_none_is_given(shop, kind):
    given = sample(kind)
    del given["id"]
    first = expect(shop.post(f"/v1/{kind}", given), 201)
    second = expect(shop.post(f"/v1/{kind}", given), 201)
    assert UUID7.fullmatch(first["id"]) and UUID7.fullmatch(second["id"])
    assert first["id"] != second["id"]


def test_a_customer_needs_an_id(shop):
    answer = shop.post("/v1/customers", {"started_at": "2025-01-01T00:00:00Z"})
    expect_problem(answer, 422, "invalid_record", "required", "/id")


def test_idempotency_key_is_the_id_where_the_body_has_none(shop):
    given = {"type": "nps", "score": 8, "answered_at": "2025-03-04T10:00:00Z"}
    key = new_id("idem")
    created = expect(shop.post("/v1/surveys", given, {"Idempotency-Key": key}), 201)
    assert created["id"] == key
    assert expect(shop.post("/v1/surveys", given, {"Idempotency-Key": key}), 200) == created
    answer = shop.post("/v1/surveys", {**given, "score": 1}, {"Idempotency-Key": key})
    expect_problem(answer, 409, "id_conflict")
    own = expect(shop.post("/v1/surveys", {**given, "id": new_id()}, {"Idempotency-Key": key}), 201)
    assert own["id"] != key
    customer = expect(shop.post("/v1/customers", {"started_at": "2025-01-01T00:00:00Z"},
                                {"Idempotency-Key": key}), 201)
    assert customer["id"] == key


def test_an_invalid_idempotency_key_is_refused(shop):
    given = {"type": "nps", "score": 8}
    answer = shop.post("/v1/surveys", given, {"Idempotency-Key": "k" * 129})
    assert 400 <= answer.status < 500, answer


@pytest.mark.parametrize("kind", KINDS)
def test_the_own_time_is_the_clock_where_it_is_left_out(shop, kind):
    given = sample(kind)
    del given[OWN_TIME[kind]]
    created = expect(shop.post(f"/v1/{kind}", given), 201)
    assert abs(seconds_from_now(created[OWN_TIME[kind]])) < 60
    again = expect(shop.post(f"/v1/{kind}", given), 200)  # the clock's time is no content
    assert again == created


def test_an_invitation_gets_no_answer_time(shop):
    created = expect(shop.post("/v1/surveys", {"type": "nps", "sent_at": "2025-03-01T00:00:00Z"}), 201)
    assert has(created, score=None, answered_at=None, sent_at="2025-03-01T00:00:00Z")


def test_times_come_back_in_utc_with_at_most_six_decimals(shop):
    given = sample("interactions", opened_at="2025-02-28T23:30:00.1234567-03:00",
                   first_response_at="2025-03-01T08:30:00+05:30")
    answer = shop.post("/v1/interactions", given)
    if answer.status == 422:  # seven decimals may be refused; six may not
        given["opened_at"] = "2025-02-28T23:30:00.123456-03:00"
        answer = shop.post("/v1/interactions", given)
    record = expect(answer, 201)
    assert record["opened_at"].startswith("2025-03-01T02:30:00.12345")
    assert UTC_TIME.fullmatch(record["opened_at"])
    assert record["first_response_at"] == "2025-03-01T03:00:00Z"


@pytest.mark.parametrize("text", [
    "São João — ótimo!", "a\tb\nc\r\nd", "\"quoted\" \\ /", "👩‍👩‍👧 e\u0301 é", "\u202eabc",
    "  padded  ",
    "</script><script>", "'; DROP TABLE survey; --", "%s%n%x {0} $1 :id", "\ufeffbom", "\u007f\u0085",
])
def test_text_comes_back_byte_for_byte(shop, text):
    given = sample("surveys", comment=text, touchpoint="a b")
    created = expect(shop.post("/v1/surveys", given), 201)
    assert created["comment"] == text
    assert expect(shop.get(path_of("surveys", given["id"])), 200)["comment"] == text


def test_metadata_comes_back(shop):
    metadata = {"a": [1, -2, {"b": None}], "n": 12345678901234, "t": "ü", "yes": True, "e": {}}
    given = sample("customers", metadata=metadata)
    assert expect(shop.post("/v1/customers", given), 201)["metadata"] == metadata
    assert expect(shop.post("/v1/customers", given), 200)["metadata"] == metadata


def test_all_field_errors_at_once(shop):
    given = {"id": "", "type": "nps", "score": 11, "comment": 5, "colour": "red",
             "answered_at": "yesterday", "segment": "s" * 65}
    problem = expect_problem(shop.post("/v1/surveys", given), 422, "invalid_record")
    found = {error["pointer"]: error["code"] for error in problem["errors"]}
    assert {"/id", "/score", "/comment", "/colour", "/answered_at", "/segment"} <= set(found), found
    assert found["/score"] == "out_of_range"
    assert found["/comment"] == "wrong_type"
    assert found["/colour"] == "unknown_field"
    assert found["/segment"] == "too_long"


def test_an_unset_segment_follows_the_customer_and_is_not_pinned_by_an_edit(fresh):
    expect(fresh.post("/v1/customers", sample("customers", id="c", segment="gold")), 201)
    given = sample("surveys", id="s", customer_id="c")
    created = expect(fresh.post("/v1/surveys", given), 201)
    expect(fresh.put("/v1/surveys/s", {**created, "score": 10}), 200)
    expect(fresh.patch("/v1/customers/c", {"segment": "silver"}), 200)

    def answers(segment):
        figure = expect(fresh.get("/v1/kpis", period="2025-03", segment=segment), 200)
        return figure["kpis"]["nps"]["n"]
    assert (answers("gold"), answers("silver")) == (0, 1)
