"""An ECU whose interpreter is a script: what a node does with an interpreter, step by step.

A life is a generator that yields messages as boards/unix/silicon.py describes them and is sent
News. Not a test file.
"""

import struct
from typing import NamedTuple

from boards.unix import silicon
from muptane.bench.can.bus import Bus
from muptane.bench.can.frames import Frame, frame_bits
from muptane.bench.nodes import Node
from muptane.bench.world import US, S, World

BITRATE = 500_000
FRAME_NS = frame_bits(0x100, bytes(8)) * S // BITRATE
ALL = [(0, 0)]


class News(NamedTuple):
    """What the world tells a node when it wakes."""

    now_us: int
    free: list[int]  # transmit buffers
    overruns: int
    data: list[bytes]


def said(kind, records=b"", count=0, **rest):
    """A message of a node: see boards/unix/silicon.py."""
    fields = {
        "data_bytes": 8,
        "records": count,
        "unread": 0,
        "until_us": silicon.NEVER,
        "busy_us": 0,
        "frames": 0,
        "watch": 0,
        "low": silicon.NOT_SENDING,
    }
    fields.update(rest)
    return struct.pack(silicon.NODE_HEAD, kind, *fields.values()) + records


def record(after_us, can_id, data, buffer, flags=0):
    head = struct.pack(silicon.SENT, after_us, can_id, buffer, flags, len(data))
    return head + data.ljust(8, b"\0")


def sleep(sends=(), buffers=range(256), **rest):
    """Send these (after us, identifier, data) from those buffers, and sleep: until_us, frames,
    low."""
    records = b"".join(record(*send, at) for at, send in zip(buffers, sends, strict=False))
    return said(silicon.WAIT, records, len(sends), **rest)


def listen(filters=ALL):
    records = b"".join(record(f, mask, b"", 0) for f, mask in filters)
    return said(silicon.FILTER, records, len(filters), frames=1)


class Scripted:
    """An interpreter whose lives are generators: they yield messages and are sent News."""

    def __init__(self, *lives):
        self.lives = list(lives)
        self.started_us = []
        self.stops = 0
        self.world = None

    def start(self):
        self.started_us.append(self.world.now_ns // US)
        self._life = self.lives.pop(0)()
        return next(self._life)

    def exchange(self, message):
        head = struct.unpack_from(silicon.WORLD_HEAD, message)
        data = []
        for i in range(head[1]):
            at = silicon.WORLD_HEAD_BYTES + i * (silicon.RECEIVED_BYTES + head[2])
            length = message[at + silicon.RECEIVED_BYTES - 1]
            at += silicon.RECEIVED_BYTES
            data.append(message[at : at + length])
        free = [buffer for buffer in range(3) if not head[4] >> buffer & 1]
        return self._life.send(News(head[0], free, head[-1], data))

    def stop(self):
        self.stops += 1


class Rig:
    """A world with one node and one foreign port on its bus."""

    def __init__(self, *lives, rx_queue=8, tx_queue=3):
        self.world = World()
        self.bus = Bus(self.world, BITRATE)
        self.interpreter = Scripted(*lives)
        self.interpreter.world = self.world
        port = self.bus.port("node", tx_queue)
        self.node = Node(self.world, 0, port, self.interpreter, rx_queue)
        self.other = self.bus.port("other", 100)
        self.passed = []
        self.bus.listeners.append(lambda *heard: self.passed.append(heard))

    def on(self):
        self.node.power_on()
        return self

    def send(self, count, can_id=0x100):
        """Put frames on the bus back to back; their data begins with their number."""
        for number in range(count):
            self.other.send(Frame(can_id, bytes([number]) + bytes(7)))

    def run_until_us(self, us):
        self.world.at(us * US, lambda: None)
        self.world.run(lambda: self.world.now_ns >= us * US)

    def from_node(self):
        return [(ns // US, frame.id) for ns, sender, frame in self.passed if sender == "node"]
