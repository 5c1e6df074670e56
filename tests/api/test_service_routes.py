"""The routes without a key: health, metrics, the description of the interface."""

import re
import shutil
import subprocess

import pytest

from api.checks import KINDS, expect, sample
from support.client import Client


@pytest.fixture(scope="module")
def stranger(api):
    return Client(api.url)


def test_health_and_readiness(stranger):
    for path in ("/healthz", "/readyz"):
        assert stranger.get(path).status == 200


def test_metrics_are_clean(stranger, shop):
    expect(shop.post("/v1/surveys", sample("surveys")), 201)
    shop.get("/v1/kpis")
    shop.get("/v1/surveys/nobody")
    answer = stranger.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert len(re.findall(rb"^vinculo_\w+", answer.body, re.MULTILINE)) > 5
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run(["promtool", "check", "metrics"], input=answer.body,
                             capture_output=True, check=False)
    assert checked.returncode == 0 and not checked.stderr, checked.stderr.decode()


def test_metrics_tell_nothing_of_tenants(api, stranger, workspace):
    client = workspace(api, name="planted-workspace-name")
    expect(client.post("/v1/surveys", sample("surveys", id="planted-id", segment="planted-segment")),
           201)
    client.get("/v1/surveys/planted-id")
    client.get("/v1/planted-route")
    client.request("PLANTED", "/v1/kpis")
    client.get("/v1/kpis", segment="planted-segment")
    body = stranger.get("/metrics").body
    assert b"planted" not in body.lower()
    assert client.key.encode() not in body


def test_metrics_do_not_grow_with_what_clients_send(stranger, shop):
    before = len(stranger.get("/metrics").body.splitlines())
    for at in range(50):
        shop.get(f"/v1/surveys/s{at}")
        shop.get(f"/v1/kpis/k{at}")
        shop.get(f"/r{at}")
        shop.request(f"METHOD{at}", "/v1/kpis")
    assert len(stranger.get("/metrics").body.splitlines()) <= before + 40


def test_openapi_describes_every_route_and_code(stranger):
    yaml = pytest.importorskip("yaml")
    answer = stranger.get("/openapi.yaml")
    assert answer.status == 200
    text = answer.body.decode()
    description = yaml.safe_load(text)
    assert description["openapi"].startswith("3.1")
    paths = set(description["paths"])
    for kind in KINDS:
        assert f"/v1/{kind}" in paths
        assert any(re.fullmatch(rf"/v1/{kind}/\{{\w+\}}", path) for path in paths), kind
    assert {"/v1/kpis", "/v1/definitions", "/healthz", "/readyz", "/metrics",
            "/openapi.yaml"} <= paths
    for code in ("malformed_json", "invalid_parameter", "unknown_parameter", "unauthorized",
                 "forbidden_scope", "origin_not_allowed", "not_found", "method_not_allowed",
                 "id_conflict", "has_dependents", "too_large", "unsupported_media_type",
                 "invalid_record", "unavailable", "queue_full", "shutting_down", "unknown_customer",
                 "before_start", "id_mismatch", "in_future", "not_allowed_here"):
        assert code in text, code


def test_definitions_of_every_kpi(shop):
    definitions = expect(shop.get("/v1/definitions"), 200)
    listed = definitions.get("definitions") or definitions.get("kpis") or definitions
    names = set(listed) if isinstance(listed, dict) else {entry["kpi"] for entry in listed}
    kpis = set(expect(shop.get("/v1/kpis"), 200)["kpis"])
    assert kpis == {"csat", "nps", "ces", "response_rate", "churn_rate", "retention_rate",
                    "first_response_time", "resolution_time", "first_contact_resolution",
                    "interactions", "feedback", "follow_up_rate", "buyer_retention_rate",
                    "repeat_purchase_rate", "revenue", "revenue_growth_rate", "arpc", "cac", "ltv",
                    "ltv_cac_ratio", "relationship_quality"}
    assert names == kpis
    for name in kpis:
        expect(shop.get(f"/v1/definitions/{name}"), 200)
    assert shop.get("/v1/definitions/nothing").status == 404
