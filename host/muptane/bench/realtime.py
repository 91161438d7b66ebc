"""The world by the wall clock: what is to happen happens when its time has come out there, too.

`RealTime` lets events happen no earlier than wall time allows; an event that comes late is counted
and how late it was is kept, and the world catches up. Behind by more than SLIP_NS (a suspended
computer, not a busy one) it does not: the clock of the world then stands still for that long.
Between events it hands the waiting to somebody who has sockets to read, and spins for the last
SPIN_NS, because no `select` wakes on the microsecond.

It does not know a bus or a socket, starts no thread, and moves nothing between two runs.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns

from muptane.bench.world import MS, US, S, World

SPIN_NS = 60 * US
WAIT_NS = 50 * MS  # at most, so that `until` is asked now and then
LATE_NS = 1 * MS  # later than this counts as late
SLIP_NS = 2 * S


class RealTime:
    """The clock of a `world` that runs with the wall's. Counts what it did: `events`, `late` (of
    them), `worst_ns` (of lateness), `slipped_ns` (in which the world's clock stood still)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.events = 0
        self.late = 0
        self.worst_ns = 0
        self.slipped_ns = 0
        self._origin_ns = monotonic_ns() - world.now_ns

    def now_ns(self) -> int:
        """What the world's clock should show now: its own is behind when it is late."""
        return max(monotonic_ns() - self._origin_ns, self.world.now_ns)

    def run(self, until: Callable[[], bool], wait: Callable[[float], None]) -> None:
        """Let things happen in their time until `until()`, which is asked at least every WAIT_NS.
        `wait(seconds)` returns after that time, or earlier if it likes; with 0, at once."""
        self._origin_ns = monotonic_ns() - self.world.now_ns
        while not until():
            due_ns = self.world.due_ns()
            ahead_ns = WAIT_NS if due_ns is None else due_ns - self.now_ns()
            if ahead_ns > 0:
                wait(max(min(ahead_ns, WAIT_NS) - SPIN_NS, 0) / S)
            else:
                self._happen(-ahead_ns)
                wait(0.0)

    def _happen(self, late_ns: int) -> None:
        self.events += 1
        if late_ns > SLIP_NS:
            self.slipped_ns += late_ns
            self._origin_ns += late_ns
        self.worst_ns = max(self.worst_ns, late_ns)
        self.late += late_ns > LATE_NS
        self.world.step()
