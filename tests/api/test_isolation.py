"""Two workspaces with the same ids: over every route, neither sees or changes the other's."""

import itertools

import pytest

from api.checks import KINDS, expect, expect_problem, has, make_client, path_of, sample
from api.test_scope_matrix import CONTRACT
from support.client import Client


@pytest.fixture
def pair(api, workspace):
    return workspace(api), workspace(api, timezone="America/Sao_Paulo")


def the_same(kind, **fields):
    return {**sample(kind, **fields), "id": "same"}


def figures(client, **filters):
    """n and value of each KPI of the month in which the samples lie."""
    answer = expect(client.get("/v1/kpis", period="2025-03", **filters), 200)
    return {name: (figure["n"], figure["value"], figure["parts"])
            for name, figure in answer["kpis"].items()}


def test_records_and_changes_stay_inside(pair):
    ours, theirs = pair
    for client in pair:
        expect(client.put("/v1/customers/known", {"started_at": "2025-01-01T00:00:00Z"}), 201)
    for kind in KINDS:
        path = path_of(kind, "same")
        stored = the_same(kind, metadata={"of": "theirs"})
        other = the_same(kind, metadata={"of": "ours"})

        expect(theirs.post(f"/v1/{kind}", stored), 201)
        expect_problem(ours.get(path), 404, "not_found")
        expect_problem(ours.patch(path, {"metadata": None}), 404, "not_found")
        expect_problem(ours.delete(path), 404, "not_found")
        expect(ours.put(path, other), 201)
        expect(ours.post(f"/v1/{kind}", other), 200)
        expect_problem(ours.post(f"/v1/{kind}", stored), 409, "id_conflict")
        expect(ours.patch(path, {"metadata": {"of": "ours again"}}), 200)
        summary = expect(ours.post_ndjson(f"/v1/{kind}", [other]), 422)
        assert summary["results"][0]["problem"]["code"] == "id_conflict"
        assert expect(theirs.get(path), 200)["metadata"] == {"of": "theirs"}
        if kind != "customers":
            assert ours.delete(path).status == 204
        assert has(expect(theirs.get(path), 200), **stored)


def test_figures_stay_inside(pair):
    ours, theirs = pair
    expect(theirs.post("/v1/customers", the_same("customers", segment="gold")), 201)
    for kind in ("surveys", "interactions"):
        expect(theirs.post(f"/v1/{kind}", the_same(kind, customer_id="same", segment="gold")), 201)
    expect(theirs.post("/v1/cancellations", the_same("cancellations", customer_id="same")), 201)
    before = figures(theirs)
    assert before["nps"][0] == 1 and before["churn_rate"][2]["cancelled"] == 1
    empty = expect(ours.get("/v1/kpis", period="2025-03"), 200)
    assert all(figure["value"] is None for figure in empty["kpis"].values())
    assert empty["data"] == {"first": None, "last": None}
    for client_filter in ({"segment": "gold"}, {"channel": "web"}):
        answer = figures(ours, **client_filter)
        assert all(value is None for _, value, _ in answer.values())
    for at in range(3):
        expect(ours.post("/v1/surveys", the_same("surveys") | {"id": f"same{at}"}), 201)
    assert figures(theirs) == before
    assert figures(ours)["nps"][0] == 3


def test_the_records_behind_figures_stay_inside(pair):
    ours, theirs = pair
    for client in pair:
        expect(client.put("/v1/customers/known", {"started_at": "2025-01-01T00:00:00Z"}), 201)
    for kind in KINDS:
        expect(theirs.post(f"/v1/{kind}", the_same(kind)), 201)
    cursors = {}
    for kpi in figures(ours):
        page = expect(theirs.get(f"/v1/kpis/{kpi}/records", period="2025-03", limit=1), 200)
        cursors[kpi] = page["next_cursor"]
        page = expect(ours.get(f"/v1/kpis/{kpi}/records", period="2025-03"), 200)
        assert {item["id"] for item in page["items"]} <= {"known"}, page
        assert page["next_cursor"] is None
    assert cursors["churn_rate"]
    for kpi, cursor in cursors.items():
        if cursor:
            answer = ours.get(f"/v1/kpis/{kpi}/records", cursor=cursor)
            expect_problem(answer, 400, "bad_cursor", parameter="cursor")


def test_references_do_not_cross(pair):
    ours, theirs = pair
    expect(theirs.post("/v1/customers", the_same("customers", segment="gold")), 201)
    expect(theirs.post("/v1/interactions", the_same("interactions", channel="phone")), 201)
    for kind in ("cancellations", "reactivations"):
        answer = ours.post(f"/v1/{kind}", the_same(kind, customer_id="same"))
        expect_problem(answer, 422, "invalid_record", "unknown_customer")
    expect(ours.post("/v1/surveys", the_same("surveys", customer_id="same",
                                             interaction_id="same")), 201)
    assert figures(ours, segment="gold")["nps"][0] == 0
    assert figures(ours, channel="phone")["nps"][0] == 0
    expect(ours.post("/v1/customers", the_same("customers", segment="silver")), 201)
    expect(theirs.post("/v1/cancellations", the_same("cancellations", customer_id="same")), 201)
    expect_problem(theirs.delete("/v1/customers/same"), 409, "has_dependents")
    assert ours.delete("/v1/customers/same").status == 204


def test_the_same_idempotency_key_in_both(pair):
    given = {"type": "nps", "score": 8, "answered_at": "2025-03-04T10:00:00Z"}
    for client, score in zip(pair, (1, 2)):
        created = expect(client.post("/v1/surveys", {**given, "score": score},
                                     {"Idempotency-Key": "key"}), 201)
        assert created["id"] == "key"
    assert [expect(client.get("/v1/surveys/key"), 200)["score"] for client in pair] == [1, 2]


def test_every_scope_stays_inside(api, pair):
    ours, theirs = pair
    expect(theirs.post("/v1/surveys", the_same("surveys", score=1)), 201)
    for scope in ("read", "write", "admin"):
        client = make_client(api, ours.workspace, scope)
        expect_problem(client.get("/v1/surveys/same"), 404, "not_found")
    for scope in ("figures", "read"):
        client = make_client(api, ours.workspace, scope)
        assert figures(client)["nps"][0] == 0
    page = make_client(api, ours.workspace, "publishable")
    expect(page.post("/v1/surveys", {"id": "same", "type": "nps", "score": 9}), 201)
    assert expect(theirs.get("/v1/surveys/same"), 200)["score"] == 1


# The walk over the route table, which test_scope_matrix.py holds against the program's.

# Route → what changes it; records have bodies of their own.
BODIES = {"/v1/keys": {"scope": "read"}, "/v1/workspace": {"language": "en"},
          "/v1/targets/{kpi}": {"healthy": 11, "warning": 10}}
QUERIES = {"/v1/kpis": "?period=2025-03", "/v1/kpis/{kpi}": "?period=2025-03",
           "/v1/customers/{id}/relationship": "?at=2025-06-01T00:00:00Z",
           "/v1/kpis/{kpi}/records": "?period=2025-03",
           "/v1/{kind}": "?format=ndjson"}
PLANTED = "planted-of-theirs"
TEXTS = {"customers": "name", "surveys": "comment", "interactions": "topic", "cancellations": "reason",
         "payments": "segment", "costs": "category", "actions": "title"}


def fill(client, text):
    """One record of each kind under the id that both have, a target, and a key of that name, which it returns."""
    expect(client.put("/v1/targets/nps", {"healthy": len(text), "warning": 0}), 201)
    expect(client.put("/v1/customers/known", {"started_at": "2025-01-01T00:00:00Z", "name": text}), 201)
    for kind in KINDS:
        marks = {TEXTS[kind]: text} if kind in TEXTS else {}
        expect(client.put(path_of(kind, "same"), the_same(kind, metadata={"of": text}, **marks)), 201)
    return expect(client.post("/v1/keys", {"scope": "read", "name": text}), 201)


def walk(methods, key_id):
    """(route, method, path) of every operation that needs a key, on what both workspaces have."""
    for route, known in CONTRACT.items():
        if not route.startswith("/v1/"):
            continue
        for method, kind in itertools.product((each for each in methods if each in known),
                                              KINDS if "{kind}" in route else (None,)):
            record = key_id if route.startswith("/v1/keys") else "same"
            path = route.format(kind=kind, kpi="nps", id=record)
            yield route, method, path + (QUERIES.get(route, "") if method == "GET" else "")


def everything(client, key_id):
    """Path → status and body of every GET."""
    answers = {path: client.get(path) for _, _, path in walk(("GET",), key_id)}
    return {path: (answer.status, answer.body) for path, answer in answers.items()}


def test_every_route_reads_its_own_workspace_alone(pair):
    ours, theirs = pair
    our_key = fill(ours, "ours")
    before = everything(ours, our_key["id"])
    assert all(status == 200 for status, _ in before.values()), before
    fill(theirs, PLANTED)
    after = everything(ours, our_key["id"])
    assert after == before
    assert PLANTED.encode() in b"".join(body for _, body in everything(theirs, "x").values())


def test_every_route_changes_its_own_workspace_alone(pair):
    """What they have under the same id, and their key, stays as it is whatever is sent with our key."""
    ours, theirs = pair
    fill(ours, "ours")
    their_key = fill(theirs, PLANTED)
    before = everything(theirs, their_key["id"])
    statuses = {}
    for route, method, path in walk(("PATCH", "POST", "PUT", "DELETE"), their_key["id"]):
        kind = path.split("/")[2]
        marked = {"metadata": {"of": "ours again"}}
        if method == "DELETE":
            answer = ours.delete(path)
        else:
            body = BODIES.get(route) or (marked if method == "PATCH" else the_same(kind, **marked))
            answer = ours.send_json(method, path, body)
        assert PLANTED.encode() not in answer.body
        statuses[method, path] = answer.status
    assert everything(theirs, their_key["id"]) == before
    assert Client(ours.url, their_key["key"]).get("/v1/customers").status == 200
    # Refusals alone would prove nothing.
    assert statuses["DELETE", f"/v1/keys/{their_key['id']}"] == 404
    assert all(statuses[method, path_of(kind, "same")] in (200, 204) for kind in KINDS[1:]
               for method in ("PUT", "PATCH", "DELETE"))
