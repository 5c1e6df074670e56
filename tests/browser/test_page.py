"""The guide's web page in a real browser: what a visitor answers is stored, and from its own origin only."""

import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading

import pytest

from support.npm import installed

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "samples" / "pesquisa.html"
ALL = os.environ.get("VINCULO_TEST_ALL") == "1"
ANSWER = {"score": "9", "comment": "Muito bom, adorei!\nVolto já 😀"}


@pytest.fixture(scope="module")
def visit():
    """visit(url, fields) -> what the page says after its form is sent, and whether its button is off."""
    if not ALL:
        pytest.skip("a browser is started with VINCULO_TEST_ALL=1 only")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    installed(HERE)

    def run(url, fields):
        done = subprocess.run(["node", "page.mjs", chromium, url, json.dumps(fields)], cwd=HERE,
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    return run


@pytest.fixture
def shop(service, workspace):
    return workspace(service())


@pytest.fixture
def host(shop):
    """Serves the page, with the service's URL and a key put in as the guide says; yields its port."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(self.server.page if found else b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        key = shop.post("/v1/keys", {"scope": "publishable",
                                     "origins": [f"http://127.0.0.1:{server.server_port}"]})
        assert key.status == 201, key
        page = PAGE.read_text(encoding="utf-8")
        for printed, own in (("http://127.0.0.1:8080", shop.url), ("PUBLISHABLE_KEY", key.json()["key"])):
            assert page.count(printed) == 1
            page = page.replace(printed, own)
        server.page = page.encode()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def stored(shop):
    return shop.get("/v1/surveys").json()["items"]


def test_an_answer_is_stored(visit, host, shop):
    assert visit(f"http://127.0.0.1:{host}/", ANSWER) == {"told": "Obrigado!", "disabled": True}
    survey, = stored(shop)
    assert {name: survey[name] for name in ("type", "score", "comment", "channel")} == \
        {"type": "nps", "score": 9, "comment": ANSWER["comment"], "channel": "site"}
    assert survey["answered_at"] is not None and len(survey["id"]) == 36


def test_a_page_of_another_origin_is_told_no(visit, host, shop):
    """The same server under another name: a browser sees another origin."""
    said = visit(f"http://localhost:{host}/", ANSWER)
    assert "origin" in said["told"] and said["disabled"] is False
    assert stored(shop) == []
