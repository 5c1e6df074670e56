import gzip
import json
import os
import pathlib

import pytest

from api.checks import make_client, settled
from support.proxy import ValidatingProxy

PROXIED = os.environ.get("VINCULO_TEST_PROXY") == "1"
DATA = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "data"


def pytest_collection_modifyitems(items):
    """What the proxy cannot pass on: Node's parser takes no method that it does not know."""
    for item in items:
        if PROXIED and "brew" in item.name.lower():
            item.add_marker(pytest.mark.skip(reason="a method that the proxy does not know"))


@pytest.fixture(scope="session")
def proxy():
    """With VINCULO_TEST_PROXY=1, what stands between tests and services; else None."""
    if not PROXIED:
        yield None
        return
    with ValidatingProxy() as running:
        running.judged = 0
        yield running
        print(f"\n{running.judged} answers held against openapi.yaml")


@pytest.fixture(scope="session")
def service(service, proxy):
    """As everywhere; proxied, `url` is the proxy's. `port` stays the service's own, for raw bytes."""
    def make(*args, **options):
        running = service(*args, **options)
        if proxy is not None:
            running.url = proxy.stand_before(running.port)
        return running
    return make if PROXIED else service


@pytest.fixture(autouse=True)
def no_deviation(proxy):
    """Fails the test in which an answer was not one that openapi.yaml announces."""
    yield
    if proxy is not None:
        found = proxy.report()
        proxy.judged += found["judged"]
        assert not found["deviations"], "\n".join(found["deviations"])


@pytest.fixture(scope="session")
def api(service):
    """One running service for this folder."""
    return service()


@pytest.fixture(scope="session")
def workspace(workspace):
    """As everywhere, and the service knows the key already."""
    def make(service, *args, **options):
        return settled(workspace(service, *args, **options))
    return make


@pytest.fixture(scope="module")
def shop(api, workspace):
    """Admin client of a workspace that the tests of one file share; they use ids of their own."""
    return workspace(api)


@pytest.fixture
def fresh(api, workspace):
    """Admin client of a workspace without any record."""
    return workspace(api)


@pytest.fixture(scope="module")
def scoped(api, shop):
    """One client per scope, all for the workspace of `shop`."""
    scopes = ("read", "write", "admin", "figures", "publishable")
    return {scope: make_client(api, shop.workspace, scope) for scope in scopes}


@pytest.fixture(scope="session")
def data_set():
    """data_set(name, kind): records of ../shared/data; the test is skipped where it is absent."""
    def load(name, kind):
        path = DATA / name / f"{kind}.ndjson.gz"
        if not path.exists():
            pytest.skip(f"sample data absent: ../shared/data/{name}/{path.name}")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    return load
