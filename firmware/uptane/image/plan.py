"""What signed metadata says of a delta, and whether the image that it was made from is here.

It does NOT read the metadata, and does not look at the delta: `uptane.image.delta` does.
Rules: S-27, S-29, E-81.
"""

from uptane.errors import WrongBase
from uptane.store.area import digest_of

if False:  # for the type checker
    from storage import Digesting, Work
    from uptane.store.area import ReadInto


class Plan:
    """A delta's SHA-256, the lengths of delta, old and new image in bytes, and for an in-place one
    (memory, segment, shift) in bytes."""

    def __init__(
        self,
        digest: bytes,
        length: int,
        old_length: int,
        new_length: int,
        layout: "tuple[int, int, int] | None" = None,
    ) -> None:
        self.digest = digest
        self.length = length
        self.old_length = old_length
        self.new_length = new_length
        self.layout = layout

    def sizes(self) -> "tuple[int, ...]":
        """What the head of the delta has to repeat, in its order."""
        if self.layout is None:
            return (self.new_length,)
        return self.layout + (self.old_length, self.new_length)

    def segment(self, start: int) -> "tuple[int, int, int]":
        """Where the segment ends that starts there, and the part of the old image, from an offset
        to an offset, that is still there when it is made."""
        if self.layout is None:
            return self.new_length, 0, self.old_length
        memory, segment, shift = self.layout
        low = max(start + segment - shift, 0)
        high = max(min(self.old_length, memory - shift), low)
        return min(start + segment, self.new_length), low, high


def verify_base(
    read_into: "ReadInto", length: int, digest: bytes, hashing: "Digesting"
) -> "Work[None]":
    """Hash the old image where it lies. WrongBase."""
    if (yield from digest_of(read_into, length, hashing)) != digest:
        raise WrongBase
