"""tests/cases/refusal: whole requests that are refused, each with exact status, code and place.

Together with the refusals among the cases of records, patches, bodies and CSV they have every code of
the contract; the count of all is printed.
"""

import json
import pathlib
import re

import pytest

from api.checks import expect, expect_problem, make_client, path_of
from support.client import Client

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "cases"
# What no request brings about by itself: tests/fault shows these. Nothing limits rates yet.
OF_THE_MOMENT = {"unavailable", "queue_full", "shutting_down", "rate_limited"}


def read(folder):
    return {path.relative_to(CASES).with_suffix("").as_posix(): json.loads(path.read_text("utf-8"))
            for path in sorted((CASES / folder).rglob("*.json"))}


REFUSALS = read("refusal")


@pytest.fixture(scope="module")
def clients(api, workspace):
    """Client by key name; the admin's workspace is empty before and after each case."""
    admin = workspace(api)
    found = {scope: make_client(api, admin.workspace, scope)
             for scope in ("publishable", "figures", "read", "write")}
    limited = make_client(api, admin.workspace, "figures", ["https://shop.example.com"])
    return {**found, "admin": admin, "limited": limited, None: Client(api.url)}


@pytest.fixture
def stored_before(clients):
    created = []

    def store(records):
        for record in records:
            kind = f"{record['kind']}s"
            expect(clients["admin"].post(f"/v1/{kind}", record["given"]), 201)
            created.append(path_of(kind, record["given"]["id"]))
    yield store
    for path in reversed(created):
        assert clients["admin"].delete(path).status == 204


def body_of(case):
    """`text` may be a list, with [piece, times] for what would be too long to write out."""
    if "text" not in case:
        return json.dumps(case["body"]) if "body" in case else None
    parts = [case["text"]] if isinstance(case["text"], str) else case["text"]
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)


def places(errors, code):
    """Comparable: (pointer or parameter, code). A parameter's code is the problem's."""
    return sorted((error.get("pointer", error.get("parameter")), error.get("code", code))
                  for error in errors)


def check_items(case, answer):
    """Of many: exactly these items are refused."""
    assert answer.status == case["status"], answer
    refused = [item for item in answer.json()["results"] if item.get("problem")]
    assert [(item["index"], item["problem"]["code"], places(item["problem"]["errors"], None))
            for item in refused] == \
        [(item["index"], item["code"], places(item.get("errors", []), None)) for item in case["items"]]
    assert answer.headers["Vinculo-Rejected"] == str(len(refused))


@pytest.mark.parametrize("case", [pytest.param(case, id=name.removeprefix("refusal/"))
                                  for name, case in REFUSALS.items()])
def test_refusal(clients, stored_before, case):
    stored_before(case.get("stored_before", []))
    body = body_of(case)
    headers = {} if body is None else {"Content-Type": "application/json"}
    # A refusal may come before the body is read to its end: a connection of its own.
    client = Client(clients[None].url, clients[case.get("key", "admin")].key)
    answer = client.request(case["method"], case["path"], body, {**headers, **case.get("headers", {})})
    client.close()
    if "items" in case:
        check_items(case, answer)
    else:
        problem = expect_problem(answer, case["status"], case["code"])
        assert places(problem["errors"], None) == places(case.get("errors", []), case["code"])
        assert case.get("detail", "") in problem["detail"]
    for name, value in case.get("answer_headers", {}).items():
        assert answer.headers[name] == value
    for path in case.get("absent", []):
        expect_problem(clients["admin"].get(path), 404, "not_found")


def codes_of(case):
    """Every code, of problems and of fields, that a case of any folder shows."""
    if isinstance(case, list):
        return set().union(*map(codes_of, case))
    if not isinstance(case, dict):
        return set()
    own = {case["code"]} if isinstance(case.get("code"), str) else set()
    parts = (case[name] for name in ("errors", "items", "refused", "rows") if name in case)
    return own.union(*map(codes_of, parts))


def is_refusal(name, case):
    return name.startswith("refusal/") or "refused" in case or "code" in case or \
        any("code" in row for row in case.get("rows", []))


def test_every_code_has_a_case():
    table = (ROOT / "src/base/err.c").read_text(encoding="utf-8")
    known = set(re.findall(r'\] = "([a-z_]+)"', table)) - {"ok"}
    refusals = {name: case for name, case in read(".").items() if is_refusal(name, case)}
    shown = codes_of(list(refusals.values()))
    assert known - shown == OF_THE_MOMENT
    assert shown <= known, "a code that the program does not have"
    by_folder = {}
    for name in refusals:
        folder = name.split("/")[0]
        by_folder[folder] = by_folder.get(folder, 0) + 1
    print(f"\n{len(refusals)} cases of refusals: {by_folder}")
