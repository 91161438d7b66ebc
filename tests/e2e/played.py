"""The demo, played once for whoever wants to look at what it said; and the names of its files.

It runs on CPython nodes with a rotation of keys in the middle, so that every kind of file passes.
Not a test file.
"""

from collections.abc import Iterator
from typing import Any

from tap import File, Tap

from muptane.bench import plan
from muptane.bench.demo import Demo
from muptane.bench.firmware import ROOT
from muptane.bench.vehicle import Vehicle
from uptane import ids

RULES = {ids.KIND_METADATA: "role-file", ids.KIND_TIME: "time-file"}
REPORT_RULES = {ids.REPORT_ECU: "report-file", ids.REPORT_VEHICLE: "vehicle-file"}
ROLES = range(ids.ROOT, ids.TARGETS + 1)


class Played:
    """One demo, heard: its tap, its office's Roots, and the records of its ECUs at the end."""

    def __init__(self) -> None:
        self.plan = plan.load(ROOT / "vehicles" / "sedan.toml")
        self.tap = Tap(self.plan)
        self.records: list[tuple[int, bytes]] = []
        self._vehicle: Vehicle | None = None
        self._demo = Demo(self.plan, "cpython", {}, self._hear)
        self.result = self._demo.run()
        office = self._demo.office
        self.roots = {
            ids.DIRECTOR: office.director.authority.roots,
            ids.IMAGE: office.images.authority.roots,
        }

    def _hear(self, step: str, ecu: str, fact: Any) -> None:
        if step == "power":
            self._vehicle = fact
            fact.bus.listeners.append(self.tap.hear)
            for repository in (ids.DIRECTOR, ids.IMAGE):
                self._demo.office.rotate(repository, ids.TARGETS)
        elif step == "outcome" and ecu == self.plan.secondaries()[-1].name:
            self.records = list(self._read_flash())

    def _read_flash(self) -> Iterator[tuple[int, bytes]]:
        assert self._vehicle is not None
        for name in self._vehicle.ecus:
            records = self._vehicle.records(name)
            for number in records.numbers():
                raw = records.read(number)
                assert raw is not None
                yield number, raw


def kind_of(file: File) -> tuple[int, int, int]:
    """(repository, kind, number); all images are one."""
    kind = file.number[1]
    number = 0 if kind == ids.KIND_IMAGE else int.from_bytes(file.number[2:], "big")
    return file.number[0], kind, number


def rule_of(file: File) -> str | None:
    """The rule of the grammar, or None: an image is opaque."""
    _, kind, number = kind_of(file)
    return REPORT_RULES[number] if kind == ids.KIND_REPORT else RULES.get(kind)
