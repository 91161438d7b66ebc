"""Internal flash of the STM32F4 at register level (RM0090, chapter 3), through machine.mem32.

pyb.Flash is not used: it is a filesystem area behind a RAM cache that writes back late. Sectors
have different sizes; `erase` takes the address where one starts. A word is programmed at a time
(x32 parallelism: supply of 2.7 V or more).

On parts with one bank the processor stands still while it erases (1 to 2 s for 128 KB): the UDS
server must have said 0x78 before, the watchdog must be longer than that, frames are lost.
It does not: erase before it programs, protect the firmware (board.toml's map does).
"""

from uptane.errors import FlashFault

if False:  # for the type checker; both compilers drop the block
    from shapes import Buffer, Memory, Words

# (address, block bytes, blocks)
SECTORS_1M = (
    (0x08000000, 0x4000, 4),
    (0x08010000, 0x10000, 1),
    (0x08020000, 0x20000, 7),
)
SECTORS_2M = (
    (0x08000000, 0x4000, 4),
    (0x08010000, 0x10000, 1),
    (0x08020000, 0x20000, 7),
    (0x08100000, 0x4000, 4),
    (0x08110000, 0x10000, 1),
    (0x08120000, 0x20000, 7),
)

ACR = 0x40023C00
KEYR = 0x40023C04
SR = 0x40023C0C
CR = 0x40023C10
KEY1 = 0x45670123
KEY2 = 0xCDEF89AB
SR_BSY = 1 << 16
SR_ERRORS = 0xF2  # OPERR, WRPERR, PGAERR, PGPERR, PGSERR
SR_DONE = 0x01
CR_PG = 1 << 0
CR_SER = 1 << 1
CR_SNB_SHIFT = 3
CR_PSIZE_X32 = 2 << 8
CR_STRT = 1 << 16
CR_LOCK = 1 << 31
ACR_CACHES_ON = 3 << 9  # ICEN, DCEN
ACR_CACHES_RESET = 3 << 11  # ICRST, DCRST
BANK_SECTORS = 12  # sectors of bank 2 are numbered from 16 in CR.SNB
ERASED = 0xFFFFFFFF
POLLS_MAX = 4000000  # of BSY: more than the 4 s that a sector may take


class FlashStm32:
    """`mem32`: machine.mem32; `memory`: uctypes.bytearray_at; `sectors`: one of the above."""

    def __init__(
        self,
        mem32: "Words",
        memory: "Memory",
        sectors: "tuple[tuple[int, int, int], ...]" = SECTORS_1M,
    ) -> None:
        self._mem32 = mem32
        self._memory = memory
        self._sectors = sectors

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        buffer[:] = self._memory(address, len(buffer))

    def program(self, address: int, data: "Buffer") -> None:
        """Whole words, erased before. FlashFault: misaligned, refused by the controller, or it
        does not read back."""
        if address % 4 or len(data) % 4:
            raise FlashFault
        mem32 = self._mem32
        self._unlock(CR_PG | CR_PSIZE_X32)
        try:
            for at in range(0, len(data), 4):
                word = data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24
                if word != ERASED:
                    mem32[address + at] = word
                    self._settle()
        finally:
            self._lock()
        if bytes(self._memory(address, len(data))) != bytes(data):
            raise FlashFault

    def erase(self, address: int) -> None:
        """The sector that starts at `address`."""
        number = self._sector(address)
        if number >= BANK_SECTORS:
            number += 16 - BANK_SECTORS
        setting = CR_SER | number << CR_SNB_SHIFT | CR_PSIZE_X32
        self._unlock(setting)
        try:
            self._mem32[CR] = setting | CR_STRT
            self._settle()
        finally:
            self._lock()

    def _sector(self, address: int) -> int:
        number = 0
        for start, block_bytes, blocks in self._sectors:
            for block in range(blocks):
                if address == start + block * block_bytes:
                    return number
                number += 1
        raise FlashFault

    def _unlock(self, setting: int) -> None:
        mem32 = self._mem32
        if mem32[CR] & CR_LOCK:
            mem32[KEYR] = KEY1
            mem32[KEYR] = KEY2
        self._wait()  # for someone else's operation
        mem32[SR] = SR_ERRORS | SR_DONE  # a flag left over would forbid the next operation
        mem32[CR] = setting

    def _lock(self) -> None:
        mem32 = self._mem32
        mem32[CR] = CR_LOCK
        # The caches do not see what the controller does to the array: empty them, or the old
        # content is read (RM0090 3.5.2).
        caches = mem32[ACR] & ACR_CACHES_ON
        mem32[ACR] &= ~caches & 0xFFFFFFFF
        mem32[ACR] |= ACR_CACHES_RESET
        mem32[ACR] &= ~ACR_CACHES_RESET & 0xFFFFFFFF
        mem32[ACR] |= caches

    def _settle(self) -> None:
        if self._wait() & SR_ERRORS:
            self._mem32[SR] = SR_ERRORS
            raise FlashFault

    def _wait(self) -> int:
        mem32 = self._mem32
        for _ in range(POLLS_MAX):
            status = mem32[SR]
            if not status & SR_BSY:
                return status
        raise FlashFault
