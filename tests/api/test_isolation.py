"""Two workspaces with the same ids: over every route, neither sees or changes the other's."""

import pytest

from api.checks import KINDS, expect, expect_problem, has, make_client, path_of, sample


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
