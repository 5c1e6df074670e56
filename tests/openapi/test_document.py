"""The document itself: it lints clean, and its examples obey its own schemas."""

import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_it_lints_without_a_warning(redocly):
    done = redocly("lint", str(ROOT / "openapi.yaml"), "--config", "redocly.yaml", "--format", "json",
                   "--max-problems", "1000")
    report = json.loads(done.stdout)
    assert [f"{problem['ruleId']}: {problem['message']}" for problem in report["problems"]] == []
    assert done.returncode == 0


def examples_of(contract):
    """(schema pointer, example) of every media type in the document."""
    def walk(node, pointer):
        if isinstance(node, list):
            for index, item in enumerate(node):
                yield from walk(item, f"{pointer}/{index}")
        elif isinstance(node, dict):
            if "schema" in node and ("example" in node or "examples" in node):
                named = [contract.resolve(value)[0]["value"] for value in node.get("examples", {}).values()]
                for example in named or [node["example"]]:
                    yield f"{pointer}/schema", example
            for name, value in node.items():
                if name not in ("example", "examples"):
                    yield from walk(value, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    yield from walk(contract.document, "#")


def test_every_example_obeys_its_schema(contract):
    pairs = list(examples_of(contract))
    assert len(pairs) > 30
    verdicts = [(schema, contract.errors(schema, example)) for schema, example in pairs]
    assert [verdict for verdict in verdicts if verdict[1]] == []


def test_every_operation_has_a_name_of_its_own(document):
    names = [operation["operationId"] for path in document["paths"].values()
             for method, operation in path.items() if method != "parameters"]
    assert len(set(names)) == len(names)
