"""The way back from bus-off: who is off the bus counts the recessive bits that pass.

128 sequences of 11 recessive bits bring a controller back (ISO 11898-1:2015, 12.1.4.4): an idle
bus has one every 11 bits, a busy one one at the end of each frame, broken or not.
"""

from __future__ import annotations

from collections.abc import Callable

from muptane.bench.can.confinement import RECOVERY_BITS
from muptane.bench.can.port import Port
from muptane.bench.world import Event, S, World


class Recovery:
    """The ports that are off the bus and on their way back. `back` is told when one may be."""

    def __init__(self, world: World, bitrate: int, back: Callable[[], None]) -> None:
        self._world = world
        self._bitrate = bitrate
        self._back = back
        self._ports: list[Port] = []
        self._idle_since_ns: int | None = 0  # None: a frame is on the wire
        self._due: Event | None = None

    def begin(self, port: Port, idle: bool) -> None:
        """From now on that port counts."""
        self._counted()
        self._idle_since_ns = self._world.now_ns if idle else None
        self._ports.append(port)
        self._expect()

    def pending(self) -> bool:
        """Whether somebody is on the way back."""
        return bool(self._ports)

    def frame_begins(self) -> None:
        self._counted()
        self._idle_since_ns = None
        if self._due is not None:
            self._due.cancel()

    def frame_ended(self) -> None:
        """Delimiter, end of frame and intermission, or the end of an error frame: 11 bits."""
        self._saw(1)
        self._idle_since_ns = self._world.now_ns
        self._expect()

    def _counted(self) -> None:
        """Count what has passed of an idle time."""
        if self._ports and self._idle_since_ns is not None:
            idle_bits = (self._world.now_ns - self._idle_since_ns) * self._bitrate // S
            self._saw(idle_bits // RECOVERY_BITS)
            self._idle_since_ns = self._world.now_ns

    def _saw(self, sequences: int) -> None:
        if self._ports:
            for port in self._ports:
                port.saw_recessive(sequences)
            self._ports = [port for port in self._ports if port.missing]
            self._back()

    def _expect(self) -> None:
        """Be there when the first of them has seen enough, if nobody sends until then."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._ports and self._idle_since_ns is not None:
            bits = min(port.missing for port in self._ports) * RECOVERY_BITS
            due_ns = self._world.now_ns - (-bits * S // self._bitrate)
            self._due = self._world.at(due_ns, self._ended)

    def _ended(self) -> None:
        self._counted()
        self._expect()
