"""A controller on the bus: its transmit queue, its filters, its error state.

It says which of its frames it would send now, takes part in what others send (unless it is off, or
off the bus), and comes back from bus-off. What the bus does with its frames is `can.bus`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from muptane.bench.can.confinement import RECOVERY_SEQUENCES, Confinement, State
from muptane.bench.can.frames import Frame
from muptane.bench.world import World


class Wire(Protocol):
    """What a controller needs of its bus."""

    @property
    def world(self) -> World: ...
    @property
    def bitrate(self) -> int: ...
    @property
    def data_bitrate(self) -> int: ...
    def carries(self, port: Port) -> Frame | None: ...
    def contend(self) -> None: ...
    def cut(self, port: Port) -> None: ...
    def recover(self, port: Port) -> None: ...
    def filters_changed(self) -> None: ...


class Port:
    """One controller. `filters` is a list of (identifier, mask); None lets nothing in. `fd`: it
    understands CAN FD. `on`: it has power and takes part; it acknowledges what it hears, filters
    or not, unless it is `silent`; one that `loops` needs nobody who acknowledges. `recovers`: it
    comes back from bus-off by itself. `fifo`: it sends in order, not by identifier. `ear` may
    change what becomes of a frame that it received: pairs of delay (ns) and frame."""

    def __init__(self, bus: Wire, name: str, queue_frames: int, fd: bool = False) -> None:
        self.bus = bus
        self.name = name
        self.queue_frames = queue_frames
        self.queue: deque[Frame] = deque()
        self.filters: list[tuple[int, int]] | None = None
        self.fd = fd
        self.on = True
        self.silent = False
        self.loops = False
        self.fifo = False
        self.recovers = True
        self.counts = Confinement()
        self.held_until_ns = 0  # error-passive, it has to wait
        self.missing = 0  # sequences of recessive bits until it is back from bus-off
        self.ear: Callable[[Frame], list[tuple[int, Frame]]] | None = None
        self.on_frame: Callable[[Frame], None] = lambda frame: None
        self.on_sent: Callable[[Frame], None] = lambda frame: None
        self.on_state: Callable[[State], None] = lambda state: None

    # --- what its owner does ---------------------------------------------------------------

    def send(self, frame: Frame) -> bool:
        """Queue a frame; False when the queue is full."""
        if len(self.queue) >= self.queue_frames:
            return False
        self.queue.append(frame)
        self.bus.contend()
        return True

    def withdraw(self, frame: Frame) -> None:
        """Take back a frame that waits, and is not on the wire."""
        if frame in self.queue:
            self.queue.remove(frame)
            self.bus.contend()

    def switch(self, on: bool) -> None:
        """The controller begins to take part, or ends to."""
        self.on = on
        self.bus.filters_changed()

    def cut(self) -> None:
        """The controller loses its power: what it queued is gone, what it was sending broken."""
        self.queue.clear()
        self.counts.restarted()
        self.held_until_ns = self.missing = 0
        self.bus.cut(self)

    def restart(self) -> None:
        """Begin to come back, if it is off the bus."""
        if self.counts.bus_off and not self.missing:
            self.missing = RECOVERY_SEQUENCES
            self.bus.recover(self)

    # --- what the bus asks -----------------------------------------------------------------

    def lets_in(self, can_id: int) -> bool:
        filters = self.filters
        return filters is not None and any((can_id ^ f) & m == 0 for f, m in filters)

    def hears(self) -> bool:
        """Whether it takes part in what others send."""
        return self.on and not self.counts.bus_off

    def flags_errors(self) -> bool:
        """Whether others notice when it sees an error."""
        return not (self.counts.passive or self.silent)

    def first(self) -> Frame | None:
        """The frame that it would send now: of the lowest key, of equal ones the eldest; of a
        FIFO the eldest."""
        if not self.queue or not self.hears() or self.held_until_ns > self.bus.world.now_ns:
            return None
        if self.fifo:
            return self.queue[0]
        return min(self.queue, key=lambda frame: frame.key)

    # --- what the bus tells ----------------------------------------------------------------

    def hand(self, frame: Frame) -> None:
        """It received a frame: its owner has it now, or when its `ear` says."""
        if self.ear is None:
            self.on_frame(frame)
            return
        for delay_ns, heard in self.ear(frame):
            self._later(delay_ns, heard)

    def _later(self, delay_ns: int, frame: Frame) -> None:
        world = self.bus.world
        world.at(world.now_ns + delay_ns, lambda: self.on_frame(frame))

    def count(self, change: Callable[[], None]) -> None:
        """Change its error counters, and tell its owner of a new state."""
        before = self.counts.state
        change()
        after = self.counts.state
        if after is before:
            return
        if after is State.BUS_OFF:
            self.bus.filters_changed()
        self.on_state(after)
        if after is State.BUS_OFF and self.recovers:
            self.restart()

    def saw_recessive(self, sequences: int) -> None:
        """11 recessive bits have passed so many times; bus-off may be over."""
        if self.missing:
            self.missing = max(self.missing - sequences, 0)
            if not self.missing:
                self.count(self.counts.restarted)
                self.bus.filters_changed()
