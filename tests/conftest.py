"""Let pytest find what tests/device/run.py finds: the same files, on CPython."""

import sys
from pathlib import Path

TESTS = Path(__file__).parent

for folder in (TESTS.parent / "host", TESTS.parent / "firmware", TESTS / "device", TESTS):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
