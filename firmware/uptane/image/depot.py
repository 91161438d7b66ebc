"""A Primary's depot: verified images on their way to Secondaries, one to a cell of flash.

An image is written as it arrives, then read back and hashed as it lies in flash; only then can it
be found (V-33, V-48). What the depot holds is forgotten at reset: it is a way station, and the
next cycle fetches what is still wanted. Each Secondary verifies for itself what it gets.
Rules: V-33, V-48, V-64, E-30, E-78.
"""

from uptane.errors import NoSpace, Refusal, TooMuch, WrongFile

if False:  # for the type checker
    from errand import Work
    from storage import Buffer
    from uptane.crypto.suite import Suite
    from uptane.image.parcel import Parcel
    from uptane.store.area import Area

SLICE_BYTES = 4096


class Cell:
    """One cell: the image in it once it is verified, and how much of it is written."""

    def __init__(self, area: "Area") -> None:
        self.area = area
        self.chosen: "Parcel | None" = None
        self.verified = False
        self.written = 0


class Piece:
    """What `find` gives: an image from an offset on, for `uptane.uds.feeding`."""

    def __init__(self, cell: Cell, length: int, offset: int) -> None:
        self._area = cell.area
        self._offset = offset
        self.length = length - offset

    def read_into(self, buffer: "memoryview", at: int) -> None:
        self._area.read_into(self._offset + at, buffer)


class Depot:
    """`areas`: one for each cell."""

    def __init__(self, areas: "list[Area]") -> None:
        self._cells = [Cell(area) for area in areas]
        self._filling: "Cell | None" = None
        self._tail = b""

    def clear(self) -> None:
        """Forget everything."""
        self._filling = None
        for cell in self._cells:
            cell.chosen = None
            cell.verified = False

    def holds(self, digest: bytes) -> bool:
        return self._cell(digest) is not None

    def find(self, digest: bytes, offset: int) -> "Piece | None":
        """The verified image with this SHA-256, from `offset` on, or None. Not by its number: the
        same bytes may have several."""
        for cell in self._cells:
            chosen = cell.chosen
            if not cell.verified or chosen is None or chosen.digest != digest:
                continue
            if offset < chosen.length:
                return Piece(cell, chosen.length, offset)
        return None

    def begin(self, parcel: "Parcel") -> "Work[None]":
        """Make room for an image, however it travels: erases a cell that is free, or was never
        filled to its end. NoSpace if there is none that is large enough."""
        for cell in self._cells:
            if not cell.verified and cell.area.size >= parcel.length:
                break
        else:
            raise NoSpace
        cell.chosen = parcel
        cell.verified = False
        cell.written = 0
        self._filling = cell
        self._tail = b""
        block_bytes = cell.area.block_bytes
        for block in range((parcel.length + block_bytes - 1) // block_bytes):
            if not cell.area.blank(block * block_bytes, block_bytes):
                cell.area.erase(block)
            yield

    def write(self, offset: int, data: "Buffer") -> None:
        """The next bytes of the image begun. WrongFile if they are not the next ones, TooMuch if
        they are more than it has."""
        cell = self._filling
        if cell is None or cell.chosen is None or offset != cell.written:
            raise WrongFile
        if offset + len(data) > cell.chosen.length:
            raise TooMuch
        unit = cell.area.program_bytes
        start = offset - len(self._tail)
        joined = self._tail + bytes(data) if self._tail else data
        cell.written = offset + len(data)
        whole = len(joined) // unit * unit
        view = memoryview(joined)
        if cell.written >= cell.chosen.length and whole < len(joined):
            padded = bytes(view[whole:]) + b"\xff" * (unit - len(joined) + whole)
            cell.area.program(start + whole, padded)
            self._tail = b""
        else:
            self._tail = bytes(view[whole:])
        if whole:
            cell.area.program(start, view[:whole])

    def finish(self, suite: "Suite") -> "Work[None]":
        """Hash the image as it lies in flash, as it travels. Refusals of Parcel.check."""
        cell = self._filling
        if cell is None or cell.chosen is None:
            raise WrongFile
        self._filling = None
        hashing = suite.sha256()
        buffer = memoryview(bytearray(256))
        length = cell.chosen.length
        for at in range(0, length, len(buffer)):
            part = buffer[: min(len(buffer), length - at)]
            cell.area.read_into(at, part)
            hashing.update(part)
            if at % SLICE_BYTES == 0:
                yield
        try:
            cell.chosen.check(hashing.digest())
        except Refusal:
            cell.chosen = None
            raise
        cell.verified = True

    def _cell(self, digest: bytes) -> "Cell | None":
        for cell in self._cells:
            if cell.verified and cell.chosen is not None and cell.chosen.digest == digest:
                return cell
        return None
