"""openapi.yaml as the tools see it: Redocly lints it, Ajv holds JSON against its schemas."""

import json
import os
import pathlib
import subprocess
import time

import pytest

from support.client import Client
from support.npm import installed
from support.service import cli_output

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


def run(*command, **options):
    return subprocess.run(command, cwd=HERE, env={**os.environ, **QUIET}, capture_output=True,
                          text=True, check=False, **options)


@pytest.fixture(scope="session")
def tools():
    return installed(HERE, QUIET)


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
        self.judge = subprocess.Popen(["node", "judge.mjs"], cwd=HERE, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.tell(document)

    def tell(self, value):
        self.judge.stdin.write(json.dumps(value) + "\n")
        self.judge.stdin.flush()

    def close(self):
        self.judge.stdin.close()
        self.judge.wait()
        self.judge.stdout.close()

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

    def errors(self, schema, value):
        """What Ajv finds wrong with a value under the schema at this pointer."""
        self.tell({"schema": schema, "value": value})
        return json.loads(self.judge.stdout.readline())

    def hold(self, method, path, response):
        """Asserts that a Response is one that the document announces."""
        media_type = response.headers["Content-Type"].split(";")[0]
        schema = self.answer_schema(method, path, response.status, media_type)
        errors = self.errors(schema, response.json())
        assert not errors, f"{method} {path} {response.status}: {errors}\n{response.body[:2000]}"
        return response.json()


def escape(name):
    return name.replace("~", "~0").replace("/", "~1")


@pytest.fixture(scope="session")
def contract(document):
    made = Contract(document)
    yield made
    made.close()


@pytest.fixture(scope="session")
def running(service):
    return service()


def wait_until_known(client, deadline_s=10):
    """A service learns of a new key within milliseconds, but not before its maker's process ends."""
    end = time.monotonic() + deadline_s
    while client.get("/v1/kpis", kpis="nps").status == 401 and time.monotonic() < end:
        time.sleep(0.005)
    return client


@pytest.fixture(scope="session")
def make_workspace(running, workspace):
    """make_workspace(**options) -> Client, whose key the running service knows."""
    return lambda **options: wait_until_known(workspace(running, **options))


@pytest.fixture(scope="session")
def make_client(running):
    """make_client(workspace name, scope) -> Client with a further key."""
    def make(name, scope):
        key = cli_output(running.database_url, "key", "create", "--workspace", name, "--scope", scope)
        return wait_until_known(Client(running.url, key))
    return make


@pytest.fixture(scope="session")
def shop(make_workspace):
    return make_workspace(timezone="America/Sao_Paulo")
