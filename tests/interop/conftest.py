"""Tools of others against our ECUs, in real time. `make interop` runs these files, in an
environment of its own; `make test`, which has none of the tools, passes them by.
"""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "e2e"))

TOOLS = ("gallia", "scapy", "udsdoc", "uds_server", "odxtools")
collect_ignore_glob = (
    [] if all(importlib.util.find_spec(name) for name in TOOLS) else ["test_*.py"]
)

if not collect_ignore_glob:
    from foreign import Running


@pytest.fixture(scope="module")
def vehicle() -> Iterator["Running"]:
    """The sedan, for the tests of one file."""
    with Running("--port", "0", "--nodes", "cpython") as running:
        yield running
