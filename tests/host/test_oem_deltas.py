"""Deltas of the back office: what detools makes, described, bounded, and applied by the device.

Hypothesis draws pairs of images; the device's code applies what the library made of them.
Rules: S-26, S-27, S-29, S-31, S-32, E-81.
"""

import io
from collections.abc import Iterator
from hashlib import sha256

import cbor2
import pytest
from grammar import conforms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boards.unix.nor import Geometry, Nor
from muptane.oem import deltas
from muptane.oem.deltas import Delta, Description
from muptane.oem.encoding import encode
from muptane.oem.errors import NoDelta
from tests.vectors.deltas import LARGE, SHIFTED, SMALL, TIGHT, WIDE, images
from uptane import ids
from uptane.errors import Refusal
from uptane.image.delta import Patch
from uptane.image.description import read_delta
from uptane.image.in_place import InPlace
from uptane.image.plan import Plan
from uptane.store.area import Area

pytestmark = pytest.mark.skipif(deltas.detools is None, reason=deltas.MISSING)

BLOCK = 512
UNIT = 4
DRAWN = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


class Suite:
    """What the device is given to hash with."""

    def sha256(self) -> "object":
        return sha256()


@st.composite
def pairs(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Images that have something in common: the new one is cut out of the old, and more."""
    old = draw(st.binary(min_size=1, max_size=300)) * draw(st.integers(1, 12))
    new = b""
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(old)))
        new += old[start : start + draw(st.integers(0, 600))] + draw(st.binary(max_size=40))
    return old, new or b"n"


def plan_of(delta: Delta, new: bytes) -> Plan:
    """What the device is told, from the description alone."""
    plan, base = read_delta(cbor2.loads(encode(delta.description.as_map())), len(new))
    assert base == delta.description.base_hashes[ids.ALG_SHA256]
    return plan


def applied(patch: bytes, plan: Plan, old: bytes, piece_bytes: int) -> bytes:
    """What the device makes of a sequential patch; nothing outside the old image is read."""
    made = bytearray()

    def read_into(at: int, buffer: memoryview) -> None:
        assert at >= 0 and at + len(buffer) <= len(old)
        buffer[:] = old[at : at + len(buffer)]

    def write(view: memoryview) -> Iterator[None]:
        made.extend(view)
        assert len(made) <= plan.new_length
        yield

    work = Patch(plan, read_into, write)
    for at in range(0, len(patch), piece_bytes):
        for _ in work.take(patch[at : at + piece_bytes], plan.new_length):
            pass
    work.finish()
    return bytes(made)


def installed(patch: bytes, plan: Plan, old: bytes, new: bytes) -> bytes:
    """What lies at the start of an ECU's only slot after an in-place patch."""
    assert plan.layout is not None
    memory = plan.layout[0]
    nor = Nor(
        io.BytesIO(), Geometry([(0, BLOCK, memory // BLOCK, 900)], UNIT, 16, 256), lambda us: None
    )
    nor.poke(0, old)
    saved: list[bytes] = []
    work = InPlace(Area(nor, 0, BLOCK, memory // BLOCK, UNIT), plan, saved.append)
    for at in range(0, len(patch), 100):
        for _ in work.write(patch[at : at + 100]):
            pass
    for _ in work.finish(Suite(), sha256(new).digest()):
        pass
    held = bytearray(len(new))
    nor.peek(0, held)
    return bytes(held)


def memory_for(old: bytes, new: bytes, spare: int) -> int:
    return (max(len(old), len(new)) + BLOCK - 1) // BLOCK * BLOCK + spare * BLOCK


# --- what is made --------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [SMALL, LARGE, SHIFTED, TIGHT, WIDE])
def test_the_vectors_are_what_detools_makes_today(
    made: tuple[int, int, tuple[int, int, int] | None, bytes],
) -> None:
    """S-26, S-31, S-32: the same images give the same patch."""
    scale, window_bits, layout, patch = made
    old, new = images(scale)
    if layout is None:
        again = deltas.sequential(old, new, window_bits)
    else:
        again = deltas.in_place(old, new, layout[0], layout[1], window_bits)
    assert again.patch == patch
    assert again.description.layout == layout


def test_a_delta_is_described_like_a_target() -> None:
    """S-27: the algorithm, length and hash of the delta, its base, and what the ECU needs."""
    scale, window_bits, layout, patch = WIDE
    old, new = images(scale)
    said = deltas.in_place(old, new, 4096, 1024, window_bits).description
    assert said.as_map() == {
        ids.DELTA_ALGORITHM: ids.DELTA_IN_PLACE,
        ids.DELTA_LENGTH: len(patch),
        ids.DELTA_HASHES: {ids.ALG_SHA256: sha256(patch).digest()},
        ids.DELTA_BASE: [len(old), {ids.ALG_SHA256: sha256(old).digest()}],
        ids.DELTA_WINDOW: [10, 8],
        ids.DELTA_LAYOUT: list(layout or ()),
    }
    conforms("delta", encode(said.as_map()))
    assert Description.from_map(said.as_map()) == said
    plain = deltas.sequential(old, new, 8).description
    assert plain.as_map()[ids.DELTA_WINDOW] == [8, 7] and plain.layout is None
    assert Description.from_map(plain.as_map()) == plain
    with pytest.raises(ValueError, match="has a layout"):
        Description.from_map({**plain.as_map(), ids.DELTA_ALGORITHM: ids.DELTA_IN_PLACE})


def test_what_no_device_could_apply_is_not_made() -> None:
    """E-81: refused with the numbers, before anything is made."""
    old, new = images(2)
    for act, said in (
        (lambda: deltas.sequential(b"", new), "the old image has 0 bytes; it has to have 1 to"),
        (lambda: deltas.sequential(old, b""), "the new image has 0 bytes"),
        (lambda: deltas.sequential(old, new, 11), "a window of 11 bits; devices take 5 to 10"),
        (lambda: deltas.sequential(old, new, 4), "a window of 4 bits"),
        (
            lambda: deltas.in_place(old, new, 1000, 512),
            "1000 bytes of memory are no segments of 512 bytes",
        ),
        (lambda: deltas.in_place(old, new, 1024, 0), "1024 bytes of memory are no segments of 0"),
        (
            lambda: deltas.in_place(old, new, 512, 512),
            "the old image has 600 bytes, 88 more than the memory of 512 bytes",
        ),
        (
            lambda: deltas.in_place(old[:500], new, 512, 512),
            f"the new image has {len(new)} bytes, {len(new) - 512} more",
        ),
    ):
        with pytest.raises(NoDelta, match=said):
            act()


# --- what the device makes of it -----------------------------------------------------------------


@DRAWN
@given(pair=pairs(), window_bits=st.integers(5, 10), piece_bytes=st.integers(1, 200))
def test_the_device_applies_what_the_library_made(
    pair: tuple[bytes, bytes], window_bits: int, piece_bytes: int
) -> None:
    """S-26, E-81: any two images, any window in bounds, pieces of any size."""
    old, new = pair
    delta = deltas.sequential(old, new, window_bits)
    assert applied(delta.patch, plan_of(delta, new), old, piece_bytes) == new


@DRAWN
@given(pair=pairs(), segments=st.integers(1, 3), spare=st.integers(0, 4))
def test_the_device_applies_in_place_what_the_library_made(
    pair: tuple[bytes, bytes], segments: int, spare: int
) -> None:
    """S-29, E-81: with room to spare or none, segments of one erase block or several."""
    old, new = pair
    segment = segments * BLOCK
    memory = -(-memory_for(old, new, spare) // segment) * segment
    delta = deltas.in_place(old, new, memory, segment)
    assert installed(delta.patch, plan_of(delta, new), old, new) == new


@DRAWN
@given(pair=pairs(), data=st.data())
def test_a_mutated_patch_is_refused_or_left_to_the_hash(
    pair: tuple[bytes, bytes], data: st.DataObject
) -> None:
    """E-81: bytes changed, left out, doubled or cut off; what is read and written stays within
    bounds, so that the hash of a whole image can decide."""
    old, new = pair
    delta = deltas.sequential(old, new)
    patch = delta.patch
    at = data.draw(st.integers(0, len(patch) - 1))
    until = data.draw(st.integers(at, len(patch)))
    bad = data.draw(
        st.sampled_from(
            (
                patch[:at],
                patch[:at] + patch[until:],
                patch[:at] + data.draw(st.binary(max_size=8)) + patch[until:],
                patch[:until] + patch[at:],
                patch + patch[at:],
            )
        )
    )
    plan = plan_of(delta, new)
    for announced in (plan, Plan(plan.digest, len(bad), len(old), len(new))):
        try:
            made = applied(bad, announced, old, 64)
        except Refusal as refusal:
            assert refusal.number
        else:
            assert len(made) == len(new) and len(bad) == announced.length


@DRAWN
@given(pair=pairs(), data=st.data())
def test_a_mutated_patch_in_place_is_never_finished(
    pair: tuple[bytes, bytes], data: st.DataObject
) -> None:
    """E-81: nothing but the new image passes, whatever is in flash by then."""
    old, new = pair
    delta = deltas.in_place(old, new, memory_for(old, new, 1), BLOCK)
    patch = bytearray(delta.patch)
    for _ in range(data.draw(st.integers(1, 3))):
        patch[data.draw(st.integers(0, len(patch) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert installed(bytes(patch), plan_of(delta, new), old, new) == new
    except Refusal as refusal:
        assert refusal.number
