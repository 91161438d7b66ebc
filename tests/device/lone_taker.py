"""An ECU without a spare slot, its part and its office in miniature, for tests of rewriting.

Everything but the bus is real. Not a test file.
"""

import io

from boards.unix.nor import Geometry, Nor
from claims import run
from intakes import PUBLIC, Board, said
from memory import SUITE, digest
from one_slot import BLOCK, PAGE, UNIT
from patches import vector
from uptane import cbor
from uptane.errors import Refusal
from uptane.ids import (
    ALG_SHA256,
    BOOT_TRIAL,
    CUSTOM_CHAIN,
    CUSTOM_DELTA,
    CUSTOM_ENCRYPTED,
    CUSTOM_RECOVERY,
    DELTA_ALGORITHM,
    DELTA_BASE,
    DELTA_HASHES,
    DELTA_IN_PLACE,
    DELTA_LAYOUT,
    DELTA_LENGTH,
    DELTA_WINDOW,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    KIND_DELTA,
    KIND_IMAGE,
    MATCH_HARDWARE,
    MATCH_RELEASE,
)
from uptane.image.rewriting import Rewriting
from uptane.limits import PIECE_BYTES
from uptane.store.area import Area
from uptane.store.records import Records
from uptane.store.sole import Sole
from vectors.deltas import SHIFTED
from wrapping import (
    ECU,
    SECRECY,
    WrapMaker,
    ciphertext_of,
    context_of,
    entry_with,
    signing_ecu,
)

RECORD_BYTES, RECORD_BLOCKS = 4096, 3
OLD_NUMBER = 10
PATCH, OLD, NEW, LAYOUT = vector(SHIFTED)
PLACE_BYTES = LAYOUT[0]


class LoneTaker:
    """What uptane.main.Ecu is to a Rewriting; `start` is what a reset makes of its flash."""

    def __init__(self, deltas=True, secrecy=SECRECY):
        regions = [(0, BLOCK, PLACE_BYTES // BLOCK, 900)]
        regions.append((PLACE_BYTES, RECORD_BYTES, RECORD_BLOCKS, 900))
        self.nor = Nor(io.BytesIO(), Geometry(regions, UNIT, 16, PAGE), lambda us: None)
        self.board = Board(deltas, secrecy)
        self.suite = SUITE
        self.identity = signing_ecu()
        self.start()
        self.slots.areas[0].program(0, OLD + b"\xff" * (-len(OLD) % UNIT))
        self.slots.provision(OLD_NUMBER, len(OLD), digest(OLD), 1)
        self.start()

    def start(self):
        self.nor.power_on()
        self.records = Records(Area(self.nor, PLACE_BYTES, RECORD_BYTES, RECORD_BLOCKS, UNIT))
        self.records.mount()
        area = Area(self.nor, 0, BLOCK, PLACE_BYTES // BLOCK, UNIT)
        self.slots = Sole(area, self.records)
        _, self.on_trial = self.slots.boot()
        run(self.slots.check(SUITE))
        self.rewriting = Rewriting(self)

    def installed(self):
        return self.slots.installed()

    def bring(self, want, raw, pieces=-1, piece_bytes=500):
        """Bring so many pieces of what is wanted, or all of it."""
        while want.offset < want.cap and pieces:
            piece = bytearray(raw[want.offset : want.offset + piece_bytes])
            run(want.sink.write(want.offset, memoryview(piece)))
            want.offset += len(piece)
            pieces -= 1

    def takes(self, entry, raw, piece_bytes=500):
        """Take in an image from wherever it was left; returns where that was."""
        want, rewrite = run(self.rewriting.begin(entry))
        at = want.offset
        self.bring(want, raw, -1, piece_bytes)
        run(self.rewriting.finish(rewrite))
        return at

    def goes_back(self, raw=OLD):
        """Let the confirmed image come back."""
        self.takes(self.rewriting.way_back(), raw)

    def content(self, n):
        return self.slots.areas[0].read(0, n)

    def runs(self, image):
        """Does that image lie there, and may it run?"""
        return not self.slots.rotten and self.content(len(image)) == image


def delta_said():
    return {
        DELTA_ALGORITHM: DELTA_IN_PLACE,
        DELTA_LENGTH: len(PATCH),
        DELTA_HASHES: {ALG_SHA256: digest(PATCH)},
        DELTA_BASE: [len(OLD), {ALG_SHA256: digest(OLD)}],
        DELTA_WINDOW: [8, 7],
        DELTA_LAYOUT: list(LAYOUT),
    }


def chained(content):
    """(what travels, the hash of its first piece), by docs/pouf.md alone."""
    travels, link = b"", b""
    for at in range((len(content) - 1) // PIECE_BYTES * PIECE_BYTES, -1, -PIECE_BYTES):
        piece = content[at : at + PIECE_BYTES] + link
        travels, link = piece + travels, digest(piece)
    return travels, link


def in_pieces(custom, raw, recovery=None, ecus=(ECU,)):
    """(entry of the new image, what travels) for something that travels in pieces."""
    travels, head = chained(raw)
    custom[CUSTOM_CHAIN] = [digest(travels), head, list(ecus)]
    if recovery is not None:
        custom[CUSTOM_RECOVERY] = recovery
    return entry_with(custom, NEW), travels


def recovery_of(content=OLD, number=OLD_NUMBER, custom=None):
    """An image to go back to, as the Director's custom says it."""
    value = {
        ENTRY_LENGTH: len(content),
        ENTRY_HASHES: {ALG_SHA256: digest(content)},
        ENTRY_MATCH: {MATCH_HARDWARE: [7], MATCH_RELEASE: 1},
    }
    if custom is not None:
        value[5] = custom
    return cbor.dumps([number, value])


def ways():
    """(name, entry, what travels) of every way in which the new image may overwrite the old."""
    sealed = {CUSTOM_ENCRYPTED: said(NEW, KIND_IMAGE)}
    both = {CUSTOM_ENCRYPTED: said(PATCH, KIND_DELTA), CUSTOM_DELTA: delta_said()}
    return (
        ("whole",) + in_pieces({}, NEW),
        ("delta",) + in_pieces({CUSTOM_DELTA: delta_said()}, PATCH),
        ("encrypted",) + in_pieces(sealed, ciphertext_of(NEW)),
        ("encrypted delta",) + in_pieces(both, ciphertext_of(PATCH)),
    )


def refused(work):
    """The number of the refusal that `work()` ends with, or 0."""
    try:
        work()
    except Refusal as refusal:
        return refusal.number
    return 0


def confirmed(taker) -> None:
    """Try what is staged, and keep it."""
    taker.slots.start_trial()
    taker.start()
    assert taker.on_trial and not taker.slots.rotten
    assert taker.slots.boot_state() == BOOT_TRIAL
    taker.slots.confirm()
    taker.start()


def said_old():
    """What a Director says of the old image, encrypted for this ECU."""
    maker = WrapMaker(PUBLIC)
    maker.context = context_of(OLD, number=OLD_NUMBER)
    return [1, digest(ciphertext_of(OLD)), {ECU: maker.make()}]
