"""The shapes of long work: generators, composed with `yield from`, that return their result."""

from collections.abc import Callable, Generator
from typing import Protocol, TypeAlias, TypeVar

from uptane.meta.roles import Root
from uptane.meta.wants import Commit, Want

T = TypeVar("T")

# One slice of computing per None.
Work: TypeAlias = Generator[None, None, T]
# Computing, a file wanted (answered by send: bytes, or None = absent), or records to store now.
Cycle: TypeAlias = Generator[Want | Commit | None, bytes | None, T]
# The whole of one stored record, or None.
Stored: TypeAlias = Callable[[int], bytes | None]
Changes: TypeAlias = dict[int, bytes | None]
# Threshold, and the public keys by their kid.
Keyholders: TypeAlias = tuple[int, dict[bytes, bytes]]
Hashes: TypeAlias = dict[int, bytes]

class Clock(Protocol):
    """What a cycle needs of attested time (meta.attested_time.AttestedTime is one)."""

    fresh: bool

    def now(self, ticks_ms: int) -> int: ...
    def root_changed(self, root: Root) -> Changes: ...
