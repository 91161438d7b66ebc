"""A sequential delta: what it makes, in slices, and where it goes on after a reset."""

import struct
from hashlib import sha256

from claims import count_slices, raises, run
from patches import (
    SEQUENTIAL,
    WINDOW,
    Applying,
    Stream,
    number,
    plan_of,
    sequential,
    steps,
    vector,
)
from uptane.errors import Refusal, Rotten, WrongBase, WrongFile
from uptane.image import delta, heatshrink
from uptane.image.delta import Patch
from uptane.image.plan import verify_base
from uptane.image.rewrite import LEAD_BYTES
from uptane.limits import CHECKPOINT_BYTES_MAX
from vectors.deltas import LARGE, SMALL, noise


def applying(made) -> "tuple[Applying, bytes]":
    patch, old, new, _ = vector(made)
    return Applying(patch, old, len(new)), new


def reset(before: Applying) -> Applying:
    """What another object makes of the checkpoint; what was written stays written."""
    raw = before.work.checkpoint()
    assert len(raw) <= CHECKPOINT_BYTES_MAX
    after = Applying(before.patch, before.old, before.new_length)
    after.work.restore(raw)
    after.new[:] = before.new[: after.work.made]
    assert after.work.checkpoint() == raw
    return after


def test_the_old_image_and_a_patch_make_the_new_one() -> None:
    """S-26: in pieces of any size."""
    for made in (SMALL, LARGE):
        for piece_bytes in (1, 2, 5, 64, 4095):
            work, new = applying(made)
            assert work.whole(piece_bytes) == new, piece_bytes


def test_every_kind_of_step_is_made() -> None:
    """S-26: added to, new, back and on in the old image, empty, beyond one buffer."""
    old = noise(5, 700)
    zeros = bytes(600)
    plain = steps(
        (b"", b"", 100),
        (b"\x01\x00\xff", b"new", -103),
        (zeros, b"", -600),
        (zeros[:1], noise(6, 600), 699),
        (b"", b"end", -700),
    )
    new = bytes([old[100] + 1 & 0xFF, old[101], old[102] - 1 & 0xFF]) + b"new"
    new += old[:600] + old[:1] + noise(6, 600) + b"end"
    assert Applying(sequential(len(new), plain), old, len(new)).whole() == new


def test_machine_code_and_python_add_alike() -> None:
    """S-26: bytes modulo 256, runs of zeros, and nothing beyond the length."""
    machine = heatshrink.fast.add if heatshrink.fast else delta.add
    diff = bytes(70) + noise(3, 90) + bytes(64) + b"\xff"
    for n in (0, 1, 31, 32, 33, 100, 225):
        found = []
        for add in (machine, delta.add):
            into = bytearray(noise(9, 256))
            add(memoryview(into), memoryview(diff)[:n], n)
            found.append(bytes(into))
        summed = [(x + y) & 0xFF for x, y in zip(noise(9, 256), diff[:n])]
        assert found[0] == found[1] == bytes(summed) + noise(9, 256)[n:]


def test_work_is_done_in_slices() -> None:
    """S-26: a few hundred bytes between two yields, although one piece stands for many more."""
    zeros = Stream().literals(number(0) + number(1 + 128 * 400) + b"\x00")
    for _ in range(400):
        zeros.repeat(1, 128)
    length = 1 + 128 * 400
    stream = zeros.literals(number(0) + number(0)).packed()
    patch = bytes([SEQUENTIAL]) + number(length) + bytes([WINDOW]) + stream
    work = Applying(patch, bytes(length), length)
    _, slices = count_slices(work.work.take(patch, length))
    assert slices > length // 256
    work.work.finish()


def test_it_stops_where_it_is_told() -> None:
    """E-79: at a byte of the new image, so that a checkpoint stands for whole erase blocks."""
    work, new = applying(LARGE)
    at = 0
    for stop in range(0, len(new) + 300, 300):
        while True:
            used = run(work.work.take(work.patch[at : at + 50], stop))
            at += used
            if work.work.made >= min(stop, len(new)) and (stop < len(new) or used == 0):
                break
        assert work.work.made == len(work.new) == min(stop, len(new))
        work = reset(work)
    work.work.finish()
    assert bytes(work.new) == new and at == len(work.patch)


def test_a_small_patch_goes_on_from_every_byte() -> None:
    """E-79: the power goes at any byte, and nothing begins again."""
    for at in range(len(SMALL[3]) + 1):
        work, new = applying(SMALL)
        work.give(at)
        work = reset(work)
        assert work.work.position == at
        assert work.whole() == new, at


def test_a_larger_patch_goes_on_again_and_again() -> None:
    """E-79: at many places, and after each of many resets."""
    work, new = applying(LARGE)
    places = sorted([at * len(work.patch) // 256 for at in noise(11, 60)])
    for at in places:
        work.give(at, 7)
        work = reset(work)
    assert work.whole() == new


def test_the_largest_checkpoint_is_as_large_as_its_bound() -> None:
    """E-79: in-place ones have a byte more in front, and a window of 10 bits."""
    work, _ = applying(LARGE)
    work.give(100)
    assert LEAD_BYTES + 1 + len(work.work.checkpoint()) == CHECKPOINT_BYTES_MAX


def test_a_checkpoint_of_another_delta_is_refused() -> None:
    """E-79, E-81: it would go on in the middle of something else."""
    work, _ = applying(SMALL)
    work.give(40)
    raw = work.work.checkpoint()
    plan = plan_of(work.patch + b"x", work.old, work.new_length)
    raises(WrongFile, Patch(plan, work.read_into, work.write).restore, raw)


def test_a_checkpoint_that_cannot_be_is_refused() -> None:
    """E-79, E-81: whatever else it says reads no more, and writes no more."""
    work, new = applying(SMALL)
    work.give(40)
    raw = work.work.checkpoint()
    for bad in (b"", raw[:64], raw[:-1], raw + b"x", b"\x02" + raw[1:], raw[:65]):
        raises(Rotten, Applying(work.patch, work.old, len(new)).work.restore, bad)
    refused = 0
    for at in range(delta.STATE_BYTES + 8):
        for bits in (0xFF, 0x01, 0x80):
            bad = bytearray(raw)
            bad[at] ^= bits
            again = Applying(work.patch, work.old, len(new))
            try:
                again.work.restore(bytes(bad))
                again.new[:] = work.new[: again.work.made]
                again.whole()
            except Refusal as refusal:
                assert refusal.number
                refused += 1
    assert refused > 150


def test_each_field_of_a_checkpoint_has_its_bound() -> None:
    """E-79, E-81: one too many is refused, and the last one good is not."""
    old = noise(5, 100)
    patch = sequential(20, steps((bytes(20), b"", 0)))
    good = Applying(patch, old, 20)
    good.give(20)
    raw = bytes(good.work.checkpoint())
    known = struct.unpack_from(delta.STATE, raw, 0)
    phase, made, left = known[1], known[6], known[11]
    assert phase == delta.DIFF and left == 20 - made > 0

    def changed(field, value, phase=phase):
        fields = list(known)
        fields[1] = phase
        fields[field] = value
        work = Applying(patch, old, 20)
        work.work.restore(struct.pack(delta.STATE, *fields) + raw[delta.STATE_BYTES :])

    for field, good_value, bad_value in (
        (1, delta.END, delta.END + 1),
        (1, delta.FORMAT, delta.WINDOW),  # with a window, before there was one
        (2, 1, 2),  # sizes in the head
        (3, 34, 35),  # bits of an integer
        (5, len(patch), len(patch) + 1),
        (6, made, made + 1),  # with what is left of the step, beyond the image
        (8, made, made + 1),  # a step that begins beyond
        (10, 100 - left, 101 - left),
        (11, left, left + 1),
        (12, (1 << 35) - 1, 1 << 35),
    ):
        changed(field, good_value)
        raises(Rotten, changed, field, bad_value)
    changed(10, 100, delta.EXTRA)
    raises(Rotten, changed, 10, 101, delta.EXTRA)
    known = known[:8] + (made,) + known[9:]
    changed(7, made)
    raises(Rotten, changed, 7, made + 1)  # a segment that begins behind its step


def test_a_checkpoint_in_the_head_has_no_window() -> None:
    """E-79, E-81: nor does one behind it go without."""
    work, _ = applying(SMALL)
    work.give(1)
    raw = work.work.checkpoint()
    again, _ = applying(SMALL)
    again.work.restore(raw)
    raw[1] = delta.FORMAT
    raises(Rotten, applying(SMALL)[0].work.restore, raw)
    raw[1], raw[2] = delta.SIZES, 1
    raises(Rotten, applying(SMALL)[0].work.restore, raw)


def test_only_the_image_that_a_delta_was_made_from_is_its_base() -> None:
    """E-81: wrong base."""
    work, _ = applying(SMALL)
    digest = sha256(work.old).digest()
    run(verify_base(work.read_into, len(work.old), digest, sha256()))
    raises(WrongBase, run, verify_base(work.read_into, len(work.old) - 1, digest, sha256()))
    work.old = b"x" + work.old[1:]
    raises(WrongBase, run, verify_base(work.read_into, len(work.old), digest, sha256()))
    work.old = bytes(50_000)
    digest = sha256(work.old).digest()
    _, slices = count_slices(verify_base(work.read_into, 50_000, digest, sha256()))
    assert slices == -(-50_000 // 4096)  # one for each 4 KB begun
