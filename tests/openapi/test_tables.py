"""What the program's own tables list is in the document, and nothing else is."""

import json
import pathlib
import re

from support.client import Client
from support.service import cli

ROOT = pathlib.Path(__file__).resolve().parents[2]

KINDS = {"customers": "Customer", "surveys": "Survey", "interactions": "Interaction",
         "cancellations": "Cancellation", "reactivations": "Reactivation", "payments": "Payment",
         "costs": "Cost", "actions": "Action"}

RECORDS = {
    "customers": {"id": "t-1", "started_at": "2025-01-10T12:00:00Z"},
    "surveys": {"id": "t-1", "type": "nps", "score": 9, "answered_at": "2025-09-14T12:00:00Z"},
    "interactions": {"id": "t-1", "opened_at": "2025-09-14T12:00:00Z"},
    "cancellations": {"id": "t-1", "customer_id": "t-1", "cancelled_at": "2025-09-14T12:00:00Z"},
    "reactivations": {"id": "t-1", "customer_id": "t-1", "reactivated_at": "2025-09-15T12:00:00Z"},
    "payments": {"id": "t-1", "amount": 12990, "paid_at": "2025-09-14T12:00:00Z"},
    "costs": {"id": "t-1", "amount": 250000, "incurred_at": "2025-09-14T12:00:00Z"},
    "actions": {"id": "t-1", "title": "Call them", "opened_at": "2025-09-14T12:00:00Z"},
}


def schemas(document):
    return document["components"]["schemas"]


def names_in(source, table):
    """The quoted names of a C table such as `static const char *const names[] = {…};`."""
    text = (ROOT / "src" / source).read_text(encoding="utf-8")
    body = re.search(rf"\b{table}\[\w*\] = \{{(.*?)\}};", text, re.DOTALL)[1]
    return re.findall(r'"(\w+)"', body)


def test_the_served_document_is_this_one(running):
    answer = Client(running.url).get("/openapi.yaml")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/yaml")
    assert answer.body == (ROOT / "openapi.yaml").read_bytes()


def test_its_version_is_the_programs(document, running):
    version = cli(running.database_url, "version").stdout.split()[-1]
    assert document["info"]["version"] == version


def test_every_kpi_is_there(document, shop):
    definitions = shop.get("/v1/definitions").json()["definitions"]
    names = [definition["kpi"] for definition in definitions]
    assert schemas(document)["KpiName"]["enum"] == names
    assert list(schemas(document)["Figures"]["properties"]) == names
    for name in names:
        assert f"| `{name}` |" in schemas(document)["KpiName"]["description"]


def test_units_directions_and_null_reasons_are_there(document):
    for schema, table in (("Unit", "kpi_unit_name"), ("NullReason", "null_reason_name")):
        text = (ROOT / "src/metrics/catalogue.c").read_text(encoding="utf-8")
        body = text[text.index(f"*{table}("):]
        names = re.findall(r'= "(\w+)"', body[:body.index("};")])
        assert sorted(schemas(document)[schema]["enum"]) == sorted(names)


def test_every_code_of_a_problem_is_there(document):
    codes = names_in("base/err.c", "err_names")
    assert schemas(document)["ProblemCode"]["enum"] == [code for code in codes if code != "ok"]
    assert schemas(document)["FieldCode"]["enum"] == names_in("base/err.c", "field_err_names")


def test_the_table_of_codes_and_statuses_is_the_programs(document):
    text = (ROOT / "src/api/problem.c").read_text(encoding="utf-8")
    statuses = {code.lower(): status
                for code, status in re.findall(r"\[ERR_(\w+)\] = \{(\d+),", text) if code != "OK"}
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", schemas(document)["ProblemCode"]["description"], re.MULTILINE)
    told = {code: status for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert told == statuses


def test_every_scope_is_there(document):
    scopes = names_in("store/keyring.c", "scope_names")
    rows = re.findall(r"^\| `(\w+)` \|", document["info"]["description"], re.MULTILINE)
    assert sorted(rows) == sorted(scopes)
    described = document["components"]["securitySchemes"]["key"]["description"]
    assert all(f"`{scope}`" in described for scope in scopes)
    assert sorted(schemas(document)["Scope"]["enum"]) == sorted(scopes)


def test_every_route_and_method_is_there(document):
    text = (ROOT / "src/api/routes.c").read_text(encoding="utf-8")
    table = text[text.index("routes[] ="):text.index("route_count")]
    served = set()
    for pattern, methods in re.findall(r'\{"(/[^"]*)",\s*\{(.*?)\}\}', table, re.DOTALL):
        paths = [pattern.replace("{kind}", kind) for kind in KINDS] if "{kind}" in pattern else [pattern]
        served |= {(path, method.lower()) for path in paths for method in re.findall(r'\{"([A-Z]+)"', methods + "}")}
    told = {(path, method) for path, item in document["paths"].items() for method in item if method != "parameters"}
    assert told == served


def parameters_served(table):
    text = (ROOT / "src/api/routes.c").read_text(encoding="utf-8")
    return re.findall(r'"(\w+)"', re.search(rf"{table}\[\] = \{{(.*?)\}};", text, re.DOTALL)[1])


def parameters_told(document, path, method):
    components = document["components"]["parameters"]
    told = [components[given["$ref"].rpartition("/")[2]] for given in document["paths"][path][method]["parameters"]]
    return {given["name"] for given in told if given["in"] == "query"}


def test_the_rules_of_health_are_there(document):
    """In the document and in docs/health.md: code, points and condition of each, in order."""
    text = (ROOT / "src/metrics/health.c").read_text(encoding="utf-8")
    table = re.sub(r'"\s*\n\s*"', "", text[text.index("health_rules[] ="):text.index("health_rule_count")])
    rules = re.findall(r'\{"(\w+)", (-?\d+), \w+,\s+"[^"]*",\s+"[^"]*",\s+"([^"]*)"\}', table)
    assert len(rules) == table.count('{"')
    code = schemas(document)["HealthCode"]
    assert code["enum"] == [rule[0] for rule in rules]
    rows = [(name, f"{int(points):+d}".replace("-", "−"), when) for name, points, when in rules]
    for told in (code["description"], (ROOT / "docs/health.md").read_text(encoding="utf-8")):
        assert re.findall(r"^\| `(\w+)` \| ([+−]\d+) \| (.*?) \|$", told, re.MULTILINE) == rows


def test_every_query_parameter_is_there(document):
    tables = [("/v1/kpis", "get", "kpis_parameters"), ("/v1/kpis/{kpi}", "get", "kpi_parameters"),
              ("/v1/kpis/{kpi}/records", "get", "kpi_records_parameters"),
              ("/v1/cohorts", "get", "cohorts_parameters"),
              ("/v1/customers/{id}/relationship", "get", "relationship_parameters")]
    tables += [("/v1/feedback", "get", "feedback_parameters"), ("/v1/drivers", "get", "drivers_parameters"),
               ("/v1/feedback/terms", "get", "terms_parameters")]
    tables += [(f"/v1/{kind}", "post", "post_parameters") for kind in KINDS]
    for path, method, table in tables:
        assert parameters_told(document, path, method) == set(parameters_served(table))


def test_every_filter_of_every_list_is_there(document, shop):
    """The table of routes has those of all kinds; the service tells which kinds have which."""
    for kind in KINDS:
        path = f"/v1/{kind}"
        answers = {name: shop.get(path, **{name: "x"}).json() for name in parameters_served("list_parameters")}
        taken = {name for name, answer in answers.items() if answer.get("code") != "unknown_parameter"}
        assert parameters_told(document, path, "get") == taken


def beyond_bounds(schema):
    """Values that the schema of a setting just does not allow."""
    if "maxItems" in schema:
        label = schema["items"]["maxLength"] * "é"
        return ["x" + label], [], [f"{number}" for number in range(schema["maxItems"] + 1)], ["x", "x"], [""]
    least = schema["exclusiveMinimum"] if "exclusiveMinimum" in schema else schema["minimum"] - 1
    return least, schema["maximum"] + 1


def test_the_members_of_the_workspace_are_there(document, shop):
    told = schemas(document)
    answer = shop.get("/v1/workspace").json()
    assert list(told["WorkspaceFields"]["properties"]) == list(answer)
    settings = told["WorkspaceFields"]["properties"]["settings"]["properties"]
    assert list(settings) == list(answer["settings"])
    assert told["Workspace"]["properties"]["settings"]["required"] == list(settings)
    weights = answer["settings"].pop("relationship_weights")
    for name, value in answer["settings"].items():
        assert f"Default: {json.dumps(value)}." in settings[name]["description"]
        for value_beyond in beyond_bounds(settings[name]):
            assert shop.patch("/v1/workspace", {"settings": {name: value_beyond}}).status == 422
    parts = told["RelationshipWeights"]["properties"]
    assert list(parts) == list(weights) == told["RelationshipWeights"]["required"]
    for name, value in weights.items():
        assert f"Default: {value}." in parts[name]["description"]
        for value_beyond in beyond_bounds(parts[name]):
            change = {"relationship_weights": {**weights, name: value_beyond}}
            assert shop.patch("/v1/workspace", {"settings": change}).status == 422
    languages = told["WorkspaceFields"]["properties"]["language"]["enum"]
    assert names_in("store/workspace_store.c", "workspace_languages") == languages


def test_every_field_of_every_kind_is_there(document, shop):
    for kind, name in KINDS.items():
        answer = shop.post(f"/v1/{kind}", RECORDS[kind])
        assert answer.status == 201, answer
        fields = list(answer.json())
        assert list(schemas(document)[f"{name}Fields"]["properties"]) == fields
        assert schemas(document)[name]["required"] == fields


def test_the_bounds_of_every_field_are_the_programs(document, shop):
    """One beyond each bound in the document is refused for that field; the bound itself is not."""
    for kind, name in KINDS.items():
        for field, schema in schemas(document)[f"{name}Fields"]["properties"].items():
            for value, allowed in values_at_bounds(schema):
                record = {**RECORDS[kind], "id": "t-bounds", field: value}
                answer = shop.put(f"/v1/{kind}/t-bounds", {**record, "id": None} if field != "id" else record)
                refused = {error["pointer"] for error in answer.json().get("errors", [])
                           if error["code"] in ("out_of_range", "too_long", "wrong_type")}
                if allowed and field not in ("id", "scale_min", "scale_max"):
                    assert f"/{field}" not in refused, (kind, field, value, answer)
                elif not allowed:
                    assert f"/{field}" in refused, (kind, field, value, answer)


def values_at_bounds(schema):
    """(value, whether the schema allows it)"""
    if schema.get("readOnly"):
        return
    if "maxLength" in schema and "format" not in schema:
        yield "é" * schema["maxLength"], True
        yield "é" * (schema["maxLength"] + 1), False
        yield "", False
    if "maximum" in schema:
        yield schema["maximum"], True
        yield schema["maximum"] + 1, False
        yield schema["minimum"] - 1, False
    if "enum" in schema:
        for choice in schema["enum"]:
            yield choice, True
        yield "something_else", False
    if schema.get("format") == "date-time":
        yield "2025-09-14", False
        yield "1899-12-31T23:59:59Z", False
    if "boolean" in schema["type"]:
        yield True, True
        yield "true", False
    if "object" in schema["type"]:
        yield {"a": ["b"]}, True
        yield [], False
        yield {"a": "x" * 4096}, False
