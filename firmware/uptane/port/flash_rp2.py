"""Raw flash of the RP2040 and RP2350 through `rp2.Flash`, given: 4096-byte blocks, 256-byte pages.

An address is an offset from the start of the flash chip, as in board.toml; `rp2.Flash` covers the
part from `base` up. Each erase and each page stops both cores' execution from flash with
interrupts off (45 ms and 0.4 ms, typical): frames are lost unless the sender waits.

It does not: erase before it programs, keep a filesystem away from its range (see the board's
_boot.py), check what was programmed beyond reading it back.
"""

from uptane.errors import FlashFault

if False:  # for the type checker; both compilers drop the block
    from shapes import BlockDevice, Buffer, Memory

BLOCK_BYTES = 4096
PAGE_BYTES = 256
ERASE = 6  # ioctl of the block protocol
XIP_BASE = 0x10000000  # where the processor sees the start of the chip


def mapped(memory: "Memory") -> "Memory":
    """Flash as memory, by addresses of the chip; `memory`: uctypes.bytearray_at."""
    return lambda address, length: memory(XIP_BASE + address, length)


class FlashRp2:
    """`flash`: rp2.Flash() whole; `base`, `size`: bytes from the start of the chip, and of it."""

    def __init__(self, flash: "BlockDevice", base: int, size: int) -> None:
        self._flash = flash
        self._base = base
        self._size = size
        # Data may lie in flash itself (a constant of a frozen module), which cannot be read
        # while it is programmed: every page passes through RAM.
        self._page = bytearray(PAGE_BYTES)
        self._check = bytearray(PAGE_BYTES)

    def read_into(self, address: int, buffer: "bytearray | memoryview") -> None:
        at = self._offset(address, len(buffer))
        self._flash.readblocks(at // BLOCK_BYTES, buffer, at % BLOCK_BYTES)

    def program(self, address: int, data: "Buffer") -> None:
        """Whole pages of 256 bytes, erased before. FlashFault: misaligned, out of range, or it
        does not read back."""
        at = self._offset(address, len(data))
        if address % PAGE_BYTES or len(data) % PAGE_BYTES:
            raise FlashFault
        view = memoryview(data)
        for done in range(0, len(data), PAGE_BYTES):
            block = (at + done) // BLOCK_BYTES
            offset = (at + done) % BLOCK_BYTES
            self._page[:] = view[done : done + PAGE_BYTES]
            self._flash.writeblocks(block, self._page, offset)
            self._flash.readblocks(block, self._check, offset)
            if self._check != self._page:
                raise FlashFault

    def erase(self, address: int) -> None:
        """The block that starts at `address`."""
        at = self._offset(address, BLOCK_BYTES)
        if address % BLOCK_BYTES:
            raise FlashFault
        self._flash.ioctl(ERASE, at // BLOCK_BYTES)

    def _offset(self, address: int, length: int) -> int:
        at = address - self._base
        if at < 0 or at + length > self._size:
            raise FlashFault
        return at
