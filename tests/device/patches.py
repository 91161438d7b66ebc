"""Patches written by hand, and what applies a patch to an image that lies in memory.

Only literals are written: what detools makes stands in tests/vectors. Not a test file.
"""

from hashlib import sha256

from claims import run
from uptane.image.delta import Patch
from uptane.image.plan import Plan
from vectors.deltas import images

SEQUENTIAL = 0x04
IN_PLACE = 0x14
WINDOW = 0x44  # 8 bits of a distance, 7 of a count


class Stream:
    """A heatshrink stream, token by token."""

    def __init__(self, window: int = 8, lookahead: int = 7):
        self.window = window
        self.lookahead = lookahead
        self.made = bytearray()
        self.held = 1  # a bit in front, then the bits of the byte that is not full

    def literals(self, data):
        for byte in data:
            self._put(0x100 | byte, 9)
        return self

    def repeat(self, distance, count):
        self._put(0, 1)
        self._put(distance - 1, self.window)
        self._put(count - 1, self.lookahead)
        return self

    def packed(self, padding: int = 0):
        held = self.held
        while 1 < held < 0x100:
            held = held << 1 | padding
        return bytes(self.made) + (bytes([held & 0xFF]) if held > 1 else b"")

    def _put(self, value, bits):
        for i in range(bits - 1, -1, -1):
            self.held = self.held << 1 | value >> i & 1
            if self.held >= 0x100:
                self.made.append(self.held & 0xFF)
                self.held = 1


def number(value: int) -> bytes:
    """An integer as detools packs it."""
    rest = abs(value)
    made = bytearray([rest & 0x3F | (0x40 if value < 0 else 0)])
    rest >>= 6
    while rest:
        made[-1] |= 0x80
        made.append(rest & 0x7F)
        rest >>= 7
    return bytes(made)


def steps(*listed: "tuple[bytes, bytes, int]") -> bytes:
    """The steps of one segment, (to add, new bytes, how far to go on), before compression."""
    made = number(0)
    for diff, extra, adjust in listed:
        made += number(len(diff)) + diff + number(len(extra)) + extra + number(adjust)
    return made


def sequential(new_length: int, plain: bytes) -> bytes:
    """A whole sequential patch of what `steps` gives."""
    head = bytes([SEQUENTIAL]) + number(new_length) + bytes([WINDOW])
    return head + Stream().literals(plain).packed()


def plan_of(patch: bytes, old: bytes, new_length: int, layout=None) -> Plan:
    return Plan(sha256(patch).digest(), len(patch), len(old), new_length, layout)


class Applying:
    """A patch on its way; `new` is what it made. Reading outside the old image fails the test."""

    def __init__(self, patch: bytes, old: bytes, new_length: int):
        self.patch = patch
        self.old = old
        self.new = bytearray()
        self.new_length = new_length
        self.work = Patch(plan_of(patch, old, new_length), self.read_into, self.write)

    def read_into(self, at, buffer):
        assert at >= 0 and at + len(buffer) <= len(self.old), "outside the old image"
        buffer[:] = memoryview(self.old)[at : at + len(buffer)]

    def write(self, view):
        self.new += bytes(view)
        assert len(self.new) <= self.new_length, "more than announced"
        yield

    def give(self, end: int, piece_bytes: int = 1024):
        """Give the patch up to that byte."""
        while self.work.position < end:
            at = self.work.position
            piece = self.patch[at : min(at + piece_bytes, end)]
            assert run(self.work.take(piece, self.new_length)) == len(piece)

    def whole(self, piece_bytes: int = 1024) -> bytes:
        self.give(len(self.patch), piece_bytes)
        self.work.finish()
        return bytes(self.new)


def vector(made):
    """(patch, old image, new image, layout) of a vector."""
    scale, _, layout, patch = made
    old, new = images(scale)
    return patch, old, new, layout
