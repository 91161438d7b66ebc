"""ISO-TP: every length there and back, and the other side's wishes honoured (S-37)."""

from talk import BYTES, answer, begun, message_of, pair, waiting, works
from uptane.errors import NoFlowControl, Overflow
from uptane.limits import N_BS_MS, WAIT_FRAMES_MAX
from uptane.link.isotp import Channel
from uptane.link.sending import gap_us
from wire import Wire

# --- what has to arrive ---------------------------------------------------------------------


def test_a_message_of_every_length_arrives_whole_both_ways():
    wire = pair()
    for length in list(range(1, 301)) + [BYTES]:
        message = message_of(length)
        for sender, receiver in ((wire.left, wire.right), (wire.right, wire.left)):
            sender.send(message)
            wire.settle()
            assert sender.idle()
            assert receiver.message == message
            assert receiver.frames_left() == 0
            receiver.taken()
        assert wire.deadline_ms() is None
        wire.log.clear()


def test_frames_are_as_iso_15765_draws_them():
    wire = pair()
    wire.left.send(b"\x3e\x00")
    wire.settle()
    assert wire.frames("left") == [b"\x02\x3e\x00" + 5 * b"\xcc"]
    wire.right.taken()
    wire.left.send(message_of(20))
    wire.settle()
    message = message_of(20)
    assert wire.frames("left")[1:] == [
        b"\x10\x14" + message[:6],
        b"\x21" + message[6:13],
        b"\x22" + message[13:],
    ]
    assert wire.frames("right") == [b"\x30\x00\x00" + 5 * b"\xcc"]


def test_sequence_numbers_go_round_after_fifteen():
    wire = pair()
    wire.left.send(message_of(300))
    wire.settle()
    numbers = [frame[0] & 0x0F for frame in wire.frames("left")[1:]]
    assert numbers == [(i + 1) % 16 for i in range(len(numbers))] and len(numbers) == 42


def test_a_part_of_a_buffer_is_sent_where_a_length_is_given():
    wire = pair()
    wire.left.send(bytearray(message_of(200)), 50)
    wire.settle()
    assert wire.right.message == message_of(200)[:50]


def test_both_directions_run_at_once():
    wire = pair()
    for length in (9, 100, BYTES):
        wire.left.send(message_of(length))
        wire.right.send(message_of(length - 1))
        wire.settle()
        assert wire.right.message == message_of(length)
        assert wire.left.message == message_of(length - 1)
        wire.left.taken()
        wire.right.taken()
    assert wire.refusals == []


def test_a_message_beyond_twelve_bits_of_length_passes():
    """ISO 15765-2: from 4096 bytes on, 32 bits hold the length."""
    wire = Wire(Channel(9000), Channel(9000))
    for length in (4095, 4096, 9000):
        message = message_of(length)
        wire.left.send(message)
        first = bytes(wire.left.frame(0))
        if length < 4096:
            assert first == b"\x1f\xff" + message[:6]
        else:
            assert first == b"\x10\0" + length.to_bytes(4, "big") + message[:2]
        wire.settle()
        assert wire.right.message == message
        wire.right.taken()


def test_the_receiver_knows_how_many_frames_are_missing():
    wire = pair()
    begun(wire, 27)
    for left in (3, 2, 1):
        assert wire.right.frames_left() == left
        part = message_of(27)[27 - 7 * left :][:7]
        wire.feed(wire.right, bytes([0x20 | (4 - left)]) + part)
    assert wire.right.frames_left() == 0 and wire.right.message == message_of(27)


# --- the other side's wishes ----------------------------------------------------------------


def test_the_gap_is_exact():
    """ISO 15765-2 table 20; reserved values count as the longest gap."""
    assert [gap_us(value) for value in (0, 1, 20, 127)] == [0, 1000, 20000, 127000]
    assert [gap_us(0xF0 + value) for value in range(1, 10)] == [100 * n for n in range(1, 10)]
    assert [gap_us(value) for value in (0x80, 0xF0, 0xFA, 0xFF)] == [127000] * 4


def test_the_announced_gap_is_kept_between_frames():
    for announced, gap in ((0xF5, 1), (1, 1), (20, 20), (0xFF, 127)):
        wire = pair()
        wire.fate = lambda sender, frame, gap=announced: [
            frame if sender == "left" else bytes([0x30, 0, gap])
        ]
        wire.left.send(message_of(60))
        wire.run()
        assert wire.right.message == message_of(60)
        times = [ms for ms, sender, _ in wire.log if sender == "left"][1:]
        gaps = [after - before for before, after in zip(times, times[1:])]
        assert gaps == [gap] * 7


def test_the_gap_counts_from_when_the_frame_is_off_the_bus():
    """A frame may wait for lower identifiers after the controller has accepted it. Microseconds
    go round in between."""
    for st_min, gap in ((20, 20000), (0xF3, 300)):
        wire = pair()
        waiting(wire, 60)
        answer(wire, [0x30, 0, st_min])
        assert wire.left.frame(5)[0] == 0x21
        wire.left.sent(5)
        wire.clock.now_ms += 500
        assert wire.left.leaving and wire.left.frame(wire.clock.now_ms) is None
        off_us = (1 << 29) - 50
        for after_us in (0, 49, 50, gap - 1):
            wire.left.left(off_us + after_us)
            assert wire.left.leaving and wire.left.rest_us == gap - after_us
            assert wire.left.frame(wire.clock.now_ms) is None
        wire.left.left(off_us + gap)
        assert wire.left.frame(wire.clock.now_ms)[0] == 0x22


def test_without_a_gap_nobody_has_to_say_that_a_frame_is_off_the_bus():
    wire = pair()
    waiting(wire, 60)
    answer(wire, [0x30, 0, 0])
    for number in range(1, 8):
        assert wire.left.frame(wire.clock.now_ms)[0] == 0x20 | number
        wire.left.sent(wire.clock.now_ms)
        assert not wire.left.leaving


def test_the_announced_block_size_is_kept():
    for size in (1, 2, 8):
        wire = pair()
        waiting(wire, 100)
        sent = 0
        while not wire.left.idle():
            answer(wire, [0x30, size, 0])
            here = 0
            while wire.left.frame(wire.clock.now_ms) is not None:
                wire.left.sent(wire.clock.now_ms)
                here += 1
            sent += here
            assert here == size or wire.left.idle()
        assert sent == 14


def test_a_wait_frame_starts_the_patience_anew():
    wire = pair()
    waiting(wire)
    for _ in range(3):
        wire.clock.now_ms += N_BS_MS - 1
        wire.poll()
        answer(wire, [0x31, 0, 0])
        assert wire.left.frame(wire.clock.now_ms) is None
    answer(wire, [0x30, 0, 0])
    assert wire.left.frame(wire.clock.now_ms)[0] == 0x21
    assert wire.refusals == []


def test_a_receiver_cannot_hold_its_sender_for_ever():
    """V-32: wait frames are counted."""
    wire = pair()
    waiting(wire)
    for _ in range(WAIT_FRAMES_MAX):
        answer(wire, [0x31, 0, 0])
    assert wire.refusals == [] and not wire.left.idle()
    answer(wire, [0x31, 0, 0])
    assert wire.refusals == [NoFlowControl] and wire.left.idle()
    works(wire)


def test_wait_frames_are_counted_anew_for_each_message():
    wire = pair()
    for _ in range(3):
        waiting(wire)
        for _ in range(WAIT_FRAMES_MAX):
            answer(wire, [0x31, 0, 0])
        answer(wire, [0x30, 0, 0])
        while wire.left.frame(wire.clock.now_ms) is not None:
            wire.left.sent(wire.clock.now_ms)
        assert wire.left.idle()
    assert wire.refusals == []


def test_a_message_that_is_too_long_for_the_receiver_is_given_up_at_once():
    wire = Wire(Channel(BYTES), Channel(32))
    wire.left.send(message_of(33))
    wire.settle()
    assert wire.frames("right") == [b"\x32\x00\x00" + 5 * b"\xcc"]
    assert wire.refusals == [Overflow]
    assert wire.left.idle() and wire.right.message is None and wire.deadline_ms() is None
    wire.left.send(message_of(32))
    wire.settle()
    assert wire.right.message == message_of(32)


def test_a_length_of_32_bits_that_is_too_long_is_answered_with_overflow():
    wire = pair()
    for length in (4096, 1 << 20, (1 << 32) - 1):
        wire.feed(wire.right, b"\x10\x00" + length.to_bytes(4, "big") + b"ab")
        assert wire.right.frame(5)[0] == 0x32
        wire.right.sent(5)
    works(wire)


def test_a_flow_status_that_does_not_exist_ends_the_message():
    for status in (0x33, 0x3F):
        wire = pair()
        waiting(wire)
        answer(wire, [status, 0, 0])
        assert wire.refusals == [NoFlowControl] and wire.left.idle()
        works(wire)
