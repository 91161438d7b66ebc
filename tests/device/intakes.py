"""An ECU that patches and decrypts, its part and its office in miniature, for tests of intake.

The image that runs and the next one have 20 KB, so one checkpoint lies in the middle. Everything
but the bus is real. Not a test file.
"""

import io

from boards.unix.nor import Geometry, Nor
from claims import run
from memory import SUITE, digest
from patches import sequential, steps
from uptane.crypto import x25519
from uptane.ids import (
    ALG_SHA256,
    CUSTOM_DELTA,
    CUSTOM_ENCRYPTED,
    DELTA_ALGORITHM,
    DELTA_BASE,
    DELTA_HASHES,
    DELTA_LENGTH,
    DELTA_SEQUENTIAL,
    DELTA_WINDOW,
    KIND_DELTA,
    KIND_IMAGE,
)
from uptane.image.intake import Intake
from uptane.store.area import Area
from uptane.store.records import Records
from uptane.store.slots import Slots
from vectors.deltas import noise
from wrapping import (
    BASE,
    ECU,
    SECRECY,
    SECRET,
    WrapMaker,
    ciphertext_of,
    context_of,
    entry_with,
    signing_ecu,
)

BLOCK = 1024
UNIT = 8
PAGE = 256
RECORD_BLOCKS = 8
SLOT_BLOCKS = 21
OLD = noise(7, 2000) * 10
NEW = OLD[:9000] + b"something else" + OLD[8000:18400] + noise(9, 200)
OLD_NUMBER, NUMBER = 10, 205  # wrapping.NUMBER
PATCH = sequential(
    len(NEW), steps((bytes(9000), NEW[9000:9014], -1000), (bytes(10400), NEW[-200:], 0))
)


class Board:
    def __init__(self, deltas, secrecy):
        self.deltas = deltas
        self.secrecy = secrecy


class Taker:
    """What uptane.main.Ecu is to an intake; `start` is what a reset makes of its flash."""

    def __init__(self, deltas=True, secrecy=SECRECY):
        blocks = RECORD_BLOCKS + 2 * SLOT_BLOCKS
        self.nor = Nor(
            io.BytesIO(), Geometry([(0, BLOCK, blocks, 900)], UNIT, 16, PAGE), lambda us: None
        )
        self.board = Board(deltas, secrecy)
        self.suite = SUITE
        self.identity = signing_ecu()
        self.start()
        self.slots.areas[0].program(0, OLD)
        self.slots.provision(OLD_NUMBER, len(OLD), digest(OLD), 1)
        self.start()

    def start(self):
        self.nor.power_on()
        self.records = Records(Area(self.nor, 0, BLOCK, RECORD_BLOCKS, UNIT))
        self.records.mount()
        self.slots = Slots(
            [
                Area(self.nor, BLOCK * (RECORD_BLOCKS + i * SLOT_BLOCKS), BLOCK, SLOT_BLOCKS, UNIT)
                for i in (0, 1)
            ],
            self.records,
        )
        self.slots.boot()
        self.intake = Intake(self)

    def installed(self):
        return self.slots.installed()

    def begin(self, entry):
        """The want for an image, however it travels."""
        want, self.patching = run(self.intake.begin(entry))
        return want

    def bring(self, want, raw, pieces=-1, piece_bytes=500):
        """Bring so many pieces of what is wanted, or all of it."""
        while want.offset < want.cap and pieces:
            piece = bytearray(raw[want.offset : want.offset + piece_bytes])
            work = want.sink.write(want.offset, memoryview(piece))
            if work is not None:
                run(work)
            want.offset += len(piece)
            pieces -= 1

    def finish(self):
        run(self.intake.finish(self.patching))

    def takes(self, entry, raw, piece_bytes=500):
        """Take in an image from wherever it was left; returns where that was."""
        want = self.begin(entry)
        at = want.offset
        self.bring(want, raw, -1, piece_bytes)
        self.finish()
        return at

    def made(self):
        """The image that is staged, as it lies there."""
        staged = self.slots.staged()
        return staged and self.slots.areas[1].read(0, staged.length)


def delta_said(patch=PATCH, base=OLD, algorithm=DELTA_SEQUENTIAL):
    """What a Director's custom says of a delta."""
    return {
        DELTA_ALGORITHM: algorithm,
        DELTA_LENGTH: len(patch),
        DELTA_HASHES: {ALG_SHA256: digest(patch)},
        DELTA_BASE: [len(base), {ALG_SHA256: digest(base)}],
        DELTA_WINDOW: [8, 7],
    }


PUBLIC = run(x25519.agree(SECRET, BASE))
WRAPS = {}


def wrap_of(plain, kind):
    """An honest wrap of the content key of some bytes; made once, for it takes long."""
    key = (digest(plain), kind)
    if key not in WRAPS:
        maker = WrapMaker(PUBLIC)
        maker.context = context_of(plain, kind=kind)
        WRAPS[key] = maker.make()
    return WRAPS[key]


def said(plain, kind):
    """What custom says of them encrypted."""
    return [1, digest(ciphertext_of(plain)), {ECU: wrap_of(plain, kind)}]


def ways():
    """(name, entry, what travels) of every way in which the new image may come."""
    return (
        ("whole", entry_with(None, NEW), NEW),
        ("delta", entry_with({CUSTOM_DELTA: delta_said()}, NEW), PATCH),
        (
            "encrypted",
            entry_with({CUSTOM_ENCRYPTED: said(NEW, KIND_IMAGE)}, NEW),
            ciphertext_of(NEW),
        ),
        (
            "encrypted delta",
            entry_with(
                {CUSTOM_ENCRYPTED: said(PATCH, KIND_DELTA), CUSTOM_DELTA: delta_said()}, NEW
            ),
            ciphertext_of(PATCH),
        ),
    )
