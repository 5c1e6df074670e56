import pytest

from api.checks import make_client, settled


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
