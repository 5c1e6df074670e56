"""A service as a reader of the README finds it after `scripts/run`."""

import time

import pytest


@pytest.fixture(scope="session")
def reader(service, workspace):
    """Client of the workspace `default`, whose key the service knows."""
    client = workspace(service(), name="default")
    end = time.monotonic() + 10
    while client.get("/v1/definitions").status == 401 and time.monotonic() < end:
        time.sleep(0.005)
    return client
