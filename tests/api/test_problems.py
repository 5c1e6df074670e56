"""Errors: one shape, a closed list of codes, and the order in which requests are checked."""

import gzip

import pytest

from api import raw
from api.checks import KINDS, expect, expect_problem, new_id, path_of, sample
from support.client import Client

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BODY_MAX = 65536  # default limit of a single object


@pytest.fixture(scope="module")
def stranger(api):
    """A client without a key."""
    return Client(api.url)


@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"{\"id\":}", b"{'id':'x'}", b"{\"id\":\"x\",}", b"nope", b"{}{}", b"{} x",
    b'{"id":"x","id":"y"}', b'{"metadata":{"a":1,"a":2}}', b'{"id":"\xff"}', b'{"id":"\xc0\x80"}',
    b'{"id":"\\ud800"}', b'{"id":"a\x00b"}', b'{"id":"a\nb"}', b'{"id":NaN}', b'{"id":01}',
    b"[" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"\xef\xbb\xbf\xef\xbb\xbf{}", b"// c\n{}",
])
def test_malformed_json(shop, body):
    for method, path in (("POST", "/v1/surveys"), ("PUT", "/v1/surveys/malformed"),
                         ("PATCH", "/v1/surveys/malformed")):
        answer = shop.request(method, path, body, JSON)
        if method == "PATCH" and answer.status == 404:
            continue
        problem = expect_problem(answer, 400, "malformed_json")
        assert "malformed" not in problem["detail"].lower() or len(problem["detail"]) > 20
    expect_problem(shop.get("/v1/surveys/malformed"), 404, "not_found")


def test_a_nul_in_a_text_is_refused(shop):
    answer = shop.request("POST", "/v1/surveys", b'{"type":"open","comment":"a\\u0000b"}', JSON)
    assert answer.status in (400, 422), answer
    expect_problem(answer, answer.status, answer.json()["code"])


@pytest.mark.parametrize("body", [b"[]", b"null", b"true", b"1.5", b'"text"', b"[{}]"])
def test_json_that_is_no_object_is_refused(shop, body):
    answer = shop.request("PUT", "/v1/surveys/no-object", body, JSON)
    assert answer.status in (400, 422), answer
    expect_problem(answer, answer.status, answer.json()["code"])


@pytest.mark.parametrize("method, path", [
    ("POST", "/v1/surveys?colour=red"), ("GET", "/v1/surveys/x?colour=red"),
    ("DELETE", "/v1/surveys/x?colour=red"), ("GET", "/v1/kpis?colour=red"),
    ("GET", "/v1/kpis/nps?colour=red"), ("GET", "/v1/definitions?colour=red"),
])
def test_unknown_parameter(shop, method, path):
    body = '{"type":"nps","score":1}' if method == "POST" else None
    answer = shop.request(method, path, body, JSON)
    expect_problem(answer, 400, "unknown_parameter", parameter="colour")


@pytest.mark.parametrize("authorization", [
    None, "", "Bearer", "Bearer ", "Bearer vk_", "Bearer nonsense", "Basic dXNlcjpwYXNz",
    "Bearer vk_" + "A" * 43, "Bearer vk_" + "A" * 3000, "bearer\tvk_x", "vk_abc",
    "Bearer vk_\u00ff\u00fe",
])
@pytest.mark.parametrize("method, path", [
    ("GET", "/v1/kpis"), ("POST", "/v1/surveys"), ("GET", "/v1/surveys/x"), ("GET", "/v1/definitions")])
def test_unauthorized(stranger, authorization, method, path):
    sent = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    answer = stranger.request(method, path, '{"type":"nps","score":1}' if method == "POST" else None,
                              {**JSON, **sent})
    expect_problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_scheme_is_read_in_any_case(shop):
    answer = Client(shop.url).request("GET", "/v1/kpis", headers={
        "Authorization": f"bearer {shop.key}"})
    expect(answer, 200)


def test_a_key_in_the_query_is_no_key(stranger, shop):
    for name in ("key", "api_key", "access_token"):
        answer = stranger.request("GET", f"/v1/kpis?{name}={shop.key}")
        assert answer.status in (400, 401), answer


def test_a_part_of_a_key_or_more_is_no_key(stranger, shop):
    for key in (shop.key[:-1], shop.key + "A", shop.key + " ", shop.key.upper(), shop.key[3:]):
        if key.strip() == shop.key:
            continue
        answer = stranger.request("GET", "/v1/kpis", headers={"Authorization": f"Bearer {key}"})
        expect_problem(answer, 401, "unauthorized")


@pytest.mark.parametrize("path", [
    "/", "/v1", "/v1/", "/v2/surveys", "/v1/survey", "/v1/Surveys", "/v1/surveys/", "/v1/surveys/a/b",
    "/v1//surveys", "//v1/surveys", "/v1/kpis/", "/v1/kpis/nps/", "/v1/kpis/nps/x", "/healthz/",
    "/v1/definitions/", "/index.php", "/.env", "/v1/surveys%2Fx", "/v1%2Fsurveys",
])
def test_unknown_routes(shop, stranger, path):
    for client in (shop, stranger):
        answer = client.request("GET", path)
        expect_problem(answer, 404, "not_found")


@pytest.mark.parametrize("method, path, allowed", [
    ("DELETE", "/v1/surveys", {"POST"}), ("PUT", "/v1/surveys", {"POST"}),
    ("PATCH", "/v1/customers", {"POST"}), ("POST", "/v1/surveys/x", {"GET", "PUT", "PATCH", "DELETE"}),
    ("POST", "/v1/kpis", {"GET"}), ("PUT", "/v1/kpis/nps", {"GET"}), ("DELETE", "/v1/kpis", {"GET"}),
    ("POST", "/healthz", {"GET"}), ("DELETE", "/metrics", {"GET"}), ("PUT", "/openapi.yaml", {"GET"}),
    ("POST", "/v1/definitions", {"GET"}), ("TRACE", "/v1/kpis", {"GET"}), ("BREW", "/v1/kpis", {"GET"}),
])
def test_method_not_allowed(shop, stranger, method, path, allowed):
    for client in (shop, stranger):
        answer = client.request(method, path)
        expect_problem(answer, 405, "method_not_allowed")
        listed = {name.strip() for name in answer.headers["Allow"].split(",")}
        assert allowed | {"OPTIONS"} <= listed, listed
        assert method not in listed
        if "GET" in listed:
            assert "HEAD" in listed


def test_every_method_of_allow_is_really_there(shop):
    for path in ("/v1/surveys", "/v1/surveys/x", "/v1/kpis", "/v1/kpis/nps", "/v1/definitions"):
        for method in shop.request("TRACE", path).headers["Allow"].split(","):
            assert shop.request(method.strip(), path).status != 405, (method, path)


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "multipart/form-data; boundary=x",
                                   "application/jsonx", "json", "application/", "text/json"])
def test_unsupported_media_type(shop, media):
    for method, path in (("POST", "/v1/surveys"), ("PUT", "/v1/surveys/x"), ("PATCH", "/v1/surveys/x")):
        answer = shop.request(method, path, '{"type":"nps","score":1}', {"Content-Type": media})
        expect_problem(answer, 415, "unsupported_media_type")


def test_the_form_type_of_curl_is_told_of_json(shop):
    answer = shop.request("POST", "/v1/surveys", '{"type":"nps","score":1}', FORM)
    assert "--json" in expect_problem(answer, 415, "unsupported_media_type")["detail"]


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "APPLICATION/JSON",
                                   "application/json;charset=UTF-8", " application/json "])
def test_json_with_parameter_and_in_any_case(shop, media):
    expect(shop.request("POST", "/v1/surveys", '{"type":"nps","score":1}', {"Content-Type": media}),
           201)


def test_a_compressed_body_is_read_or_refused_clearly(shop):
    body = gzip.compress(b'{"type":"nps","score":1}')
    answer = shop.request("POST", "/v1/surveys", body, {**JSON, "Content-Encoding": "gzip"})
    if answer.status != 201:
        expect_problem(answer, 415, "unsupported_media_type")


def test_an_answer_that_is_not_acceptable(shop):
    answer = shop.request("GET", "/v1/kpis", headers={"Accept": "image/png"})
    if answer.status != 200:
        expect_problem(answer, 406, "not_acceptable")
    for accept in ("*/*", "application/*", "application/json", "text/html, */*;q=0.1",
                   "application/json;q=0.5, text/plain"):
        expect(shop.request("GET", "/v1/kpis", headers={"Accept": accept}), 200)


@pytest.mark.parametrize("method, path", [("POST", "/v1/surveys"), ("PUT", "/v1/surveys/big"),
                                          ("PATCH", "/v1/surveys/big")])
def test_too_large(api, shop, method, path):
    body = b'{"type":"open","comment":"' + b"a" * 2 * BODY_MAX + b'"}'
    declared = raw.head(method, path, shop.key, Content_Type="application/json",
                        Content_Length=len(body)) + body
    chunked = raw.head(method, path, shop.key, Content_Type="application/json",
                       Transfer_Encoding="chunked") + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    for request in (declared, chunked):
        with raw.connect(api.port) as sock:
            raw.send(sock, request)
            answer = raw.read_answer(sock)
        assert raw.status_of(answer) == 413, answer[:300]
        assert b'"too_large"' in answer and b"application/problem+json" in answer
    expect_problem(shop.get("/v1/surveys/big"), 404, "not_found")


def test_an_object_just_below_the_limit_is_taken(shop):
    record = '{"type":"nps","score":1'
    body = record + " " * (BODY_MAX - len(record) - 1) + "}"
    expect(shop.request("POST", "/v1/surveys", body, JSON), 201)
    answer = shop.request("POST", "/v1/surveys", body[:-1] + " }", JSON)
    expect_problem(answer, 413, "too_large")


def test_the_order_of_checks(shop, scoped, stranger):
    """Route, method, key, scope, headers, size, syntax, fields, state: the first that fails tells."""
    stored = sample("surveys")
    expect(shop.post("/v1/surveys", stored), 201)
    large = b"{" + b"a" * (BODY_MAX + 100)
    wrong_scope = scoped["figures"]
    cases = [
        (stranger, "POST", "/v1/nothing?x=1", FORM, large, 404, "not_found"),
        (stranger, "DELETE", "/v1/surveys?x=1", FORM, large, 405, "method_not_allowed"),
        (stranger, "POST", "/v1/surveys", FORM, large, 401, "unauthorized"),
        (wrong_scope, "POST", "/v1/surveys", FORM, large, 403, "forbidden_scope"),
        (shop, "POST", "/v1/surveys", FORM, large, 415, "unsupported_media_type"),
        (shop, "POST", "/v1/surveys", JSON, large, 413, "too_large"),
        (shop, "POST", "/v1/surveys", JSON, b"{nope", 400, "malformed_json"),
        (shop, "POST", "/v1/surveys", JSON, b'{"id":"%s","type":"nps","score":11}'
         % stored["id"].encode(), 422, "invalid_record"),
        (shop, "POST", "/v1/surveys", JSON, b'{"id":"%s","type":"nps","score":1}'
         % stored["id"].encode(), 409, "id_conflict"),
        (stranger, "GET", "/v1/kpis?x=1", {}, None, 401, "unauthorized"),
        (scoped["publishable"], "GET", "/v1/kpis?x=1", {}, None, 403, "forbidden_scope"),
        (shop, "PATCH", "/v1/surveys/nobody", FORM, b"{nope", 415, "unsupported_media_type"),
        (shop, "PATCH", "/v1/surveys/nobody", JSON, b"{nope", 400, "malformed_json"),
    ]
    for client, method, path, headers, body, status, code in cases:
        fresh_connection = Client(client.url, client.key)
        answer = fresh_connection.request(method, path, body, headers)
        expect_problem(answer, status, code)
        fresh_connection.close()


@pytest.mark.parametrize("kind", KINDS)
def test_not_found_does_not_repeat_the_id(shop, kind):
    planted = new_id("planted-person")
    answer = shop.get(path_of(kind, planted))
    expect_problem(answer, 404, "not_found")


def test_an_oversized_head_is_refused_and_the_service_lives(api, shop):
    long_path = b"GET /v1/kpis?period=" + b"9" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw.exchange(api.port, long_path) in (400, 414, 431, None)
    long_header = raw.head("GET", "/v1/kpis", shop.key, X_Long="a" * 200_000)
    assert raw.exchange(api.port, long_header) in (400, 413, 431, None)
    many_headers = raw.head("GET", "/v1/kpis", shop.key, **{f"X_{n}": "a" for n in range(20_000)})
    assert raw.exchange(api.port, many_headers) in (400, 413, 431, None)
    expect(shop.get("/v1/kpis"), 200)
