"""A Primary's depot: verified images on their way to Secondaries, one to a cell of flash.

An image is written as it arrives, then read back and hashed as it lies in flash; only then can it
be found (V-33, V-48). What lies in a cell is kept, also over a reset, until it is wanted no more:
until the Secondary has confirmed the image, and no longer needs the one before (V-58, V-90). After
a reset it counts only once it was hashed again (`check`). Where there is not room for all, first
images to go back to give way; then one cell stays free, and an image that got none is hashed as it
comes, kept nowhere, and comes again for each Secondary, as much at a time as that cell holds
(`allot`, `Passing`, `stream`). Each Secondary verifies for itself what it gets.
Rules: V-33, V-48, V-58, V-64, V-90, E-30, E-78.
"""

from uptane import cbor
from uptane.errors import NoSpace, Rotten, TooMuch, WrongFile
from uptane.ids import RECORD_DEPOT
from uptane.store.area import digest_of

if False:  # for the type checker
    from typing import Any

    from errand import Cycle, Work
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
    """What `find` gives: an image from an offset on, for `uptane.uds.feeding`. `stream` gives a
    part of one, of `length` bytes."""

    def __init__(self, cell: Cell, length: int, offset: int = 0) -> None:
        self._area = cell.area
        self._offset = offset
        self.length = length - offset

    def read_into(self, buffer: "memoryview", at: int) -> None:
        self._area.read_into(self._offset + at, buffer)


class Passing:
    """A sink that hashes what comes, and keeps nothing of it."""

    def __init__(self, suite: "Suite") -> None:
        self._hashing = suite.sha256()

    def write(self, offset: int, data: "Buffer") -> None:
        self._hashing.update(data)

    def finish(self, parcel: "Parcel") -> None:
        """All of it has come. Refusals of Parcel.check."""
        parcel.check(self._hashing.digest())


class Depot:
    """`areas`: one for each cell. `records` say what lies in them. `passed`: what was verified and
    is not held, by its SHA-256."""

    def __init__(self, areas: "list[Area]", records: "Records") -> None:
        self._cells = [Cell(area) for area in areas]
        self._spare: list[bytes] = []  # what gives way to others
        self._records = records
        self._checked = False
        self.passed: dict[bytes, Parcel] = {}
        self._window: Cell | None = None  # through which these flow
        self._parcel: "Parcel | None" = None  # what is being written
        self._filling: "Cell | None" = None
        self._begin = 0  # its byte that comes first into the cell
        self._end = 0
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

    def allot(self, parcels: "list[Parcel]") -> None:
        """Before these are brought: have a cell for each that is not held. If that can not be,
        what is spare gives way; then one cell is kept free, whatever was in it."""
        self.passed = {}
        self._window = None
        missing = [parcel for parcel in parcels if not self.holds(parcel.digest)]
        if not self._fit(missing):
            for cell in self._cells:
                if cell.digest in self._spare:
                    cell.digest = b""
            if not self._fit(missing) and self._cells:
                free = [cell for cell in self._cells if not cell.digest]
                self._window = (free or self._cells)[-1]
                self._window.digest = b""
            self._store()

    def has_room(self, parcel: "Parcel") -> bool:
        return self._room(parcel) is not None

    def begin(self, parcel: "Parcel") -> "Work[None]":
        """Make room for an image, however it travels: erases a cell that is free, or was never
        filled to its end. NoSpace if there is none that is large enough."""
        cell = self._room(parcel)
        if cell is None:
            raise NoSpace
        yield from self._open(cell, parcel, 0, parcel.length)

    def stream(self, parcel: "Parcel", offset: int) -> "Cycle[Piece | None]":
        """The next part of an image that has passed: it comes again. None: it did not, or nothing
        may flow."""
        cell = self._window
        if cell is None:
            return None
        end = min(offset + cell.area.size, parcel.length)
        yield from self._open(cell, parcel, offset, end)
        want = parcel.want(self)
        want.offset = offset
        want.until = end
        while want.offset < end:
            if (yield want) is None:
                return None
        return Piece(cell, end - offset)

    def write(self, offset: int, data: "Buffer") -> None:
        """The next bytes of the image begun. WrongFile if they are not the next ones, TooMuch if
        they are more than it has."""
        cell = self._filling
        if cell is None or offset != self._written:
            raise WrongFile
        if offset + len(data) > self._end:
            raise TooMuch
        unit = cell.area.program_bytes
        start = offset - self._begin - len(self._tail)
        joined = self._tail + bytes(data) if self._tail else data
        self._written = offset + len(data)
        whole = len(joined) // unit * unit
        view = memoryview(joined)
        if self._written >= self._end and whole < len(joined):
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

    def _fit(self, parcels: "list[Parcel]") -> bool:
        """Do all of these fit the cells that are free?"""
        left = [cell for cell in self._cells if not cell.digest]
        for parcel in parcels:
            for cell in left:
                if cell.area.size >= parcel.length:
                    left.remove(cell)
                    break
            else:
                return False
        return True

    def _room(self, parcel: "Parcel") -> "Cell | None":
        for cell in self._cells:
            if not cell.digest and cell is not self._window and cell.area.size >= parcel.length:
                return cell
        return None

    def _open(self, cell: Cell, parcel: "Parcel", begin: int, end: int) -> "Work[None]":
        """Erase what the bytes from `begin` to `end` will fill."""
        self._parcel = parcel
        self._filling = cell
        self._begin = self._written = begin
        self._end = end
        self._tail = b""
        block_bytes = cell.area.block_bytes
        for block in range((end - begin + block_bytes - 1) // block_bytes):
            if not cell.area.blank(block * block_bytes, block_bytes):
                cell.area.erase(block)
            yield

    def _store(self) -> None:
        cells = [[cell.length if cell.digest else 0, cell.digest] for cell in self._cells]
        self._records.commit({RECORD_DEPOT: cbor.dumps(cells)})
