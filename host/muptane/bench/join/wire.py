"""What passes between the virtual bus and a program that has joined it: records over a stream.

A record is 20 bytes (big-endian: kind u8, flags u8, bytes that follow u8, asked u8, number u16,
two spare bytes, identifier u32, time u64) and at most 255 bytes of data. docs/bus.md says which
records there are and in what order; this module packs them, takes them from a stream again, makes
frames of them, and reads the address of a bus.

It opens no socket and knows neither the bus nor python-can.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from muptane.bench.can.frames import Frame

HEAD = ">BBBBHxxIQ"
HEAD_BYTES = 20
DATA_BYTES_MAX = 255
MAGIC = b"muptane2"  # opens the data of HELLO; the name of who joins follows

# From a program to the bus.
HELLO = 1
SEND = 2
FILTER = 3  # data: pairs of identifier u32 and mask u32; none: nothing comes in
# From the bus to a program.
WELCOME = 0x81  # number: mailboxes; identifier: bit/s; data: bit/s of FD (0: none), and the name
REFUSED = 0x82  # data: a sentence; the connection ends
FRAME = 0x83
SENT = 0x84  # the frame with that number has left
FAILED = 0x85  # it never will; data: a sentence
LOST = 0x86  # number: frames that were not delivered because nobody read them
ERROR = 0x87  # a frame was destroyed on the bus
STATE = (
    0x88  # of the program's own controller; number: 1 active .. 4 bus-off; identifier: TEC, REC
)

# Flags of a frame; `asked`: how many bytes a remote frame asks for.
FD = 1
BRS = 2
REMOTE = 4

RATE = ">I"
RATE_BYTES = 4
FILTER_PAIR = ">II"
FILTER_PAIR_BYTES = 8
FILTERS_MAX = DATA_BYTES_MAX // FILTER_PAIR_BYTES

HOST = "127.0.0.1"
UNIX = "unix:"


class Record(NamedTuple):
    """One record. `time_ns`: bus time, nanoseconds since 1970; 0 towards the bus."""

    kind: int
    number: int = 0
    id: int = 0
    time_ns: int = 0
    data: bytes = b""
    flags: int = 0
    asked: int = 0

    def packed(self) -> bytes:
        facts = (self.kind, self.flags, len(self.data), self.asked, self.number)
        return struct.pack(HEAD, *facts, self.id, self.time_ns) + self.data

    def frame(self) -> Frame:
        """The frame that it carries."""
        remote = self.asked if self.flags & REMOTE else None
        fd, brs = bool(self.flags & FD), bool(self.flags & BRS)
        return Frame(self.id, self.data, fd, brs, remote)


def carrying(kind: int, frame: Frame, number: int = 0) -> Record:
    """A record that carries a frame."""
    flags = (FD if frame.fd else 0) | (BRS if frame.brs else 0)
    if frame.remote is not None:
        flags |= REMOTE
    return Record(kind, number, frame.id, 0, frame.data, flags, frame.remote or 0)


class Stream:
    """Records out of the bytes of a connection, however they were cut."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, raw: bytes) -> Iterator[Record]:
        """Take bytes; yields the records that they complete."""
        self._bytes += raw
        at = 0
        while len(self._bytes) - at >= HEAD_BYTES:
            kind, flags, length, asked, number, can_id, time_ns = struct.unpack_from(
                HEAD, self._bytes, at
            )
            end = at + HEAD_BYTES + length
            if len(self._bytes) < end:
                break
            data = bytes(self._bytes[at + HEAD_BYTES : end])
            yield Record(kind, number, can_id, time_ns, data, flags, asked)
            at = end
        del self._bytes[:at]


def address(channel: str) -> tuple[socket.AddressFamily, tuple[str, int] | str]:
    """Family and address of "HOST:PORT" or "unix:PATH". ValueError says what is wrong with it."""
    if channel.startswith(UNIX):
        return socket.AF_UNIX, channel.removeprefix(UNIX)
    host, _, port = channel.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 0xFFFF:
        raise ValueError(f"{channel!r} is no address of a bus: say HOST:PORT or unix:PATH")
    return socket.AF_INET, (host, int(port))


def channel_of(listener: socket.socket) -> str:
    """The channel under which a listening socket is found."""
    if listener.family == socket.AF_UNIX:
        return f"{UNIX}{listener.getsockname()}"
    host, port = listener.getsockname()
    return f"{host}:{port}"
