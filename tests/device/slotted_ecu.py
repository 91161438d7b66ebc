"""An ECU of two slots and its boot records in a modelled flash, and the stages of an update.

It is brought to where a test begins: provisioned, with an image staged, or running one on trial.
The part, the records and the slots are real; the images are bytes. Not a test file.
"""

import hashlib
import io

from boards.unix.nor import Geometry, Nor
from claims import run
from uptane.store.area import Area
from uptane.store.boot import Installed
from uptane.store.records import Records
from uptane.store.slots import Slots

BLOCK = 1024
UNIT = 8
RECORDS = 0
SLOT_A = 4 * BLOCK
SLOT_B = 8 * BLOCK
SLOT_BLOCKS = 4

OLD = b"old image " * 200
NEW = bytes([i * 7 & 0xFF for i in range(2501)])
OLD_NUMBER, NEW_NUMBER = 10, 11


class Suite:
    sha256 = staticmethod(hashlib.sha256)


def digest_of(image: bytes) -> bytes:
    return hashlib.sha256(image).digest()


class Stuck(Nor):
    """A cell that cannot be cleared."""

    stuck = -1

    def poke(self, address, data):
        data = bytearray(data)
        if address <= self.stuck < address + len(data):
            data[self.stuck - address] = 0xFF
        super().poke(address, data)


class Ecu:
    """A part, and what a reset makes of its content."""

    def __init__(self, content=b""):
        geometry = Geometry([(0, BLOCK, 12, 900)], UNIT, 16)
        self.nor = Stuck(io.BytesIO(content), geometry, lambda us: None)
        self.start()

    def content(self):
        """All that lies in its flash: to make another ECU like this one of it."""
        content = bytearray(12 * BLOCK)
        self.nor.peek(0, content)
        return bytes(content)

    def start(self):
        self.nor.power_on()
        self.records = Records(Area(self.nor, RECORDS, BLOCK, 4, UNIT))
        self.records.mount()
        areas = [Area(self.nor, at, BLOCK, SLOT_BLOCKS, UNIT) for at in (SLOT_A, SLOT_B)]
        self.slots = Slots(areas, self.records)

    def reset(self):
        self.start()
        return self.slots.boot()

    def image_in(self, slot, n):
        return self.slots.areas[slot].read(0, n)


def provisioned() -> Ecu:
    ecu = Ecu()
    padded = OLD + b"\xff" * (-len(OLD) % UNIT)
    ecu.slots.areas[0].program(0, padded)
    ecu.slots.provision(OLD_NUMBER, len(OLD), digest_of(OLD), 1)
    assert ecu.reset() == (0, False)
    return ecu


def begin(ecu, image=NEW, release=2):
    return ecu.slots.begin(Installed(NEW_NUMBER, len(image), digest_of(image), release))


def send(ecu, image=NEW, end=None, step=100):
    at = ecu.slots.resume_offset()
    end = len(image) if end is None else end
    while at < end:
        ecu.slots.write(at, image[at : min(at + step, end)])
        at += len(image[at : min(at + step, end)])


def staged() -> Ecu:
    ecu = provisioned()
    run(begin(ecu))
    send(ecu)
    run(ecu.slots.finish(Suite))
    return ecu


def on_trial() -> Ecu:
    ecu = staged()
    ecu.slots.start_trial()
    assert ecu.reset() == (1, True)
    return ecu
