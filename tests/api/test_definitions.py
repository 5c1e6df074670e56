"""GET /v1/definitions: every KPI's worked example is posted into an empty workspace, asked for and compared."""

import decimal
import json
import pathlib

import pytest

from api.checks import KINDS, expect
from support.forms import post_many

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ROOT / "src" / "metrics" / "definitions"
MEMBERS = ["kpi", "definition", "unit", "direction", "cadence", "title", "summary", "formula", "source", "parts",
           "null_reasons", "settings", "worked_example"]
REASONS = ["not_applicable_to_filter", "no_data", "no_previous", "no_cancellations", "zero_denominator", "zero_churn",
           "low_coverage"]  # the first that holds is given
EXAMPLE = ["source", "settings", "records", "query", "tolerance_percent", "answer"]


def numbered(value, number):
    """A record of which `times` are posted: # stands for its number."""
    return {name: each.replace("#", str(number)) if isinstance(each, str) else each for name, each in value.items()}


def post(client, entry):
    records = [numbered(entry["record"], number + 1) for number in range(entry.get("times", 1))]
    done = expect(post_many(client, f"/v1/{entry['kind']}", records), 200)
    assert done["created"] == len(records), done


def differences(told, answered, percent, place=""):
    """Where the answer is not what is told. Members may be left out; numbers are told to as many decimals as the
    example gives, or within percent of their size."""
    if isinstance(told, dict) and isinstance(answered, dict):
        return [each for name, value in told.items()
                for each in differences(value, answered.get(name, "(missing)"), percent, f"{place}/{name}")]
    if isinstance(told, decimal.Decimal) and isinstance(answered, decimal.Decimal):
        step = decimal.Decimal(1).scaleb(told.as_tuple().exponent) if percent == 0 else None
        near = abs(answered - told) <= (step / 2 if percent == 0 else abs(told) * percent / 100)
        return [] if near else [f"{place}: told {told}, answered {answered}"]
    return [] if told == answered and type(told) is type(answered) else [f"{place}: told {told!r}, answered {answered!r}"]


def exact(text):
    return json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)


def test_the_comparison_finds_what_differs():
    told = exact('{"a": 1.25, "b": {"c": 3, "d": null, "e": "x"}}')
    same = exact('{"a": 1.2549, "b": {"c": 3, "d": null, "e": "x", "f": 1}}')
    assert differences(told, same, 0) == []
    for other in ('{"a": 1.2551, "b": {"c": 3, "d": null, "e": "x"}}', '{"a": 1.25, "b": {"c": 4, "d": null, "e": "x"}}',
                  '{"a": 1.25, "b": {"c": 3, "d": 0, "e": "x"}}', '{"a": 1.25, "b": {"c": 3, "d": null, "e": "y"}}',
                  '{"a": 1.25, "b": null}', '{"a": null, "b": {"c": 3, "d": null, "e": "x"}}', '{"b": {}}'):
        assert differences(told, exact(other), 0), other
    assert differences(exact("100"), exact("100.9"), 1) == []
    assert differences(exact("100"), exact("101.1"), 1)


@pytest.fixture(scope="module")
def definitions(shop):
    answer = shop.get("/v1/definitions")
    assert answer.status == 200
    return {each["kpi"]: each for each in exact(answer.body)["definitions"]}


def test_every_kpi_is_told_of_in_full(shop, definitions):
    catalogue = list(expect(shop.get("/v1/kpis", period="2025"), 200)["kpis"])
    assert list(definitions) == catalogue
    settings = expect(shop.get("/v1/workspace"), 200)["settings"]
    for kpi, definition in definitions.items():
        assert list(definition) == MEMBERS, kpi
        assert exact(shop.get(f"/v1/definitions/{kpi}").body) == definition
        assert definition["definition"].startswith(f"{kpi}@")
        for member in ("title", "summary", "formula", "source"):
            assert definition[member].strip() == definition[member] != "", (kpi, member)
        assert definition["parts"] and definition["null_reasons"]
        assert list(definition["null_reasons"]) == [each for each in REASONS if each in definition["null_reasons"]]
        assert set(definition["settings"]) <= set(settings)
        example = definition["worked_example"]
        assert list(example) == EXAMPLE
        assert set(example["settings"]) <= set(definition["settings"])
        assert {entry["kind"] for entry in example["records"]} <= set(KINDS)
        assert {"value", "n", "parts"} <= set(example["answer"])


def test_every_worked_example(api, workspace, definitions):
    deviations = {}
    for kpi, definition in definitions.items():
        client = workspace(api)
        example = definition["worked_example"]
        settings = expect(client.get(f"/v1/definitions/{kpi}"), 200)["worked_example"]["settings"]
        expect(client.patch("/v1/workspace", {"settings": settings}), 200)
        before = expect(client.get(f"/v1/kpis/{kpi}", **example["query"]), 200)["kpis"][kpi]
        assert before["value"] is None and before["null_reason"] in definition["null_reasons"], kpi
        for entry in json.loads(client.get(f"/v1/definitions/{kpi}").body)["worked_example"]["records"]:
            post(client, entry)
        answer = exact(client.get(f"/v1/kpis/{kpi}", **example["query"]).body)["kpis"][kpi]
        assert list(answer["parts"]) == list(definition["parts"]), kpi
        found = differences(example["answer"], answer, example["tolerance_percent"])
        if found:
            deviations[kpi] = found
    assert deviations == {}
    print(f"\n{len(definitions)} worked examples")


def test_every_file_is_of_a_kpi(definitions):
    assert sorted(file.stem for file in FILES.iterdir()) == sorted(definitions)
