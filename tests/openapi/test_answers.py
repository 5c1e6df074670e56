"""What the service really answers is what the document announces, down to every member."""

import pytest

from support.client import Client

KINDS = {
    "customers": {"id": "cli-1", "started_at": "2025-01-10T12:00:00Z", "name": "Padaria Estrela",
                  "segment": "small", "channel": "referral", "metadata": {"plan": ["a", {"b": 1.5}]}},
    "surveys": {"id": "res-1", "customer_id": "cli-1", "type": "nps", "score": 9,
                "answered_at": "2025-09-14T12:00:00Z", "sent_at": "2025-09-13T12:00:00Z", "comment": "Ótimo!"},
    "interactions": {"id": "at-1", "customer_id": "cli-1", "opened_at": "2025-09-14T12:00:00Z",
                     "first_response_at": "2025-09-14T12:10:00Z", "resolved_at": "2025-09-14T13:00:00Z",
                     "resolved_on_first_contact": True},
    "cancellations": {"id": "can-1", "customer_id": "cli-1", "cancelled_at": "2025-09-20T12:00:00Z"},
    "reactivations": {"id": "rea-1", "customer_id": "cli-1", "reactivated_at": "2025-09-25T12:00:00Z"},
}
OWN_TIME = {"customers": "started_at", "surveys": "answered_at", "interactions": "opened_at",
            "cancellations": "cancelled_at", "reactivations": "reactivated_at"}


@pytest.fixture(scope="module")
def stored(shop):
    """The workspace with one record of every kind."""
    for kind, record in KINDS.items():
        assert shop.post(f"/v1/{kind}", record).status in (200, 201)
    return shop


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_through_its_life(contract, stored, kind):
    def hold(method, path, response, status):
        assert response.status == status, response
        return contract.hold(method, path, response)

    many, one = f"/v1/{kind}", f"/v1/{kind}/{{id}}"
    record = {**KINDS[kind], "id": f"life/{kind}"}
    path = f"/v1/{kind}/life%2F{kind}"
    created = stored.post(many, record)
    assert created.headers["Location"] == path
    hold("POST", many, created, 201)
    hold("POST", many, stored.post(many, record), 200)
    hold("POST", many, stored.post(many, {**record, "metadata": {"other": True}}), 409)
    hold("POST", many, stored.post(f"{many}?on_conflict=replace", {**record, "metadata": {"other": True}}), 200)
    hold("POST", many, stored.post(f"{many}?on_conflict=guess", record), 400)
    hold("POST", many, stored.post(many, {**record, "colour": "red"}), 422)
    hold("POST", many, stored.request("POST", many, "{", {"Content-Type": "application/json"}), 400)
    hold("POST", many, stored.request("POST", many, "a=b", {"Content-Type": "text/plain"}), 415)
    hold("POST", many, stored.post(many, {**record, "metadata": {"long": "x" * 70000}}), 413)
    answer = hold("GET", one, stored.get(path), 200)
    hold("PUT", one, stored.put(path, answer), 200)
    hold("PUT", one, stored.put(path, {**record, "id": "other"}), 422)
    hold("PATCH", one, stored.patch(path, {"metadata": {"more": 1}}), 200)
    hold("PATCH", one, stored.patch(path, {OWN_TIME[kind]: "never"}), 422)
    assert stored.delete(path).status == 204
    hold("GET", one, stored.get(path), 404)
    hold("DELETE", one, stored.delete(path), 404)
    hold("PUT", one, stored.put(path, record), 201)
    assert stored.delete(path).status == 204


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream(contract, stored, kind):
    lines = [{**KINDS[kind], "id": f"stream-{number}"} for number in range(3)]
    path = f"/v1/{kind}"
    taken = stored.post_ndjson(path, lines)
    assert taken.status == 200, taken
    contract.hold("POST", path, taken)
    partly = stored.post_ndjson(path, [*lines, "{", {"colour": "red"}])
    assert (partly.status, partly.headers["Vinculo-Rejected"]) == (207, "2")
    contract.hold("POST", path, partly)
    refused = stored.post_ndjson(path, ["[]", "nonsense"])
    assert refused.status == 422
    contract.hold("POST", path, refused)
    for line in lines:
        assert stored.delete(f"/v1/{kind}/{line['id']}").status == 204


def test_a_customer_with_a_life_stays(contract, stored):
    answer = stored.delete("/v1/customers/cli-1")
    assert answer.status == 409
    assert contract.hold("DELETE", "/v1/customers/{id}", answer)["code"] == "has_dependents"


QUESTIONS = [
    {"period": "2025"}, {"period": "2025-Q3"}, {"period": "2025-09"}, {"period": "2025-W37"}, {"period": "2025-09-14"},
    {"from_": "2025-09-01", "to": "2025-09-20"}, {"period": "last_12_months"}, {"period": "this_month"}, {},
    {"period": "2025-09", "compare": "year_ago"}, {"period": "2025-09", "compare": "none"},
    {"period": "2025-09", "segment": "small"}, {"period": "2025-09", "segment": "small", "channel": "referral"},
    {"period": "2025-Q3", "kpis": "nps,churn_rate"},
]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_figures_of_one_period(contract, stored, question):
    answer = contract.hold("GET", "/v1/kpis", stored.get("/v1/kpis", **question))
    wanted = question.get("kpis", "").split(",") if "kpis" in question else \
        contract.document["components"]["schemas"]["KpiName"]["enum"]
    assert list(answer["kpis"]) == wanted


def test_every_kpi_alone_and_as_a_series(contract, stored):
    for kpi in contract.document["components"]["schemas"]["KpiName"]["enum"]:
        path = f"/v1/kpis/{kpi}"
        one = contract.hold("GET", "/v1/kpis/{kpi}", stored.get(path, period="2025-Q3"))
        assert list(one["kpis"]) == [kpi]
        for granularity in ("day", "week", "month", "quarter", "year"):
            answer = stored.get(path, granularity=granularity, period="2025-Q3", segment="small")
            assert contract.hold("GET", "/v1/kpis/{kpi}", answer)["filters"] == {"segment": "small"}
        default = contract.hold("GET", "/v1/kpis/{kpi}", stored.get(path, granularity="month"))
        assert len(default["series"]) == 12
        contract.hold("GET", "/v1/definitions/{kpi}", stored.get(f"/v1/definitions/{kpi}"))
    contract.hold("GET", "/v1/definitions", stored.get("/v1/definitions"))


def test_an_empty_workspace(contract, make_workspace):
    answer = contract.hold("GET", "/v1/kpis", make_workspace().get("/v1/kpis", period="2025-09"))
    assert answer["data"] == {"first": None, "last": None}
    assert all(figure["value"] is None for figure in answer["kpis"].values())


WRONG = [
    ("/v1/kpis", {"period": "2025-13"}, 400), ("/v1/kpis", {"periods": "2025"}, 400),
    ("/v1/kpis", {"period": "2025", "from_": "2025-01-01"}, 400), ("/v1/kpis", {"kpis": "nps,happiness"}, 400),
    ("/v1/kpis", {"from_": "2025-01-01"}, 400), ("/v1/kpis", {"compare": "yesterday"}, 400),
    ("/v1/kpis/happiness", {}, 404), ("/v1/kpis/nps", {"granularity": "month", "compare": "previous"}, 400),
    ("/v1/kpis/nps", {"granularity": "hour"}, 400),
    ("/v1/kpis/nps", {"granularity": "day", "from_": "2015-01-01", "to": "2025-01-01"}, 400),
    ("/v1/definitions/happiness", {}, 404), ("/v1/definitions", {"page": "2"}, 400),
]


@pytest.mark.parametrize("path,query,status", WRONG, ids=str)
def test_a_question_that_is_refused(contract, stored, path, query, status):
    answer = stored.get(path, **query)
    assert answer.status == status, answer
    contract.hold("GET", path.replace("/happiness", "/{kpi}").replace("/nps", "/{kpi}"), answer)


def test_keys_that_do_not_fit(contract, running, stored, make_client):
    nobody = Client(running.url, "vk_nobody").get("/v1/kpis")
    assert nobody.status == 401
    contract.hold("GET", "/v1/kpis", nobody)
    figures = make_client(stored.workspace, "figures")
    contract.hold("GET", "/v1/kpis", figures.get("/v1/kpis"))
    answer = figures.get("/v1/surveys/res-1")
    assert answer.status == 403
    contract.hold("GET", "/v1/surveys/{id}", answer)
    picky = stored.request("GET", "/v1/kpis", headers={"Accept": "text/html"})
    assert picky.status == 406
    contract.hold("GET", "/v1/kpis", picky)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_service_itself(contract, running, path):
    contract.hold("GET", path, Client(running.url).get(path))
    refused = Client(running.url).get(path, verbose="1")
    assert refused.status == 400
    contract.hold("GET", path, refused)


def test_metrics_are_text(running):
    answer = Client(running.url).get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
