import os

import pytest

from api.checks import settled
from property.world import World


@pytest.fixture(scope="session")
def laws(service):
    """One running service for this folder."""
    return service()


@pytest.fixture(scope="session")
def workspace(workspace):
    """As everywhere, and the service knows the key already."""
    def make(service, *args, **options):
        return settled(workspace(service, *args, **options))
    return make


def seeds():
    return range(1, 21) if os.environ.get("VINCULO_TEST_ALL") == "1" else range(1, 3)


@pytest.fixture(scope="session", params=seeds(), ids=lambda seed: f"seed{seed}")
def worlds(request, laws, workspace):
    """Two workspaces with the same ids after one random history over both."""
    zones = ("America/Sao_Paulo", "Asia/Kolkata")
    pair = []
    for at, zone in enumerate(zones):
        client = workspace(laws, timezone=zone)
        pair.append(World(client, request.param * 1000 + at))
        pair[-1].zone = zone
    for _ in range(900):
        pair[0].make.choose(*pair).step()
    return pair
