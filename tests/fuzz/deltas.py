"""Targets that apply a delta: bytes in, an image of the announced length or a refusal out.

The first byte says how large the pieces are and after how many of them the ECU is reset, the rest
is the patch. Where it goes on from a checkpoint it has to end as it does without a reset.
"""

from hashlib import sha256

from claims import run
from fuzz.finding import claim
from uptane.errors import FlashFault, Refusal, WrongHash
from uptane.image.delta import Patch
from uptane.image.in_place import InPlace
from uptane.image.plan import Plan
from uptane.store.area import Area

OLD = bytes([i * i & 0xFF for i in range(200)])
NEW_BYTES = 160
BLOCK = 64
BLOCKS = 6
LAYOUT = (BLOCK * BLOCKS, BLOCK, 2 * BLOCK)


class Suite:
    def sha256(self):
        return sha256()


class Sequential:
    """An ECU with a spare slot."""

    layout = None

    def __init__(self, patch):
        self.new = bytearray(NEW_BYTES)
        self.made = 0
        self.plan = Plan(bytes(32), len(patch), len(OLD), NEW_BYTES, self.layout)
        self.work = Patch(self.plan, self.read_into, self.write)

    def read_into(self, at, buffer):
        claim(at >= 0 and at + len(buffer) <= len(OLD), "only the old image is read")
        buffer[:] = OLD[at : at + len(buffer)]

    def write(self, view):
        end = self.made + len(view)
        claim(end <= NEW_BYTES, "no more is written than was announced")
        self.new[self.made : end] = view
        self.made = end
        yield

    def give(self, piece):
        used = run(self.work.take(piece, NEW_BYTES))
        claim(used == len(piece), "all of a piece is used")

    def reset(self):
        raw = self.work.checkpoint()
        self.work = Patch(self.plan, self.read_into, self.write)
        self.work.restore(raw)
        self.made = self.work.made
        return self.work.position

    def finish(self):
        self.work.finish()
        claim(self.made == NEW_BYTES, "all of it was made")
        return bytes(self.new)


class OneSlot(Sequential):
    """An ECU without; what it was given is authentic, so only what it may touch is looked at."""

    layout = LAYOUT

    def __init__(self, patch):
        self.plan = Plan(bytes(32), len(patch), len(OLD), NEW_BYTES, self.layout)
        self.flash = bytearray(b"\xff" * BLOCK * BLOCKS)
        self.flash[: len(OLD)] = OLD
        self.area = Area(self, 0, BLOCK, BLOCKS, 1)
        self.saved = None
        self.start()

    def start(self):
        self.work = InPlace(self.area, self.plan, self.save)

    def save(self, raw):
        self.saved = bytes(raw)

    def read_into(self, address, buffer):
        buffer[:] = self.flash[address : address + len(buffer)]

    def program(self, address, data):
        end = address + len(data)
        claim(self.flash[address:end] == b"\xff" * len(data), "what is programmed was erased")
        self.flash[address:end] = data

    def erase(self, address):
        self.flash[address : address + BLOCK] = b"\xff" * BLOCK

    def give(self, piece):
        run(self.work.write(piece))

    def reset(self):
        self.start()
        if self.saved is not None:
            self.work.restore(self.saved)
        return self.work.resume_offset()

    def finish(self):
        made = bytes(self.flash[:NEW_BYTES])
        try:
            run(self.work.finish(Suite(), sha256(made).digest()))
        except WrongHash:
            claim(False, "what lies there is what was hashed")
        return made


def ending(ecu, patch, piece_bytes, pieces):
    """The image that comes of it, or the refusal; reset once, after so many pieces."""
    at = 0
    try:
        while at < len(patch):
            ecu.give(patch[at : at + piece_bytes])
            at += piece_bytes
            pieces -= 1
            if pieces == 0 and at < len(patch):
                at = ecu.reset()
        return ecu.finish()
    except FlashFault:
        claim(False, "nothing outside the area is touched")
    except Refusal as refusal:
        return refusal


def applied(kind, raw):
    """The whole patch at once and in pieces end alike."""
    patch = bytes(raw[1:])
    mode = raw[0] if raw else 0
    whole = ending(kind(patch), patch, 1024, 0)
    split = ending(kind(patch), patch, 1 + (mode & 7) * 3, mode >> 3)
    if not isinstance(whole, Refusal):
        claim(whole == split, "in pieces the same image is made")
        return
    claim(isinstance(split, Refusal), "in pieces it is refused, too")
    raise whole


def sequential(raw):
    applied(Sequential, raw)


def in_place(raw):
    applied(OneSlot, raw)
