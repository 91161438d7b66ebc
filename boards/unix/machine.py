"""The modelled `machine` of a MicroPython process: overrides the interpreter's own.

It stands where a chip's registers would: `attach` ties it to the world. What it offers has the
shape of MicroPython's `machine`; the models themselves are in `silicon` and `nor`.
"""

import gc
import json
import sys
from io import BytesIO

import vfs

from boards.unix.machine_can import CAN as _CAN
from boards.unix.nor import Geometry, Nor, part_of
from boards.unix.silicon import WORLD_HEAD_BYTES, Core, frames_bytes
from uptane.port.applications import Applications
from uptane.port.romfs import HEADER

if False:  # for the type checker
    from typing import Any

RING = 18  # places of a driver's ring

core: "Core"  # set by attach


class _Socket:
    """The lock-step with the world over an inherited stream socket."""

    def __init__(self, fd: int) -> None:
        self._file = open(fd, "r+b")  # noqa: SIM115  # for life

    def exchange(self, out: bytearray, length: int, inbox: memoryview) -> None:
        self._file.write(memoryview(out)[:length])
        self._file.readinto(inbox, WORLD_HEAD_BYTES)
        more = frames_bytes(inbox)
        if more:
            self._file.readinto(inbox[WORLD_HEAD_BYTES:], more)

    def reset(self, out: bytearray, length: int) -> None:
        self._file.write(memoryview(out)[:length])
        sys.exit(0)


def attach(path: str, fd: int) -> "dict[str, Any]":
    """Connect to the world; returns the settings."""
    global core
    with open(path) as file:
        settings: "dict[str, Any]" = json.load(file)
    core = Core(
        _Socket(fd),
        settings["tx_queue"],
        settings["wake_us"],
        settings["frame_us"],
        settings["data_bytes"],
    )
    core.begin()
    return settings


def rehearse(fd: bool) -> "tuple[object, ...]":
    """The models of a board's chips, tied to nothing; `fd`: on a bus with CAN FD."""
    chip = Core(None, 3, 0, 0, 64 if fd else 8)  # type: ignore[arg-type]
    regions = [[0, 1, 1, 1] for _ in range(6)]
    nor = Nor(BytesIO(b"\xff" * 6), Geometry(regions, 1, 1), chip.charge)  # type: ignore[arg-type]
    can: "Any" = _CAN(chip, 1, 500_000)
    if fd:
        from boards.unix.pyb_can import CAN  # here, because on a classic bus nobody needs it

        can = CAN(chip, 1)
        for _ in range(RING):
            can.backing([0, 0, 0, 0, memoryview(b"")])
    for _ in range(0 if fd else RING):
        can.backing([0, memoryview(bytearray(8)), 0, 0])
    return chip, can, nor


class CAN(_CAN):
    def __init__(self, number: int, *arguments: int, **named: "int | None") -> None:
        _CAN.__init__(self, core, number, *arguments, **named)


def pyb_can(settings: "dict[str, Any]") -> "Any":
    """`pyb.CAN` of a board with an FDCAN, set up for the bus of these settings."""
    from boards.unix.pyb_can import CAN  # here, because on a classic bus nobody needs it

    rates = {"baudrate": settings["bitrate"], "brs_baudrate": settings["data_bitrate"]}
    return CAN(core, 1, CAN.NORMAL, auto_restart=True, **rates)


def reset() -> None:
    core.reset()


def tidy() -> None:
    """Collect garbage now, so that what lives long comes to lie beside what lives long."""
    gc.collect()


def heap() -> "tuple[int, int]":
    """(free bytes, allocated bytes) of the interpreter's heap."""
    gc.collect()
    return gc.mem_free(), gc.mem_alloc()


def flash(figures: "dict[str, Any]") -> Nor:
    """The part, above the file in which it keeps its content while the power is off."""
    return part_of(open(figures["path"], "r+b", 0), figures, core.charge)


class WDT:
    """A watchdog that never bites: a process that hangs is found by the world's wall clock."""

    def feed(self) -> None:
        pass


def applications(nor: "Nor") -> Applications:
    """Applications out of a flash that is read, where a real part is mapped into memory."""

    def memory(address: int, length: int) -> bytearray:
        image = bytearray(len(HEADER))
        nor.read_into(address, image)
        if image == HEADER:  # an opaque image is looked at, never copied
            image = bytearray(length)
            nor.read_into(address, image)
        return image

    return Applications(vfs, memory)
