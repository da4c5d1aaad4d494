"""What every Python suite shares: the server."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from demilune_server import Server  # noqa: E402


@pytest.fixture(scope="session")
def server():
    running = Server()
    yield running
    running.stop()
