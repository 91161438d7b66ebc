"""The shapes of long work: generators, composed with `yield from`, that return their result."""

from collections.abc import Callable, Generator
from typing import Protocol, TypeAlias, TypeVar

from uptane.meta.roles import Root
from uptane.meta.wants import Commit, Want

T = TypeVar("T")

# One slice of computing per None.
Work: TypeAlias = Generator[None, None, T]
# Computing, a file wanted (answered by send: bytes, or None = absent), records to store now, or
# the time in milliseconds until which there is nothing to do but wait for frames.
Cycle: TypeAlias = Generator[Want | Commit | int | None, bytes | None, T]
# Waiting for frames until a time in milliseconds.
Wait: TypeAlias = Generator[int, None, T]
# The whole of one stored record, or None.
Stored: TypeAlias = Callable[[int], bytes | None]
Changes: TypeAlias = dict[int, bytes | None]
# Threshold, and the public keys by their kid.
Keyholders: TypeAlias = tuple[int, dict[bytes, bytes]]
Hashes: TypeAlias = dict[int, bytes]

class Sink(Protocol):
    """Takes a file as it comes (store.slots.Slots, image.depot.Depot)."""

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None: ...

class Clock(Protocol):
    """What a cycle needs of attested time (meta.attested_time.AttestedTime is one)."""

    fresh: bool

    def now(self, ticks_ms: int) -> int: ...
    def root_changed(self, root: Root) -> Changes: ...
