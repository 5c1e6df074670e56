"""openapi.yaml as the tools see it: Redocly lints it, Ajv holds JSON against its schemas."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOLS = HERE / "node_modules"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
JSON = "application/json"
PROBLEM = "application/problem+json"


def run(*command, **options):
    return subprocess.run(command, cwd=HERE, env={**os.environ, **QUIET}, capture_output=True,
                          text=True, check=False, **options)


def tools_are_current():
    """npm leaves a copy of the lock file behind when it has installed everything."""
    installed = TOOLS / ".package-lock.json"
    lock = HERE / "package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


@pytest.fixture(scope="session")
def tools():
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    if not tools_are_current():
        done = run("npm", "ci", "--ignore-scripts")
        assert done.returncode == 0, done.stdout + done.stderr
    return TOOLS


@pytest.fixture(scope="session")
def redocly(tools):
    """redocly(*arguments) -> CompletedProcess."""
    return lambda *arguments: run(str(tools / ".bin" / "redocly"), *arguments)


@pytest.fixture(scope="session")
def document(redocly, tmp_path_factory):
    """openapi.yaml as Python sees JSON."""
    target = tmp_path_factory.mktemp("openapi") / "openapi.json"
    done = redocly("bundle", str(ROOT / "openapi.yaml"), "--ext", "json", "--output", str(target))
    assert done.returncode == 0, done.stderr
    return json.loads(target.read_text(encoding="utf-8"))


class Contract:
    """Looks schemas up in the document and lets Ajv judge."""

    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        """The node itself, or the component that it refers to, and its JSON pointer in that case."""
        if "$ref" not in node:
            return node, None
        pointer = node["$ref"]
        found = self.document
        for name in pointer.removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/").replace("~0", "~")]
        return found, pointer

    def answer_schema(self, method, path, status, media_type):
        """Pointer to the schema of an answer; fails where the document has no such answer."""
        responses = self.document["paths"][path][method.lower()]["responses"]
        assert str(status) in responses, f"{method} {path}: {status} is not in openapi.yaml"
        response, pointer = self.resolve(responses[str(status)])
        assert media_type in response.get("content", {}), \
            f"{method} {path}: {status} as {media_type} is not in openapi.yaml"
        pointer = pointer or f"#/paths/{escape(path)}/{method.lower()}/responses/{status}"
        return f"{pointer}/content/{escape(media_type)}/schema"

    def request_schema(self, method, path):
        body, pointer = self.resolve(self.document["paths"][path][method.lower()]["requestBody"])
        assert JSON in body["content"]
        pointer = pointer or f"#/paths/{escape(path)}/{method.lower()}/requestBody"
        return f"{pointer}/content/{escape(JSON)}/schema"

    def judge(self, pairs):
        """For each (schema pointer, value) the list of what Ajv finds wrong."""
        task = {"document": self.document, "checks": [{"schema": s, "value": v} for s, v in pairs]}
        done = run("node", "judge.mjs", input=json.dumps(task))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def hold(self, method, path, response):
        """Asserts that a Response is one that the document announces."""
        media_type = response.headers["Content-Type"].split(";")[0]
        schema = self.answer_schema(method, path, response.status, media_type)
        [errors] = self.judge([(schema, response.json())])
        assert not errors, f"{method} {path} {response.status}: {errors}\n{response.body[:2000]}"
        return response.json()


def escape(name):
    return name.replace("~", "~0").replace("/", "~1")


@pytest.fixture(scope="session")
def contract(document):
    return Contract(document)


@pytest.fixture(scope="session")
def running(service):
    return service()


@pytest.fixture(scope="session")
def shop(running, workspace):
    return workspace(running, timezone="America/Sao_Paulo")
