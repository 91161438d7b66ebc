"""cannelloni over TCP: a binary protocol that carries frames between CAN networks.

Both sides say `CANNELLONIv1`, then frames follow: identifier u32 (big-endian, marked as SocketCAN
marks it), length u8 (bit 7: an FD frame, whose flags u8 follow: 1 is the second bit rate), data
unless it is a remote frame. A real cannelloni at the other end joins a real CAN bus to this one.

Source: cannelloni, tcpthread.cpp and decoder.cpp.
"""

from __future__ import annotations

import struct

from muptane.bench.can.frames import Frame
from muptane.bench.join.member import Broken, Dialect, Member
from muptane.identifiers import EXTENDED, EXTENDED_MAX

GREETING = b"CANNELLONIv1"
REMOTE, ERROR = 1 << 30, 1 << 29
FD_FRAME = 0x80
BRS = 1
HEAD = ">IB"
HEAD_BYTES = 5
LENGTH_MAX = 64


class Cannelloni(Dialect):
    """Binary both ways."""

    def __init__(self, member: Member) -> None:
        super().__init__(member)
        self._bytes = b""
        self._greeted = False

    def greet(self) -> None:
        self.member.say(GREETING)

    def take(self, raw: bytes) -> None:
        self._bytes += raw
        if not self._greeted:
            if not GREETING.startswith(self._bytes[: len(GREETING)]):
                raise Broken("it did not begin with CANNELLONIv1")
            if len(self._bytes) < len(GREETING):
                return
            self._greeted = True
            self._bytes = self._bytes[len(GREETING) :]
            self.member.join("cannelloni")
        while (taken := self._take_one()) > 0:
            self._bytes = self._bytes[taken:]

    def _take_one(self) -> int:
        """Send the first frame there is; returns its bytes, 0 if it is not whole yet."""
        if len(self._bytes) < HEAD_BYTES:
            return 0
        marked, length = struct.unpack_from(HEAD, self._bytes)
        fd, length, remote = bool(length & FD_FRAME), length & ~FD_FRAME, bool(marked & REMOTE)
        if length > LENGTH_MAX or marked & ERROR:
            raise Broken(f"a frame of {length} bytes, or an error frame: not sent")
        start = HEAD_BYTES + fd
        end = start + (0 if remote else length)
        if len(self._bytes) < max(end, start):
            return 0
        brs = fd and bool(self._bytes[HEAD_BYTES] & BRS)
        can_id = marked & (EXTENDED | EXTENDED_MAX)
        data = self._bytes[start:end]
        self.member.send(Frame(can_id, data, fd, brs, length if remote else None))
        return end

    def frame(self, frame: Frame) -> bytes:
        remote = frame.remote is not None
        length = len(frame.data) if frame.remote is None else frame.remote
        head = struct.pack(
            HEAD, frame.id | (REMOTE if remote else 0), length | (FD_FRAME if frame.fd else 0)
        )
        return head + (bytes((BRS if frame.brs else 0,)) if frame.fd else b"") + frame.data
