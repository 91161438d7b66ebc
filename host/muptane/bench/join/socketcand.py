"""socketcand: the text protocol that python-can, SavvyCAN, Kayak and caringcaribou speak.

`< hi >` greets; `< open BUS >` and `< rawmode >` are answered `< ok >`, and from then on frames
pass: `< send 7E0 3 2 3e 0 >` to the bus, `< frame 7E8 1767225600.123456 027E00 >` from it. An
identifier of 8 digits has 29 bits. Every bus name opens the one bus there is.

The protocol has no FD and no remote frames: those are not told. python-can takes whatever follows
an answer at once for a part of it, so for QUIET_NS after rawmode nothing is told either.
Source: socketcand, doc/protocol.md.
"""

from __future__ import annotations

from muptane.bench.can.frames import Frame
from muptane.bench.join.member import Broken, Dialect, Member
from muptane.bench.world import MS
from muptane.identifiers import EXTENDED, EXTENDED_MAX

OPEN, CLOSE = b"<", b">"
COMMAND_BYTES_MAX = 256
EXTENDED_DIGITS = 8
QUIET_NS = 20 * MS
US_PER_S = 1_000_000


class Socketcand(Dialect):
    """Text both ways, each command between < and >."""

    def __init__(self, member: Member) -> None:
        super().__init__(member)
        self._text = b""
        self._opened = False
        self._speaks_from_ns: int | None = None  # rawmode, and when it began

    def greet(self) -> None:
        self.member.say(b"< hi >")

    def take(self, raw: bytes) -> None:
        self._text += raw
        while CLOSE in self._text:
            command, _, self._text = self._text.partition(CLOSE)
            before, mark, inside = command.partition(OPEN)
            if not mark or before.strip():
                raise Broken("a command stands between < and >")
            self._obey(inside.decode("ascii", "replace").split())
        if len(self._text) > COMMAND_BYTES_MAX:
            raise Broken(f"no > within {COMMAND_BYTES_MAX} bytes")

    def _obey(self, words: list[str]) -> None:
        verb, rest = (words[0], words[1:]) if words else ("", [])
        if verb == "echo":
            self.member.say(b"< echo >")
        elif verb == "open":
            self._open(rest)
        elif not self._opened:
            raise Broken("open a bus first: < open can0 >")
        elif verb == "rawmode":
            self.member.say(b"< ok >")
            self._speaks_from_ns = self.member.time_ns() + QUIET_NS
        elif verb == "send":
            self.member.send(_frame(rest))
        else:
            raise Broken(f"{verb} is not known: open, rawmode, send and echo are")

    def _open(self, words: list[str]) -> None:
        if len(words) != 1 or self._opened:
            raise Broken("open one bus, once: < open can0 >")
        self._opened = True
        self.member.join("socketcand")
        self.member.say(b"< ok >")

    def frame(self, frame: Frame) -> bytes:
        now_ns = self.member.time_ns()
        if self._speaks_from_ns is None or now_ns < self._speaks_from_ns:
            return b""
        if frame.fd or frame.remote is not None:
            return b""
        if frame.id & EXTENDED:
            name = f"{frame.id & EXTENDED_MAX:08X}"
        else:
            name = f"{frame.id:03X}"
        seconds, us = divmod(now_ns // 1000, US_PER_S)
        return f"< frame {name} {seconds}.{us:06d} {frame.data.hex().upper()} >".encode()

    def refusal(self, why: str) -> bytes:
        return f"< error {why} >".encode()


def _frame(words: list[str]) -> Frame:
    """`7E0 3 2 3e 0`: identifier, length, and so many bytes, all in hexadecimal."""
    try:
        can_id, length = int(words[0], 16), int(words[1], 16)
        data = bytes(int(word, 16) for word in words[2:])
    except (IndexError, ValueError) as error:
        raise Broken("send takes an identifier, a length and its bytes, in hexadecimal") from error
    if length != len(data):
        raise Broken(f"send says {length} bytes, and has {len(data)}")
    return Frame(can_id | (EXTENDED if len(words[0]) == EXTENDED_DIGITS else 0), data)
