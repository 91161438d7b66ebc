"""Blocks for several ECUs: to frames and back; a frame that is missing costs its block (V-87)."""

from downloads import content_of
from uptane.limits import N_CR_MS
from uptane.link.broadcast import ANNOUNCEMENT, PARTS_MAX, Air

TAG = 7


def frames_of(length, frame_bytes=8, tag=TAG, offset=0x01020304):
    """The frames of a block as one sender makes them."""
    air = Air(frame_bytes)
    content = content_of(length + 50)
    air.spread(tag, offset, content, length)
    frames = []
    while not air.idle():
        frames.append(bytes(air.frame(0)))
        assert bytes(air.frame(0)) == frames[-1], "a frame stays the next one until it is sent"
        air.sent(0)
    assert air.frame(0) is None
    return content[:length], frames


def ear(room=2000, frame_bytes=8, tag=TAG):
    air = Air(frame_bytes)
    air.listen(tag, bytearray(room))
    return air


def feed(air, frames, now_ms=0):
    for frame in frames:
        air.feed(memoryview(frame), now_ms)


def test_a_block_of_every_length_arrives_as_it_was_sent():
    for frame_bytes in (8, 64):
        most = PARTS_MAX * (frame_bytes - 1)
        for length in list(range(1, 200)) + [1024, most if most < 2000 else 2000]:
            content, frames = frames_of(length, frame_bytes)
            air = ear(frame_bytes=frame_bytes)
            feed(air, frames)
            assert air.block == content and air.offset == 0x01020304
            assert len(frames) == 1 + (length + frame_bytes - 2) // (frame_bytes - 1)
            assert air.frames_left() == 0 and air.due_ms() is None


def test_frames_are_as_the_pouf_draws_them():
    content, frames = frames_of(9)
    assert frames[0] == b"\x00\x07\x01\x02\x03\x04\x00\x09"
    assert frames[1:] == [b"\x01" + content[:7], b"\x02" + content[7:] + 5 * b"\xcc"]


def test_a_frame_that_is_lost_or_comes_twice_costs_the_block_and_no_other():
    content, frames = frames_of(40)
    for at in range(len(frames)):
        for wrong in (frames[:at] + frames[at + 1 :], frames[: at + 1] + frames[at:]):
            air = ear()
            feed(air, wrong)
            if at == 0 and len(wrong) > len(frames):
                assert air.block == content, "announced twice"
                continue
            if at == len(frames) - 1 and len(wrong) > len(frames):
                assert air.block == content, "the last part once more"
                continue
            assert air.block is None
            feed(air, frames)
            assert air.block == content


def test_frames_in_another_order_are_no_block():
    _, frames = frames_of(40)
    air = ear()
    frames[2], frames[3] = frames[3], frames[2]
    feed(air, frames)
    assert air.block is None


def test_what_is_not_listened_to_is_left_alone():
    content, frames = frames_of(40)
    for deaf in (ear(tag=0), ear(tag=TAG + 1), ear(room=39), Air(8)):
        feed(deaf, frames)
        assert deaf.block is None and deaf.due_ms() is None
    _, untagged = frames_of(40, tag=0)
    deaf = ear(tag=0)
    feed(deaf, untagged)
    assert deaf.block is None
    air = ear()
    feed(air, frames)
    feed(air, frames_of(30)[1])
    assert air.block == content, "the first one is still to be taken"
    air.taken()
    feed(air, frames_of(30)[1])
    assert air.block == content_of(30)


def test_nonsense_is_no_block():
    for frames in (
        [b""],
        [b"\x00"],
        [b"\x00\x07\x00\x00\x00\x00\x00"],  # no room for a length
        [b"\x00\x07\x00\x00\x00\x00\x00\x00", b"\x01abcdefg"],  # nothing announced
        [b"\x00\x07\x00\x00\x00\x00\x00\x08", b"\x01abcdefg", b"\x02"],
        [b"\x00\x07\x00\x00\x00\x00\x00\x08", b"\x01abc"],
        [b"\x01abcdefg"],
    ):
        air = ear()
        feed(air, frames)
        assert air.block is None, frames


def test_a_block_whose_frames_stop_is_given_up():
    """V-32."""
    _, frames = frames_of(40)
    air = ear()
    feed(air, frames[:3], 100)
    assert air.frames_left() == len(frames) - 3 and air.due_ms() == 100 + N_CR_MS
    air.poll(99 + N_CR_MS)
    assert air.frames_left()
    air.poll(100 + N_CR_MS)
    assert not air.frames_left() and air.due_ms() is None
    feed(air, frames[3:])
    assert air.block is None


def test_what_is_being_sent_can_be_dropped():
    air = Air(8)
    air.spread(TAG, 0, b"abc", 3)
    assert air.frame(0)[0] == ANNOUNCEMENT and not air.idle()
    air.abort()
    assert air.idle() and air.frame(0) is None
