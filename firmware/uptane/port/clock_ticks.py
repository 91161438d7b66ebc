"""The clock of a real board: MicroPython's wrapping ticks made into a time that only grows.

`wait` sleeps in the processor's own idle state until an interrupt (the tick at the latest, 1 ms)
and looks again; while frames wait for a controller that is `untold` when it has sent one, it looks
without sleeping. It does not keep the time of day: that is attested (meta.attested_time).
"""

if False:  # for the type checker; both compilers drop the block
    from collections.abc import Callable

    from shapes import Bus, Ticks

TICKS_US = 0x1FFFFFFF  # a small integer on every port


class ClockTicks:
    """`ticks`: the module `time`; `idle`: machine.idle; `bus`: what a sleep also waits for."""

    def __init__(self, ticks: "Ticks", idle: "Callable[[], object]", bus: "Bus") -> None:
        self._ticks = ticks
        self._idle = idle
        self._bus = bus
        self._untold = getattr(bus, "untold", False)
        self._last_ms = ticks.ticks_ms()
        self._now_ms = 0

    def ticks_ms(self) -> int:
        """Milliseconds since this object was made. Must be called once in six days."""
        now = self._ticks.ticks_ms()
        self._now_ms += self._ticks.ticks_diff(now, self._last_ms)
        self._last_ms = now
        return self._now_ms

    def ticks_us(self) -> int:
        """Microseconds that go round at 2**29: for intervals of less than eight minutes. The
        ticks themselves go round at a power of two of at least that."""
        return int(self._ticks.ticks_us()) & TICKS_US

    def wait(self, until_ms: int, frames: int = 1) -> None:
        """Sleep until that time, or earlier when `frames` frames wait, or when a transmit slot
        became free after a refused send."""
        while not self._bus.ready(frames) and self.ticks_ms() < until_ms:
            if not self._must_look():
                self._idle()

    def _must_look(self) -> bool:
        return self._untold and self._bus.unsent()
