"""Deltas: from two images to a patch in the format of detools, and what its metadata says.

`sequential` is for an ECU with a spare slot, `in_place` for one that overwrites what it runs.
Both are compressed by heatshrink within the bounds of `uptane.limits`, and each is applied once
by the library itself before anybody gets it. The same images give the same patch every time, so it
may be made for one ECU at the moment (S-31) or kept (S-32).
It does NOT decide who gets a delta, nor whether one is worth it: compare `len(delta.patch)` with
the image. detools may be missing (scripts/setup); then everything here is NoDelta.
Rules: S-26, S-27, S-31, S-32, E-81.
"""

from io import BytesIO
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from muptane.oem.errors import NoDelta
from muptane.oem.fields import U32, Hashes, Strict, hashes_of
from uptane import ids, limits

try:
    import detools  # type: ignore[import-untyped,import-not-found,unused-ignore]
except ImportError:  # it has to be compiled, and nothing here could do that
    detools = None

LOOKAHEAD_BITS_MIN = 3
WINDOW_BITS_MIN = 5  # a token that repeats would else be shorter than a literal
MISSING = "detools is not installed: it needs a C++ compiler and Python.h; then run `make setup`"

Length = Annotated[int, Field(ge=1, le=limits.IMAGE_BYTES_MAX)]


class Description(Strict):
    """What an entry's custom says of a delta; `layout` (memory, segment, shift) if in-place."""

    algorithm: Annotated[int, Field(ge=ids.DELTA_SEQUENTIAL, le=ids.DELTA_IN_PLACE)]
    length: Length
    hashes: Hashes
    base_length: Length
    base_hashes: Hashes
    window_bits: Annotated[int, Field(ge=WINDOW_BITS_MIN, le=limits.DELTA_WINDOW_BITS_MAX)]
    lookahead_bits: Annotated[
        int, Field(ge=LOOKAHEAD_BITS_MIN, le=limits.DELTA_LOOKAHEAD_BITS_MAX)
    ]
    layout: tuple[U32, U32, U32] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.layout is not None) != (self.algorithm == ids.DELTA_IN_PLACE):
            raise ValueError("an in-place delta has a layout, a sequential one has none")
        return self

    def as_map(self) -> dict[int, object]:
        """The value of ids.CUSTOM_DELTA."""
        made: dict[int, object] = {
            ids.DELTA_ALGORITHM: self.algorithm,
            ids.DELTA_LENGTH: self.length,
            ids.DELTA_HASHES: self.hashes,
            ids.DELTA_BASE: [self.base_length, self.base_hashes],
            ids.DELTA_WINDOW: [self.window_bits, self.lookahead_bits],
        }
        if self.layout is not None:
            made[ids.DELTA_LAYOUT] = list(self.layout)
        return made

    @classmethod
    def from_map(cls, found: dict[int, Any]) -> "Description":
        base_length, base_hashes = found[ids.DELTA_BASE]
        window_bits, lookahead_bits = found[ids.DELTA_WINDOW]
        layout = found.get(ids.DELTA_LAYOUT)
        return cls(
            algorithm=found[ids.DELTA_ALGORITHM],
            length=found[ids.DELTA_LENGTH],
            hashes=found[ids.DELTA_HASHES],
            base_length=base_length,
            base_hashes=base_hashes,
            window_bits=window_bits,
            lookahead_bits=lookahead_bits,
            layout=None if layout is None else tuple(layout),
        )


class Delta(Strict):
    """A patch and its description."""

    patch: bytes
    description: Description


def available() -> bool:
    """Is the library there? If not, everything here refuses with `MISSING`."""
    return detools is not None


def sequential(old: bytes, new: bytes, window_bits: int = limits.DELTA_WINDOW_BITS_MAX) -> Delta:
    """The delta for an ECU with a spare slot. Refusal: NoDelta."""
    _check(old, new, window_bits)
    patch = BytesIO()
    detools.create_patch(
        BytesIO(old),
        BytesIO(new),
        patch,
        compression="heatshrink",
        heatshrink_window_sz2=window_bits,
        heatshrink_lookahead_sz2=_lookahead(window_bits),
        use_mmap=False,
    )
    made = BytesIO()
    detools.apply_patch(BytesIO(old), BytesIO(patch.getvalue()), made)
    return _checked(old, new, patch.getvalue(), made.getvalue())


def in_place(
    old: bytes,
    new: bytes,
    memory_bytes: int,
    segment_bytes: int,
    window_bits: int = limits.DELTA_WINDOW_BITS_MAX,
) -> Delta:
    """The delta for an ECU that runs `old` from the memory that `new` shall fill. `segment_bytes`
    is a multiple of what the ECU erases at once. Refusal: NoDelta."""
    _check(old, new, window_bits)
    if segment_bytes < 1 or memory_bytes % segment_bytes:
        raise NoDelta(f"{memory_bytes} bytes of memory are no segments of {segment_bytes} bytes")
    for name, image in (("old", old), ("new", new)):
        if len(image) > memory_bytes:
            raise NoDelta(
                f"the {name} image has {len(image)} bytes, {len(image) - memory_bytes} more than "
                f"the memory of {memory_bytes} bytes"
            )
    # Moved up further, more of the old image stays above the segment that is made; but what is
    # moved beyond the memory's end is lost. Only making both tells which is smaller.
    patches = []
    for segments in (1, 2):
        shift_min = min(segments * segment_bytes, memory_bytes)
        patch = BytesIO()
        detools.create_patch(
            BytesIO(old),
            BytesIO(new),
            patch,
            compression="heatshrink",
            patch_type="in-place",
            memory_size=memory_bytes,
            segment_size=segment_bytes,
            minimum_shift_size=shift_min,
            heatshrink_window_sz2=window_bits,
            heatshrink_lookahead_sz2=_lookahead(window_bits),
            use_mmap=False,
        )
        patches.append(patch.getvalue())
    chosen = min(patches, key=len)
    memory = BytesIO(old + bytes(memory_bytes - len(old)))
    detools.apply_patch_in_place(memory, BytesIO(chosen))
    return _checked(old, new, chosen, memory.getvalue()[: len(new)])


def _lookahead(window_bits: int) -> int:
    return min(limits.DELTA_LOOKAHEAD_BITS_MAX, window_bits - 1)


def _check(old: bytes, new: bytes, window_bits: int) -> None:
    """Refuse what no device would take, before anything is made."""
    if detools is None:
        raise NoDelta(MISSING)
    for name, image in (("old", old), ("new", new)):
        if not 1 <= len(image) <= limits.IMAGE_BYTES_MAX:
            raise NoDelta(
                f"the {name} image has {len(image)} bytes; it has to have 1 to "
                f"{limits.IMAGE_BYTES_MAX}"
            )
    if not WINDOW_BITS_MIN <= window_bits <= limits.DELTA_WINDOW_BITS_MAX:
        raise NoDelta(
            f"a window of {window_bits} bits; devices take {WINDOW_BITS_MIN} to "
            f"{limits.DELTA_WINDOW_BITS_MAX}"
        )


def _checked(old: bytes, new: bytes, patch: bytes, made: bytes) -> Delta:
    """The delta, described by what its own head says."""
    if made != new:
        raise NoDelta(
            f"detools {detools.__version__} made {len(made)} bytes out of its patch of "
            f"{len(patch)} bytes that are not the new image of {len(new)} bytes"
        )
    kind, facts = detools.patch_info(BytesIO(patch))
    layout = tuple(facts[3:6]) if kind == "in-place" else None
    return Delta(
        patch=patch,
        description=Description(
            algorithm=ids.DELTA_SEQUENTIAL if layout is None else ids.DELTA_IN_PLACE,
            length=len(patch),
            hashes=hashes_of(patch),
            base_length=len(old),
            base_hashes=hashes_of(old),
            window_bits=facts[2]["window-sz2"],
            lookahead_bits=facts[2]["lookahead-sz2"],
            layout=layout,
        ),
    )
