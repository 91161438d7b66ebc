"""Numbered values on raw flash; a commit of several is whole or never was, whenever power goes.

The area is two or three banks, used in turn: commits are appended to the newest one, and when it
is full, or not spotless, all that lives moves to the next, freshly erased. A cut leaves the older
values. A value that was stored and no longer checks is *rotten*: it is refused and never replaced
by an older one. It does NOT keep values in RAM (an index holds where they are) nor encrypt them.
Rules: V-88, V-90, T-17, E-79, E-87, E-89.
"""

from binascii import crc32

from uptane.errors import FlashFault, NoSpace, Rotten
from uptane.store.log import BROKEN, CRC_BYTES, DELETED, HURT, LOST, SOUND, TORN, WHOLE, Log

if False:  # for the type checker
    from uptane.store.area import Area
    from uptane.store.log import Found, Item

FLAG_AMNESIA = 1  # a number that is not here may have had a value: it is rotten, not absent


class Records:
    """The log of one area of at least two blocks. `mount()` first."""

    def __init__(self, area: "Area") -> None:
        self._area = area
        self._log = Log(area)
        blocks = area.blocks // 2
        self._bank_bytes = blocks * area.block_bytes
        self._banks = area.blocks // blocks
        self._bank = -1  # none yet
        self._tail = 0  # where the next commit goes
        self._sequence = 0
        self._flags = 0
        self._hurt = False  # the bank is not spotless: move out of it soon
        # number: (offset or LOST, bytes of the value, distance of its twin or 0)
        self._index: dict[int, tuple[int, int, int]] = {}

    def mount(self) -> None:
        """Find the newest bank and read its directories.

        It writes only to finish what a cut or rot left: a bank that is not spotless is moved to
        the next one, and banks that are older are marked so."""
        firsts = [self._opened(bank) for bank in range(self._banks)]
        newest = max(firsts)
        self._bank = firsts.index(newest) if newest else -1
        self._index = {}
        self._tail = self._sequence = self._flags = 0
        self._hurt = False
        if not newest:
            return
        self._scan()
        if self._retired(self._bank):  # its successor was whole once, and is gone
            self._forget()
        for bank in range(self._banks):
            if firsts[bank] and bank != self._bank:
                self._retire(bank)
        if self._hurt and not self._flags:
            try:
                self._move([])
            except FlashFault:
                pass  # everything can still be read here, and the next commit tries again

    def read(self, number: int) -> "bytes | None":
        """The value of that number; None if it never had one or was deleted. Rotten."""
        if number not in self._index:
            if self._flags & FLAG_AMNESIA:
                raise Rotten
            return None
        offset, length, twin = self._index[number]
        if offset >= 0:
            for at in (offset, offset + twin):
                value = self._area.read(at, length)
                crc = self._area.read(at + length, CRC_BYTES)
                if crc32(crc, crc32(value, number)) == SOUND:
                    if at != offset:
                        self._hurt = True
                    return value
        raise Rotten

    def numbers(self) -> "list[int]":
        """Every number that has a value, rotten ones too, ascending."""
        return sorted(self._index)

    def commit(self, changes: "dict[int, bytes | None]") -> None:
        """Store these values, or delete where None: all of them at once, or none.

        Refusals: NoSpace, nothing was touched; FlashFault, the older values stand (after a reset
        perhaps all of the new ones)."""
        items: list[Item] = []
        for number in sorted(changes):
            value = changes[number]
            items.append((number, 0, DELETED) if value is None else (number, len(value), value))
        if not items:
            return
        if self._has_room(self._log.size(items)):
            try:
                self._enter(self._tail, self._write(self._tail, self._bank, items))
                return
            except FlashFault:
                pass  # a bad place in this bank; the next one may do
        self._move(items)

    # --- writing --------------------------------------------------------------------------------

    def _has_room(self, size: int) -> bool:
        return (
            self._bank >= 0
            and not self._hurt
            and self._tail + size <= self._limit(self._bank)
            and self._area.blank(self._tail, size)
        )

    def _move(self, items: "list[Item]") -> None:
        """Write all that lives, with these changes, into the next bank, freshly erased."""
        changed = [item[0] for item in items]
        living = [item for item in items if item[2] != DELETED]
        for number in self.numbers():
            if number not in changed:
                at = self._sound_value(number)
                living.append((number, self._index[number][1] if at >= 0 else 0, at))
        old = self._bank
        bank = (old + 1) % self._banks
        start = bank * self._bank_bytes
        if start + self._log.size(living) > self._limit(bank):
            raise NoSpace
        self._hurt = True  # should this fail, the next bank may be whole enough to be believed
        first_block = start // self._area.block_bytes
        for block in range(self._bank_bytes // self._area.block_bytes):
            self._area.erase(first_block + block)
        found = self._write(start, bank, living)
        self._index = {}
        self._enter(start, found)
        self._bank = bank
        self._hurt = False
        if old >= 0:
            self._retire(old)

    def _write(self, at: int, bank: int, items: "list[Item]") -> "Found":
        """The commit as it is found when it was written. FlashFault."""
        self._log.write(at, self._sequence + 1, self._flags, items)
        found = self._log.look(at, self._limit(bank))
        if found[0] != WHOLE:
            raise FlashFault
        return found

    # --- reading --------------------------------------------------------------------------------

    def _limit(self, bank: int) -> int:
        """Where its log ends: the last grain of a bank is for the mark that it is old."""
        return (bank + 1) * self._bank_bytes - self._log.grain

    def _opened(self, bank: int) -> int:
        """Sequence of the commit that opened a bank; 0 if there is none."""
        state, _, directory = self._log.look(bank * self._bank_bytes, self._limit(bank))
        return self._log.head(directory)[3] if state in (WHOLE, HURT) else 0

    def _scan(self) -> None:
        """Enter every commit of the current bank."""
        self._tail = self._bank * self._bank_bytes
        while True:
            found = self._log.look(self._tail, self._limit(self._bank))
            state = found[0]
            if state in (HURT, TORN):
                self._hurt = True
            if state == BROKEN:
                self._forget()
            if state not in (WHOLE, HURT):
                return
            self._enter(self._tail, found)

    def _enter(self, at: int, found: "Found") -> None:
        """Enter the commit that was found at `at` into the index."""
        _, copy, directory = found
        for number, offset, length, twin in self._log.entries(at, copy, directory):
            if offset == DELETED:
                self._index.pop(number, None)
            else:
                self._index[number] = (offset, length, twin)
        _, self._flags, _, self._sequence, copy_bytes, body_bytes = self._log.head(directory)
        self._tail = at + self._log.grain + 2 * copy_bytes + body_bytes

    def _sound_value(self, number: int) -> int:
        """Where that value, or its twin, can be read; or LOST."""
        offset, length, twin = self._index[number]
        if offset >= 0:
            for at in (offset, offset + twin):
                if self._log.sound(at, length + CRC_BYTES, number):
                    return at
        return LOST

    # --- what cannot be read any more -----------------------------------------------------------

    def _forget(self) -> None:
        """A commit was complete and is gone: it may have changed any number, so none is known."""
        self._index = {}
        self._flags |= FLAG_AMNESIA
        self._hurt = True

    def _retired(self, bank: int) -> bool:
        """The mark was begun: a cut may have torn it, and a byte or two of a blank one rot."""
        mark = self._area.read(self._limit(bank), self._log.grain)
        return sum([1 for byte in mark if byte != 0xFF]) > len(mark) // 8

    def _retire(self, bank: int) -> None:
        """Mark a bank as old: should its successor rot away whole, it is not believed again."""
        if self._area.blank(self._limit(bank), self._log.grain):
            try:
                self._area.program(self._limit(bank), bytes(self._log.grain))
            except FlashFault:
                pass  # the commit itself is safe; only this second line of defence is missing
