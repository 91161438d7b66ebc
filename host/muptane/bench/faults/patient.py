"""A vehicle that can be hurt: its flash lies in memory, and whoever asks hears of every stroke.

Inside CPython the content of an ECU's flash is an object of this process, so a process that forks
takes the whole vehicle along, in the middle of a stroke, and neither half disturbs the other. What
an ECU's part ails from outlives its resets. On real MicroPython the flash stays in its file, and
an ECU is told of its cut by its settings, at the start of the life in which it falls.

It decides nothing: `engine` says what happens when.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from boards.unix import layout
from boards.unix.ailments import Ailment
from boards.unix.nor import Nor, part_of
from muptane.bench import chips, firmware
from muptane.bench.interpreters import MicroPythonProcess
from muptane.bench.plan import VehiclePlan
from muptane.bench.vehicle import Nodes, Vehicle
from muptane.bench.world import World
from uptane import main
from uptane.port.board import Board
from uptane.store.records import Records

# ECU, its part, address, bytes, is it an erase?
Stroke = Callable[[str, Nor, int, int, bool], None]
Change = Callable[[dict[str, Any]], None]


class MemoryChip(chips.Chip):
    """The chip of an ECU whose flash content is `patient`'s."""

    def __init__(self, settings: dict[str, Any], patient: Patient) -> None:
        super().__init__(settings)
        self._patient = patient
        self._name = settings["name"]

    def flash(self, figures: dict[str, Any]) -> Nor:
        patient, name = self._patient, self._name
        patient.lives[name] = patient.lives.get(name, 0) + 1
        nor = part_of(patient.memory[name], figures, self.core.charge)
        nor.unsteady = patient.unsteady.setdefault(name, [])
        nor.ailments = patient.ailments.setdefault(name, [])
        nor.before = lambda address, size, erase: patient.on_stroke(
            name, nor, address, size, erase
        )
        return nor

    def ecu(self, built: Board) -> main.Ecu:
        made = self._patient.device(built)
        self._patient.minds[self._name] = made.records
        return made


class MortalProcess(MicroPythonProcess):
    """A MicroPython process whose settings say what befalls it in this life."""

    def __init__(self, command: list[str], words: Path, begin: Callable[[], None]) -> None:
        super().__init__(command, firmware.compiled(), words)
        self._begin = begin

    def start(self) -> bytes:
        self._begin()
        return super().start()


class Patient(Vehicle):
    """`on_stroke` hears of every stroke before it is done, inside CPython only."""

    def __init__(
        self, plan: VehiclePlan, world: World, folder: Path, nodes: Nodes, change: Change
    ) -> None:
        self.memory: dict[str, BytesIO] = {}
        self.ailments: dict[str, list[Ailment]] = {}
        self.unsteady: dict[str, list[tuple[int, int]]] = {}
        self.minds: dict[str, Records] = {}  # of ECUs that live: what they have committed
        self.lives: dict[str, int] = {}
        self.cuts: dict[tuple[str, int], list[int]] = {}  # (ECU, life): what cut_after is told
        self.device: Callable[[Board], main.Ecu] = main.Ecu  # what an ECU is, inside CPython
        self.on_stroke: Stroke = lambda *stroke: None
        super().__init__(plan, world, folder, nodes, change)

    def process(self, name: str, command: list[str], words: Path) -> MicroPythonProcess:
        return MortalProcess(command, words, lambda: self.begin_life(name))

    def begin_life(self, name: str) -> None:
        """A MicroPython process is about to start: count its life, and tell it of its cut."""
        self.lives[name] = self.lives.get(name, 0) + 1
        path = self.folder / f"{name}.json"
        settings = json.loads(path.read_text())
        settings["flash"].pop("cut", None)
        if (name, self.lives[name]) in self.cuts:
            settings["flash"]["cut"] = self.cuts[name, self.lives[name]]
        path.write_text(json.dumps(settings))

    def chip(self, settings: dict[str, Any]) -> chips.Chip:
        return MemoryChip(settings, self)

    def remember(self) -> None:
        """Take the content of every flash from its file, as provisioning left it."""
        for name, ecu in self.ecus.items():
            self.memory[name] = BytesIO(ecu.flash.read_bytes())

    def part_on(self, name: str, memory: BytesIO) -> tuple[dict[str, Any], Nor]:
        """The figures of an ECU's board, and its part with that content."""
        settings: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
        return settings, part_of(memory, settings["flash"], lambda us: None)

    def mounted(self, name: str, memory: BytesIO) -> tuple[Nor, Records]:
        """The part of an ECU with that content, and the records on it."""
        settings, nor = self.part_on(name, memory)
        records = Records(layout.area(settings, nor, "records"))
        records.mount()
        return nor, records

    def power_off(self) -> None:
        self.minds.clear()
        super().power_off()

    def content(self, name: str) -> bytes:
        if self.nodes == "cpython":
            return self.memory[name].getvalue()
        return super().content(name)

    def replace(self, name: str, content: bytes) -> None:
        """A new part, with that content, in the place of an ECU's flash; the ECU is off."""
        self.minds.pop(name, None)
        self.ailments[name] = []
        self.unsteady[name] = []
        self.memory[name] = BytesIO(content)
        if self.nodes == "micropython":
            self.ecus[name].flash.write_bytes(content)
