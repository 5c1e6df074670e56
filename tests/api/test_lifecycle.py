"""GET, PUT, PATCH and DELETE of one record."""

import pytest

from api.checks import FIELDS, KINDS, ensure_known, expect, expect_problem, has, moment_of, new_id, path_of, sample

CHANGED = {"customers": {"name": "Ana"}, "surveys": {"score": 2}, "interactions": {"topic": "late"},
           "cancellations": {"reason": "price"}, "reactivations": {"metadata": {"a": 1}},
           "payments": {"amount": -1}, "costs": {"category": "ads"}, "actions": {"owner": "Ana"}}


@pytest.fixture(autouse=True)
def known_customer(shop):
    ensure_known(shop)


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_life_of_a_record(shop, kind):
    given = sample(kind)
    path = path_of(kind, given["id"])
    without_id = {name: value for name, value in given.items() if name != "id"}

    expect_problem(shop.get(path), 404, "not_found")
    expect_problem(shop.patch(path, CHANGED[kind]), 404, "not_found")
    expect_problem(shop.delete(path), 404, "not_found")

    created = expect(shop.put(path, without_id), 201)
    assert set(created) == FIELDS[kind] and has(created, **given)
    assert expect(shop.put(path, given), 200) == created
    changed = expect(shop.put(path, {**given, **CHANGED[kind]}), 200)
    assert has(changed, **{**given, **CHANGED[kind]})
    assert changed["created_at"] == created["created_at"]
    assert moment_of(changed["updated_at"]) >= moment_of(created["updated_at"])
    assert expect(shop.get(path), 200) == changed

    gone = shop.delete(path)
    assert (gone.status, gone.body) == (204, b"")
    for method in (shop.get, shop.delete):
        expect_problem(method(path), 404, "not_found")
    expect_problem(shop.patch(path, CHANGED[kind]), 404, "not_found")
    expect(shop.post(f"/v1/{kind}", given), 201)
    expect(shop.post(f"/v1/{kind}", given), 200)


@pytest.mark.parametrize("kind", KINDS)
def test_get_edit_put(shop, kind):
    given = sample(kind)
    expect(shop.post(f"/v1/{kind}", given), 201)
    record = expect(shop.get(path_of(kind, given["id"])), 200)
    unchanged = expect(shop.put(path_of(kind, given["id"]), record), 200)
    assert unchanged == record
    record.update(CHANGED[kind])
    assert has(expect(shop.put(path_of(kind, given["id"]), record), 200), **CHANGED[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_patch_the_original_conflicts(shop, kind):
    given = sample(kind)
    path = path_of(kind, given["id"])
    expect(shop.post(f"/v1/{kind}", given), 201)
    patched = expect(shop.patch(path, CHANGED[kind]), 200)
    assert has(patched, **{**given, **CHANGED[kind]})
    expect_problem(shop.post(f"/v1/{kind}", given), 409, "id_conflict")
    expect(shop.post(f"/v1/{kind}", {**given, **CHANGED[kind]}), 200)
    assert shop.delete(path).status == 204
    expect(shop.post(f"/v1/{kind}", given), 201)


def test_put_replaces_and_does_not_merge(shop):
    given = sample("customers", name="Ana", segment="gold", metadata={"a": 1})
    path = path_of("customers", given["id"])
    expect(shop.put(path, given), 201)
    replaced = expect(shop.put(path, {"started_at": given["started_at"]}), 200)
    assert has(replaced, name=None, segment=None, metadata=None)


def test_patch_merges_and_null_removes(shop):
    given = sample("customers", name="Ana", email="a@example.com",
                   metadata={"keep": 1, "drop": 2, "deep": {"x": 1, "y": 2}})
    path = path_of("customers", given["id"])
    expect(shop.post("/v1/customers", given), 201)
    patch = {"name": None, "segment": "gold", "metadata": {"drop": None, "deep": {"y": 3}}}
    merged = expect(shop.patch(path, patch), 200)
    assert has(merged, name=None, email="a@example.com", segment="gold",
               metadata={"keep": 1, "deep": {"x": 1, "y": 3}})
    assert expect(shop.patch(path, {"metadata": None}), 200)["metadata"] is None
    assert expect(shop.patch(path, {}), 200)["email"] == "a@example.com"


def test_patch_takes_both_media_types_and_no_other(shop):
    given = sample("customers")
    path = path_of("customers", given["id"])
    expect(shop.post("/v1/customers", given), 201)
    for media in ("application/merge-patch+json", "application/json",
                  "application/json; charset=utf-8"):
        expect(shop.request("PATCH", path, '{"name":"x"}', {"Content-Type": media}), 200)
    answer = shop.request("PATCH", path, '{"name":"x"}', {"Content-Type": "text/plain"})
    expect_problem(answer, 415, "unsupported_media_type")


def test_the_merged_record_is_checked_like_a_post(shop):
    given = sample("interactions", resolved_at="2025-03-05T10:00:00Z",
                   resolved_on_first_contact=True)
    path = path_of("interactions", given["id"])
    stored = expect(shop.post("/v1/interactions", given), 201)
    for patch, field, pointer in (
            ({"opened_at": None}, "required", "/opened_at"),
            ({"colour": "red"}, "unknown_field", "/colour"),
            ({"bot": "no"}, "wrong_type", "/bot"),
            ({"direction": "sideways"}, "out_of_range", "/direction"),
            ({"agent": "a" * 65}, "too_long", "/agent")):
        expect_problem(shop.patch(path, patch), 422, "invalid_record", field, pointer)
    for patch in ({"resolved_at": None}, {"opened_at": "2025-04-01T00:00:00Z"}):
        expect_problem(shop.patch(path, patch), 422, "invalid_record")
    assert expect(shop.get(path), 200) == stored


def test_a_patch_that_is_no_object_is_refused(shop):
    given = sample("customers")
    path = path_of("customers", given["id"])
    stored = expect(shop.post("/v1/customers", given), 201)
    for body in ("[]", "null", "5", '"text"'):
        answer = shop.request("PATCH", path, body, {"Content-Type": "application/json"})
        assert answer.status in (400, 422), answer
        expect_problem(answer, answer.status, answer.json()["code"])
    assert expect(shop.get(path), 200) == stored


@pytest.mark.parametrize("method", ["put", "patch"])
def test_another_id_in_the_body_is_refused(shop, method):
    given = sample("customers")
    path = path_of("customers", given["id"])
    expect(shop.post("/v1/customers", given), 201)
    answer = getattr(shop, method)(path, {**given, "id": "other"})
    expect_problem(answer, 422, "invalid_record", "id_mismatch", "/id")
    expect(getattr(shop, method)(path, given), 200)
    expect_problem(shop.get("/v1/customers/other"), 404, "not_found")


def test_an_invitation_is_answered_by_patch_or_put(shop):
    for method in ("patch", "put"):
        invitation = {"id": new_id("i"), "type": "nps", "sent_at": "2025-03-01T00:00:00Z"}
        path = path_of("surveys", invitation["id"])
        expect(shop.post("/v1/surveys", invitation), 201)
        body = {"score": 10} if method == "patch" else {**invitation, "score": 10}
        answered = expect(getattr(shop, method)(path, body), 200)
        assert answered["score"] == 10 and answered["answered_at"] is not None


def test_a_change_shows_in_the_figures_at_once(fresh):
    def nps():
        answer = expect(fresh.get("/v1/kpis", period="2025-03", kpis="nps"), 200)
        return answer["kpis"]["nps"]["value"]
    given = sample("surveys", score=10)
    path = path_of("surveys", given["id"])
    seen = [nps()]
    expect(fresh.post("/v1/surveys", given), 201)
    seen.append(nps())
    expect(fresh.patch(path, {"score": 0}), 200)
    seen.append(nps())
    expect(fresh.put(path, {**given, "score": 7}), 200)
    seen.append(nps())
    expect(fresh.patch(path, {"answered_at": "2025-04-04T10:00:00Z"}), 200)
    seen.append(nps())
    expect(fresh.patch(path, {"answered_at": "2025-03-31T23:59:59.999999Z"}), 200)
    seen.append(nps())
    assert fresh.delete(path).status == 204
    seen.append(nps())
    assert seen == [None, 100, -100, 0, None, 0, None]
