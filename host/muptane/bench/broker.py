"""The broker: lets other processes of this computer join the virtual bus, in real time.

Whoever connects and says HELLO gets a port of the bus with MAILBOXES transmit mailboxes, hears
every frame its filters let in, and is told when a frame of its own has left. A frame that finds
no free mailbox is answered FAILED: a program has to wait for SENT, as a driver waits for its
controller. A program that does not read loses frames (LOST counts them), never the bus its time;
one that leaves is let finish what it has in its mailboxes. docs/bus.md has the records.

It listens on the loopback address or a socket file only, sends nothing by itself, and starts no
thread: `wait` is called between events (muptane.bench.realtime).
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from muptane.bench import wire
from muptane.bench.can.bus import Bus
from muptane.bench.can.frames import EXTENDED, Frame
from muptane.bench.can.port import Port
from muptane.bench.wire import Record
from muptane.bench.world import S

MAILBOXES = 3
MEMBERS_MAX = 64
BACKLOG_BYTES = 256 * 1024  # towards a program that does not read
READ_BYTES = 65536
FRAME_BYTES = 8
STANDARD_MAX = 0x7FF
EXTENDED_MAX = 0x1FFFFFFF


class Broken(Exception):
    """A program broke the protocol; the message is for its author."""


class Member:
    """One program on the bus: its connection and, from HELLO on, its port."""

    def __init__(self, broker: Broker, connection: socket.socket) -> None:
        self.broker = broker
        self.connection = connection
        self.port: Port | None = None
        self.gone = False
        self.backlog = bytearray()
        self._stream = wire.Stream()
        self._numbers: list[tuple[Frame, int]] = []
        self._lost = 0
        self._coming = 0  # frames on their way to the port

    # --- what it says ------------------------------------------------------------------------

    def hear(self, now_ns: int) -> None:
        """Its connection has something for us; frames go to the bus at `now_ns`."""
        try:
            raw = self.connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            raw = b""
        if not raw:
            self.gone = True
            return
        try:
            for record in self._stream.feed(raw):
                self._take(record, now_ns)
        except Broken as why:
            self.say(Record(wire.REFUSED, data=str(why).encode()))
            self.gone = True

    def _take(self, record: Record, now_ns: int) -> None:
        if record.kind == wire.HELLO:
            self._join(record.data)
        elif self.port is None:
            raise Broken("the first record is not HELLO; this is the bus of muptane, version 1")
        elif record.kind == wire.SEND:
            frame = Frame(record.id, record.data)
            self._check(frame)
            number = record.number
            self._coming += 1
            self.broker.bus.world.at(now_ns, lambda: self._send(frame, number))
        elif record.kind == wire.FILTER:
            self._filter(record.data)
        else:
            raise Broken(f"record kind {record.kind} is not known to version 1")

    def _join(self, hello: bytes) -> None:
        if self.port is not None:
            raise Broken("a second HELLO")
        if not hello.startswith(wire.MAGIC):
            raise Broken(f"HELLO does not begin with {wire.MAGIC.decode()}: another version")
        bus = self.broker.bus
        name = hello.removeprefix(wire.MAGIC).decode("utf-8", "replace") or "unnamed"
        self.port = bus.port(name, MAILBOXES)
        self.port.on_frame = self._frame
        self.port.on_sent = self._sent
        self.port.filters = [(0, 0)]
        bus.filters_changed()
        title = self.broker.name.encode()
        self._tell(Record(wire.WELCOME, MAILBOXES, bus.bitrate, data=title))

    def _check(self, frame: Frame) -> None:
        plain = frame.id & ~EXTENDED
        if plain > (EXTENDED_MAX if frame.id & EXTENDED else STANDARD_MAX):
            raise Broken(f"identifier {plain:#x} is too large; bit 31 marks one of 29 bits")
        if len(frame.data) > FRAME_BYTES:
            raise Broken(f"{len(frame.data)} bytes in a frame; the bus is classic CAN: 8 at most")

    def _filter(self, data: bytes) -> None:
        if len(data) % wire.FILTER_PAIR_BYTES:
            raise Broken("FILTER is not whole pairs of identifier and mask")
        if self.port is not None:
            self.port.filters = list(struct.iter_unpack(wire.FILTER_PAIR, data))
            self.broker.bus.filters_changed()

    def _send(self, frame: Frame, number: int) -> None:
        self._coming -= 1
        if self.port is None:
            return
        if not self.port.send(frame):
            why = f"all {MAILBOXES} mailboxes are full: wait for SENT before the next frame"
            self._tell(Record(wire.FAILED, number, frame.id, data=why.encode()))
            return
        self._numbers.append((frame, number))

    # --- what it is told ---------------------------------------------------------------------

    def _frame(self, frame: Frame) -> None:
        if len(self.backlog) > BACKLOG_BYTES:
            self._lost += 1
            return
        if self._lost:
            self._tell(Record(wire.LOST, min(self._lost, 0xFFFF)))
            self._lost = 0
        self._tell(Record(wire.FRAME, 0, frame.id, data=frame.data))

    def _sent(self, frame: Frame) -> None:
        at = next(at for at, (one, _) in enumerate(self._numbers) if one == frame)
        _, number = self._numbers.pop(at)
        self._tell(Record(wire.SENT, number, frame.id))

    def _tell(self, record: Record) -> None:
        self.say(record._replace(time_ns=self.broker.bus_time_ns()))

    def say(self, record: Record) -> None:
        self.backlog += record.packed()
        self.flush()
        if len(self.backlog) > 2 * BACKLOG_BYTES:  # it sends, and never reads what came of it
            self.backlog.clear()
            self.gone = True

    def flush(self) -> None:
        """Give its connection what it takes now."""
        try:
            while self.backlog:
                del self.backlog[: self.connection.send(self.backlog)]
        except BlockingIOError:
            pass
        except OSError:
            self.backlog.clear()
            self.gone = True

    def leave(self) -> bool:
        """The connection is over: end it when its mailboxes are empty; says whether it has."""
        if self.port is not None:
            if self.port.queue or self._coming:
                return False
            self.broker.bus.leave(self.port)
            self.port = None
        self.connection.close()
        return True


class Broker:
    """Listens at `channel` ("127.0.0.1:PORT", port 0 for any; "unix:PATH") for programs that want
    to join `bus`. `clock` says what time it is in the world (RealTime.now_ns), `name` what the bus
    is called. OSError when it cannot listen there, ValueError when the channel is none, or not of
    this computer alone."""

    def __init__(self, bus: Bus, channel: str, clock: Callable[[], int], name: str) -> None:
        family, address = wire.address(channel)
        if family == socket.AF_INET and address[0] != wire.HOST:
            raise ValueError(f"{channel!r}: the bus listens on {wire.HOST} only")
        self.bus = bus
        self.name = name
        self.members: list[Member] = []
        self._clock = clock
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if family == socket.AF_INET:
                self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(address)
            self._listener.listen()
        except OSError:
            self._listener.close()
            raise
        self._listener.setblocking(False)
        self.channel = wire.channel_of(self._listener)

    def bus_time_ns(self) -> int:
        """Nanoseconds since 1970, as the clocks of this world show them."""
        return self.bus.world.epoch_s * S + self.bus.world.now_ns

    def wait(self, seconds: float) -> None:
        """Serve connections; return after `seconds`, or as soon as one had something."""
        here = [member for member in self.members if not member.gone]
        reads = [self._listener, *(member.connection for member in here)]
        writes = [member.connection for member in here if member.backlog]
        readable, writable, _ = select.select(reads, writes, [], seconds)
        now_ns = self._clock() if readable else 0
        for member in here:
            if member.connection in writable:
                member.flush()
            if member.connection in readable:
                member.hear(now_ns)
        if self._listener in readable:
            self._accept()
        if len(here) < len(self.members) or any(member.gone for member in here):
            self.members = [one for one in self.members if not (one.gone and one.leave())]

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        member = Member(self, connection)
        self.members.append(member)
        if len(self.members) > MEMBERS_MAX:
            why = f"{MEMBERS_MAX} programs are on this bus; end one of them"
            member.say(Record(wire.REFUSED, data=why.encode()))
            member.gone = True

    def close(self) -> None:
        """Everybody leaves; what was in their mailboxes is lost."""
        for member in self.members:
            if member.port is not None:
                self.bus.leave(member.port)
            member.connection.close()
        self.members.clear()
        self._listener.close()
        if self.channel.startswith(wire.UNIX):
            Path(self.channel.removeprefix(wire.UNIX)).unlink(missing_ok=True)
