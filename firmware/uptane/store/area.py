"""A run of equal erase blocks: the piece of a flash that one owner has for itself.

Offsets count from the area's start. Whatever is programmed is read back and compared; whatever
reaches beyond the area, or misses the program unit, is refused before the driver sees it.
It does NOT buffer, or know what the bytes mean. `digest_of` hashes what lies
there, a slice at a time.
Rules: E-79.
"""

from uptane.errors import FlashFault

if False:  # for the type checker
    from collections.abc import Callable

    from storage import Buffer, Digesting, Flash, Work

    # (offset, what to fill)
    ReadInto = Callable[[int, memoryview], None]

CHUNK_BYTES = 256
BLANK = b"\xff" * CHUNK_BYTES
HASH_BYTES = 512
HASHES_PER_SLICE = 8  # 4 KB are hashed between two yields


def digest_of(read_into: "ReadInto", length: int, hashing: "Digesting") -> "Work[bytes]":
    """Return the digest of that many bytes, as they lie in flash. FlashFault, of reading."""
    chunk = memoryview(bytearray(HASH_BYTES))
    at = 0
    while at < length:
        for _ in range(HASHES_PER_SLICE):
            part = chunk[: min(HASH_BYTES, length - at)]
            read_into(at, part)
            hashing.update(part)
            at += len(part)
        yield
    return hashing.digest()


class Area:
    """`flash` as in the board's driver; the area starts at `address` and has `blocks` blocks of
    `block_bytes`; programs are whole, aligned units of `program_bytes`."""

    def __init__(
        self, flash: "Flash", address: int, block_bytes: int, blocks: int, program_bytes: int
    ) -> None:
        self._flash = flash
        self.address = address
        self.block_bytes = block_bytes
        self.blocks = blocks
        self.program_bytes = program_bytes
        self.size = block_bytes * blocks

    def read_into(self, offset: int, buffer: "bytearray | memoryview") -> None:
        """Fill the buffer from that offset on. FlashFault out of bounds."""
        self._check(offset, len(buffer))
        self._flash.read_into(self.address + offset, buffer)

    def read(self, offset: int, n: int) -> bytes:
        """n bytes from that offset on. FlashFault out of bounds."""
        self._check(offset, n)
        buffer = bytearray(n)
        self._flash.read_into(self.address + offset, buffer)
        return bytes(buffer)

    def program(self, offset: int, data: "Buffer") -> None:
        """Program whole units onto erased ones. FlashFault if out of bounds or misaligned, or if
        the flash does not hold the data afterwards."""
        n = len(data)
        self._check(offset, n)
        if offset % self.program_bytes or n % self.program_bytes:
            raise FlashFault
        self._flash.program(self.address + offset, data)
        given = memoryview(data)
        held = memoryview(bytearray(CHUNK_BYTES))
        for at in range(0, n, CHUNK_BYTES):
            part = held[: min(CHUNK_BYTES, n - at)]
            self._flash.read_into(self.address + offset + at, part)
            if part != given[at : at + len(part)]:
                raise FlashFault

    def erase(self, block: int) -> None:
        """Erase the block of that index, counted from 0. FlashFault if there is none, or if it
        does not read erased afterwards."""
        if not 0 <= block < self.blocks:
            raise FlashFault
        self._flash.erase(self.address + block * self.block_bytes)
        if not self.blank(block * self.block_bytes, self.block_bytes):
            raise FlashFault

    def blank(self, offset: int, n: int) -> bool:
        """True if n bytes from that offset on all read erased. FlashFault out of bounds."""
        self._check(offset, n)
        held = memoryview(bytearray(CHUNK_BYTES))
        for at in range(0, n, CHUNK_BYTES):
            part = held[: min(CHUNK_BYTES, n - at)]
            self._flash.read_into(self.address + offset + at, part)
            if part != BLANK[: len(part)]:
                return False
        return True

    def clear(self, length: int) -> "Work[None]":
        """Erase what so many bytes from the start take, a block at a time."""
        for block in range(self._blocks_of(length)):
            self.erase(block)
            yield

    def reopen(self, length: int, made: int) -> "Work[int]":
        """Where somebody goes on who was filling so many bytes from the start: the start of the
        last block that holds anything, or what is known to be `made` (whole blocks; -1: nothing).
        A cut may have torn the last unit, so what lies from there on is erased."""
        block = self._blocks_of(length) - 1
        while block > 0 and block * self.block_bytes > made:
            if not self.blank(block * self.block_bytes, self.block_bytes):
                if made < 0:
                    break
                self.erase(block)
            block -= 1
            yield
        if block >= 0:
            self.erase(block)
            yield
        return max(block, 0) * self.block_bytes

    def _blocks_of(self, length: int) -> int:
        return (length + self.block_bytes - 1) // self.block_bytes

    def _check(self, offset: int, n: int) -> None:
        if offset < 0 or n < 0 or offset + n > self.size:
            raise FlashFault
