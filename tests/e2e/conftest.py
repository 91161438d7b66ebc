"""Let these tests find what the host's tests are held against: grammar and tables."""

import sys
from pathlib import Path

HOST = Path(__file__).parents[1] / "host"

if str(HOST) not in sys.path:
    sys.path.insert(0, str(HOST))
