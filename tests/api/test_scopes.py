"""What each of the five scopes may do, over every route and method."""

import json
import re
import time

import pytest

from api.checks import (KINDS, ensure_known, expect, expect_problem, has, make_client, new_id,
                        path_of, sample)
from support.client import Client
from support.service import cli_output

SCOPES = ("publishable", "figures", "read", "write", "admin")
FIGURES = ("/v1/kpis", "/v1/kpis/nps", "/v1/kpis/churn_rate?granularity=month&period=2025")


@pytest.fixture(autouse=True)
def known_customer(shop):
    ensure_known(shop)


def refused(answer):
    expect_problem(answer, 403, "forbidden_scope")


@pytest.mark.parametrize("scope", SCOPES)
def test_figures(scoped, scope):
    for path in FIGURES:
        answer = scoped[scope].get(path)
        if scope == "publishable":
            refused(answer)
        else:
            expect(answer, 200)


@pytest.mark.parametrize("scope", ("read", "write", "admin"))
def test_definitions(scoped, scope):
    expect(scoped[scope].get("/v1/definitions"), 200)
    refused(scoped["publishable"].get("/v1/definitions"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scope", SCOPES)
def test_records(shop, scoped, kind, scope):
    client = scoped[scope]
    stored = sample(kind)
    path = path_of(kind, stored["id"])
    expect(shop.post(f"/v1/{kind}", stored), 201)

    for method in ("GET", "HEAD"):
        answer = client.request(method, path)
        if scope in ("read", "write", "admin"):
            assert answer.status == 200
        else:
            assert answer.status == 403

    new = sample(kind)
    changes = {
        "post": lambda: client.post(f"/v1/{kind}", new),
        "ndjson": lambda: client.post_ndjson(f"/v1/{kind}", [sample(kind)]),
        "put": lambda: client.put(path, stored),
        "patch": lambda: client.patch(path, {"metadata": {"by": scope}}),
        "delete": lambda: client.delete(path),
    }
    for name, change in changes.items():
        answer = change()
        if scope in ("write", "admin"):
            assert answer.status in (200, 201, 204), (name, answer)
        elif (scope, kind, name) != ("publishable", "surveys", "post"):
            refused(answer)
    if scope not in ("write", "admin"):
        assert has(expect(shop.get(path), 200), **stored)
        if (scope, kind) != ("publishable", "surveys"):
            expect_problem(shop.get(path_of(kind, new["id"])), 404, "not_found")


def test_a_scope_is_checked_whether_or_not_the_record_exists(scoped):
    for scope in ("figures", "publishable"):
        for kind in KINDS:
            refused(scoped[scope].get(f"/v1/{kind}/nobody"))
            refused(scoped[scope].delete(f"/v1/{kind}/nobody"))


def test_a_publishable_key_posts_one_survey_dated_by_the_server(shop, scoped):
    given = {"id": new_id("p"), "type": "nps", "score": 9}
    page = scoped["publishable"]
    created = expect(page.post("/v1/surveys", given), 201)
    assert created["answered_at"] == expect(
        shop.get(path_of("surveys", given["id"])), 200)["answered_at"] is not None
    expect(page.post("/v1/surveys", given), 200)
    answer = page.post("/v1/surveys", {**given, "id": new_id("p"),
                                       "answered_at": "2025-01-01T00:00:00Z"})
    expect_problem(answer, 422, "invalid_record", "not_allowed_here", "/answered_at")


def test_a_publishable_key_cannot_change_what_is_stored(shop, scoped):
    stored = sample("surveys", score=2, comment="planted stored comment")
    path = path_of("surveys", stored["id"])
    expect(shop.post("/v1/surveys", stored), 201)
    page = scoped["publishable"]
    other = {"id": stored["id"], "type": "nps", "score": 10}
    answer = page.post("/v1/surveys", other)
    expect_problem(answer, 409, "id_conflict")
    assert b"planted" not in answer.body
    for mode in ("replace", "merge"):
        answer = page.post(f"/v1/surveys?on_conflict={mode}", other)
        assert answer.status in (400, 403), answer
        assert b"planted" not in answer.body
    assert has(expect(shop.get(path), 200), **stored)
    refused(page.post_ndjson("/v1/surveys", [{"type": "nps", "score": 1}]))


def test_a_publishable_key_learns_nothing_of_a_customer(shop, scoped):
    expect(shop.put("/v1/customers/vip", sample("customers", id="vip", segment="planted-segment",
                                                name="planted-name")), 201)
    expect(shop.put("/v1/interactions/call", sample("interactions", id="call", agent="planted-agent",
                                                    channel="planted-channel")), 201)
    answer = scoped["publishable"].post("/v1/surveys", {
        "type": "nps", "score": 9, "customer_id": "vip", "interaction_id": "call"})
    expect(answer, 201)
    assert b"planted" not in answer.body


@pytest.mark.parametrize("scope, path", [("figures", "/v1/kpis"), ("publishable", "/v1/surveys")])
def test_keys_with_origins(api, shop, scope, path):
    limited = make_client(api, shop.workspace, scope,
                          ["https://shop.example.com", "https://*.example.org"])

    def ask(origin):
        headers = {"Content-Type": "application/json", **({"Origin": origin} if origin else {})}
        if scope == "figures":
            return limited.request("GET", path, headers=headers)
        return limited.request("POST", path, json.dumps({"type": "nps", "score": 9}), headers)

    for origin in ("https://shop.example.com", "https://a.example.org"):
        assert ask(origin).status in (200, 201), origin
    for origin in ("https://example.com", "http://shop.example.com", "https://shop.example.com:8443",
                   "https://shop.example.com.evil.example", "https://evilshop.example.com",
                   "https://evilexample.org", "https://example.org.evil.example", "null",
                   "http://a.example.org", "https://evil.example/.example.org", "https://.example.org"):
        answer = ask(origin)
        expect_problem(answer, 403, "origin_not_allowed")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_key_without_origins_is_taken_from_anywhere(scoped):
    answer = scoped["figures"].request("GET", "/v1/kpis", headers={"Origin": "https://any.example"})
    expect(answer, 200)


def test_a_revoked_key_is_refused_and_a_new_one_taken_while_running(api, shop):
    client = make_client(api, shop.workspace, "read")
    expect(client.get("/v1/kpis"), 200)
    before = cli_output(api.database_url, "key", "list")
    assert client.key not in before, "keys are shown once"
    ids = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", before)
    other = make_client(api, shop.workspace, "read")
    new_ids = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}",
                             cli_output(api.database_url, "key", "list"))) - set(ids)
    assert len(new_ids) == 1
    expect(other.get("/v1/kpis"), 200)
    cli_output(api.database_url, "key", "revoke", new_ids.pop())
    end = time.monotonic() + 2
    while other.get("/v1/kpis").status == 200 and time.monotonic() < end:
        time.sleep(0.02)
    expect_problem(other.get("/v1/kpis"), 401, "unauthorized")
    expect(client.get("/v1/kpis"), 200)
    expect_problem(Client(api.url, other.key).get("/v1/kpis"), 401, "unauthorized")
