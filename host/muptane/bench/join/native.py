"""The bus's own language (docs/bus.md): records, with word of every frame that has left.

It is what the python-can interface speaks (muptane.bench.join.plugin).
"""

from __future__ import annotations

import struct

from muptane.bench.can.confinement import State
from muptane.bench.can.frames import Frame
from muptane.bench.join import wire
from muptane.bench.join.member import MAILBOXES, Broken, Dialect, Member
from muptane.bench.join.wire import Record


class Native(Dialect):
    """Records both ways."""

    patient = False

    def __init__(self, member: Member) -> None:
        super().__init__(member)
        self._stream = wire.Stream()

    def take(self, raw: bytes) -> None:
        for record in self._stream.feed(raw):
            self._obey(record)

    def _obey(self, record: Record) -> None:
        if record.kind == wire.HELLO:
            self._hello(record.data)
        elif self.member.port is None:
            raise Broken("the first record is not HELLO; this is the bus of muptane, version 2")
        elif record.kind == wire.SEND:
            self.member.send(record.frame(), record.number)
        elif record.kind == wire.FILTER:
            if len(record.data) % wire.FILTER_PAIR_BYTES:
                raise Broken("FILTER is not whole pairs of identifier and mask")
            self.member.filter(list(struct.iter_unpack(wire.FILTER_PAIR, record.data)))
        else:
            raise Broken(f"record kind {record.kind} is not known to version 2")

    def _hello(self, hello: bytes) -> None:
        if self.member.port is not None:
            raise Broken("a second HELLO")
        if not hello.startswith(wire.MAGIC):
            raise Broken(f"HELLO does not begin with {wire.MAGIC.decode()}: another version")
        self.member.join(hello.removeprefix(wire.MAGIC).decode("utf-8", "replace"))
        bus = self.member.bus
        data = struct.pack(wire.RATE, bus.data_bitrate) + self.member.title.encode()
        self.member.say(self._now(Record(wire.WELCOME, MAILBOXES, bus.bitrate, data=data)))

    # --- what it is told ---------------------------------------------------------------------

    def frame(self, frame: Frame) -> bytes:
        return self._now(wire.carrying(wire.FRAME, frame))

    def sent(self, frame: Frame, number: int) -> bytes:
        return self._now(Record(wire.SENT, number, frame.id))

    def failed(self, frame: Frame, number: int, why: str) -> bytes:
        return self._now(Record(wire.FAILED, number, frame.id, data=why.encode()))

    def lost(self, frames: int) -> bytes:
        return self._now(Record(wire.LOST, min(frames, 0xFFFF)))

    def error(self, frame: Frame) -> bytes:
        return self._now(Record(wire.ERROR, 0, frame.id))

    def state(self, state: State, tec: int, rec: int) -> bytes:
        return self._now(Record(wire.STATE, state.value, tec << 16 | rec))

    def refusal(self, why: str) -> bytes:
        return Record(wire.REFUSED, data=why.encode()[: wire.DATA_BYTES_MAX]).packed()

    def _now(self, record: Record) -> bytes:
        return record._replace(time_ns=self.member.time_ns()).packed()
