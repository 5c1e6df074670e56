"""A client that nobody here wrote: TypeScript generated from openapi.yaml, compiled under --strict.

exercise.ts uses every route with it, once against the service itself and once through Prism, which
refuses every request and every answer that openapi.yaml does not allow.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from support.client import Client
from support.npm import installed
from support.proxy import ValidatingProxy

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "openapi.yaml"
COMPILED = HERE / "generated" / "exercise.js"
PROXY_DEADLINE_S = 30
METHODS = ("get", "post", "put", "patch", "delete")


def run(*command, **env):
    done = subprocess.run(command, cwd=HERE, env={**os.environ, **env}, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def tools():
    return installed(HERE) / ".bin"


@pytest.fixture(scope="module")
def program(tools):
    """exercise.ts, type-checked against the document as it is now, and compiled."""
    run(str(tools / "openapi-typescript"), str(DOCUMENT), "--output", "generated/vinculo.d.ts")
    run(str(tools / "tsc"), "--strict", "--project", ".")
    return COMPILED


@pytest.fixture(scope="module")
def running(service):
    return service()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def await_answer(url, process, log):
    end = time.monotonic() + PROXY_DEADLINE_S
    while True:
        assert process.poll() is None, f"Prism ended:\n{log.read_text(encoding='utf-8')}"
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5):
                return
        except urllib.error.HTTPError as refused:
            raise AssertionError(refused.read().decode()) from refused
        except OSError:
            assert time.monotonic() < end, f"Prism is silent:\n{log.read_text(encoding='utf-8')}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def proxy(tools, running, tmp_path_factory):
    """URL of a Prism that answers 4xx or 5xx of its own where the document is not kept."""
    log = tmp_path_factory.mktemp("prism") / "log"
    port = free_port()
    command = ["node", str(tools / "prism"), "proxy", str(DOCUMENT), running.url, "--errors",
               "--host", "127.0.0.1", "--port", str(port)]
    with open(log, "wb") as output, subprocess.Popen(command, cwd=HERE, stdout=output,
                                                     stderr=subprocess.STDOUT) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            await_answer(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def operations():
    """"METHOD path" of every operation; the document's layout makes a line of each."""
    path, found = None, set()
    for line in DOCUMENT.read_text(encoding="utf-8").split("\ncomponents:\n")[0].splitlines():
        if re.fullmatch(r"  /\S*:", line):
            path = line.strip().rstrip(":")
        elif path and line.strip().rstrip(":") in METHODS and line.startswith("    ") \
                and not line.startswith("     "):
            found.add(f"{line.strip().rstrip(':').upper()} {path}")
    return found


def exercise(program, url, client, **env):
    return json.loads(run("node", str(program), VINCULO_URL=url, VINCULO_KEY=client.key, **env))


def test_generated_client_uses_every_route(program, running, workspace):
    answers = exercise(program, running.url, workspace(running, currency="BRL"))
    assert set(answers) == operations()
    print(f"{len(answers)} operations, {sum(map(len, answers.values()))} kinds of answer")


def test_validating_proxy_finds_no_deviation(program, proxy, running, workspace):
    client = workspace(running, currency="BRL")
    answers = exercise(program, proxy, client, VINCULO_PROXIED="1")
    assert set(answers) == operations()


def test_the_proxy_does_refuse(proxy, running, workspace):
    """What openapi.yaml does not allow is stopped by the proxy, not by the service behind it."""
    client = workspace(running)
    request = urllib.request.Request(
        f"{proxy}/v1/surveys", method="POST", data=b'{"type": "nps", "no_such_field": 1}',
        headers={"Authorization": f"Bearer {client.key}", "Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert b"stoplight.io/prism/errors" in refused.value.read()


def test_our_own_proxy_does_judge(tools, running, workspace, tmp_path):
    """tests/api passes it with VINCULO_TEST_PROXY=1: what a changed document does not have is told."""
    changed = DOCUMENT.read_text(encoding="utf-8")
    for old, new in (("\n  /metrics:\n", "\n  /other:\n"), ("        '404':\n", "        '418':\n"),
                     ("enum: [ok, ready]\n", "enum: [well]\n")):
        assert old in changed
        changed = changed.replace(old, new)
    document = tmp_path / "openapi.yaml"
    document.write_text(changed, encoding="utf-8")
    told = {"/healthz": ["one of the allowed values"], "/metrics": ["no such operation"],
            "/v1/customers/nobody": ["no such status"], "/v1/keys": []}
    key = workspace(running).key
    with ValidatingProxy(document) as proxy:
        client = Client(proxy.stand_before(running.port), key)
        for path, texts in told.items():
            client.get(path)
            found = proxy.report()["deviations"]
            assert len(found) == len(texts) and all(map(str.__contains__, found, texts)), (path, found)
