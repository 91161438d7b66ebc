"""One world: one clock, one seed, one list of what happens next.

Virtual time is a whole number of nanoseconds since the world began and moves only from one event
to the next. Events at the same time keep a fixed order: what the bus or a timer did, then nodes
waking (by index), then arbitration; so the same seed gives the same trace, whatever the machine.

It does not know what a bus or a node is. It never sleeps and never reads a wall clock.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from hashlib import sha256

US = 1_000
MS = 1_000_000
S = 1_000_000_000

# The order of events that happen at the same time.
HAPPENED = 0
WAKES = 1
ARBITRATION = 2


class Event:
    """Something that will happen; `cancel` it and it will not."""

    __slots__ = ("action", "cancelled", "time_ns")

    def __init__(self, time_ns: int, action: Callable[[], None]) -> None:
        self.time_ns = time_ns
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Stuck(Exception):
    """Nothing is left to happen, or the time allowed is over, and the goal was not reached."""


class World:
    """Clock, events, randomness and trace of one simulation.

    `epoch_s` is what the world's wall clocks showed at its beginning (seconds since 1970).
    """

    def __init__(self, seed: int = 0, epoch_s: int = 1_767_225_600) -> None:
        self.seed = seed
        self.epoch_s = epoch_s
        self.now_ns = 0
        self._events: list[tuple[int, int, int, int, Event]] = []
        self._count = 0
        self._trace = sha256()
        self.wakes = 0

    # --- time --------------------------------------------------------------------------------

    def seconds(self) -> int:
        """The date, as a server in this world would read it: seconds since 1970."""
        return self.epoch_s + self.now_ns // S

    def at(
        self, time_ns: int, action: Callable[[], None], order: int = HAPPENED, index: int = 0
    ) -> Event:
        """Let `action` happen at `time_ns`, or now if that is past."""
        event = Event(max(time_ns, self.now_ns), action)
        self._count += 1
        heapq.heappush(self._events, (event.time_ns, order, index, self._count, event))
        return event

    def run(self, until: Callable[[], bool], limit_s: float = 600.0) -> None:
        """Let things happen until `until()`; Stuck after `limit_s` virtual seconds from now, and
        then what was to happen later still will."""
        end_ns = self.now_ns + int(limit_s * S)
        while not until():
            due_ns = self.due_ns()
            if due_ns is None:
                raise Stuck(f"nothing left to happen at {self.now_ns / S:.6f} s")
            if due_ns > end_ns:
                raise Stuck(f"not done after {limit_s} virtual seconds")
            self.step()

    def idle_until(self, time_ns: int) -> None:
        """The clock moves on without an event, to that time or to the next event."""
        due_ns = self.due_ns()
        self.now_ns = max(self.now_ns, time_ns if due_ns is None else min(time_ns, due_ns))

    def due_ns(self) -> int | None:
        """When the next thing happens; None: nothing will."""
        while self._events and self._events[0][-1].cancelled:
            heapq.heappop(self._events)
        return self._events[0][0] if self._events else None

    def step(self) -> None:
        """Let the next thing happen, if there is one."""
        if self.due_ns() is not None:
            event = heapq.heappop(self._events)[-1]
            self.now_ns = event.time_ns
            event.action()

    # --- chance and evidence -----------------------------------------------------------------

    def chance(self, name: str) -> random.Random:
        """A source of randomness of its own for everyone who has a name in this world."""
        return random.Random(f"{self.seed}/{name}")

    def note(self, kind: str, *facts: object) -> None:
        """Add to the trace what happened now."""
        self._trace.update(f"{self.now_ns} {kind} {facts}\n".encode())

    def trace(self) -> str:
        """SHA-256 of everything noted so far: equal traces, equal histories."""
        return self._trace.hexdigest()
