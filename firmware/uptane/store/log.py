"""One commit as it lies in flash: how it is written, and what a place in the log turns out to be.

Intent, body, first copy of the directory, second copy: in that order, so that a cut shows as one
of few pictures, and rot as another. Every directory, and every value that nobody can send again
(`lives_twice`), lies there twice. What is believed is what was checked: cells may read differently
the next time. The format byte by byte, and what was rejected: docs/flash.md.
It does NOT know banks, erase, or keep an index: `uptane.store.records`.
Rules: E-79, E-87.
"""

import struct
from binascii import crc32

from uptane.errors import FlashFault
from uptane.ids import RECORD_METADATA, ROOT

if False:  # for the type checker
    from collections.abc import Iterator

    from storage import Buffer
    from uptane.store.area import Area

    # Number, bytes of the value, and where it comes from: the value itself, an offset in flash,
    # DELETED or LOST.
    Item = tuple[int, int, bytes | int]
    # Number, offset of the value or DELETED or LOST, its bytes, distance of its twin or 0.
    Entry = tuple[int, int, int, int]
    # END..., where the sound copy of the directory is, its head and entries as they were checked.
    Found = tuple[int, int, bytes]

HEAD = "<BBHIHH"  # magic, flags, entries, sequence, grains of a copy, grains of the body
HEAD_BYTES = 12
ENTRY = "<HBBI"  # number, state, 0xFF, bytes of the value
ENTRY_BYTES = 8
CRC_BYTES = 4
SOUND = 0x2144DF1C  # the CRC of anything and its CRC behind it
MAGIC = 0xB5  # the format's version as well

GRAIN_BYTES_MIN = 16
PAGE_BYTES = 256
FILLER = b"\xff" * GRAIN_BYTES_MIN

DELETED = -1  # in flash as the state 1
LOST = -2  # as the state 2: had a value, which rotted

# What a place in the log turns out to be.
END = 0  # nothing was begun here
TORN = 1  # begun, and never finished
WHOLE = 2
HURT = 3  # finished, but one of its three directories is bad
BROKEN = 4  # finished, and cannot be read any more


def lives_twice(number: int) -> bool:
    """Identity, keys, counters and Root metadata: what nobody can send again."""
    return number < RECORD_METADATA or number & 0xFF == ROOT


class Page:
    """Gathers bytes into whole program units, and keeps their CRC-32."""

    def __init__(self, area: "Area", offset: int) -> None:
        self._area = area
        self._offset = offset
        self._buffer = memoryview(bytearray(max(PAGE_BYTES, area.program_bytes)))
        self._fill = 0
        self.crc = 0
        self.done = 0

    def put(self, data: "Buffer") -> None:
        self.crc = crc32(data, self.crc)
        self.done += len(data)
        view = memoryview(data)
        while len(view):
            n = min(len(view), len(self._buffer) - self._fill)
            self._buffer[self._fill : self._fill + n] = view[:n]
            self._fill += n
            view = view[n:]
            if self._fill == len(self._buffer):
                self._flush()

    def seal(self, size: int) -> None:
        """Fill up to `size` bytes, the last four of them the CRC of the rest."""
        while self.done < size - CRC_BYTES:
            self.put(FILLER[: size - CRC_BYTES - self.done])
        self.put(struct.pack("<I", self.crc))
        self._flush()

    def _flush(self) -> None:
        if self._fill:
            self._area.program(self._offset, self._buffer[: self._fill])
            self._offset += self._fill
            self._fill = 0


class Log:
    """Commits on one area. Everything is laid out in grains: whole program units, 16 bytes at
    least."""

    def __init__(self, area: "Area") -> None:
        self._area = area
        self.grain = max(GRAIN_BYTES_MIN, area.program_bytes)
        self._chunk = memoryview(bytearray(PAGE_BYTES))

    # --- writing --------------------------------------------------------------------------------

    def size(self, items: "list[Item]") -> int:
        """Bytes of a commit of these."""
        copy_bytes, body_bytes = self._layout(items)
        return self.grain + 2 * copy_bytes + body_bytes

    def write(self, at: int, sequence: int, flags: int, items: "list[Item]") -> None:
        """Write a commit onto erased flash; from its second copy on it counts. FlashFault."""
        copy_bytes, body_bytes = self._layout(items)
        grains = (copy_bytes // self.grain, body_bytes // self.grain)
        head = struct.pack(HEAD, MAGIC, flags, len(items), sequence, *grains)
        first = at + self.grain
        page = Page(self._area, at)
        page.put(head)
        page.seal(self.grain)
        if body_bytes:
            page = Page(self._area, first + 2 * copy_bytes)
            self._put_values(page, items, False)
            page.seal(body_bytes)
        for copy in (first, first + copy_bytes):
            page = Page(self._area, copy)
            page.put(head)
            for number, length, source in items:
                state = -source if isinstance(source, int) and source < 0 else 0
                page.put(struct.pack(ENTRY, number, state, 0xFF, length))
            self._put_values(page, items, True)
            page.seal(copy_bytes)

    def _layout(self, items: "list[Item]") -> "tuple[int, int]":
        """Bytes of a directory with the values that live twice, and of the body."""
        copy = HEAD_BYTES + ENTRY_BYTES * len(items) + CRC_BYTES
        body = 0
        for number, length, source in items:
            if isinstance(source, int) and source < 0:
                continue
            if lives_twice(number):
                copy += length + CRC_BYTES
            else:
                body += length + CRC_BYTES
        return self._whole_grains(copy), self._whole_grains(body + CRC_BYTES) if body else 0

    def _whole_grains(self, n: int) -> int:
        return (n + self.grain - 1) // self.grain * self.grain

    def _put_values(self, page: Page, items: "list[Item]", twice: bool) -> None:
        """Those that live twice, or those that live once; each with its CRC."""
        for number, length, source in items:
            if lives_twice(number) != twice:
                continue
            if not isinstance(source, int):
                page.put(source)
                page.put(struct.pack("<I", crc32(source, number)))
            elif source >= 0:
                crc = number
                for chunk in self._chunks(source, length + CRC_BYTES):
                    crc = crc32(chunk, crc)
                    page.put(chunk)
                if crc != SOUND:
                    raise FlashFault  # it was, a moment ago

    # --- reading --------------------------------------------------------------------------------

    def look(self, at: int, limit: int) -> "Found":
        """What is at that place of a log that ends at `limit`."""
        first = at + self.grain
        if first + self.grain > limit or self._area.blank(at, self.grain):
            return END, 0, b""
        head = self._area.read(at, self.grain)
        intact = crc32(head) == SOUND
        if not intact:
            if self._area.blank(first, self.grain):
                return TORN, 0, b""  # nothing is written before the intent is complete
            head = self._area.read(first, self.grain)
        magic, _, _, _, copy_bytes, body_bytes = self.head(head)
        second = first + copy_bytes
        if magic != MAGIC or not copy_bytes or second + copy_bytes + body_bytes > limit:
            return BROKEN, 0, b""
        one = self._directory(first, copy_bytes, head)
        if (intact or one) and self._area.blank(second, copy_bytes):
            return TORN, 0, b""  # one copy alone may read differently the next time
        two = self._directory(second, copy_bytes, head)
        if one or two:
            state = WHOLE if intact and one and two else HURT
            return state, first if one else second, one or two
        return BROKEN, 0, b""  # the second copy was begun, so the first one was whole

    def head(self, raw: bytes) -> "tuple[int, int, int, int, int, int]":
        """Magic, flags, entries, sequence, bytes of a copy, bytes of the body."""
        magic, flags, count, sequence, copy_grains, body_grains = struct.unpack_from(HEAD, raw)
        return magic, flags, count, sequence, copy_grains * self.grain, body_grains * self.grain

    def _directory(self, at: int, size: int, head: bytes) -> bytes:
        """The head and the entries of a copy that is sound; else nothing."""
        n = min(HEAD_BYTES + ENTRY_BYTES * self.head(head)[2], size - CRC_BYTES)
        raw = self._area.read(at, n)
        good = raw[:HEAD_BYTES] == head[:HEAD_BYTES] and self.sound(at + n, size - n, crc32(raw))
        return raw if good else b""

    def entries(self, at: int, copy: int, directory: bytes) -> "Iterator[Entry]":
        """What the commit at `at` changed, by that copy of its directory."""
        _, _, count, _, copy_bytes, _ = self.head(directory)
        first = at + self.grain
        twin = 2 * first + copy_bytes - 2 * copy
        inline = copy + HEAD_BYTES + count * ENTRY_BYTES
        body = first + 2 * copy_bytes
        for i in range(count):
            number, state, _, length = struct.unpack_from(
                ENTRY, directory, HEAD_BYTES + i * ENTRY_BYTES
            )
            if state:
                yield number, -state, 0, 0
            elif lives_twice(number):
                yield number, inline, length, twin
                inline += length + CRC_BYTES
            else:
                yield number, body, length, 0
                body += length + CRC_BYTES

    def sound(self, at: int, size: int, seed: int = 0) -> bool:
        """True if the last four of `size` bytes are the CRC of the rest."""
        crc = seed
        for chunk in self._chunks(at, size):
            crc = crc32(chunk, crc)
        return crc == SOUND

    def _chunks(self, at: int, n: int) -> "Iterator[memoryview]":
        """Each is good until the next one."""
        while n:
            chunk = self._chunk[: min(n, len(self._chunk))]
            self._area.read_into(at, chunk)
            yield chunk
            at += len(chunk)
            n -= len(chunk)
