"""Ids in paths, escapes, HEAD."""

import urllib.parse

import pytest

from api.checks import expect, expect_problem, path_of, sample

STRANGE_IDS = ["a/b", "a b", "a+b", "50%", "%2F", "?x=1", "#x", "joão", "日本", "👩‍👩‍👧",
               "a\\b", "...", "a'b\"c", ";--", "x" * 128, "ã" * 128, "..%2f..", "v1",
               "A", "a", "a&b=c", "*", "~"]


@pytest.mark.parametrize("record_id", STRANGE_IDS)
def test_ids_in_paths(shop, record_id):
    given = sample("customers", id=record_id)
    path = path_of("customers", record_id)
    created = expect(shop.put(path, given), 201)
    assert created["id"] == record_id
    assert expect(shop.get(path), 200) == created
    assert expect(shop.post("/v1/customers", given), 200) == created
    assert shop.delete(path).status == 204
    answer = shop.post("/v1/customers", given)
    expect(answer, 201)
    location = answer.headers["Location"]
    assert location.isascii()
    assert expect(shop.get(urllib.parse.urlsplit(location).path), 200)["id"] == record_id


def test_case_matters_and_lower_case_escapes_are_the_same(shop):
    expect(shop.put("/v1/customers/q%2Fr", sample("customers", id="q/r")), 201)
    expect(shop.get("/v1/customers/q%2fr"), 200)
    expect(shop.get("/v1/customers/%71%2f%72"), 200)
    expect_problem(shop.get("/v1/customers/Q%2Fr"), 404, "not_found")
    expect_problem(shop.get("/v1/customers/q/r"), 404, "not_found")


@pytest.mark.parametrize("escape", ["%", "%z", "%zz", "%4", "a%", "%%", "%2", "%-1", "%C3", "%FF",
                                    "%C3%28", "%ED%A0%80", "%C0%AF", "%00", "a%00b"])
def test_bad_escapes_and_bytes_that_are_no_id(shop, escape):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body = '{"started_at":"2025-01-01T00:00:00Z"}' if method in ("PUT", "PATCH") else None
        answer = shop.request(method, f"/v1/customers/{escape}", body,
                              {"Content-Type": "application/json"})
        expect_problem(answer, 400, "invalid_parameter")


@pytest.mark.parametrize("path", [".", "..", "%2E", "%2e%2E", "%0A", "%7F", "%C2%80",
                                  "x" * 129, "%E3%83%84" * 129])
def test_ids_that_cannot_be(shop, path):
    for answer in (shop.put(f"/v1/customers/{path}", {"started_at": "2025-01-01T00:00:00Z"}),
                   shop.get(f"/v1/customers/{path}"), shop.delete(f"/v1/customers/{path}")):
        assert answer.status in (400, 404, 422), answer
        expect_problem(answer, answer.status, answer.json()["code"])


@pytest.mark.parametrize("query", ["segment=%", "segment=%zz", "segment=%00", "segment=%FF",
                                   "%zz=1", "period=2025%2"])
def test_bad_escapes_in_the_query(shop, query):
    answer = shop.request("GET", f"/v1/kpis?{query}")
    assert answer.json()["code"] in ("invalid_parameter", "unknown_parameter"), answer
    expect_problem(answer, 400, answer.json()["code"])


def test_spaces_in_queries(fresh):
    expect(fresh.post("/v1/surveys", sample("surveys", segment="a b")), 201)
    expect(fresh.post("/v1/surveys", sample("surveys", segment="a+b")), 201)
    for query in ("segment=a%20b", "segment=a+b", "segment=a%2Bb"):
        answer = expect(fresh.request("GET", f"/v1/kpis?period=2025-03&{query}"), 200)
        assert answer["kpis"]["nps"]["n"] == 1, query


@pytest.mark.parametrize("path", ["/v1/kpis", "/v1/kpis/nps", "/v1/kpis?period=nope", "/nothing",
                                  "/v1/customers/nobody", "/healthz", "/openapi.yaml",
                                  "/v1/definitions"])
def test_head_is_get_without_a_body(shop, path):
    whole = shop.request("GET", path)
    head = shop.request("HEAD", path)
    assert (head.status, head.body) == (whole.status, b"")
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]
    expect(shop.get("/v1/kpis"), 200)  # nothing of a body was left on the connection


def test_an_absolute_target_and_a_fragment_do_no_harm(shop):
    for target in (f"{shop.url}/v1/kpis", "*", "/v1/kpis#x", "/v1/kpis?", "/v1/kpis?&", "/v1/kpis?=&"):
        answer = shop.request("GET", target)
        assert answer.status in (200, 400, 404), (target, answer)
