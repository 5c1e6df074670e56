import gzip
import json
import pathlib

import pytest

from api.checks import settled

DATA = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "data"
FINDINGS = []


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
    return workspace(api, timezone="America/Sao_Paulo")


@pytest.fixture
def fresh(api, workspace):
    """Admin client of a workspace without any record."""
    return workspace(api)


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


@pytest.fixture(scope="session")
def findings():
    """Lines that the run shall end with."""
    return FINDINGS


def pytest_terminal_summary(terminalreporter):
    if FINDINGS:
        terminalreporter.section("rank quality of health")
        for line in FINDINGS:
            terminalreporter.write_line(line)
