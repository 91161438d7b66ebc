"""A delta applied where the old image lies: what it makes, wants, refuses and keeps."""

from hashlib import sha256

from claims import raises, run
from one_slot import BLOCK, PAGE, Memory, Suite
from patches import IN_PLACE, WINDOW, Stream, number, plan_of, steps, vector
from uptane.errors import (
    BadDelta,
    NothingStaged,
    Refusal,
    Rotten,
    Truncated,
    UnsupportedDelta,
    WrongFile,
    WrongHash,
)
from uptane.image.in_place import InPlace
from uptane.image.plan import Plan
from uptane.limits import CHECKPOINT_BYTES_MAX
from vectors.deltas import LARGE, SHIFTED, TIGHT, WIDE


def test_the_new_image_takes_the_place_of_the_old_one() -> None:
    """S-29: in pieces of any size, on program units of any size, also where the end of the old
    image is lost, and where a segment has several erase blocks."""
    for made in (SHIFTED, TIGHT, WIDE):
        for piece_bytes, unit in ((1, 1), (7, 8), (1024, 4), (100, 256)):
            memory = Memory(made, unit)
            memory.give(memory.work(), piece_bytes)
            assert memory.content(len(memory.new)) == memory.new
            assert max([len(raw) for raw in memory.saved]) <= CHECKPOINT_BYTES_MAX


def test_blocks_are_moved_in_slices() -> None:
    """S-29: an erase, or 256 bytes, between two yields, however large a block is."""
    memory = Memory(SHIFTED)
    work = memory.work()
    run(work.write(memory.patch[:8]))
    before = memory.nor.strokes
    for _ in work.write(memory.patch[8:60]):
        moving = memory.saved[-1][0] == 0
        assert memory.nor.strokes - before <= 256 // PAGE or not moving
        before = memory.nor.strokes
    assert memory.saved[-1][0] == 1


def test_nothing_is_touched_before_the_head_was_compared() -> None:
    """E-81: another base, layout or kind; the old image is as it was."""
    memory = Memory(SHIFTED)
    good = memory.patch
    head = bytes([IN_PLACE]) + b"".join(
        [number(size) for size in memory.layout + (len(memory.old), len(memory.new))]
    )
    assert good[: len(head)] == head
    for at in range(len(head)):
        for bits in (1, 2, 0x20):
            bad = bytearray(good)
            bad[at] ^= bits
            raises(UnsupportedDelta if at == 0 else BadDelta, run, memory.work().write(bytes(bad)))
    for end in range(len(head) + 1):
        work = memory.work()
        run(work.write(good[:end]))
        raises(NothingStaged, run, work.finish(Suite(), bytes(32)))
    assert memory.nor.strokes == 0 and not memory.saved


def test_a_layout_that_is_not_the_boards_is_refused() -> None:
    """E-81: memory, segment and shift against the erase block and the area."""
    memory = Memory(SHIFTED)
    old, new = memory.plan.old_length, memory.plan.new_length

    def refused(layout, old=old, new=new):
        plan = Plan(bytes(32), 100, old, new, layout)
        raises(UnsupportedDelta, InPlace, memory.area, plan, memory.saved.append)

    refused(None)
    for layout in (
        (4096 + BLOCK, 512, 1024),  # more than the area
        (4096 - 8, 512, 1024),  # no whole blocks
        (4096, 256, 1024),
        (4096, 768, 1024),
        (4096, 0, 1024),
        (4096, 512, 0),
        (4096, 512, 100),
        (2560, 512, 3072),  # shifted out of the memory
    ):
        refused(layout)
    refused((2048, 512, 512), old=2049)
    refused((2048, 512, 512), old=2000, new=2049)
    refused((4096, 512, 1024), new=4097)


def test_what_is_left_of_the_old_image_follows_from_the_layout() -> None:
    """E-81: less from segment to segment, and never what was moved out of the memory."""
    plan = Plan(bytes(32), 100, 2400, 2451, (2560, 512, 1024))
    assert [plan.segment(start) for start in range(0, 2451, 512)] == [
        (512, 0, 1536),
        (1024, 0, 1536),
        (1536, 512, 1536),
        (2048, 1024, 1536),
        (2451, 1536, 1536),
    ]
    assert Plan(bytes(32), 100, 700, 2000, (4096, 512, 512)).segment(1536) == (2000, 1536, 1536)
    assert Plan(bytes(32), 100, 700, 2000).segment(0) == (2000, 0, 700)


def test_a_segment_reads_only_what_is_still_there() -> None:
    """E-81: the old image below the end of the segment is gone, or about to go."""
    memory = Memory(SHIFTED)
    layout = (4096, 512, 1024)
    old = len(memory.old)
    head = bytes([IN_PLACE]) + b"".join([number(size) for size in layout + (old, 1536)])
    first, second = (bytes(512), b"", 0), (b"", bytes(512), 0)

    def plain(*third):
        return steps(first) + steps(second) + steps(*third)

    for lie, good in (
        # The third segment may read from 1536 - 1024 on, that is 512, to the end.
        (plain((b"", bytes(1), -1), (bytes(511), b"", 0)), plain((bytes(512), b"", 0))),
        (plain((b"", bytes(1), old - 1022), (bytes(511), b"", 0)),
         plain((b"", bytes(1), old - 1023), (bytes(511), b"", 0))),
    ):  # fmt: skip
        for stream, refusal in ((lie, BadDelta), (good, None)):
            memory = Memory(SHIFTED)
            memory.patch = head + bytes([WINDOW]) + Stream().literals(stream).packed()
            memory.plan = plan_of(memory.patch, memory.old, 1536, layout)
            work = memory.work()
            if refusal:
                raises(refusal, run, work.write(memory.patch))
            else:
                run(work.write(memory.patch))
                raises(WrongHash, run, work.finish(Suite(), bytes(32)))


def test_a_patch_that_ends_early_is_not_finished() -> None:
    """E-81: the ECU stays where it was cut, and wants the rest."""
    memory = Memory(SHIFTED)
    work = memory.work()
    run(work.write(memory.patch[:-1]))
    raises(Truncated, run, work.finish(Suite(), sha256(memory.new).digest()))
    memory.give(memory.boot())
    assert memory.content(len(memory.new)) == memory.new


def test_what_was_saved_of_another_delta_is_refused() -> None:
    """E-79, E-81: it would go on in the middle of something else."""
    memory = Memory(SHIFTED)
    memory.give(memory.work())
    making = memory.saved[-1]
    memory.plan.digest = bytes(32)
    for raw in memory.saved:
        raises(WrongFile, memory.work().restore, raw)
    assert making[0] == 1


def test_what_cannot_have_been_saved_is_refused() -> None:
    """E-79, E-81: also a checkpoint in the midst of a block."""
    memory = Memory(SHIFTED)
    work = memory.work()
    run(work.write(memory.patch[:60]))
    moving, making = memory.saved[0], memory.saved[-1]
    for bad in (b"", b"\x02" + moving[1:], moving[:-1], moving + b"x", b"\x01", making[:-1]):
        raises(Rotten, memory.work().restore, bad)
    raises(Rotten, memory.work().restore, moving[:33] + b"\xff\xff\xff\x7f" + moving[37:])
    middle = bytes([1]) + work._patch.checkpoint()
    raises(Rotten, memory.work().restore, middle)


def test_a_record_is_saved_for_every_block() -> None:
    """E-79: so whoever has power for one block at a time comes to an end."""
    memory = Memory(SHIFTED)
    memory.give(memory.work())
    blocks = (len(memory.new) + BLOCK - 1) // BLOCK
    moves = (len(memory.old) + BLOCK - 1) // BLOCK
    assert [raw[0] for raw in memory.saved] == [0] * moves + [1] * blocks


def test_a_flipped_bit_never_passes() -> None:
    """E-81: what the hash of the pieces should have stopped ends refused, and not confirmed."""
    good = Memory(SHIFTED)
    numbers = set()
    for at in range(0, len(good.patch), 3):
        memory = Memory(SHIFTED)
        bad = bytearray(memory.patch)
        bad[at] ^= 0x10
        memory.patch = bytes(bad)
        try:
            memory.give(memory.work())
            assert memory.content(len(memory.new)) == memory.new
        except Refusal as refusal:
            numbers.add(refusal.number)
    assert WrongHash.number in numbers and BadDelta.number in numbers


def test_only_a_layout_makes_a_patch_in_place() -> None:
    """E-81: a sequential patch is refused by its first byte."""
    memory = Memory(SHIFTED)
    raises(UnsupportedDelta, run, memory.work().write(vector(LARGE)[0][:100]))
    assert memory.nor.strokes == 0
