"""One demo for all of these tests, which find what the host's tests are held against, too."""

import sys
from pathlib import Path

import pytest

HOST = Path(__file__).parents[1] / "host"

if str(HOST) not in sys.path:
    sys.path.insert(0, str(HOST))

from played import Played  # noqa: E402  # the path had to be set first


@pytest.fixture(scope="session")
def played() -> Played:
    return Played()
