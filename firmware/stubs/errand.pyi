"""The shapes of long work: generators, composed with `yield from`, that return their result."""

from collections.abc import Callable, Generator
from typing import Protocol, TypeAlias, TypeVar

from hashes import Buffer
from uptane.crypto.suite import Suite
from uptane.meta import roles, targets
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
# Of a Director's Targets: number of the bundle, 1 if it is confirmed together, trials at most.
Bundle: TypeAlias = tuple[int, int, int]
Hashes: TypeAlias = dict[int, bytes]
# (kid, signature), as an envelope lists them.
Signatures: TypeAlias = list[tuple[bytes, bytes]]
# What a signature over a payload covers, in pieces: (payload, aad, signature).
SignParts: TypeAlias = Callable[[Buffer, bytes, bytes], tuple[Buffer, ...]]

class Envelope(Protocol):
    """An open file: what is signed, compared and named by other files; and by whom."""

    payload: bytes
    signatures: Signatures

class Codec(Protocol):
    """How files are read and written, and what their signatures cover: a module that
    `meta.files` is given. On devices `meta.targets`, and `meta.delegation` where delegations are
    searched, which has Delegations(suite, targets) besides. Each reader takes a payload and
    refuses what is none; what the objects are asked is what those of `meta.roles`,
    `meta.targets` and `meta.delegation` answer.
    """

    def read_sign(self, raw: Buffer, /) -> Envelope: ...
    def write_sign(self, payload: Buffer, signatures: Signatures, /) -> bytes: ...
    def context(self, type: int, identity: bytes, number: int, /) -> bytes: ...
    def sign_parts(
        self, payload: Buffer, aad: bytes, signature: bytes = ..., /
    ) -> tuple[Buffer, ...]: ...
    def Head(self, payload: bytes, role: int, /) -> roles.Head: ...
    def Root(self, suite: Suite, payload: bytes, /) -> roles.Root: ...
    def Timestamp(self, payload: bytes, /) -> roles.Timestamp: ...
    def Snapshot(self, payload: bytes, /) -> roles.Snapshot: ...
    def Targets(self, payload: bytes, repository: int, role: int = ..., /) -> targets.Targets: ...

class Sink(Protocol):
    """Takes a file as it comes (store.slots.Slots, image.depot.Depot, and the stages of
    image.intake); what takes long is returned as work to be done."""

    def write(self, offset: int, data: memoryview, /) -> Work[None] | None: ...

class Clock(Protocol):
    """What a cycle needs of attested time (meta.attested_time.AttestedTime is one)."""

    fresh: bool

    def now(self, ticks_ms: int) -> int: ...
    def root_changed(self, root: Root) -> Changes: ...
