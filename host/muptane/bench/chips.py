"""The emulated chip inside CPython: what boards/unix/machine.py is in a MicroPython process.

A `Chip` is one node's `machine` and `time`; many share this process, each with its own core, and
the device code above them is the same that runs on any board. Applications come out of the same
ROMFS images, as source.
"""

from __future__ import annotations

import gc
import io
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from boards.unix import board
from boards.unix.silicon import CAN, Core, Time
from muptane.bench.nodes import GreenletWire, Unwound
from muptane.bench.romfs import read_file
from uptane import main

SOURCE = "app.source"  # beside app.mpy, see muptane.oem.pack


class Chip:
    """`machine` of one ECU that runs inside CPython. `words` takes what it prints when it
    crashes."""

    def __init__(self, settings: dict[str, Any], words: Path) -> None:
        self._words = words
        self.core = Core(
            GreenletWire(), settings["tx_queue"], settings["wake_us"], settings["frame_us"]
        )

    def CAN(self, number: int, bitrate: int) -> CAN:
        return CAN(self.core)

    def reset(self) -> None:
        self.core.reset()

    def tidy(self) -> None:
        """CPython's heap does not fall to pieces."""

    def heap(self) -> tuple[int, int]:
        """CPython has no heap of a fixed size: (0, 0)."""
        return 0, 0

    def open_flash(self, path: str) -> io.RawIOBase:
        return open(path, "r+b", buffering=0)

    def mount(self, image: bytes, place: str) -> ModuleType | None:
        source = read_file(image, SOURCE)
        if source is None:
            return None
        module = ModuleType("app")
        exec(compile(source, f"{place}/app.py", "exec"), module.__dict__)
        return module

    def unmount(self, place: str) -> None:
        gc.collect(0)

    def __enter__(self) -> Chip:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: object) -> None:
        """As machine.guard: whatever goes wrong inside is written down and resets the board."""
        if kind is not None and not issubclass(kind, Unwound):
            with self._words.open("a") as words:
                words.write("".join(traceback.format_exception(value)))  # type: ignore[arg-type]
            self.reset()


def live(settings: dict[str, Any], words: Path) -> None:
    """One life of an ECU, until it resets."""
    chip = Chip(settings, words)
    chip.core.begin()
    with chip:
        main.Ecu(board.build(chip, Time(chip), settings)).live()
