"""The emulated chip inside CPython: what boards/unix/machine.py is in a MicroPython process.

A `Chip` is one node's `machine` and `time`; many share this process, each with its own core, and
the device code above them is the same that runs on any board. Applications come out of the same
ROMFS images, as source.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from boards.unix import board, pyb_can
from boards.unix.clocks import Time
from boards.unix.machine_can import CAN
from boards.unix.nor import Nor, part_of
from boards.unix.silicon import Core
from muptane.bench.interpreters import GreenletWire, Unwound
from muptane.bench.romfs import read_file
from uptane import main
from uptane.errors import BadApplication
from uptane.port.applications import FAULTS
from uptane.port.board import Board
from uptane.port.romfs import HEADER
from uptane.store.area import Area

SOURCE = "app.source"  # beside app.mpy, see muptane.oem.pack


class Applications:
    """uptane.port.applications, for an interpreter that cannot mount: each its own module."""

    def __init__(self, nor: Nor) -> None:
        self._nor = nor

    def mount(self, area: Area, length: int) -> ModuleType | None:
        """The module `app` of an image, or None if it is opaque. BadApplication."""
        image = bytearray(length)
        self._nor.read_into(area.address, image)
        if not image.startswith(HEADER):
            return None
        source = read_file(bytes(image), SOURCE)
        if source is None:
            raise BadApplication
        module = ModuleType("app")
        try:
            exec(compile(source, "/app/app.py", "exec"), module.__dict__)
            startable = callable(module.start) and callable(module.step)
        except FAULTS:
            startable = False
        if not startable:
            raise BadApplication
        return module

    def unmount(self) -> None:
        """Nothing is mounted: the module goes with its last user."""


class Chip:
    """`machine` of one ECU that runs inside CPython."""

    def __init__(self, settings: dict[str, Any]) -> None:
        figures = settings["tx_queue"], settings["wake_us"], settings["frame_us"]
        self.core = Core(GreenletWire(), *figures, settings["data_bytes"])

    def CAN(self, number: int, *arguments: int, **named: int | None) -> CAN:
        return CAN(self.core, number, *arguments, **named)

    def pyb_can(self, settings: dict[str, Any]) -> pyb_can.CAN:
        return pyb_can.CAN(self.core, 1, pyb_can.CAN.NORMAL)

    def WDT(self) -> Chip:
        return self

    def feed(self) -> None:
        """A watchdog that never bites, as in a MicroPython process."""

    def applications(self, nor: Nor) -> Applications:
        return Applications(nor)

    def reset(self) -> None:
        self.core.reset()

    def ecu(self, built: Board) -> main.Ecu:
        """The ECU on that board, which is about to live until this chip's next reset."""
        return main.Ecu(built)

    def tidy(self) -> None:
        """CPython's heap does not fall to pieces."""

    def heap(self) -> tuple[int, int]:
        """CPython has no heap of a fixed size: (0, 0)."""
        return 0, 0

    def flash(self, figures: dict[str, Any]) -> Nor:
        file = open(figures["path"], "r+b", buffering=0)  # noqa: SIM115  # for a life
        return part_of(file, figures, self.core.charge)


class Words:
    """Writes down what an ECU says when it crashes, as a MicroPython process prints it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Words:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: Any, trace: object) -> None:
        if kind is not None and not issubclass(kind, Unwound):
            with self._path.open("a") as words:
                words.write("".join(traceback.format_exception(value)))


def live(chip: Chip, settings: dict[str, Any], words: Path) -> None:
    """One life of an ECU on that chip, until it resets."""
    chip.core.begin()
    with board.build(chip, Time(chip), settings) as built, Words(words):
        chip.ecu(built).live()
