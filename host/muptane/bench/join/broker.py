"""The broker: lets other processes of this computer join the virtual bus, in real time.

It opens doors, an address each with its language (muptane.bench.join.native, socketcand, slcan,
cannelloni); whoever connects becomes a Member. It listens on the loopback address or a socket file
only, sends nothing by itself, and starts no thread: `wait` is called between events
(muptane.bench.realtime). docs/bus.md is for its users.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from pathlib import Path

from muptane.bench.can.bus import Bus
from muptane.bench.join import wire
from muptane.bench.join.member import Dialect, Member

MEMBERS_MAX = 64

Speaks = Callable[[Member], Dialect]


class Broker:
    """Lets programs join `bus`. `clock` says what time it is in the world (RealTime.now_ns),
    `name` what the bus is called."""

    def __init__(self, bus: Bus, clock: Callable[[], int], name: str) -> None:
        self.bus = bus
        self.name = name
        self.members: list[Member] = []
        self._clock = clock
        self._doors: dict[socket.socket, Speaks] = {}

    def open(self, channel: str, speaks: Speaks) -> str:
        """Listen at "127.0.0.1:PORT" (0: any port that is free) or "unix:PATH" for programs of
        that language; returns the channel under which they find it. OSError when it cannot listen
        there, ValueError when the channel is none, or not of this computer alone."""
        family, address = wire.address(channel)
        if family == socket.AF_INET and address[0] != wire.HOST:
            raise ValueError(f"{channel!r}: the bus listens on {wire.HOST} only")
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if family == socket.AF_INET:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)
        self._doors[listener] = speaks
        return wire.channel_of(listener)

    def wait(self, seconds: float) -> None:
        """Serve connections; return after `seconds`, or as soon as one had something."""
        here = [member for member in self.members if not member.gone]
        reads = [*self._doors, *(member.connection for member in here if member.listened_to())]
        writes = [member.connection for member in here if member.backlog]
        readable, writable, _ = select.select(reads, writes, [], seconds)
        self.bus.world.idle_until(self._clock())  # what is said now is said now
        for member in here:
            if member.connection in writable:
                member.flush()
            if member.connection in readable:
                member.hear()
        for listener in self._doors:
            if listener in readable:
                self._accept(listener)
        if len(here) < len(self.members) or any(member.gone for member in here):
            self.members = [one for one in self.members if not (one.gone and one.leave())]

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        speaks = self._doors[listener]
        member = Member(self.bus, connection, speaks, self._clock, self.name)
        self.members.append(member)
        if len(self.members) > MEMBERS_MAX:
            member.put_out(f"{MEMBERS_MAX} programs are on this bus; end one of them")

    def close(self) -> None:
        """Everybody leaves; what was in their mailboxes is lost."""
        for member in self.members:
            member.close()
        self.members.clear()
        for listener in self._doors:
            name = listener.getsockname()
            listener.close()
            if isinstance(name, str):
                Path(name).unlink(missing_ok=True)
        self._doors.clear()
