"""What an ECU does leaves some of its heap free: where nothing is left, chance decides.

The real interpreter scans its stack for what looks like an address, and what a heap in pieces can
still hold depends on the order of a thousand allocations. So the heaviest cycles that we know have
to pass with SPARE bytes less than the budget of the board. An ECU that runs out of heap resets,
and to its Primary is silent (103).
"""

from pathlib import Path
from typing import Any

import pytest
from alike import Doors
from garage import Garage

from muptane.bench.firmware import available
from muptane.bench.settings import heap_bytes
from muptane.boards import load_board
from uptane import ids

SPARE = 3 * 1024
SCARCE = heap_bytes(load_board("unix"), "partial") - SPARE

pytestmark = pytest.mark.skipif(
    not available(), reason="there is no MicroPython wheel for this machine"
)


def scarce(settings: dict[str, Any]) -> None:
    """Every partial Secondary has less than its board gives it."""
    if settings["name"].startswith("door"):
        settings["heap_bytes"] = SCARCE


def test_a_broadcast_leaves_some_heap(tmp_path: Path) -> None:
    """V-87: what a broadcast needs is loaded with the code, before the budget begins."""
    with Doors(tmp_path, "micropython", change=scarce) as garage:
        garage.offer()
        garage.cycle()
        assert garage.releases() == [2, 2, 2]
        assert [garage.vehicle.ecus[name].node.resets for name in garage.doors()] == [1, 1, 1]


def test_root_after_root_leaves_some_heap(tmp_path: Path) -> None:
    """V-71, T-11: two Roots are held while the second is verified, thrice in one cycle."""
    with Garage(tmp_path, "micropython", change=scarce) as garage:
        for role in (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS):
            garage.office.rotate(ids.DIRECTOR, role)
        garage.publish("door", 2)
        garage.cycle()
        assert garage.release("door") == 2
        assert garage.vehicle.ecus["door"].node.resets == 1
