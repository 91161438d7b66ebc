"""A classic CAN bus that takes time: exact frame lengths, arbitration, bounded transmit queues.

A `Port` is one controller on the bus. Its queue holds at most `queue_frames`; `send` says False
when it is full, and the port's owner hears of every frame that has left (`on_sent`). The bus is
held for the exact number of bits of each frame, stuffing included; of all frames waiting the
lowest arbitration key wins. Equal identifiers of one port leave in the order they were queued.

It does not do yet: CAN FD, error frames, loss; every frame sent reaches every other port whose
filters let it through. Sources: ISO 11898-1:2015 (10.4, 10.5), bits checked against an
independent formula in the tests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from muptane.bench.world import ARBITRATION, S, World

EXTENDED = 1 << 31  # in a CAN identifier: 29 bits, as SocketCAN marks it
CRC15 = 0x4599
TAIL_BITS = 13  # CRC delimiter, ACK slot and delimiter, end of frame (7), intermission (3)


class Frame(NamedTuple):
    """A data frame: identifier (bit 31: extended) and 0..8 bytes."""

    id: int
    data: bytes


def arbitration_key(can_id: int) -> int:
    """What the bus compares bit by bit: the lower key wins (ISO 11898-1, 10.4.2)."""
    if can_id & EXTENDED:
        plain = can_id & 0x1FFFFFFF
        return (plain >> 18) << 21 | 1 << 20 | 1 << 19 | (plain & 0x3FFFF) << 1
    return can_id << 21


@lru_cache(maxsize=65536)
def frame_bits(can_id: int, data: bytes) -> int:
    """Bits on the wire of a classic data frame, intermission included."""
    if can_id & EXTENDED:
        plain = can_id & 0x1FFFFFFF
        head = (plain >> 18) << 21 | 0b11 << 19 | (plain & 0x3FFFF) << 1
        value, width = head << 2, 1 + 11 + 2 + 18 + 1 + 2  # SOF ... RTR, r1, r0
    else:
        value, width = can_id << 3, 1 + 11 + 3  # SOF, identifier, RTR, IDE, r0
    value = value << 4 | len(data)
    width += 4
    for byte in data:
        value = value << 8 | byte
        width += 8
    crc = 0
    for at in range(width - 1, -1, -1):
        bit = value >> at & 1
        crc = (crc << 1) ^ (CRC15 if (crc >> 14 & 1) ^ bit else 0)
        crc &= 0x7FFF
    value = value << 15 | crc
    width += 15
    return width + stuff_bits(value, width) + TAIL_BITS


def stuff_bits(value: int, width: int) -> int:
    """How many bits stuffing adds to `width` bits of `value`, most significant first."""
    last, run, stuffed = -1, 0, 0
    for at in range(width - 1, -1, -1):
        bit = value >> at & 1
        run = run + 1 if bit == last else 1
        last = bit
        if run == 5:
            stuffed += 1
            last = 1 - bit
            run = 1
    return stuffed


class Port:
    """One controller. `filters` is a list of (identifier, mask); None lets nothing in."""

    def __init__(self, bus: Bus, name: str, queue_frames: int) -> None:
        self.bus = bus
        self.name = name
        self.queue_frames = queue_frames
        self.queue: deque[Frame] = deque()
        self.filters: list[tuple[int, int]] | None = None
        self.on_frame: Callable[[Frame], None] = lambda frame: None
        self.on_sent: Callable[[Frame], None] = lambda frame: None

    def send(self, frame: Frame) -> bool:
        """Queue a frame; False when the queue is full."""
        if len(self.queue) >= self.queue_frames:
            return False
        self.queue.append(frame)
        self.bus.contend()
        return True

    def cut(self) -> None:
        """The controller loses its power: what it queued is gone, what it was sending broken."""
        self.queue.clear()
        self.bus.cut(self)

    def lets_in(self, can_id: int) -> bool:
        filters = self.filters
        return filters is not None and any((can_id ^ f) & m == 0 for f, m in filters)


class Bus:
    """The wire between ports. Counts what passed: frames, payload bytes, bits."""

    def __init__(self, world: World, bitrate: int) -> None:
        self.world = world
        self.bitrate = bitrate
        self.ports: list[Port] = []
        self.frames = 0
        self.payload_bytes = 0
        self.bits = 0
        self.listeners: list[Callable[[int, str, Frame], None]] = []
        self._receivers: dict[int, list[Port]] = {}
        self._sender: Port | None = None  # of the frame on the wire
        self._broken = False
        self._contended = False

    def port(self, name: str, queue_frames: int = 3) -> Port:
        port = Port(self, name, queue_frames)
        self.ports.append(port)
        return port

    def leave(self, port: Port) -> None:
        """The controller is off the bus for good, its queue lost."""
        port.cut()
        self.ports.remove(port)
        self.filters_changed()

    def load(self) -> float:
        """Share of the time so far in which whole frames passed, 0..1."""
        if not self.world.now_ns:
            return 0.0
        return self.bits * S / self.bitrate / self.world.now_ns

    def filters_changed(self) -> None:
        self._receivers.clear()

    def contend(self) -> None:
        """Some port has a frame: arbitrate when all who are waking now have spoken."""
        if self._sender is None and not self._contended:
            self._contended = True
            self.world.at(self.world.now_ns, self._arbitrate, ARBITRATION)

    def _arbitrate(self) -> None:
        self._contended = False
        winner: Port | None = None
        best: Frame | None = None
        lowest = 1 << 33
        for port in self.ports:
            for frame in port.queue:
                key = arbitration_key(frame.id)
                if key < lowest:
                    winner, best, lowest = port, frame, key
        if winner is None or best is None:
            return
        self._sender = winner
        self._broken = False
        bits = frame_bits(best.id, best.data)
        port, frame = winner, best
        end_ns = self.world.now_ns + bits * S // self.bitrate
        self.world.at(end_ns, lambda: self._ended(port, frame, bits))

    def cut(self, port: Port) -> None:
        """A frame of this port that is on the wire will reach nobody."""
        self._broken = self._broken or port is self._sender

    def _ended(self, sender: Port, frame: Frame, bits: int) -> None:
        self._sender = None
        self.bits += bits
        if not self._broken:
            self._delivered(sender, frame)
        self.contend()

    def _delivered(self, sender: Port, frame: Frame) -> None:
        self.frames += 1
        self.payload_bytes += len(frame.data)
        sender.queue.remove(frame)
        self.world.note("frame", sender.name, frame.id, frame.data)
        for listener in self.listeners:
            listener(self.world.now_ns, sender.name, frame)
        receivers = self._receivers.get(frame.id)
        if receivers is None:
            receivers = [port for port in self.ports if port.lets_in(frame.id)]
            self._receivers[frame.id] = receivers
        for port in receivers:
            if port is not sender:
                port.on_frame(frame)
        sender.on_sent(frame)
