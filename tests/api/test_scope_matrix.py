"""Each route × method × scope: allowed or denied exactly as the contract says, and the table is complete."""

import itertools
import json
import pathlib
import re

import pytest

from api.checks import KINDS, expect_problem, make_client, sample
from support.client import Client

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SCOPES = ("publishable", "figures", "read", "write", "admin")
READ, WRITE, ADMIN = SCOPES[2:], SCOPES[3:], SCOPES[4:]
FIGURES = SCOPES[1:]
ANYBODY = (None, *SCOPES)

# Route → method → who may. HEAD is as GET; of the publishable posts only surveys are allowed.
CONTRACT = {
    "/v1/kpis": {"GET": FIGURES},
    "/v1/kpis/{kpi}": {"GET": FIGURES},
    "/v1/kpis/{kpi}/records": {"GET": READ},
    "/v1/cohorts": {"GET": FIGURES},
    "/v1/scorecard": {"GET": FIGURES},
    "/v1/definitions": {"GET": READ},
    "/v1/definitions/{kpi}": {"GET": READ},
    "/v1/targets": {"GET": READ},
    "/v1/targets/{kpi}": {"GET": READ, "PUT": WRITE, "DELETE": WRITE},
    "/v1/feedback": {"GET": READ},
    "/v1/feedback/terms": {"GET": READ},
    "/v1/drivers": {"GET": FIGURES},
    "/v1/workspace": {"GET": READ, "PATCH": ADMIN},
    "/v1/keys": {"GET": ADMIN, "POST": ADMIN},
    "/v1/keys/{id}": {"DELETE": ADMIN},
    "/v1/customers/{id}/relationship": {"GET": READ},
    "/v1/{kind}": {"GET": READ, "POST": WRITE},
    "/v1/{kind}/{id}": {"GET": READ, "PUT": WRITE, "PATCH": WRITE, "DELETE": WRITE},
    "/healthz": {"GET": ANYBODY},
    "/readyz": {"GET": ANYBODY},
    "/metrics": {"GET": ANYBODY},
    "/openapi.yaml": {"GET": ANYBODY},
}


@pytest.fixture(scope="module")
def clients(api, shop):
    """One client per scope, and under None one without a key."""
    return {None: Client(api.url), **{scope: make_client(api, shop.workspace, scope)
                                      for scope in SCOPES}}


def allowed(route, method, kind):
    """Who may; None where the route has no such method."""
    methods = CONTRACT[route]
    who = methods.get("GET" if method == "HEAD" else method)
    if (route, method, kind) == ("/v1/{kind}", "POST", "surveys"):
        return (*who, "publishable")
    return who


def cells():
    for route, method in itertools.product(CONTRACT, METHODS):
        for kind in KINDS if "{kind}" in route else (None,):
            yield route, method, kind


def body_of(route, kind):
    if route == "/v1/{kind}":
        return sample(kind)
    return {"scope": "figures"} if route == "/v1/keys" else {}


def test_the_table_is_the_programs():
    table = (ROOT / "src/api/routes.c").read_text(encoding="utf-8").partition("routes[] = {")[2]
    found = {}
    for pattern, methods in re.findall(r'\{"(/[^"]+)",\s*\{(.*?)\}\}', table.partition("};")[0], re.DOTALL):
        found[pattern] = set(re.findall(r'\{"([A-Z]+)"', "{" + methods.lstrip("{")))
    assert found == {route: set(methods) for route, methods in CONTRACT.items()}


def test_every_cell(clients):
    count = 0
    for route, method, kind in cells():
        path = route.format(kind=kind, kpi="nps", id="nobody")
        who = allowed(route, method, kind)
        for scope, client in clients.items():
            count += 1
            cell = (method, path, scope)
            answer = client.request(method, path, json.dumps(body_of(route, kind)),
                                    {"Content-Type": "application/json"})
            if who is None:
                assert answer.status == 405, cell
            elif scope in who:
                assert answer.status in (200, 201, 204, 404, 422), (cell, answer)
            elif scope is None:
                assert answer.status == 401, cell
            else:
                assert answer.status == 403, (cell, answer)
                if method != "HEAD":
                    expect_problem(answer, 403, "forbidden_scope")
    print(f"\n{count} cells of route, method and scope")


def test_options_needs_no_key(clients):
    for route, _, kind in cells():
        path = route.format(kind=kind, kpi="nps", id="nobody")
        assert clients[None].request("OPTIONS", path).status == 204
