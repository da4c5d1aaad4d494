"""The served API description as a schema."""

import pytest
import schemathesis


@pytest.fixture(scope="session")
def api_description(server):
    return schemathesis.openapi.from_url(f"{server.url}/demilune/openapi.json")


@pytest.fixture(scope="session")
def answered():
    """The statuses that were seen, by call."""
    return {}
