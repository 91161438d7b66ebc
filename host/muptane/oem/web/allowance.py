"""How much one vehicle may ask in how much time: a bucket of each kind for each vehicle.

A manifest writes the inventory for ever and costs signatures, a time request costs one, a file
costs reading. So each kind has a burst and a rate, by vehicle: who asks too fast waits alone. Only
known vehicles are counted, so the memory is bounded by the fleet. It has no clock of its own.
Rules: E-89, R-34.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Allowance(NamedTuple):
    """`burst` at once, and one more each `every_s` seconds."""

    burst: int
    every_s: float


class Meter:
    """The buckets of one kind. `clock` gives seconds that only run forward."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float]) -> None:
        self._allowance = allowance
        self._clock = clock
        self._empty_until: dict[str, float] = {}  # when the bucket is full again

    def spend(self, vehicle: str) -> float:
        """Take one. Returns 0.0, or how many seconds are to be waited first (then none is
        taken)."""
        burst, every_s = self._allowance
        now = self._clock()
        full_at = max(self._empty_until.get(vehicle, now), now) + every_s
        wait_s = full_at - now - burst * every_s
        if wait_s > 0:
            return wait_s
        self._empty_until[vehicle] = full_at
        return 0.0


class Turns:
    """How many requests of one vehicle may be under way at the same time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[str, int] = {}

    @contextmanager
    def take(self, vehicle: str) -> Iterator[bool]:
        """Was there a turn left? It is given back at the end."""
        now = self._open.get(vehicle, 0)
        if now >= self._most:
            yield False
            return
        self._open[vehicle] = now + 1
        try:
            yield True
        finally:
            self._open[vehicle] -= 1
            if not self._open[vehicle]:
                del self._open[vehicle]
