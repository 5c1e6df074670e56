import contextlib
import itertools

import pytest

from api.checks import settled
from support.client import Client
from support.cluster import Cluster
from support.service import Service, cli_output

numbers = itertools.count(1)


class Site:
    """A migrated database in a cluster, a service on it, and one workspace with keys."""

    def __init__(self, cluster, env=None):
        self.cluster = cluster
        self.database = f"fault_{next(numbers)}"
        self.url = cluster.create_database(self.database)
        cli_output(self.url, "migrate")
        self.keys = {}
        self.add_workspace("main")
        self.service = Service(self.url, env)

    def add_workspace(self, name):
        cli_output(self.url, "workspace", "create", name)
        self.keys[name] = cli_output(self.url, "key", "create", "--workspace", name,
                                     "--scope", "admin")

    def client(self, workspace="main", timeout_s=30):
        return Client(self.service.url, self.keys[workspace], timeout_s)

    def sql(self, statement):
        return self.cluster.psql(self.database, statement)


@pytest.fixture(scope="module")
def victim():
    """A cluster of its own, which the tests of one file may kill."""
    with Cluster() as running:
        yield running


@pytest.fixture
def site(victim):
    """site(env=None) -> Site with a running service, stopped when the test ends."""
    with contextlib.ExitStack() as running:
        def make(env=None):
            if victim.process.poll() is not None:  # killed by a test that failed before the restart
                victim.start()
            made = Site(victim, env)
            running.enter_context(made.service)
            settled(made.client())
            return made
        yield make
