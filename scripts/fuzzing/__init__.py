"""Coverage-guided fuzzing of whatever faces the wire: `make fuzz`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
TARGETS = "fuzz.targets"
HOST_TARGETS = "oem_targets"
PLANTED_TARGETS = "planted_targets"


def add_paths() -> None:
    """Let the targets find what the device tests find."""
    for folder in ("tests/host", "tests/device", "tests", "firmware", "."):
        sys.path.insert(0, str(ROOT / folder))
