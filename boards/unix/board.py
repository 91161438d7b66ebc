"""The emulated board: wires the device code to the modelled chip, as any board.py does.

`machine` and `time` are given, because inside CPython many boards share one process; in a
MicroPython process they are the modules of this folder. `settings` are the figures of the board
that is emulated (muptane.bench.settings writes them).
"""

import sys

from boards.unix.metered import MeteredSuite
from boards.unix.nor import Geometry, Nor, Noise
from uptane.port.can_machine import CanMachine
from uptane.port.clock_ticks import ClockTicks
from uptane.store.area import Area

ROMFS = b"\xd2\xcd\x31"
MOUNT = "/application"


class UnixClock(ClockTicks):
    """Sleeping is the world's business: it knows when the next frame comes."""

    def __init__(self, time, core, bus) -> None:
        ClockTicks.__init__(self, time, None, bus)
        self._core = core

    def wait(self, until_ms: int, frames: int = 1) -> None:
        ahead_ms = until_ms - self.ticks_ms()
        us = self._core.elapsed_us() + ahead_ms * 1000 if ahead_ms > 0 else 0
        self._core.wait(us, frames)


class UnixBoard:
    """See uptane.port.board for what a board is."""

    def __init__(self, machine, time, settings: dict) -> None:
        core = machine.core
        self._machine = machine
        self.name = settings["name"]
        self.interpreter = (
            sys.implementation.name,
            ".".join([str(part) for part in sys.implementation.version[:3]]),
        )
        self.can = CanMachine(
            machine.CAN(1, settings["bitrate"]),
            settings["rx_queue"],
            settings["tx_queue"],
            settings["in_order"],
        )
        self.clock = UnixClock(time, core, self.can)
        self.suite = MeteredSuite(core.charge, settings["costs"], machine.tidy)
        self.confirm_ms = settings["confirm_ms"]
        self._noise = Noise(settings["seed"] + core.elapsed_us())
        flash = settings["flash"]
        geometry = Geometry(
            [tuple(region) for region in flash["regions"]],
            flash["program_bytes"],
            flash["program_us"],
            flash["page_bytes"],
        )
        nor = Nor(machine.open_flash(flash["path"]), geometry, core.charge)
        unit = flash["program_bytes"]
        self.records_area = Area(nor, *settings["records"], unit)
        self.slot_areas = [Area(nor, *place, unit) for place in settings["slots"]]
        self.depot_areas = [Area(nor, *place, unit) for place in settings["depot"]]

    def random(self, n: int) -> bytes:
        """Seeded: only an emulated board may do this."""
        return bytes([self._noise.byte() for _ in range(n)])

    def reset(self) -> None:
        self._machine.reset()

    def tidy(self) -> None:
        self._machine.tidy()

    def heap(self) -> "tuple[int, int]":
        return self._machine.heap()

    def mount(self, area: Area, length: int):
        """The module `app` of a ROMFS image, or None: an opaque image."""
        if area.read(0, len(ROMFS)) != ROMFS:
            return None
        return self._machine.mount(area.read(0, length), MOUNT)

    def unmount(self) -> None:
        self._machine.unmount(MOUNT)


def build(machine, time, settings: dict) -> UnixBoard:
    return UnixBoard(machine, time, settings)
