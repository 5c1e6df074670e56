"""Fixtures of all black-box suites.

`cluster` is one PostgreSQL per run. The other three are factories, usable from fixtures of any scope:
`database()` is the URL of a new migrated database, `service()` a service that runs on a new database,
`workspace(service)` the Client of a new workspace in it.
"""

import contextlib
import itertools
import os
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from support.client import Client  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.service import Service, cli_output  # noqa: E402

numbers = itertools.count(1)


def await_key(client, patience_s=2):
    """Returns once the service knows a key that was made a moment ago (100 ms are promised)."""
    give_up = time.monotonic() + patience_s
    while client.get("/v1/definitions").status == 401:
        assert time.monotonic() < give_up, "the service does not know a new key"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def cluster():
    with Cluster() as running:
        yield running


@pytest.fixture(scope="session")
def database(cluster):
    def make():
        url = cluster.create_database(f"test_{next(numbers)}")
        cli_output(url, "migrate")
        return url
    return make


@pytest.fixture(scope="session")
def service(database):
    """service(database_url=None, env=None, args=()) -> Service; `with` stops one before the run ends."""
    with contextlib.ExitStack() as running:
        def make(database_url=None, env=None, args=()):
            return running.enter_context(Service(database_url or database(), env, args))
        yield make


@pytest.fixture(scope="session")
def workspace():
    """workspace(service, name=None, scope="admin", timezone=, currency=, language=) -> Client.

    The client's `workspace` is the name; another key for it comes from
    `cli_output(service.database_url, "key", "create", ...)`.
    """
    def make(service, name=None, scope="admin", **options):
        name = name or f"ws{next(numbers)}"
        given = [part for key, value in options.items() for part in (f"--{key}", value)]
        cli_output(service.database_url, "workspace", "create", name, *given)
        key = cli_output(service.database_url, "key", "create", "--workspace", name,
                         "--scope", scope)
        client = Client(service.url, key)
        client.workspace = name
        client.wait_until_known()
        await_key(client)
        return client
    return make
