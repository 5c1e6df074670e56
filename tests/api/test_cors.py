"""What browsers of other origins need, and request ids."""

import json

import pytest

from api import raw
from api.checks import expect, expect_problem, path_of, sample
from support.client import Client

ROUTES = ("/v1/surveys", "/v1/customers", "/v1/interactions", "/v1/cancellations",
          "/v1/reactivations", "/v1/surveys/x", "/v1/kpis", "/v1/kpis/nps", "/v1/definitions",
          "/healthz", "/readyz", "/metrics", "/openapi.yaml")
EXPOSED = {"location", "etag", "retry-after", "ratelimit", "ratelimit-policy", "x-request-id",
           "vinculo-rejected"}
ASKED = {"authorization", "content-type", "idempotency-key", "if-none-match", "x-request-id"}


def names(header):
    return {name.strip().lower() for name in header.split(",")}


@pytest.mark.parametrize("path", ROUTES)
def test_preflight_needs_no_key(api, path):
    answer = Client(api.url).request("OPTIONS", path, headers={
        "Origin": "https://any.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert ASKED <= names(answer.headers["Access-Control-Allow-Headers"])
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    method = "POST" if path.count("/") == 2 and path.startswith("/v1/") and \
        path not in ("/v1/kpis", "/v1/definitions") else "GET"
    assert method in answer.headers["Access-Control-Allow-Methods"]


def test_every_answer_carries_the_headers(api, shop, scoped):
    stranger = Client(api.url)
    given = sample("surveys")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = [
        shop.post("/v1/surveys", given), shop.post("/v1/surveys", given),
        shop.post("/v1/surveys", {**given, "score": 1}), shop.post("/v1/surveys", {"score": "x"}),
        shop.get(path_of("surveys", given["id"])), shop.delete(path_of("surveys", given["id"])),
        shop.get(path_of("surveys", given["id"])), shop.post_ndjson("/v1/surveys", ["x"]),
        shop.get("/v1/kpis"), shop.get("/v1/kpis", period="nonsense"),
        shop.get("/v1/definitions"), stranger.get("/v1/kpis"), stranger.get("/nothing"),
        stranger.get("/healthz"), stranger.get("/readyz"), stranger.get("/metrics"),
        stranger.get("/openapi.yaml"), stranger.request("PUT", "/v1/kpis"),
        scoped["figures"].post("/v1/surveys", given), shop.request("HEAD", "/v1/kpis"),
        shop.request("POST", "/v1/surveys", "a=b", form), shop.get("/v1/surveys/%zz"),
        shop.request("POST", "/v1/surveys", "x" * 70_000, {"Content-Type": "application/json"}),
    ]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == "*", answer
        assert EXPOSED <= names(answer.headers["Access-Control-Expose-Headers"]), answer
        assert answer.headers["X-Request-Id"], answer
        assert "Access-Control-Allow-Credentials" not in answer.headers
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("given", ["a", "abc-123", "0190c3f0-0000-7000-8000-000000000000", "A_b.c~d"])
def test_a_request_id_goes_in_and_out(api, shop, given):
    for client, path in ((shop, "/v1/kpis"), (Client(api.url), "/v1/kpis"), (shop, "/nothing")):
        answer = client.request("GET", path, headers={"X-Request-Id": given})
        if answer.status >= 400:
            expect_problem(answer, answer.status, answer.json()["code"])
        if given != "A_b.c~d":  # what beyond letters, digits and hyphens is taken is left open
            assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["a" * 5000, "a b\"c", "é", "<b>", "a\x01b", "{}", ""])
def test_a_strange_request_id_does_no_harm(api, shop, given):
    request = raw.head("GET", "/v1/surveys/nobody", shop.key)[:-2] + \
        b"X-Request-Id: " + given.encode() + b"\r\n\r\n"
    with raw.connect(api.port) as sock:
        raw.send(sock, request)
        answer = raw.read_answer(sock)
    assert raw.status_of(answer) in (400, 404, 431), answer
    if raw.status_of(answer) == 404:
        problem = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert problem["request_id"]
    expect(shop.get("/v1/kpis"), 200)
