"""Deltas that lie: each kind of lie is refused by its number."""

from hashlib import sha256

from claims import raises, run
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
from uptane.errors import (
    BadDelta,
    Refusal,
    TooMuch,
    TrailingBytes,
    Truncated,
    UnsupportedDelta,
)
from uptane.image.delta import Patch
from uptane.limits import DELTA_EMPTY_BYTES, DELTA_EMPTY_STEPS_MAX
from vectors.deltas import SMALL, noise

OLD = noise(8, 100)
GOOD = steps((bytes(10), b"new", -10), (bytes(7), b"", 0))
MADE = OLD[:10] + b"new" + OLD[:7]


def refused(refusal, patch, new_length=20, old=OLD) -> Applying:
    """Each byte a piece of its own, so nothing is read ahead of what is refused."""
    work = Applying(patch, old, new_length)
    raises(refusal, work.whole, 1)
    return work


def test_the_honest_patch_is_applied() -> None:
    """E-81: what the lies below are made of."""
    assert Applying(sequential(20, GOOD), OLD, 20).whole() == MADE


def test_unknown_types_and_compressions_are_refused() -> None:
    """E-81: unknown algorithm. In-place is one for who has a spare slot."""
    good = sequential(20, GOOD)
    for head in range(256):
        if head != SEQUENTIAL:
            work = refused(UnsupportedDelta, bytes([head]) + good[1:])
            assert work.work.made == 0


def test_a_window_beyond_the_bound_is_refused() -> None:
    """E-81: it would not fit the heap that is set aside."""
    good = sequential(20, GOOD)
    refused(UnsupportedDelta, good[:2] + b"\x75" + good[3:])


def test_a_data_format_is_refused() -> None:
    """E-81: what follows would mean something else."""
    refused(UnsupportedDelta, sequential(20, number(8) + GOOD[1:]))


def test_another_length_than_the_metadatas_is_refused() -> None:
    """E-81: before anything is written."""
    for length in (0, 19, 21, 1 << 33, -20):
        assert not refused(BadDelta, sequential(length, GOOD)).new
    raises(BadDelta, Applying, sequential(0, b""), OLD, 0)


def test_more_than_announced_is_refused() -> None:
    """E-81, E-88: a bomb, be it of the old image or of new bytes, in one step or the next."""
    for listed in (
        ((bytes(21), b"", 0),),
        ((b"", bytes(21), 0),),
        ((bytes(10), bytes(11), 0),),
        ((bytes(10), bytes(9), 0), (bytes(2), b"", 0)),
    ):
        work = refused(BadDelta, sequential(20, steps(*listed)))
        assert len(work.new) <= 20


def empty(count: int) -> bytes:
    """A patch for the first 20 bytes of an image, behind so many steps that make nothing."""
    stream = Stream().literals(number(0) + bytes(3))
    for begin in range(3, 3 * count, 126):
        stream.repeat(3, min(126, 3 * count - begin))
    stream.literals(number(20) + bytes(20) + number(0) + number(0))
    return bytes([SEQUENTIAL]) + number(20) + bytes([WINDOW]) + stream.packed()


def test_a_patch_that_makes_nothing_is_refused() -> None:
    """E-81, E-88: a bomb of time. Thousands of empty steps are few bytes; detools makes a few."""
    assert Applying(empty(DELTA_EMPTY_STEPS_MAX), OLD, 20).whole() == OLD[:20]
    refused(BadDelta, empty(DELTA_EMPTY_STEPS_MAX + 1))
    assert len(empty(5000)) < 400
    refused(BadDelta, empty(5000))


def test_empty_steps_are_counted_over_resets() -> None:
    """E-79, E-81: a checkpoint says how many there were, and where the last step began."""
    patch = empty(DELTA_EMPTY_STEPS_MAX + 1)
    for at in range(10):
        before = Applying(patch, OLD, 20)
        before.give(at)
        after = Applying(patch, OLD, 20)
        after.work.restore(before.work.checkpoint())
        raises(BadDelta, after.whole)


def test_a_large_image_may_have_more_of_them() -> None:
    """E-81: one for each DELTA_EMPTY_BYTES that were made."""
    count = DELTA_EMPTY_STEPS_MAX + 2
    length = 2 * DELTA_EMPTY_BYTES
    made = (bytes(length), b"", 0)
    nothing = [(b"", b"", 0)] * count
    raises(BadDelta, Applying(sequential(length, steps(*nothing, made)), OLD, length).whole)
    for extra, good in ((0, True), (1, False)):
        listed = [made] + nothing + [(b"", b"", 0)] * extra + [(b"", b"x", 0)]
        work = Applying(sequential(length + 1, steps(*listed)), OLD, length + 1)
        if good:
            assert work.whole() == OLD[:length] + b"x"
        else:
            raises(BadDelta, work.whole)


def test_what_heatshrink_swells_to_is_bounded() -> None:
    """E-81, E-88: forty bytes that stand for five thousand."""
    stream = Stream().literals(number(0) + number(0) + number(20) + b"x")
    for _ in range(40):
        stream.repeat(1, 128)
    patch = bytes([SEQUENTIAL]) + number(20) + bytes([WINDOW]) + stream.packed()
    assert len(refused(BadDelta, patch).new) == 20  # as the length of a next step it is endless


def test_sizes_below_zero_and_endless_integers_are_refused() -> None:
    """E-81: each integer of a step, and of the head."""
    for plain in (
        number(0) + number(-1),
        number(0) + number(0) + number(-1),
        number(0) + b"\x80" * 5,
        number(0) + number(0) + b"\xbf" + b"\xff" * 8 + b"\x7f",
        b"\x80" * 9,
    ):
        refused(BadDelta, sequential(20, plain))
    refused(BadDelta, bytes([SEQUENTIAL]) + b"\x94" + b"\x80" * 9)
    refused(BadDelta, sequential(20, number(0) + number(1 << 31)))


def test_reading_outside_the_old_image_is_refused() -> None:
    """E-81: before its start, beyond its end, by one byte or by many."""
    for listed in (
        ((bytes(5), b"", -6), (bytes(15), b"", 0)),
        ((bytes(5), b"", 96), (b"", bytes(15), 0)),
        ((bytes(5), b"", 94), (bytes(2), bytes(13), 0)),
        ((b"", b"", 100), (bytes(1), bytes(19), 0)),
        ((b"", b"", 1 << 32), (bytes(20), b"", 0)),
        ((b"", b"", -(1 << 32)), (bytes(20), b"", 0)),
        ((bytes(20), b"", 81),),  # although nothing is read there any more
        ((bytes(20), b"", -21),),
    ):
        refused(BadDelta, sequential(20, steps(*listed)))
    refused(BadDelta, sequential(20, steps((bytes(20), b"", 0))), old=OLD[:19])


def test_its_last_byte_may_be_read() -> None:
    """E-81: the bound is where the old image ends."""
    plain = steps((b"", b"", 100), (b"", b"x" * 19, -1), (bytes(1), b"", 0))
    assert Applying(sequential(20, plain), OLD, 20).whole() == b"x" * 19 + OLD[99:]


def test_a_patch_that_ends_early_is_refused() -> None:
    """E-81: at every byte."""
    patch, old, new, _ = vector(SMALL)
    for end in range(len(patch)):
        refused(Truncated, patch[:end], len(new), old)


def test_a_patch_that_is_shorter_than_announced_is_refused() -> None:
    """E-81: it makes sense, and is not the whole file that was described."""
    patch = sequential(20, GOOD)
    plan = plan_of(patch + b"x", OLD, 20)
    work = Applying(patch, OLD, 20)
    work.work = Patch(plan, work.read_into, work.write)
    work.give(len(patch))
    assert bytes(work.new) == MADE
    raises(Truncated, work.work.finish)


def test_bytes_that_trail_are_refused() -> None:
    """E-81: in the last byte, as bytes, or as a step too many."""
    good = sequential(20, GOOD)
    refused(TrailingBytes, good + b"\x00")
    work = Applying(good + b"\x00", OLD, 20)
    raises(TrailingBytes, work.whole)
    padded = bytes([SEQUENTIAL]) + number(20) + bytes([WINDOW])
    padded += Stream().literals(GOOD).packed(1)
    assert padded[:-1] == good[:-1] and padded != good
    refused(TrailingBytes, padded)
    refused(TrailingBytes, sequential(20, GOOD + number(0)))


def test_more_bytes_than_the_delta_has_are_refused() -> None:
    """E-81: endless data."""
    work = Applying(sequential(20, GOOD), OLD, 20)
    raises(TooMuch, run, work.work.take(work.patch + b"x", 20))
    assert not work.new


def test_after_a_refusal_nothing_goes_on() -> None:
    """E-81: a refused patch is not finished by somebody who asks again."""
    good = sequential(20, GOOD)
    work = Applying(good + b"\x00", OLD, 20)
    raises(TrailingBytes, work.whole)
    raises(BadDelta, work.work.finish)
    raises(BadDelta, work.work.checkpoint)
    raises(BadDelta, run, work.work.take(b"", 20))


def test_work_that_was_left_in_the_middle_does_not_go_on() -> None:
    """E-79: what was written is not known; the checkpoint before it is."""
    work = Applying(sequential(20, GOOD), OLD, 20)
    left = work.work.take(work.patch, 20)
    next(left)
    raises(BadDelta, work.work.checkpoint)


def test_every_flipped_bit_is_refused_or_seen_by_the_hash() -> None:
    """E-81: corrupt; where the patch still makes sense, the hash of the new image decides. A few
    bits make the same image, such as a distance into the same zeros."""
    patch, old, new, _ = vector(SMALL)
    digest = sha256(new).digest()
    by_patch = by_hash = 0
    for at in range(len(patch)):
        for bit in range(8):
            bad = bytearray(patch)
            bad[at] ^= 1 << bit
            work = Applying(bytes(bad), old, len(new))
            try:
                made = work.whole()
            except Refusal as refusal:
                assert refusal.number
                by_patch += 1
                continue
            assert len(made) == len(new), (at, bit)
            by_hash += sha256(made).digest() != digest
    assert by_patch > 100 and by_hash > 100
