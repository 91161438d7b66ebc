"""Cuts on real MicroPython: each case plays its flow from the snapshot's flash.

A process of MicroPython cannot be forked in the middle of a stroke, so it is told by its settings
in which stroke of which of its lives the power goes. Which strokes there are, a run inside CPython
has counted: the trace is the same. Every case is played by a child with a vehicle of its own; the
faults are cuts, torn in eight ways, of the vehicle's power and of an ECU's.

It judges by what was committed when the flow began. Rules: E-79.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from boards.unix.nor import Nor
from muptane.bench.faults.case import Case
from muptane.bench.faults.engine import CASE_S, Broken, Ground, count, lines_of
from muptane.bench.faults.fault import FAULTS, STROKES
from muptane.bench.faults.judge import BRICKED, Judge, Verdict
from muptane.bench.faults.patient import Patient
from muptane.bench.faults.site import Struck
from muptane.bench.faults.tally import Cases, Choice, Subject, Tally

BOOT_S = 1.0
CUTS = tuple(name for name, fault in FAULTS.items() if fault.cuts and fault.moments == STROKES)

# ECU, its life since the snapshot (from 1), stroke in that life (from 0)
Stroke = tuple[str, int, int]
Write = Callable[[dict[str, Any]], None]


class Lives:
    """`folder` keeps the flash of every case."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self._ground = ground
        self._folder = folder
        self._vehicle("measured")  # what its interpreters need is measured here, not in each child

    def _prepare(self) -> None:
        """The flow begins with a vehicle that is off."""
        self._ground.flow.prepare(self._ground.site)
        self._ground.site.off()

    def play_all(self, choice: Choice, jobs: int) -> list[Tally]:
        """One tally for each fault of the choice, which are CUTS. Broken."""
        strokes: list[Stroke] = [tuple(line["stroke"]) for line in lines_of(self._count)]
        geometry = self._ground.site.geometry
        subject = Subject(self._ground.flow.name, geometry.name, geometry.image_bytes)
        tallies, cases = choice.tallies(subject, {STROKES: len(strokes)})
        for line in lines_of(lambda write: self._play(strokes, cases, (write, jobs))):
            count(tallies, line)
        return list(tallies.values())

    def _count(self, write: Write) -> None:
        """Play the flow inside CPython and tell of each stroke."""
        self._prepare()
        site = self._ground.site
        site.vehicle.lives.clear()
        done: dict[tuple[str, int], int] = {}

        def stroke(name: str, nor: Nor, address: int, size: int, erase: bool) -> None:
            life = site.vehicle.lives[name]
            at = done.get((name, life), 0)
            done[name, life] = at + 1
            write({"stroke": (name, life, at)})

        site.vehicle.on_stroke = stroke
        site.vehicle.power_on()
        site.wait(BOOT_S)
        self._ground.flow.play(site)

    def _play(self, strokes: list[Stroke], cases: Cases, how: tuple[Write, int]) -> None:
        write, jobs = how
        self._prepare()
        running: dict[int, Case] = {}

        def reap() -> None:
            child, status = os.wait()
            case = running.pop(child)
            if status:
                self._tell(write, case, Verdict(BRICKED, f"its process ended with {status}"))

        for case in sorted(case for chosen in cases.values() for case in chosen):
            if len(running) >= jobs:
                reap()
            child = os.fork()
            if child == 0:
                signal.alarm(CASE_S)
                self._tell(write, case, self._judge(case, strokes[case.at]))
                os._exit(0)
            running[child] = case
        while running:
            reap()

    def _tell(self, write: Write, case: Case, verdict: Verdict) -> None:
        said = {"fault": case.fault, "at": case.at, "way": case.way, "count": 1}
        write({**said, "verdict": verdict.verdict, "why": verdict.why[-1500:]})

    def _vehicle(self, name: str) -> Patient:
        site = self._ground.site
        folder = self._folder / name
        return Patient(site.plan, site.world, folder, "micropython", site.change)

    def _judge(self, case: Case, stroke: Stroke) -> Verdict:
        """Play the flow with that cut, on a vehicle of MicroPython processes."""
        site, (name, life, at) = self._ground.site, stroke
        vehicle = self._vehicle(f"{case.fault}-{case.at}-{case.way}")
        for ecu in site.plan.ecu:
            vehicle.replace(ecu.name, site.vehicle.content(ecu.name))
        vehicle.cuts[name, life] = [at, case.way, case.seed()]
        site.vehicle = vehicle
        judge = Judge(site)
        node = vehicle.ecus[name].node
        site.cut = lambda: node.resets >= life
        try:
            vehicle.power_on()
            site.wait(BOOT_S)
            self._ground.flow.play(site)
        except Struck:
            return case.aftermath(site, self._ground.flow, judge, name)
        finally:
            site.cut = lambda: False
            site.off()
        raise Broken(f"{name} has no stroke {at} in life {life}")
