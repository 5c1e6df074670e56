"""Fixtures of the oracle suites: a database of the oracle's own, apart from the service's."""
import os
from pathlib import Path

import pytest

from oracle.comparer import Tally
from oracle.truth import Oracle, read_ndjson

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TOTAL = Tally("all data sets")


@pytest.fixture(scope="session")
def oracle(request):
    """VINCULO_TEST_ORACLE_URL names a database to use (and overwrite its schema `oracle`) instead of a fresh one."""
    url = os.environ.get("VINCULO_TEST_ORACLE_URL")
    if not url:
        url = request.getfixturevalue("cluster").create_database(f"oracle_{os.getpid()}")
    truth = Oracle(url)
    yield truth
    truth.close()


@pytest.fixture(scope="session")
def total():
    """All cells of the run; data sets add theirs."""
    return TOTAL


def pytest_terminal_summary(terminalreporter):
    """The closing lines, whether output is captured or not."""
    if TOTAL.closings:
        terminalreporter.section("oracle")
        for line in [*TOTAL.closings, TOTAL.closing()]:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def open_workspace(service, workspace):
    """open_workspace(zone, currency) → Client with a fresh workspace's admin key, all on one running service."""
    running = service()

    def make(zone="UTC", currency="BRL"):
        client = workspace(running, timezone=zone, currency=currency)
        client.currency = currency
        return client
    return make


@pytest.fixture(scope="session")
def data_set():
    """data_set(name, kind) → records of ../shared/data, or the test is skipped where the folder is absent."""
    def load(name, kind):
        path = DATA / name / f"{kind}.ndjson.gz"
        if not path.exists():
            pytest.skip(f"sample data absent: ../shared/data/{name}/{path.name}")
        return read_ndjson(path)
    return load
