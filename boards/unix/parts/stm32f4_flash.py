"""The flash controller of the STM32F4 as its registers show it (RM0090, chapter 3).

Physics for tests: the keyed lock (a wrong key jams it until reset), sector erase, word
programming that only clears bits, BSY for some reads of the status register, error flags, and a
read cache that does not see what the controller does to the array.
It is stricter than silicon: what would stall the bus or is undefined raises `Misuse`.
It does not model: option bytes, mass erase, other widths than 32 bit, tears (the bench's NOR
model does), time.
"""

ACR = 0x40023C00
KEYR = 0x40023C04
SR = 0x40023C0C
CR = 0x40023C10
LOCK = 1 << 31
STRT = 1 << 16
BSY = 1 << 16
PGSERR = 1 << 7
PGPERR = 1 << 6
WRPERR = 1 << 4
EOP = 1
LINE_BYTES = 16


class Misuse(Exception):
    """The reference manual forbids what the software did."""


class Stm32f4Flash:
    """Both `mem32` (item access by address) and the mapped array (`memory`).

    `sectors`: (address, block bytes, blocks); `protected`: sector numbers that are write
    protected; `stuck`: addresses of words that no longer take a program.
    """

    def __init__(self, sectors: "tuple[tuple[int, int, int], ...]", busy_polls: int = 3) -> None:
        self._starts: list[tuple[int, int]] = []
        for address, block_bytes, blocks in sectors:
            for block in range(blocks):
                self._starts.append((address + block * block_bytes, block_bytes))
        self._arrays: dict[int, bytearray] = {}  # an erased sector takes no memory
        self._busy_polls = busy_polls
        self._busy = 0
        self._keys = 0
        self._jammed = False
        self._status = 0
        self._control = LOCK
        self._access = 3 << 9  # both caches on, as MicroPython leaves them
        self._cache: dict[int, bytes] = {}
        self.protected: list[int] = []
        self.stuck: list[int] = []
        self.erases = 0
        self.programs = 0

    def memory(self, address: int, length: int) -> bytes:
        """What the processor reads."""
        out = bytearray()
        first = address - address % LINE_BYTES
        for line in range(first, address + length, LINE_BYTES):
            out += self._read_line(line)
        return bytes(out[address - first : address - first + length])

    def __getitem__(self, address: int) -> int:
        if address == SR:
            if self._busy:
                self._busy -= 1
                return self._status | BSY
            return self._status
        if address == CR:
            return self._control
        if address == ACR:
            return self._access
        return int.from_bytes(self.memory(address, 4), "little")

    def __setitem__(self, address: int, value: int) -> None:
        if not 0 <= value < 1 << 32:
            raise Misuse("not a word")
        if address == KEYR:
            self._unlock(value)
        elif address == SR:
            self._status &= ~value
        elif address == CR:
            self._set_control(value)
        elif address == ACR:
            self._set_access(value)
        else:
            self._program(address, value)

    def _unlock(self, value: int) -> None:
        if value != (0x45670123, 0xCDEF89AB)[self._keys] or not self._control & LOCK:
            self._jammed = True
        self._keys = 1 - self._keys
        if self._keys == 0 and not self._jammed:
            self._control &= ~LOCK

    def _set_control(self, value: int) -> None:
        if self._busy:
            raise Misuse("CR written while busy")
        if self._control & LOCK:
            return  # locked: nothing sticks
        self._control = value & ~STRT
        if value & STRT:
            self._erase(value)

    def _set_access(self, value: int) -> None:
        for enable, reset in ((9, 11), (10, 12)):
            if value >> reset & 1:
                if value >> enable & 1:
                    raise Misuse("cache reset while it is on")
                if reset == 12:
                    self._cache.clear()
        self._access = value

    def _erase(self, value: int) -> None:
        number = value >> 3 & 0x1F
        if number >= 16:
            number -= 4
        if value & 3 != 2 or self._status & 0xF2 or number >= len(self._starts):
            self._status |= PGSERR
            return
        if number in self.protected:
            self._status |= WRPERR
            return
        self._arrays.pop(number, None)
        self.erases += 1
        self._busy = self._busy_polls

    def _program(self, address: int, value: int) -> None:
        number, offset, size = self._find(address)
        if self._busy:
            raise Misuse("flash written while busy")
        if address % 4:
            raise Misuse("unaligned word")
        if self._control & LOCK or self._control & 3 != 1 or self._status & 0xF2:
            self._status |= PGSERR
            return
        if self._control >> 8 & 3 != 2:
            self._status |= PGPERR
            return
        if number in self.protected:
            self._status |= WRPERR
            return
        if number not in self._arrays:
            self._arrays[number] = bytearray(b"\xff" * size)
        array = self._arrays[number]
        if address not in self.stuck:
            for at in range(4):
                array[offset + at] &= value >> 8 * at & 0xFF
        self.programs += 1
        self._busy = 1

    def _read_line(self, line: int) -> bytes:
        if self._busy:
            raise Misuse("flash read while busy")
        if self._access >> 10 & 1 and line in self._cache:
            return self._cache[line]
        number, offset, _ = self._find(line)
        array = self._arrays.get(number)
        content = bytes(array[offset : offset + LINE_BYTES]) if array else b"\xff" * LINE_BYTES
        if self._access >> 10 & 1:
            self._cache[line] = content
        return content

    def _find(self, address: int) -> "tuple[int, int, int]":
        for number, (start, size) in enumerate(self._starts):
            if start <= address < start + size:
                return number, address - start, size
        raise Misuse(f"no flash at 0x{address:08x}")
