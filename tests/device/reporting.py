"""An ECU as far as it reports: identity, records on a part, its Reports. Not a test file."""

import io

from boards.unix.nor import Geometry, Nor
from claims import run
from memory import SUITE
from uptane import cbor
from uptane.identity import Identity
from uptane.ids import (
    BOOT_CONFIRMED,
    FULL,
    IDENTITY_DIRECTOR,
    IDENTITY_ECU,
    IDENTITY_HARDWARE,
    IDENTITY_LINK,
    IDENTITY_SEED,
    IDENTITY_VEHICLE,
    IDENTITY_VERIFICATION,
)
from uptane.report import Reports
from uptane.store.area import Area
from uptane.store.boot import Installed
from uptane.store.records import Records

SEED = b"\x17" * 32
DIRECTOR = b"\xd1" * 32
NONCE = b"nonce--8"
IMAGE = Installed(201, 5000, b"\x1a" * 32, 3)
BLOCK_BYTES = 2048


def identity_fields():
    return {
        IDENTITY_ECU: 2,
        IDENTITY_HARDWARE: 0x2001,
        IDENTITY_VEHICLE: "VIN-1",
        IDENTITY_VERIFICATION: FULL,
        IDENTITY_SEED: SEED,
        IDENTITY_DIRECTOR: DIRECTOR,
        IDENTITY_LINK: [0x7E1, 0x7E9],
    }


class Worn(Nor):
    """Once `worn`, no cell can be cleared any more."""

    worn = False

    def poke(self, address, data):
        super().poke(address, b"\xff" * len(data) if self.worn else data)


class Ecu:
    """A part, and what a reset makes of its content."""

    def __init__(self):
        geometry = Geometry([(0, BLOCK_BYTES, 2, 1000)], 4, 10, 256)
        self.nor = Worn(io.BytesIO(), geometry, lambda us: None)
        self.reset()

    def reset(self):
        self.records = Records(Area(self.nor, 0, BLOCK_BYTES, 2, 4))
        self.records.mount()
        identity = Identity(cbor.dumps(identity_fields()))
        self.reports = Reports(SUITE, identity, self.records)

    def report(self, boot=BOOT_CONFIRMED):
        return run(self.reports.make(IMAGE, boot, 1_700_000_000, NONCE))
