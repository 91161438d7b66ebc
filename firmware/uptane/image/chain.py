"""Pieces that are known to be good one by one, before a byte of them is used.

An ECU that overwrites what it runs can not wait for the hash of the whole. So what travels to it
is cut into pieces of PIECE_BYTES, and each but the last is followed by the SHA-256 of the next
with what follows that. The first hash is signed. Whoever goes on after a reset has kept the hash
of the piece in which it was (`hash_at`).
It does NOT know what the pieces hold, nor store anything.
Rules: S-29, T-32, E-78, E-79.
"""

from uptane.errors import TooMuch, Unwanted, WrongPiece
from uptane.limits import DIGEST_BYTES, PIECE_BYTES

if False:  # for the type checker
    from errand import Sink, Work
    from storage import Buffer, Hashing

LINK_BYTES = PIECE_BYTES + DIGEST_BYTES


def travelled(offset: int) -> int:
    """Where in what travels the piece begins that holds this byte of the content."""
    return offset // PIECE_BYTES * LINK_BYTES


class Chain:
    """A sink for what travels of `length` bytes of content; `head` is the hash of the first piece.
    `sink` is given the content."""

    def __init__(self, sink: "Sink", suite: "Hashing", length: int, head: bytes) -> None:
        self._sink = sink
        self._suite = suite
        self._length = length
        self._begin = 0
        self._at = 0  # of the content: where the next piece begins
        self._piece = memoryview(bytearray(LINK_BYTES))
        self._held = 0
        self.offset = 0  # byte of what travels that comes next; -1: one was refused
        self._last = head  # hash of the piece before `_at`
        self._link = head  # ... and of the one from there on

    def go_on(self, begin: int, link: "bytes | None") -> None:
        """Before the first byte came: give the sink the content from `begin` on. `link` is the
        hash of the piece that holds that byte; None: all comes again, and is passed over."""
        self._begin = begin
        if link is not None:
            self._at = begin - begin % PIECE_BYTES
            self.offset = travelled(begin)
            self._last = self._link = link

    def hash_at(self, offset: int) -> bytes:
        """The hash to go on with at a byte of the piece that the sink was last given, or at its
        end."""
        return self._last if offset < self._at else self._link

    def write(self, offset: int, data: "Buffer") -> "Work[None]":
        """The next bytes of what travels. Unwanted if they are not the next ones or one before was
        refused; WrongPiece, TooMuch; refusals of the sink."""
        if offset < 0 or offset != self.offset:
            raise Unwanted
        view = memoryview(data)
        self.offset = -1
        while len(view):
            left = self._length - self._at
            room = (LINK_BYTES if left > PIECE_BYTES else left) - self._held
            if room < 1:
                raise TooMuch
            part = view[:room]
            self._piece[self._held : self._held + len(part)] = part
            self._held += len(part)
            if len(part) == room:
                yield from self._take()
            view = view[len(part) :]
        self.offset = offset + len(data)

    def _take(self) -> "Work[None]":
        piece = self._piece[: self._held]
        hashing = self._suite.sha256()
        hashing.update(piece)
        if hashing.digest() != self._link:
            raise WrongPiece
        content = piece[:PIECE_BYTES]
        start = max(self._at, self._begin)
        part = content[start - self._at :]
        self._last = self._link
        self._link = bytes(piece[PIECE_BYTES:])
        self._at += len(content)
        self._held = 0
        if len(part):
            work = self._sink.write(start, part)
            if work is not None:
                yield from work
