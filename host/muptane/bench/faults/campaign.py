"""Flows by geometries, one after the other, each on a vehicle of its own.

`play` gives the tallies of one flow on one geometry, whichever interpreter its ECUs run on. What
cannot be played on MicroPython (all but cuts) is left out there.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

# imported for the flows that are entered there
from muptane.bench.faults import flows, one_place, patches, scopes, together
from muptane.bench.faults.engine import Ground
from muptane.bench.faults.flow import Alter, Flow
from muptane.bench.faults.geometry import Geometry
from muptane.bench.faults.lives import CUTS, Lives
from muptane.bench.faults.site import Site, equipped
from muptane.bench.faults.tally import Choice, Tally
from muptane.bench.plan import VehiclePlan
from muptane.bench.vehicle import Nodes

MODULES = (flows, one_place, patches, scopes, together)


class Campaign:
    """Of one vehicle; `folder` keeps what is made for it; `jobs` cases are played at a time, 0:
    one a core. Sites are built once for each geometry."""

    def __init__(self, plan: VehiclePlan, nodes: Nodes, folder: Path, jobs: int = 0) -> None:
        self._plan = plan
        self._nodes = nodes
        self._folder = folder
        self._jobs = jobs or os.cpu_count() or 1
        self._sites: dict[tuple[str, Alter, tuple[str, ...]], Site] = {}

    def play(self, flow: Flow, geometry: Geometry, choice: Choice) -> list[Tally]:
        """One tally for each fault of the choice. Broken."""
        ground = Ground(self.site(flow, geometry), flow)
        if self._nodes == "cpython":
            return ground.play_all(choice, self._jobs)
        with TemporaryDirectory(dir=self._folder) as folder:
            return Lives(ground, Path(folder)).play_all(choice, self._jobs)

    def site(self, flow: Flow, geometry: Geometry) -> Site:
        """The settled vehicle that a flow begins with on a geometry."""
        key = geometry.name, flow.alter, flow.has
        if key not in self._sites:
            folder = self._folder / f"site-{len(self._sites)}"
            self._sites[key] = Site(equipped(self._plan, flow.has), folder, geometry, flow.alter)
            self._sites[key].settle()
        return self._sites[key]


def faults_for(nodes: Nodes, faults: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the faults that can be played on that interpreter."""
    return faults if nodes == "cpython" else tuple(name for name in faults if name in CUTS)
