"""A part of flash with two cells, and the depot in it. Not a test file."""

import io

from boards.unix.nor import Geometry, Nor
from claims import run
from memory import SUITE, digest
from uptane.image.depot import Depot
from uptane.image.parcel import Parcel
from uptane.store.area import Area
from uptane.store.records import Records
from wrapping import entry_with

BLOCK_BYTES = 1024
CELL_BLOCKS = 2
UNIT = 8


def content_of(number, length):
    return bytes([(i * 7 + number + (i >> 8)) & 0xFF for i in range(length)])


class Store:
    """A part with two cells, and the depot in it."""

    def __init__(self):
        geometry = Geometry([(0, BLOCK_BYTES, 2 * CELL_BLOCKS + 4, 1000)], UNIT, 10, 256)
        self.nor = Nor(io.BytesIO(), geometry, lambda us: None)
        cell_bytes = CELL_BLOCKS * BLOCK_BYTES
        self.areas = [
            Area(self.nor, i * cell_bytes, BLOCK_BYTES, CELL_BLOCKS, UNIT) for i in (0, 1)
        ]
        self.records = Records(Area(self.nor, 2 * cell_bytes, BLOCK_BYTES, 4, UNIT))
        self.depot = self.powered_on()
        self.digests = {}

    def powered_on(self):
        """The depot after a reset."""
        self.records.mount()
        depot = Depot(self.areas, self.records)
        run(depot.check(SUITE))
        return depot

    def begin(self, number, content):
        self.digests[number] = digest(content)
        run(self.depot.begin(Parcel(entry_with(None, content), 1)))

    def fill(self, number, content, piece_bytes=300):
        self.begin(number, content)
        for at in range(0, len(content), piece_bytes):
            self.depot.write(at, content[at : at + piece_bytes])
        run(self.depot.finish(SUITE))

    def read(self, number, offset=0):
        piece = self.depot.find(self.digests.get(number, b""), offset)
        if piece is None:
            return None
        whole = bytearray(piece.length)
        view = memoryview(whole)
        for at in range(0, piece.length, 100):
            piece.read_into(view[at : at + 100], at)
        return bytes(whole)
