"""Several areas as one: what an image of more than one region is written to.

Each area holds the next bytes of the image from its own start on, so every part but the last has
to be whole program units. It does NOT know which region is which.
Rules: S-25, E-79.
"""

from uptane.errors import FlashFault

if False:  # for the type checker
    from collections.abc import Iterator

    from storage import Buffer, Work
    from uptane.store.area import Area


class Span:
    """`parts`: (area, bytes of the image that it holds), in the image's order."""

    def __init__(self, parts: "list[tuple[Area, int]]") -> None:
        self._parts = parts
        self.program_bytes = parts[0][0].program_bytes
        self.size = sum([length for _, length in parts])

    def read_into(self, offset: int, buffer: "bytearray | memoryview") -> None:
        """Fill the buffer from that offset on. FlashFault out of bounds."""
        view = memoryview(buffer)
        for area, at, n in self._pieces(offset, len(view)):
            area.read_into(at, view[:n])
            view = view[n:]

    def program(self, offset: int, data: "Buffer") -> None:
        """As Area.program; the last unit may reach beyond what the last part holds."""
        view = memoryview(data)
        for area, at, n in self._pieces(offset, len(view)):
            area.program(at, view[:n])
            view = view[n:]

    def clear(self, length: int) -> "Work[None]":
        """Erase what the image takes, which is so long."""
        for area, n in self._parts:
            yield from area.clear(n)

    def reopen(self, length: int, made: int) -> "Work[int]":
        """As Area.reopen: where somebody goes on who was writing the image. Nobody makes one of
        several parts of anything else, so `made` is not heeded."""
        start = self.size
        for area, n in reversed(self._parts):
            start -= n
            begun = not area.blank(0, area.block_bytes)
            at = yield from area.reopen(n, -1)
            if begun:
                return start + at
        return 0

    def _pieces(self, offset: int, n: int) -> "Iterator[tuple[Area, int, int]]":
        """(area, offset there, bytes) of each piece of that range."""
        left = n
        start = 0
        for area, length in self._parts:
            last = start + length == self.size
            if left and start <= offset and (last or offset < start + length):
                here = left if last else min(left, start + length - offset)
                yield area, offset - start, here
                offset += here
                left -= here
            start += length
        if left:
            raise FlashFault
