"""?on_conflict=replace and merge: single records, many, atomic or not."""

import datetime
import json
import time

import pytest

from api.checks import KINDS, ensure_known, expect, expect_problem, has, moment_of, new_id, path_of, sample
from api.many import codes, counts, outcomes, stored, without_times
from support.forms import FORMS, post_many

REPLACE = "/v1/surveys?on_conflict=replace"
MERGE = "/v1/surveys?on_conflict=merge"
CUSTOMERS = "/v1/customers?on_conflict=merge"


def test_without_it_a_conflict_names_both_ways(shop):
    record = sample("surveys", score=1)
    expect(shop.post("/v1/surveys", record), 201)
    problem = expect_problem(shop.post("/v1/surveys", {**record, "score": 2}), 409, "id_conflict")
    assert "on_conflict=replace" in problem["detail"] and "merge" in problem["detail"]


# One record

def test_replace_forgets_what_is_not_sent(shop):
    record = sample("customers", name="Ana", segment="gold")
    expect(shop.post("/v1/customers", record), 201)
    answer = shop.post("/v1/customers?on_conflict=replace", sample("customers") | {"id": record["id"]})
    assert has(expect(answer, 200), name=None, segment=None)


def test_merge_keeps_what_is_not_sent(shop):
    record = sample("customers", name="Ana", segment="gold", metadata={"a": 1, "b": {"c": 2}})
    created = expect(shop.post("/v1/customers", record), 201)
    answer = shop.post(CUSTOMERS, {"id": record["id"], "name": "Eva", "segment": None,
                                   "metadata": {"b": {"d": 3}, "a": None}})
    merged = expect(answer, 200)
    assert has(merged, name="Eva", segment=None, started_at=record["started_at"],
               metadata={"b": {"c": 2, "d": 3}}, created_at=created["created_at"])
    assert moment_of(merged["updated_at"]) > moment_of(created["updated_at"])
    assert expect(shop.get(path_of("customers", record["id"])), 200) == merged


def test_merge_of_nothing_new_leaves_the_record_alone(shop):
    record = sample("customers", name="Ana", segment="gold")
    created = expect(shop.post("/v1/customers", record), 201)
    for sent in ({"id": record["id"]}, {"id": record["id"], "name": "Ana"}, record):
        assert expect(shop.post(CUSTOMERS, sent), 200) == created
    expect(shop.post("/v1/customers", record), 200)


def test_merge_creates_what_is_not_there(shop):
    record = sample("customers", name="Ana")
    answer = shop.post(CUSTOMERS, record)
    assert has(expect(answer, 201), **record)
    assert answer.headers["Location"] == path_of("customers", record["id"])
    expect(shop.post("/v1/customers", record), 200)


def test_merge_without_a_record_needs_a_whole_one(shop):
    answer = shop.post("/v1/cancellations?on_conflict=merge", {"id": "merge-into-nothing",
                                                               "reason": "price"})
    expect_problem(answer, 422, "invalid_record", field="required", pointer="/customer_id")
    expect_problem(shop.get("/v1/cancellations/merge-into-nothing"), 404, "not_found")


@pytest.mark.parametrize("sent, code, pointer", [
    ({"score": 11}, "out_of_range", "/score"), ({"score": "9"}, "wrong_type", "/score"),
    ({"colour": None}, "unknown_field", "/colour"), ({"type": None}, "required", "/type"),
    ({"type": "open"}, "not_allowed_here", "/score"),
    ({"answered_at": "2999-01-01T00:00:00Z"}, "in_future", "/answered_at"),
    ({"metadata": []}, "wrong_type", "/metadata")])
def test_the_merged_record_is_checked_like_a_post(shop, sent, code, pointer):
    record = sample("surveys", score=7)
    expect(shop.post("/v1/surveys", record), 201)
    answer = shop.post(MERGE, {"id": record["id"], **sent})
    expect_problem(answer, 422, "invalid_record", field=code, pointer=pointer)
    summary = expect(shop.post(MERGE, [{"id": record["id"], **sent}]), 422)
    assert summary["results"][0]["problem"]["errors"][0]["code"] == code
    assert stored(shop, "surveys", [record])[0]["score"] == 7


@pytest.mark.parametrize("bad_id", ["", ".", "x" * 129, 7, "a\u0001"])
def test_merge_needs_a_good_id_where_it_has_one(shop, bad_id):
    expect_problem(shop.post(MERGE, {"id": bad_id, "score": 1}), 422, "invalid_record")
    assert outcomes(expect(shop.post(MERGE, [{"id": bad_id, "score": 1}]), 422)) == ["rejected"]


def test_an_invitation_is_answered_by_merge(shop):
    invitation = {"id": sample("surveys")["id"], "type": "nps", "sent_at": "2025-03-01T10:00:00Z"}
    expect(shop.post("/v1/surveys", invitation), 201)
    answered = expect(shop.post(MERGE, {"id": invitation["id"], "score": 8}), 200)
    assert has(answered, score=8, sent_at=invitation["sent_at"]) and answered["answered_at"]
    # In bulk the moment is needed, as in any bulk.
    other = {**invitation, "id": sample("surveys")["id"]}
    expect(shop.post("/v1/surveys", other), 201)
    summary = expect(shop.post(MERGE, [{"id": other["id"], "score": 8}]), 422)
    assert summary["results"][0]["problem"]["errors"][0]["pointer"] == "/answered_at"
    sent = [{"id": other["id"], "score": 8, "answered_at": "2025-03-02T10:00:00Z"}]
    assert outcomes(expect(shop.post(MERGE, sent), 200)) == ["updated"]


def test_an_idempotency_key_is_the_id_to_merge_by(shop):
    record = sample("customers", name="Ana")
    expect(shop.post("/v1/customers", record), 201)
    answer = shop.post(CUSTOMERS, {"name": "Eva"}, {"Idempotency-Key": record["id"]})
    assert has(expect(answer, 200), id=record["id"], name="Eva", started_at=record["started_at"])


def test_merged_life_events_are_checked_against_their_customer(shop):
    ensure_known(shop)
    event = sample("cancellations")
    expect(shop.post("/v1/cancellations", event), 201)
    path = "/v1/cancellations?on_conflict=merge"
    for sent, code in (({"customer_id": "nobody"}, "unknown_customer"),
                       ({"cancelled_at": "1999-01-01T00:00:00Z"}, "before_start")):
        sent = {"id": event["id"], **sent}
        expect_problem(shop.post(path, sent), 422, "invalid_record", field=code)
        assert outcomes(expect(shop.post(path, [sent]), 422)) == ["rejected"]
    merged = expect(shop.post(path, {"id": event["id"], "reason": "price"}), 200)
    assert has(merged, **event, reason="price")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_both(shop, kind):
    ensure_known(shop)
    record = sample(kind, metadata={"a": 1})
    assert outcomes(expect(shop.post(f"/v1/{kind}?on_conflict=merge", [record]), 200)) == ["created"]
    merge = {"id": record["id"], "metadata": {"b": 2}}
    assert outcomes(expect(shop.post(f"/v1/{kind}?on_conflict=merge", [merge]), 200)) == ["updated"]
    assert has(stored(shop, kind, [record])[0], **{**record, "metadata": {"a": 1, "b": 2}})
    assert outcomes(expect(shop.post(f"/v1/{kind}?on_conflict=replace", [record]), 200)) == ["updated"]
    assert has(stored(shop, kind, [record])[0], **record)


@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_publishable_keys_may_not(scoped, shop, mode):
    answer = scoped["publishable"].post(f"/v1/surveys?on_conflict={mode}", {"type": "nps", "score": 1})
    expect_problem(answer, 403, "forbidden_scope")


@pytest.mark.parametrize("value", ["", "keep", "Replace", "replace,merge"])
def test_other_values_are_refused(shop, value):
    for body in (sample("surveys"), [sample("surveys")]):
        answer = shop.post(f"/v1/surveys?on_conflict={value}", body)
        expect_problem(answer, 400, "invalid_parameter", parameter="on_conflict")


# Many

@pytest.mark.parametrize("atomic", ["", "&atomic=true"])
@pytest.mark.parametrize("form", FORMS)
def test_replace_in_every_form(shop, form, atomic):
    given = [sample("customers", name="a", segment="s") for _ in range(3)]
    expect(post_many(shop, "/v1/customers", given, form), 200)
    changed = [given[0], {**given[1], "name": "b"}, {**given[2], "segment": None},
               sample("customers", name="new")]
    path = f"/v1/customers?on_conflict=replace{atomic}"
    summary = expect(post_many(shop, path, changed, form), 200)
    assert outcomes(summary) == ["unchanged", "updated", "updated", "created"]
    assert [record["segment"] for record in stored(shop, "customers", changed)] == \
        ["s", "s", None, None]
    assert counts(expect(post_many(shop, path, changed, form), 200)) == (4, 0, 4, 0, 0)


@pytest.mark.parametrize("atomic", ["", "&atomic=true"])
@pytest.mark.parametrize("form", FORMS)
def test_merge_in_every_form(shop, form, atomic):
    given = [sample("customers", name="a", segment="s") for _ in range(3)]
    expect(post_many(shop, "/v1/customers", given, form), 200)
    partial = [{"id": given[0]["id"], "name": "b"}, {"id": given[1]["id"], "name": "a"},
               {"id": given[2]["id"], "channel": "web"}]
    path = CUSTOMERS + atomic
    summary = expect(post_many(shop, path, partial, form), 200)
    assert outcomes(summary) == ["updated", "unchanged", "updated"]
    found = [without_times(record) for record in stored(shop, "customers", given)]
    assert [record["name"] for record in found] == ["b", "a", "a"]
    assert [record["segment"] for record in found] == ["s"] * 3
    assert [record["channel"] for record in found] == [None, None, "web"]
    assert counts(expect(post_many(shop, path, partial, form), 200)) == (3, 0, 3, 0, 0)


def test_an_empty_cell_is_no_null(shop):
    """In CSV empty means absent: a merge leaves the stored value alone."""
    given = sample("customers", name="Ana", segment="gold")
    expect(shop.post("/v1/customers", given), 201)
    text = f"id,name,segment\r\n{given['id']},,silver\r\n"
    expect(shop.request("POST", CUSTOMERS, text.encode(), {"Content-Type": "text/csv"}), 200)
    assert has(stored(shop, "customers", [given])[0], name="Ana", segment="silver")


@pytest.mark.parametrize("atomic", ["", "&atomic=true"])
def test_the_same_id_in_the_order_of_the_lines(shop, atomic):
    first = sample("customers", name="1")
    lines = [first, {"id": first["id"], "name": "2"}, {"id": first["id"], "segment": "s"},
             {"id": first["id"], "name": "2"}, {"id": first["id"], "name": None}]
    summary = expect(shop.post_ndjson(CUSTOMERS + atomic, lines), 200)
    assert outcomes(summary) == ["created", "updated", "updated", "unchanged", "updated"]
    assert has(stored(shop, "customers", [first])[0], name=None, segment="s")
    path = f"/v1/customers?on_conflict=replace{atomic}"
    lines = [{**first, "name": str(at)} for at in range(5)]
    assert outcomes(expect(shop.post_ndjson(path, lines), 200)) == ["updated"] * 5
    assert has(stored(shop, "customers", [first])[0], name="4", segment=None)


def test_an_order_that_needs_what_comes_later(shop):
    """What a line merges into is what stood before it, not what comes after it."""
    late = sample("customers", name="late")
    summary = expect(shop.post_ndjson(CUSTOMERS, [{"id": late["id"], "segment": "s"}, late]), 207)
    assert outcomes(summary) == ["rejected", "created"]
    assert codes(summary)[0] == "invalid_record"
    assert has(stored(shop, "customers", [late])[0], name="late", segment=None)


def test_refused_ones_stay_as_they_were(shop):
    given = [sample("surveys", score=3) for _ in range(3)]
    expect(shop.post("/v1/surveys", given), 200)
    sent = [{"id": given[0]["id"], "score": 4}, {"id": given[1]["id"], "score": 44},
            {"id": given[2]["id"], "score": 5}]
    assert outcomes(expect(shop.post(MERGE + "&atomic=true", sent), 422)) == \
        ["not_stored", "rejected", "not_stored"]
    assert [record["score"] for record in stored(shop, "surveys", given)] == [3, 3, 3]
    assert outcomes(expect(shop.post(MERGE, sent), 207)) == ["updated", "rejected", "updated"]
    assert [record["score"] for record in stored(shop, "surveys", given)] == [4, 3, 5]


def test_figures_follow_merges(fresh):
    given = [sample("surveys", score=10) for _ in range(20)]
    expect(fresh.post("/v1/surveys", given), 200)
    expect(fresh.post(MERGE, [{"id": record["id"], "score": 0} for record in given[:5]]), 200)
    figure = expect(fresh.get("/v1/kpis", period="2025-03"), 200)["kpis"]["nps"]
    assert (figure["value"], figure["n"]) == (50, 20)


def test_a_partial_record_is_judged_by_the_clock_of_its_arrival(shop):
    """Refused as in the future when its line came, it is not taken a moment later by chance."""
    soon = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=24, seconds=2)).isoformat()
    record = {"id": new_id(), "started_at": soon}

    def slowly():
        yield (json.dumps(record) + "\n").encode()
        time.sleep(4)
        yield (json.dumps({"id": new_id(), "started_at": "2025-01-01T00:00:00Z"}) + "\n").encode()

    answer = shop.request("POST", CUSTOMERS, slowly(), {"Content-Type": "application/x-ndjson"})
    summary = expect(answer, 207)
    assert outcomes(summary) == ["rejected", "created"]
    assert summary["results"][0]["problem"]["errors"][0]["code"] == "in_future"
