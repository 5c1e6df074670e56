"""What the service really answers is what the document announces, down to every member."""

import csv
import gzip
import io
import json

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
    "payments": {"id": "pag-1", "customer_id": "cli-1", "amount": 12990, "paid_at": "2025-09-05T12:00:00Z"},
    "costs": {"id": "cus-1", "amount": -250000, "incurred_at": "2025-09-30T12:00:00Z", "category": "ads"},
    "actions": {"id": "ac-1", "customer_id": "cli-1", "survey_id": "res-1", "title": "Ligar", "status": "done",
                "opened_at": "2025-09-15T12:00:00Z", "due_at": "2045-09-15T12:00:00Z",
                "done_at": "2025-09-16T12:00:00Z"},
}
OWN_TIME = {"customers": "started_at", "surveys": "answered_at", "interactions": "opened_at",
            "cancellations": "cancelled_at", "reactivations": "reactivated_at", "payments": "paid_at",
            "costs": "incurred_at", "actions": "opened_at"}


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
    hold("POST", many, stored.post(f"{many}?on_conflict=merge", {"id": record["id"], "metadata": {"a": 1}}), 200)
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


def as_csv(records):
    text = io.StringIO()
    rows = csv.DictWriter(text, list(records[0]))
    rows.writeheader()
    rows.writerows(records)
    return text.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_many_in_every_form(contract, stored, kind):
    def post(body, status, query="", **headers):
        answer = stored.request("POST", f"{path}{query}", body, {name.replace("_", "-"): value
                                                                 for name, value in headers.items()})
        assert answer.status == status, answer
        return contract.hold("POST", path, answer)

    path = f"/v1/{kind}"
    plain = {name: value for name, value in KINDS[kind].items() if name != "metadata"}
    records = [{**plain, "id": f"many-{number}"} for number in range(3)]
    array = {"Content_Type": "application/json"}
    table = {"Content_Type": "text/csv"}
    assert post(json.dumps(records), 200, **array)["created"] == 3
    assert post(as_csv(records), 200, **table)["unchanged"] == 3
    assert post(gzip.compress(json.dumps(records).encode()), 200, Content_Encoding="gzip", **array)["unchanged"] == 3
    partly = post(json.dumps([*records, {"colour": "red"}]), 207, "?atomic=false", **array)
    assert [item["line"] for item in partly["results"]] == [None] * 4
    nothing = post(as_csv([*records, {**plain, "id": ""}, {**plain, OWN_TIME[kind]: "never"}]), 422, "?atomic=true",
                   **table)
    assert nothing["not_stored"] >= 3
    merged = post(json.dumps([{"id": "many-0", "metadata": {"more": 1}}]), 200, "?on_conflict=merge", **array)
    assert merged["updated"] == 1
    post("id,colour\r\nmany-0,red\r\n", 422, **table)
    post("", 400, **table)
    broken = post(gzip.compress(as_csv(records).encode())[:-9], 400, Content_Encoding="gzip", **table)
    assert broken["code"] == "malformed_csv"
    post(json.dumps([{}] * 1001), 413, **array)
    assert post("{}\n" * 1001, 413, "?atomic=true", Content_Type="application/x-ndjson")["received"] == 1001
    for record in records:
        assert stored.delete(f"{path}/{record['id']}").status == 204


def test_the_examples_are_taken(contract, make_workspace):
    client = make_workspace()
    for kind in KINDS:
        body, _ = contract.resolve(contract.document["paths"][f"/v1/{kind}"]["post"]["requestBody"])
        forms = body["content"]
        named = forms["application/json"]["examples"]
        assert client.post(f"/v1/{kind}", named["one"]["value"]).status == 201
        assert client.post(f"/v1/{kind}", named["many"]["value"]).json()["created"] == 1
        for form in ("application/x-ndjson", "text/csv"):
            answer = client.request("POST", f"/v1/{kind}", forms[form]["example"], {"Content-Type": form})
            assert (answer.status, answer.json()["unchanged"]) == (200, 2), answer
    key, _ = contract.resolve(contract.document["paths"]["/v1/keys"]["post"]["requestBody"])
    assert client.post("/v1/keys", key["content"]["application/json"]["example"]).status == 201


@pytest.mark.parametrize("kind", KINDS)
def test_a_list(contract, stored, kind):
    path = f"/v1/{kind}"
    record = contract.document["paths"][f"{path}/{{id}}"]["get"]["responses"]["200"]["content"]["application/json"]
    schema, _ = contract.resolve(record["schema"])
    more = {**KINDS[kind], "id": "list-2"}
    assert stored.post(path, more).status == 201
    page = contract.hold("GET", path, stored.get(path, limit=1, from_="2025-01-01", to="2025-12-31T00:00:00Z"))
    assert len(page["items"]) == 1
    rest = contract.hold("GET", path, stored.get(path, cursor=page["next_cursor"], limit=1000))
    found = {record["id"] for record in page["items"] + rest["items"]}
    assert (found >= {KINDS[kind]["id"], "list-2"}, rest["next_cursor"]) == (True, None)
    for form, media_type in (("csv", "text/csv"), ("ndjson", "application/x-ndjson")):
        answer = stored.get(path, format=form)
        assert answer.status == 200
        assert answer.headers["Content-Type"].split(";")[0] == media_type
        contract.answer_schema("GET", path, 200, media_type)
    assert answer.body.decode().count("\n") == len(found)
    header = stored.get(path, format="csv").body.decode().split("\r\n")[0]
    assert header.split(",") == schema["required"]
    for query, code in (({"limit": "0"}, "invalid_parameter"), ({"colour": "red"}, "unknown_parameter"),
                        ({"cursor": "guess"}, "bad_cursor"), ({"format": "xml"}, "invalid_parameter"),
                        ({"cursor": "guess", "from_": "2025-01-01"}, "unsupported_combination")):
        assert contract.hold("GET", path, stored.get(path, **query))["code"] == code
    picky = stored.request("GET", path, headers={"Accept": "text/html"})
    assert picky.status == 406
    contract.hold("GET", path, picky)
    assert stored.delete(f"{path}/list-2").status == 204


def test_the_workspace(contract, stored, make_client):
    def hold(method, response, status):
        assert response.status == status, response
        return contract.hold(method, "/v1/workspace", response)

    workspace = hold("GET", stored.get("/v1/workspace"), 200)
    assert hold("PATCH", stored.patch("/v1/workspace", workspace), 200) == workspace
    changed = hold("PATCH", stored.patch("/v1/workspace", {"language": "en", "settings": None}), 200)
    assert changed["language"] == "en"
    for patch in ({"currency": "USD"}, {"name": "other"}, {"timezone": "Mars/Olympus"}, {"timezone": None},
                  {"settings": {"colour": 1}}, {"settings": {"relationship_weights": {}}},
                  {"settings": {"response_window_days": "30"}}, []):
        assert hold("PATCH", stored.patch("/v1/workspace", patch), 422)["code"] == "invalid_record"
    hold("PATCH", stored.request("PATCH", "/v1/workspace", "{", {"Content-Type": "application/json"}), 400)
    hold("PATCH", stored.request("PATCH", "/v1/workspace", "a=b", {"Content-Type": "text/plain"}), 415)
    hold("PATCH", stored.patch("/v1/workspace", {"name": "x" * 70000}), 413)
    hold("PATCH", make_client(stored.workspace, "write").patch("/v1/workspace", {}), 403)


SETTINGS = {"response_window_days": 7, "gross_margin": 0.8, "cac_categories": ["ads"], "response_target_seconds": 60,
            "relationship_weights": {"csat": 1, "nps": 0, "first_contact_resolution": 0, "annualised_retention": 0,
                                     "ces": 0.5, "speed": 0}}


def test_the_settings(contract, stored):
    for settings in (SETTINGS, dict.fromkeys(SETTINGS)):
        answer = contract.hold("PATCH", "/v1/workspace", stored.patch("/v1/workspace", {"settings": settings}))
        assert contract.errors("#/components/schemas/WorkspaceFields", {"settings": settings}) == []
        assert list(answer["settings"]) == list(SETTINGS)
        if settings is SETTINGS:
            assert answer["settings"] == SETTINGS


def test_targets(contract, stored, make_client):
    path = "/v1/targets/{kpi}"

    def hold(method, response, status):
        assert response.status == status, response
        return contract.hold(method, path, response)

    hold("GET", stored.get("/v1/targets/nps"), 404)
    made = hold("PUT", stored.put("/v1/targets/nps", {"healthy": 50, "warning": 30.5}), 201)
    assert hold("PUT", stored.put("/v1/targets/nps", made), 200) == made
    assert hold("GET", stored.get("/v1/targets/nps"), 200) == made
    assert contract.hold("GET", "/v1/targets", stored.get("/v1/targets")) == {"items": [made]}
    for kpi, wrong in (("nps", {}), ("nps", {"healthy": 1, "warning": 2}), ("churn_rate", {"healthy": 2, "warning": 1}),
                       ("nps", {"healthy": "1", "warning": 2}), ("interactions", {"healthy": 2, "warning": 1})):
        hold("PUT", stored.put(f"/v1/targets/{kpi}", wrong), 422)
    hold("PUT", stored.request("PUT", "/v1/targets/nps", "{", {"Content-Type": "application/json"}), 400)
    hold("PUT", stored.request("PUT", "/v1/targets/nps", "a=b", {"Content-Type": "text/plain"}), 415)
    hold("PUT", stored.put("/v1/targets/happiness", made), 404)
    hold("DELETE", make_client(stored.workspace, "read").delete("/v1/targets/nps"), 403)
    assert stored.delete("/v1/targets/nps").status == 204
    hold("DELETE", stored.delete("/v1/targets/nps"), 404)
    assert contract.hold("GET", "/v1/targets", stored.get("/v1/targets")) == {"items": []}


def test_keys(contract, stored, make_client):
    def hold(method, path, response, status):
        assert response.status == status, response
        return contract.hold(method, path, response)

    wanted = {"scope": "publishable", "name": "Pesquisa", "origins": ["https://*.example.com"],
              "expires_at": "2200-01-01T00:00:00Z"}
    made = stored.post("/v1/keys", wanted)
    key = hold("POST", "/v1/keys", made, 201)
    assert made.headers["Location"] == f"/v1/keys/{key['id']}"
    assert {name: key[name] for name in wanted} == wanted
    other = hold("POST", "/v1/keys", stored.post("/v1/keys", {"scope": "read"}), 201)
    listed = hold("GET", "/v1/keys", stored.get("/v1/keys"), 200)["items"]
    assert {key["id"], other["id"]} <= {item["id"] for item in listed}
    for wrong in ({}, {"scope": "everything"}, {"scope": "read", "origins": ["https://example.com"]},
                  {"scope": "read", "expires_at": "2020-01-01T00:00:00Z"}, {"scope": "read", "name": "x" * 65},
                  {"scope": "figures", "origins": ["https://example.com"] * 33}):
        assert hold("POST", "/v1/keys", stored.post("/v1/keys", wrong), 422)["code"] == "invalid_record"
    hold("POST", "/v1/keys", stored.request("POST", "/v1/keys", "{", {"Content-Type": "application/json"}), 400)
    hold("GET", "/v1/keys", make_client(stored.workspace, "write").get("/v1/keys"), 403)
    for item in (key, other):
        assert stored.delete(f"/v1/keys/{item['id']}").status == 204
    hold("DELETE", "/v1/keys/{id}", stored.delete(f"/v1/keys/{key['id']}"), 404)


def test_feedback_and_drivers(contract, stored, make_client):
    assert stored.patch("/v1/workspace", {"language": "pt"}).status == 200
    for number in range(31):
        for record in ({"type": "csat", "score": 5 - number % 2 * 3, "comment": "Ótima entrega"},
                       {"type": "csat", "score": 5 - number % 3, "aspect": "trust"}):
            about = {**record, "submission_id": f"s-{number}", "answered_at": "2025-09-14T12:00:00Z"}
            assert stored.post("/v1/surveys", {"id": f"fb-{number}-{record.get('aspect')}", **about}).status == 201
    page = contract.hold("GET", "/v1/feedback", stored.get("/v1/feedback", q="entrega", limit=20))
    assert len(page["items"]) == 20
    rest = contract.hold("GET", "/v1/feedback", stored.get("/v1/feedback", cursor=page["next_cursor"]))
    assert len(rest["items"]) == 11 and rest["next_cursor"] is None
    schema = contract.document["components"]["schemas"]["Survey"]["required"]
    header = stored.get("/v1/feedback", format="csv").body.decode().split("\r\n")[0]
    assert header.split(",") == [*schema, "score_class"]
    for form, media_type in (("csv", "text/csv"), ("ndjson", "application/x-ndjson")):
        assert stored.get("/v1/feedback", format=form).headers["Content-Type"].split(";")[0] == media_type
        contract.answer_schema("GET", "/v1/feedback", 200, media_type)
    for path in ("/v1/feedback/terms", "/v1/drivers"):
        for question in ({}, {"period": "2025-09"}, {"period": "2025-09", "segment": "small"}, {"period": "2025-W37"},
                         {"from_": "2025-09-01", "to": "2025-10-01", "channel": "web"}):
            assert contract.hold("GET", path, stored.get(path, **question))["period"]["from"]
        tag = stored.get(path).headers["ETag"]
        assert stored.request("GET", path, headers={"If-None-Match": tag}).status == 304
        assert "304" in contract.document["paths"][path]["get"]["responses"]
    drivers = contract.hold("GET", "/v1/drivers", stored.get("/v1/drivers", period="2025-09"))["drivers"]
    assert drivers[0]["lift"] is not None and drivers[0]["pairs"] == 31
    for path, query in (("/v1/feedback", {"q": "de"}), ("/v1/feedback", {"score_class": "good"}),
                        ("/v1/feedback/terms", {"limit": "0"}), ("/v1/drivers", {"overall": "open"})):
        assert contract.hold("GET", path, stored.get(path, **query))["code"] == "invalid_parameter"
    for path in ("/v1/feedback", "/v1/feedback/terms"):
        refused = make_client(stored.workspace, "figures").get(path)
        assert refused.status == 403
        contract.hold("GET", path, refused)
    for path in ("/v1/feedback", "/v1/feedback/terms", "/v1/drivers"):
        picky = stored.request("GET", path, headers={"Accept": "text/html"})
        assert picky.status == 406
        contract.hold("GET", path, picky)
        nobody = Client(stored.url, "vk_nobody").get(path)
        assert nobody.status == 401
        contract.hold("GET", path, nobody)
    for item in page["items"] + rest["items"]:
        if item["id"].startswith("fb-"):
            assert stored.delete(f"/v1/surveys/{item['id']}").status == 204
    for item in stored.get("/v1/surveys", aspect="trust").json()["items"]:
        assert stored.delete(f"/v1/surveys/{item['id']}").status == 204


def test_relationship_and_risk(contract, stored):
    path = "/v1/customers/{id}/relationship"

    def hold(response, status):
        assert response.status == status, response
        return contract.hold("GET", path, response)

    answer = hold(stored.get("/v1/customers/cli-1/relationship"), 200)
    assert {event["kind"] for event in answer["timeline"]} >= {"start", "cancellation"}
    for kind in ("surveys", "interactions", "payments", "actions"):
        record = {**KINDS[kind], "id": f"rel-{kind}", "customer_id": "cli-2"}
        assert stored.post(f"/v1/{kind}", record).status == 201
    assert stored.post("/v1/customers", {**KINDS["customers"], "id": "cli-2"}).status == 201
    answer = hold(stored.get("/v1/customers/cli-2/relationship"), 200)
    assert {event["kind"] for event in answer["timeline"]} == {"start", "survey", "interaction", "payment", "action"}
    assert answer["state"]["status"] == "active"
    hold(stored.get("/v1/customers/cli-2/relationship", at="1999-01-01"), 200)
    hold(stored.get("/v1/customers/nobody/relationship"), 404)
    hold(stored.get("/v1/customers/cli-2/relationship", at="soon"), 400)
    page = contract.hold("GET", "/v1/customers", stored.get("/v1/customers", order="risk"))
    assert "cli-2" in [item["customer"]["id"] for item in page["items"]]
    for kind in ("surveys", "interactions", "payments", "actions"):
        assert stored.delete(f"/v1/{kind}/rel-{kind}").status == 204
    assert stored.delete("/v1/customers/cli-2").status == 204


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


def test_the_records_behind_every_kpi(contract, stored):
    seen = set()
    for kpi in contract.document["components"]["schemas"]["KpiName"]["enum"]:
        answer = stored.get(f"/v1/kpis/{kpi}/records", period="2025-Q3", limit=2)
        page = contract.hold("GET", "/v1/kpis/{kpi}/records", answer)
        seen |= {item["kind"] for item in page["items"]}
        if page["next_cursor"]:
            following = stored.get(f"/v1/kpis/{kpi}/records", cursor=page["next_cursor"])
            contract.hold("GET", "/v1/kpis/{kpi}/records", following)
    assert {"survey", "interaction", "customer"} <= seen


def test_cohorts(contract, stored):
    for query in ({}, {"granularity": "year", "period": "2025"}, {"granularity": "week", "from_": "2025-01-01",
                  "to": "2025-02-01", "segment": "small", "channel": "referral"}):
        answer = contract.hold("GET", "/v1/cohorts", stored.get("/v1/cohorts", **query))
    assert answer["filters"] == {"segment": "small", "channel": "referral"}
    table = stored.get("/v1/cohorts", format="csv")
    assert table.headers["Content-Type"].split(";")[0] == "text/csv"
    contract.answer_schema("GET", "/v1/cohorts", 200, "text/csv")
    picky = stored.request("GET", "/v1/cohorts", headers={"Accept": "text/html"})
    assert picky.status == 406
    contract.hold("GET", "/v1/cohorts", picky)


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
    ("/v1/cohorts", {"granularity": "day"}, 400), ("/v1/cohorts", {"from_": "2010-01-01", "to": "2025-01-01"}, 400),
    ("/v1/kpis/happiness/records", {}, 404), ("/v1/kpis/nps/records", {"counted": "yes"}, 400),
    ("/v1/kpis/nps/records", {"cursor": "x"}, 400), ("/v1/kpis/nps/records", {"limit": "0"}, 400),
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
