"""The shape of a hash object: what hashlib gives on both interpreters, and Sha512 as well."""

from typing import Protocol, TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview

class Hash(Protocol):
    def update(self, data: Buffer, /) -> object: ...
    def digest(self) -> bytes: ...
