"""The records in an ECU's flash, once more: read and written by docs/flash.md alone.

It shares numbers with the device, the name of a refusal, and no line of code, so each can catch
the other's mistakes; and it reads a flash that somebody took out of an ECU. Where the device
streams and remembers places, this holds all in memory and looks at everything each time. It models
no cut and no fault: what a part does is the part's affair (boards/unix/nor.py).
Rules: E-79, E-87.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from zlib import crc32

from uptane import ids
from uptane.errors import Rotten

HEAD = struct.Struct("<BBHIHH")  # magic, flags, entries, sequence, grains of a copy, of the body
ENTRY = struct.Struct("<HBBI")  # number, kind, 0xFF, bytes of the value
CRC = struct.Struct("<I")
MAGIC = 0xB5
AMNESIA = 1
STORED, DELETED, ROTTEN = 0, 1, 2
GRAIN_BYTES_MIN = 16
# Number, kind, and the value where there is one.
Entry = tuple[int, int, bytes | None]


class BankFull(Exception):
    """What lives does not fit a bank."""


class Place(Enum):
    """What a place in a bank turns out to be."""

    END = auto()
    TORN = auto()
    WHOLE = auto()
    HURT = auto()
    BROKEN = auto()


@dataclass
class Part:
    """The area of the records: all of its bytes, and its geometry."""

    flash: bytearray
    block_bytes: int
    unit: int

    @property
    def grain(self) -> int:
        return max(GRAIN_BYTES_MIN, self.unit)

    @property
    def bank_bytes(self) -> int:
        return len(self.flash) // self.block_bytes // 2 * self.block_bytes

    @property
    def banks(self) -> int:
        return len(self.flash) // self.bank_bytes

    def bank(self, index: int) -> memoryview:
        return memoryview(self.flash)[index * self.bank_bytes : (index + 1) * self.bank_bytes]


@dataclass
class Book:
    """What one bank says: `values`, None for a rotten one; whether it is spotless; where it goes
    on; whether any number that it does not have is rotten (`amnesia`)."""

    sequence: int = 0
    amnesia: bool = False
    spotless: bool = True
    tail: int = 0
    values: dict[int, bytes | None] = field(default_factory=dict)

    def forget(self) -> None:
        self.values.clear()
        self.amnesia = True
        self.spotless = False


class Records:
    """The same promises as the device's. `mount` first."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.current = -1
        self.book = Book()

    def mount(self) -> None:
        """Find the newest bank and read it; one that is not spotless is moved to the next, and
        older ones are marked."""
        books = [self._read(index) for index in range(self.part.banks)]
        firsts = [self._opened(index) for index in range(self.part.banks)]
        newest = max(firsts)
        self.current = firsts.index(newest) if newest else -1
        self.book = books[self.current] if newest else Book()
        if not newest:
            return
        if self._is_retired(self.current):
            self.book.forget()
        for index in range(self.part.banks):
            if firsts[index] and index != self.current:
                self._retire(index)
        if not self.book.spotless and not self.book.amnesia:
            self._move({})

    def read(self, number: int) -> bytes | None:
        """The value, or None if there never was one or it was deleted. Rotten."""
        book = self.book
        value = book.values.get(number)
        if value is None and (number in book.values or book.amnesia):
            raise Rotten
        return value

    def numbers(self) -> list[int]:
        """Every number that has a value, rotten ones too, ascending."""
        return sorted(self.book.values)

    def commit(self, changes: Mapping[int, bytes | None]) -> None:
        """Store or, where None, delete. BankFull: nothing was touched."""
        if not changes:
            return
        book = self.book
        entries: list[Entry] = [
            (number, DELETED if changes[number] is None else STORED, changes[number])
            for number in sorted(changes)
        ]
        made = self._commit(book.sequence + 1, AMNESIA * book.amnesia, entries)
        if self.current < 0 or not book.spotless or not self._has_room(len(made)):
            self._move(dict(sorted(changes.items())))
            return
        at = self.current * self.part.bank_bytes + book.tail
        self.part.flash[at : at + len(made)] = made
        book.tail += len(made)
        book.sequence += 1
        for number, kind, value in entries:
            book.values[number] = value
            if kind == DELETED:
                del book.values[number]

    # --- writing --------------------------------------------------------------------------------

    def _has_room(self, size: int) -> bool:
        end = self.book.tail + size
        if end > self.part.bank_bytes - self.part.grain:
            return False
        return is_blank(self.part.bank(self.current)[self.book.tail : end])

    def _move(self, changes: Mapping[int, bytes | None]) -> None:
        """Everything that lives, with these changes, as one commit of the next bank."""
        book = self.book
        entries: list[Entry] = [
            (number, STORED, value) for number, value in changes.items() if value is not None
        ]
        for number in sorted(book.values):
            if number not in changes:
                value = book.values[number]
                entries.append((number, ROTTEN if value is None else STORED, value or b""))
        made = self._commit(book.sequence + 1, AMNESIA * book.amnesia, entries)
        if len(made) > self.part.bank_bytes - self.part.grain:
            raise BankFull
        old, self.current = self.current, (self.current + 1) % self.part.banks
        bank = self.part.bank(self.current)
        bank[:] = b"\xff" * len(bank)
        bank[: len(made)] = made
        values = {number: None if kind == ROTTEN else value for number, kind, value in entries}
        self.book = Book(book.sequence + 1, book.amnesia, True, len(made), values)
        if old >= 0:
            self._retire(old)

    def _commit(self, sequence: int, flags: int, entries: list[Entry]) -> bytes:
        listed = inline = body = b""
        for number, kind, value in entries:
            stored = value or b""
            listed += ENTRY.pack(number, kind, 0xFF, len(stored) if kind != DELETED else 0)
            if kind == STORED:
                record = stored + CRC.pack(crc32(stored, number))
                if lives_twice(number):
                    inline += record
                else:
                    body += record
        grain = self.part.grain
        copy_grains = -(-(HEAD.size + len(listed) + len(inline) + CRC.size) // grain)
        body_grains = -(-(len(body) + CRC.size) // grain) if body else 0
        head = HEAD.pack(MAGIC, flags, len(entries), sequence, copy_grains, body_grains)
        copy = sealed(head + listed + inline, copy_grains * grain)
        tail = sealed(body, body_grains * grain) if body else b""
        return sealed(head, grain) + copy + copy + tail

    def _retire(self, index: int) -> None:
        bank = self.part.bank(index)
        if is_blank(bank[-self.part.grain :]):
            bank[-self.part.grain :] = bytes(self.part.grain)

    # --- reading --------------------------------------------------------------------------------

    def _opened(self, index: int) -> int:
        """Sequence of the commit that opened a bank; 0: there is none."""
        bank = self.part.bank(index)
        place, copy = self._look(bank, 0)
        return HEAD.unpack_from(bank, copy)[3] if place in (Place.WHOLE, Place.HURT) else 0

    def _is_retired(self, index: int) -> bool:
        bank = self.part.bank(index)
        mark = bytes(bank[-self.part.grain :])
        return len(mark) - mark.count(0xFF) > len(mark) // 8

    def _read(self, index: int) -> Book:
        bank, book = self.part.bank(index), Book()
        while True:
            place, copy = self._look(bank, book.tail)
            if place in (Place.HURT, Place.TORN):
                book.spotless = False
            if place is Place.BROKEN:
                book.forget()
            if place not in (Place.WHOLE, Place.HURT):
                return book
            self._enter(book, bank, copy)

    def _look(self, bank: memoryview, at: int) -> tuple[Place, int]:
        """The table of docs/flash.md; and where the sound copy of the directory is."""
        grain, limit = self.part.grain, len(bank) - self.part.grain
        first = at + grain
        if first + grain > limit or is_blank(bank[at:first]):
            return Place.END, 0
        intent = is_sound(bank[at:first])
        if not intent and is_blank(bank[first : first + grain]):
            return Place.TORN, 0
        magic, _, _, _, copies, bodies = HEAD.unpack_from(bank, at if intent else first)
        second = first + copies * grain
        if magic != MAGIC or not copies or second + (copies + bodies) * grain > limit:
            return Place.BROKEN, 0
        other = bank[second : second + copies * grain]
        one, two = is_sound(bank[first:second]), is_sound(other)
        if (intent or one) and is_blank(other):
            return Place.TORN, 0
        if one or two:
            spotless = intent and one and two
            return (Place.WHOLE if spotless else Place.HURT), (first if one else second)
        return Place.BROKEN, 0

    def _enter(self, book: Book, bank: memoryview, copy: int) -> None:
        """Enter the commit at the book's tail, by that copy of its directory."""
        grain = self.part.grain
        _, flags, entries, book.sequence, copies, bodies = HEAD.unpack_from(bank, copy)
        book.amnesia = bool(flags & AMNESIA)
        first = book.tail + grain
        second = first + copies * grain
        inline = HEAD.size + entries * ENTRY.size  # from the start of a copy
        body = second + copies * grain
        for index in range(entries):
            at = copy + HEAD.size + index * ENTRY.size
            number, kind, _, length = ENTRY.unpack_from(bank, at)
            if kind == DELETED:
                book.values.pop(number, None)
            elif kind == ROTTEN:
                book.values[number] = None
            elif lives_twice(number):
                places = (first + inline, second + inline)
                book.values[number] = value_at(bank, number, length, places)
                inline += length + CRC.size
            else:
                book.values[number] = value_at(bank, number, length, (body,))
                body += length + CRC.size
        book.tail = second + (copies + bodies) * grain


def lives_twice(number: int) -> bool:
    return number < ids.RECORD_METADATA or number & 0xFF == ids.ROOT


def sealed(content: bytes, size: int) -> bytes:
    """Filled up with 0xFF, the CRC of all before it in the last four bytes."""
    filled = content + b"\xff" * (size - CRC.size - len(content))
    return filled + CRC.pack(crc32(filled))


def is_sound(piece: memoryview) -> bool:
    return CRC.pack(crc32(piece[: -CRC.size])) == piece[-CRC.size :]


def is_blank(piece: memoryview) -> bool:
    return bytes(piece) == b"\xff" * len(piece)


def value_at(bank: memoryview, number: int, length: int, places: tuple[int, ...]) -> bytes | None:
    """The value, from the first of these places where its CRC fits; None: it rotted."""
    for at in places:
        end = at + length
        if end + CRC.size <= len(bank):
            (crc,) = CRC.unpack_from(bank, end)
            if crc == crc32(bank[at:end], number):
                return bytes(bank[at:end])
    return None
