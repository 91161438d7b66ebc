"""The virtual time of an emulated chip, as software sees it: `time`, and the clock of its board.

Both read the `Core` of one chip (`silicon`). A sleep is the world's business: it knows when the
next frame comes, and when software that nobody tells would have looked.
It does NOT move time: computing that is charged does, and sleeping.
The shape of `Time` is that of MicroPython's `time`.
"""

from boards.unix.silicon import WATCH_TICKS, Core
from uptane.port.clock_ticks import ClockTicks

if False:  # for the type checker
    from typing import Protocol

    from shapes import Bus

    class Machine(Protocol):
        @property
        def core(self) -> Core: ...


TICKS_PERIOD = 1 << 30  # as on 32-bit boards


class WorldClock(ClockTicks):
    """The clock of a board whose sleep is the world's business: it knows when the next frame
    comes."""

    def __init__(self, time: "Time", core: Core, bus: "Bus") -> None:
        ClockTicks.__init__(self, time, nothing, bus)
        self._core = core

    def wait(self, until_ms: int, frames: int = 1) -> None:
        ahead_ms = until_ms - self.ticks_ms()
        us = self._core.elapsed_us() + ahead_ms * 1000 if ahead_ms > 0 else 0
        if self._untold:
            self._core.watch = 0 if self._must_look() else WATCH_TICKS
        self._core.wait(us, frames)


def nothing() -> None:
    """Where a real board would idle."""


class Time:
    """MicroPython's `time`, on the virtual time of a `machine` and its `core`."""

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine

    def ticks_us(self) -> int:
        return self._machine.core.elapsed_us() % TICKS_PERIOD

    def ticks_ms(self) -> int:
        return self._machine.core.elapsed_us() // 1000 % TICKS_PERIOD

    def ticks_diff(self, end: int, start: int) -> int:
        half = TICKS_PERIOD // 2
        return (end - start + half) % TICKS_PERIOD - half

    def ticks_add(self, ticks: int, delta: int) -> int:
        return (ticks + delta) % TICKS_PERIOD
