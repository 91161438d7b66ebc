"""Flows by geometries, one after the other, each on a vehicle of its own.

`play` gives the tallies of one flow on one geometry, whichever interpreter its ECUs run on. What
cannot be played on MicroPython (all but cuts) is left out there.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

# imported for the flows that are entered there
from muptane.bench.faults import flows
from muptane.bench.faults.engine import Ground
from muptane.bench.faults.flow import Flow
from muptane.bench.faults.geometry import Geometry
from muptane.bench.faults.lives import CUTS, Lives
from muptane.bench.faults.tally import Choice, Tally
from muptane.bench.plan import VehiclePlan
from muptane.bench.vehicle import Nodes

MODULES = (flows,)


class Campaign:
    """Of one vehicle; `jobs` cases are played at a time, 0: one a core."""

    def __init__(self, plan: VehiclePlan, nodes: Nodes, choice: Choice, jobs: int = 0) -> None:
        self._plan = plan
        self._nodes = nodes
        self._choice = choice
        self._jobs = jobs or os.cpu_count() or 1

    def play(self, flow: Flow, geometry: Geometry) -> list[Tally]:
        """One tally for each fault of the choice. Broken."""
        with TemporaryDirectory(prefix="muptane-") as folder:
            ground = Ground(self._plan, geometry, flow, Path(folder) / "ground")
            if self._nodes == "cpython":
                return ground.play_all(self._choice, self._jobs)
            return Lives(ground, Path(folder)).play_all(self._choice, self._jobs)


def faults_for(nodes: Nodes, faults: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the faults that can be played on that interpreter."""
    return faults if nodes == "cpython" else tuple(name for name in faults if name in CUTS)
