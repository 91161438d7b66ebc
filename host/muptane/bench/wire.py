"""What passes between the virtual bus and a program that has joined it: records over a stream.

A record is 16 bytes (big-endian: kind u8, bytes that follow u8, number u16, identifier u32, time
u64) and at most 255 bytes of data. docs/bus.md says which records there are and in what order;
this module packs them, takes them from a stream again, and reads the address of a bus.

It opens no socket and knows neither the bus nor python-can.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

HEAD = ">BBHIQ"
HEAD_BYTES = 16
DATA_BYTES_MAX = 255
MAGIC = b"muptane1"  # opens the data of HELLO; the name of who joins follows

# From a program to the bus.
HELLO = 1
SEND = 2
FILTER = 3  # data: pairs of identifier u32 and mask u32; none: nothing comes in
# From the bus to a program.
WELCOME = 0x81  # number: mailboxes; identifier: bit/s; data: the name of the bus
REFUSED = 0x82  # data: a sentence; the connection ends
FRAME = 0x83
SENT = 0x84  # the frame with that number has left
FAILED = 0x85  # it never will; data: a sentence
LOST = 0x86  # number: frames that were not delivered because nobody read them

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

    def packed(self) -> bytes:
        head = struct.pack(HEAD, self.kind, len(self.data), self.number, self.id, self.time_ns)
        return head + self.data


class Stream:
    """Records out of the bytes of a connection, however they were cut."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, raw: bytes) -> Iterator[Record]:
        """Take bytes; yields the records that they complete."""
        self._bytes += raw
        at = 0
        while len(self._bytes) - at >= HEAD_BYTES:
            kind, length, number, can_id, time_ns = struct.unpack_from(HEAD, self._bytes, at)
            end = at + HEAD_BYTES + length
            if len(self._bytes) < end:
                break
            yield Record(kind, number, can_id, time_ns, bytes(self._bytes[at + HEAD_BYTES : end]))
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
