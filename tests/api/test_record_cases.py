"""The files of tests/cases over HTTP: what they give, and what must come.

Files that fix the clock (`now`) are replayed only where no time is given; what the clock filled in
is then left out of the comparison.
"""

import json
import pathlib

import pytest

from api.checks import expect, expect_problem, make_client, path_of

CASES = pathlib.Path(__file__).resolve().parents[1] / "cases"


def files(folder):
    return [pytest.param(json.loads(path.read_text("utf-8")),
                         id=str(path.relative_to(CASES / folder).with_suffix("")))
            for path in sorted((CASES / folder).rglob("*.json"))]


def collection(kind):
    return f"{kind}s"


def needs_a_clock(case):
    given = case["given"]
    return "now" in case and isinstance(given, dict) and \
        any(name.endswith("_at") and value is not None for name, value in given.items())


def compare(record, case):
    """The stored record is the accepted one; where the clock is fixed, but for what it filled in."""
    expected = case["accepted"]
    found = {name: record[name] for name in record if name not in ("created_at", "updated_at")}
    assert set(found) == set(expected)
    for name, value in expected.items():
        filled_in = "now" in case and value == case["now"] and case["given"].get(name) is None
        made = name == "id" and value is None
        assert filled_in or made or found[name] == value, name


@pytest.fixture(scope="module")
def room(api, workspace):
    """A workspace that is empty before and after each case, and a publishable key for it."""
    client = workspace(api)
    client.publishable = make_client(api, client.workspace, "publishable")
    return client


@pytest.fixture
def stored_before(room):
    """Stores records, and deletes what the test leaves when it is over."""
    created = []

    def store(kind, given):
        answer = room.post(f"/v1/{collection(kind)}", given)
        created.append((kind, expect(answer, 201)["id"]))
    yield store, created
    for kind, record_id in reversed(created):
        room.delete(path_of(collection(kind), record_id))


def send(room, case):
    path = f"/v1/{collection(case['kind'])}"
    headers = {"Idempotency-Key": case["idempotency_key"]} if "idempotency_key" in case else None
    if case["source"] == "put":
        return room.put(path_of(collection(case["kind"]), case["path_id"]), case["given"], headers)
    if case["source"] == "bulk":
        return room.post_ndjson(path, [json.dumps(case["given"])], headers)
    client = room.publishable if case["source"] == "publishable" else room
    return client.post(path, case["given"], headers)


def field_errors(problem):
    return sorted((error["pointer"], error["code"]) for error in problem["errors"])


@pytest.mark.parametrize("case", files("record"))
def test_record(room, stored_before, case):
    if needs_a_clock(case):
        pytest.skip("depends on a fixed clock")
    store, created = stored_before
    for before in case.get("stored_before", []):
        store(before["kind"], before["given"])
    answer = send(room, case)
    kind = collection(case["kind"])
    if "refused" in case:
        problem = answer.json()["results"][0]["problem"] if case["source"] == "bulk" else \
            expect_problem(answer, 422, "invalid_record")
        assert answer.status == 422
        assert field_errors(problem) == sorted(
            (error["pointer"], error["code"]) for error in case["refused"])
        return
    if case["source"] == "bulk":
        record_id = expect(answer, 200)["results"][0]["id"]
        created.append((case["kind"], record_id))
        compare(expect(room.get(path_of(kind, record_id)), 200), case)
        return
    record = expect(answer, 201)
    created.append((case["kind"], record["id"]))
    compare(record, case)
    assert expect(room.get(path_of(kind, record["id"])), 200) == record


@pytest.mark.parametrize("case", files("patch"))
def test_patch(room, stored_before, case):
    store, _ = stored_before
    if "now" in case and case.get("accepted") and case["now"] not in case["accepted"].values():
        pytest.skip("depends on a fixed clock")
    for before in case.get("stored_before", []):
        store(before["kind"], before["given"])
    store(case["kind"], case["given"])
    answer = room.patch(path_of(collection(case["kind"]), case["given"]["id"]), case["patch"])
    if "refused" in case:
        problem = expect_problem(answer, 422, "invalid_record")
        assert field_errors(problem) == sorted(
            (error["pointer"], error["code"]) for error in case["refused"])
    else:
        compare(expect(answer, 200), case)


@pytest.mark.parametrize("case", files("same"))
def test_same_content(room, stored_before, case):
    if case["source"] not in ("post_one", "bulk") or "now" in case and needs_a_clock(case):
        pytest.skip("depends on a fixed clock or comes another way")
    store, created = stored_before
    for before in case.get("stored_before", []):
        store(before["kind"], before["given"])
    store(case["kind"], case["given"])
    answer = room.post(f"/v1/{collection(case['kind'])}", case["again"])
    if case["again"].get("id") != case["given"].get("id"):
        created.append((case["kind"], expect(answer, 201)["id"]))
    elif case["same"]:
        expect(answer, 200)
    else:
        expect_problem(answer, 409, "id_conflict")
