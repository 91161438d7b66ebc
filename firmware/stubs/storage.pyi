"""The shapes that the store is given: a flash driver, and something that can hash."""

from collections.abc import Generator
from typing import Protocol, TypeAlias, TypeVar

T = TypeVar("T")

Buffer: TypeAlias = bytes | bytearray | memoryview
# One slice of computing per None.
Work: TypeAlias = Generator[None, None, T]

class Flash(Protocol):
    """Addresses are the driver's own; a block is what one erase clears."""

    def read_into(self, address: int, buffer: bytearray | memoryview) -> None: ...
    def program(self, address: int, data: Buffer) -> None: ...
    def erase(self, address: int) -> None: ...

class Digesting(Protocol):
    def update(self, data: Buffer, /) -> object: ...
    def digest(self) -> bytes: ...

class Hashing(Protocol):
    def sha256(self) -> Digesting: ...

class Store(Protocol):
    """A random-access byte store: an open file, or io.BytesIO."""

    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def readinto(self, buffer: bytearray | memoryview, /) -> int | None: ...
    def write(self, data: Buffer, /) -> int | None: ...
