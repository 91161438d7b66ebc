"""Records in a modelled flash of a few blocks, and what its tests do to the bits.

A part may be worn, a bit flipped behind everybody's back; what was written is found again by its
bytes. The part and its power cuts are the unix board's. Not a test file.
"""

import io

from boards.unix.nor import Geometry, Nor
from uptane.ids import RECORD_METADATA
from uptane.store.area import Area
from uptane.store.records import Records

ROOT_RECORD = RECORD_METADATA
TARGETS_RECORD = RECORD_METADATA + 3
BLOCK = 4096
UNIT = 4


class Worn(Nor):
    """The blocks in `worn` keep a cleared bit when they are erased."""

    worn = ()

    def erase(self, address):
        super().erase(address)
        if address in self.worn:
            self.poke(address + 77, b"\xfe")


def flash(blocks: int = 2) -> Nor:
    return Worn(io.BytesIO(), Geometry([(0, BLOCK, blocks, 900)], UNIT, 16), lambda us: None)


def mounted(nor: Nor, blocks: int = 2) -> Records:
    records = Records(Area(nor, 0, BLOCK, blocks, UNIT))
    records.mount()
    return records


def flip(nor: Nor, address: int, bits: int = 1) -> None:
    """Rot: change stored bits behind everybody's back."""
    byte = bytearray(1)
    nor.peek(address, byte)
    byte[0] ^= bits
    nor.poke(address, byte)


def content(nor: Nor) -> bytes:
    image = bytearray(nor.geometry.end)
    nor.peek(0, image)
    return bytes(image)


def places(nor: Nor, value: bytes) -> "list[int]":
    """Where a value lies in flash."""
    image = content(nor)
    return [at for at in range(len(image)) if image[at : at + len(value)] == value]


def tail(nor: Nor) -> int:
    """The end of what was written to the first bank."""
    image = content(nor)
    return max([at for at in range(BLOCK - 16) if image[at] != 0xFF]) + 1
