"""A Primary's depot: verified images on their way to Secondaries, one to a cell of flash.

An image is written as it arrives, then read back and hashed as it lies in flash; only then can it
be found (V-33, V-48). What lies in a cell is kept, also over a reset, until it is wanted no more:
until the Secondary has confirmed the image, and no longer needs the one before (V-58, V-90); but
an image that is directed does not wait for the room of one to go back to. After a reset a cell
counts only once it was hashed again (`check`). Each Secondary verifies for itself what it gets.
Rules: V-33, V-48, V-58, V-64, V-90, E-30, E-78.
"""

from uptane import cbor
from uptane.errors import NoSpace, Rotten, TooMuch, WrongFile
from uptane.ids import RECORD_DEPOT
from uptane.store.area import digest_of

if False:  # for the type checker
    from typing import Any

    from errand import Work
    from storage import Buffer
    from uptane.crypto.suite import Suite
    from uptane.image.parcel import Parcel
    from uptane.store.area import Area
    from uptane.store.records import Records


class Cell:
    """One cell: SHA-256 and length of what is in it; empty digest: nothing that counts."""

    def __init__(self, area: "Area") -> None:
        self.area = area
        self.digest = b""
        self.length = 0


class Piece:
    """What `find` gives: an image from an offset on, for `uptane.uds.feeding`."""

    def __init__(self, cell: Cell, length: int, offset: int) -> None:
        self._area = cell.area
        self._offset = offset
        self.length = length - offset

    def read_into(self, buffer: "memoryview", at: int) -> None:
        self._area.read_into(self._offset + at, buffer)


class Depot:
    """`areas`: one for each cell. `records` say what lies in them."""

    def __init__(self, areas: "list[Area]", records: "Records") -> None:
        self._cells = [Cell(area) for area in areas]
        self._spare: list[bytes] = []  # what gives way to others
        self._records = records
        self._checked = False
        self._parcel: "Parcel | None" = None  # what is being written
        self._filling: "Cell | None" = None
        self._written = 0
        self._tail = b""

    def check(self, suite: "Suite") -> "Work[None]":
        """Once after a reset: see whether what was there still is."""
        if self._checked:
            return
        self._checked = True
        said: Any = []
        try:
            raw = self._records.read(RECORD_DEPOT)
            if raw is not None:
                said = cbor.loads(raw)
        except Rotten:  # what it says can be fetched again
            pass
        for cell, (length, digest) in zip(self._cells, said):
            if 0 < length <= cell.area.size:
                found = yield from digest_of(cell.area.read_into, length, suite.sha256())
                if found == digest:
                    cell.digest, cell.length = digest, length

    def keep(self, digests: "list[bytes]", spare: "list[bytes]") -> None:
        """Forget all others; their cells are free. `spare`: kept until their room is needed."""
        self._spare = [digest for digest in spare if digest not in digests]
        forgotten = False
        for cell in self._cells:
            if cell.digest and cell.digest not in digests and cell.digest not in spare:
                cell.digest = b""
                forgotten = True
        if forgotten:
            self._store()

    def holds(self, digest: bytes) -> bool:
        return self.find(digest, 0) is not None

    def find(self, digest: bytes, offset: int) -> "Piece | None":
        """The verified image with this SHA-256, from `offset` on, or None. Not by its number: the
        same bytes may have several."""
        for cell in self._cells:
            if cell.digest and cell.digest == digest and offset < cell.length:
                return Piece(cell, cell.length, offset)
        return None

    def begin(self, parcel: "Parcel") -> "Work[None]":
        """Make room for an image, however it travels: erases a cell that is free, or was never
        filled to its end, or else has what is spare. NoSpace if there is none that is large
        enough."""
        cell = self._room(b"", parcel)
        if cell is None and parcel.digest not in self._spare:
            for digest in self._spare:
                cell = cell or self._room(digest, parcel)
        if cell is None:
            raise NoSpace
        cell.digest = b""
        self._parcel = parcel
        self._filling = cell
        self._written = 0
        self._tail = b""
        block_bytes = cell.area.block_bytes
        for block in range((parcel.length + block_bytes - 1) // block_bytes):
            if not cell.area.blank(block * block_bytes, block_bytes):
                cell.area.erase(block)
            yield

    def write(self, offset: int, data: "Buffer") -> None:
        """The next bytes of the image begun. WrongFile if they are not the next ones, TooMuch if
        they are more than it has."""
        cell, parcel = self._filling, self._parcel
        if cell is None or parcel is None or offset != self._written:
            raise WrongFile
        if offset + len(data) > parcel.length:
            raise TooMuch
        unit = cell.area.program_bytes
        start = offset - len(self._tail)
        joined = self._tail + bytes(data) if self._tail else data
        self._written = offset + len(data)
        whole = len(joined) // unit * unit
        view = memoryview(joined)
        if self._written >= parcel.length and whole < len(joined):
            padded = bytes(view[whole:]) + b"\xff" * (unit - len(joined) + whole)
            cell.area.program(start + whole, padded)
            self._tail = b""
        else:
            self._tail = bytes(view[whole:])
        if whole:
            cell.area.program(start, view[:whole])

    def finish(self, suite: "Suite") -> "Work[None]":
        """Hash the image as it lies in flash, as it travels. Refusals of Parcel.check; FlashFault,
        NoSpace where that it is there cannot be stored."""
        cell, parcel = self._filling, self._parcel
        if cell is None or parcel is None:
            raise WrongFile
        self._filling = self._parcel = None
        digest = yield from digest_of(cell.area.read_into, parcel.length, suite.sha256())
        parcel.check(digest)
        cell.digest, cell.length = digest, parcel.length
        self._store()

    def _room(self, digest: bytes, parcel: "Parcel") -> "Cell | None":
        """A cell with that digest which is large enough."""
        for cell in self._cells:
            if cell.digest == digest and cell.area.size >= parcel.length:
                return cell
        return None

    def _store(self) -> None:
        cells = [[cell.length if cell.digest else 0, cell.digest] for cell in self._cells]
        self._records.commit({RECORD_DEPOT: cbor.dumps(cells)})
