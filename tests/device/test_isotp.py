"""ISO-TP: every length there and back, the sender's patience, and what broken frames do (S-37)."""

from claims import raises
from uptane.errors import FrameLost, NoFlowControl, Overflow, TooLong
from uptane.limits import N_BS_MS, N_CR_MS, WAIT_FRAMES_MAX
from uptane.link.isotp import Channel, gap_ms
from wire import Clock, Wire

BYTES = 1026  # the largest message of an ECU


def message_of(length):
    return bytes([(7 * i + length) & 0xFF for i in range(length)])


def pair():
    return Wire(Channel(BYTES), Channel(BYTES), Clock(5))


def works(wire):
    """Claim that the next message, long and short, passes both ways."""
    wire.fate = lambda sender, frame: [frame]
    for sender, receiver in ((wire.left, wire.right), (wire.right, wire.left)):
        for length in (3, 40):
            receiver.taken()
            sender.send(message_of(length))
            wire.run()
            assert sender.idle() and receiver.message == message_of(length)
            receiver.taken()


def waiting(wire, length=40):
    """Let the left side send a first frame whose flow control never comes; return it."""
    wire.left.send(message_of(length))
    first = bytes(wire.left.frame(wire.clock.now_ms))
    wire.left.sent(wire.clock.now_ms)
    return first


def answer(wire, frame):
    wire.feed(wire.left, bytes(frame))


def begun(wire, length=40):
    """Let the right side have received the first frame of a long message, and have answered."""
    wire.feed(wire.right, bytes([0x10 | length >> 8, length & 0xFF]) + message_of(length)[:6])
    assert wire.right.frame(wire.clock.now_ms)[0] == 0x30
    wire.right.sent(wire.clock.now_ms)


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


def test_the_largest_message_of_twelve_bits_passes_and_a_longer_one_is_refused():
    wire = Wire(Channel(4095), Channel(4095))
    wire.left.send(bytes(4095))
    wire.settle()
    assert len(wire.right.message) == 4095
    raises(TooLong, wire.left.send, bytes(4096))
    assert wire.left.idle()


def test_the_receiver_knows_how_many_frames_are_missing():
    wire = pair()
    begun(wire, 27)
    for left in (3, 2, 1):
        assert wire.right.frames_left() == left
        part = message_of(27)[27 - 7 * left :][:7]
        wire.feed(wire.right, bytes([0x20 | (4 - left)]) + part)
    assert wire.right.frames_left() == 0 and wire.right.message == message_of(27)


# --- the other side's wishes ----------------------------------------------------------------


def test_the_gap_is_whole_milliseconds_rounded_up():
    """ISO 15765-2 table 20; reserved values count as the longest gap."""
    assert [gap_ms(value) for value in (0, 1, 20, 127)] == [0, 1, 20, 127]
    assert [gap_ms(value) for value in (0xF1, 0xF5, 0xF9)] == [1, 1, 1]
    assert [gap_ms(value) for value in (0x80, 0xF0, 0xFA, 0xFF)] == [127] * 4


def test_the_announced_gap_is_kept_between_frames():
    for announced, least_ms in ((0xF5, 1), (1, 1), (20, 20), (0xFF, 127)):
        wire = pair()
        wire.fate = lambda sender, frame, gap=announced: [
            frame if sender == "left" else bytes([0x30, 0, gap])
        ]
        wire.left.send(message_of(60))
        wire.run()
        assert wire.right.message == message_of(60)
        times = [ms for ms, sender, _ in wire.log if sender == "left"][1:]
        gaps = [after - before for before, after in zip(times, times[1:])]
        # A tick may be nearly over when a frame leaves, so one more than the gap is needed.
        assert len(gaps) == 7 and all([gap == least_ms + 1 for gap in gaps])


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


def test_a_length_of_32_bits_is_answered_with_overflow():
    wire = pair()
    wire.feed(wire.right, b"\x10\x00\x00\x00\x20\x00ab")
    wire.settle()
    assert wire.frames("right")[0][0] == 0x32
    works(wire)


def test_a_flow_status_that_does_not_exist_ends_the_message():
    for status in (0x33, 0x3F):
        wire = pair()
        waiting(wire)
        answer(wire, [status, 0, 0])
        assert wire.refusals == [NoFlowControl] and wire.left.idle()
        works(wire)


# --- silence --------------------------------------------------------------------------------


def test_silence_after_the_first_frame_ends_the_message():
    """V-32: N_Bs."""
    wire = pair()
    waiting(wire)
    assert wire.left.due_ms() == wire.clock.now_ms + N_BS_MS
    wire.clock.now_ms += N_BS_MS - 1
    wire.poll()
    assert wire.refusals == []
    wire.clock.now_ms += 1
    wire.poll()
    assert wire.refusals == [NoFlowControl] and wire.left.idle() and wire.deadline_ms() is None
    works(wire)


def test_silence_after_a_block_ends_the_message():
    wire = pair()
    waiting(wire)
    answer(wire, [0x30, 1, 0])
    wire.clock.now_ms += 100
    assert wire.left.frame(wire.clock.now_ms)[0] == 0x21
    wire.left.sent(wire.clock.now_ms)
    assert wire.left.due_ms() == wire.clock.now_ms + N_BS_MS
    wire.clock.now_ms += N_BS_MS
    wire.poll()
    assert wire.refusals == [NoFlowControl]
    works(wire)


def test_silence_in_the_middle_drops_the_message():
    """V-32: N_Cr, counted from the last frame."""
    wire = pair()
    begun(wire)
    wire.clock.now_ms += N_CR_MS - 1
    wire.poll()
    wire.feed(wire.right, b"\x21" + message_of(40)[6:13])
    assert wire.right.due_ms() == wire.clock.now_ms + N_CR_MS
    wire.clock.now_ms += N_CR_MS
    wire.poll()
    assert wire.refusals == [FrameLost]
    assert wire.right.message is None and wire.right.frames_left() == 0
    works(wire)


def test_a_frame_that_waits_for_the_bus_has_no_deadline():
    """Else the loop of an ECU would spin while its transmit queue is full."""
    wire = pair()
    waiting(wire)
    answer(wire, [0x30, 0, 5])
    for _ in range(3):
        assert wire.left.frame(wire.clock.now_ms) is not None
        assert wire.left.due_ms() is None
    wire.left.sent(wire.clock.now_ms)
    assert wire.left.due_ms() == wire.clock.now_ms + 6


# --- broken frames ----------------------------------------------------------------------------


def test_a_lost_frame_drops_the_message():
    wire = pair()
    wire.fate = lambda sender, frame: [] if frame[0] == 0x23 else [frame]
    wire.left.send(message_of(60))
    wire.run()
    assert wire.refusals == [FrameLost]
    assert wire.right.message is None
    works(wire)


def test_a_lost_last_frame_drops_the_message_in_time():
    wire = pair()
    wire.fate = lambda sender, frame: [] if frame[0] == 0x25 else [frame]
    wire.left.send(message_of(40))
    wire.run()
    assert wire.refusals == [FrameLost]
    assert wire.clock.now_ms == 5 + N_CR_MS
    works(wire)


def test_a_lost_flow_control_ends_both_sides():
    wire = pair()
    wire.fate = lambda sender, frame: [frame] if sender == "left" else []
    wire.left.send(message_of(40))
    wire.run()
    assert sorted([refusal.number for refusal in wire.refusals]) == [100, 101]
    works(wire)


def test_a_repeated_frame_drops_the_message():
    wire = pair()
    wire.fate = lambda sender, frame: [frame, frame] if frame[0] == 0x22 else [frame]
    wire.left.send(message_of(60))
    wire.run()
    assert wire.refusals == [FrameLost]
    assert wire.right.message is None
    works(wire)


def test_a_wrong_sequence_number_drops_the_message():
    for wrong in (0, 2, 15):
        wire = pair()
        begun(wire)
        wire.feed(wire.right, bytes([0x20 | wrong]) + bytes(7))
        assert wire.refusals == [FrameLost] and wire.right.due_ms() is None
        works(wire)


def test_a_consecutive_frame_that_is_too_short_drops_the_message():
    wire = pair()
    begun(wire)
    wire.feed(wire.right, b"\x21" + bytes(6))
    assert wire.refusals == [FrameLost]
    works(wire)


def test_a_last_frame_may_be_as_short_as_what_is_left():
    wire = pair()
    begun(wire, 10)
    wire.feed(wire.right, b"\x21" + message_of(10)[6:])
    assert wire.right.message == message_of(10)


def test_consecutive_frames_of_nothing_are_ignored():
    wire = pair()
    for number in range(16):
        wire.feed(wire.right, bytes([0x20 | number]) + bytes(7))
    assert wire.right.message is None and wire.refusals == []
    works(wire)


def test_a_first_frame_during_reception_begins_anew():
    wire = pair()
    begun(wire, 40)
    wire.feed(wire.right, b"\x21" + message_of(40)[6:13])
    wire.left.send(message_of(30))
    wire.settle()
    assert wire.right.message == message_of(30) and wire.refusals == []
    wire.right.taken()
    works(wire)


def test_a_first_frame_that_is_too_long_ends_the_reception_before_it():
    wire = pair()
    begun(wire, 40)
    wire.feed(wire.right, b"\x1f\xff" + bytes(6))
    assert wire.right.frame(wire.clock.now_ms)[0] == 0x32
    wire.right.sent(wire.clock.now_ms)
    assert wire.right.frames_left() == 0 and wire.right.due_ms() is None
    wire.feed(wire.right, b"\x21" + bytes(7))
    assert wire.right.message is None and wire.refusals == []
    works(wire)


def test_a_single_frame_during_reception_takes_its_place():
    wire = pair()
    begun(wire, 40)
    wire.feed(wire.right, b"\x02\x3e\x00")
    assert wire.right.message == b"\x3e\x00" and wire.right.due_ms() is None
    wire.right.taken()
    works(wire)


def test_a_message_that_is_not_taken_is_not_overwritten():
    wire = pair()
    wire.left.send(message_of(30))
    wire.settle()
    for frame in (b"\x02\x3e\x00", b"\x10\x14" + bytes(6), b"\x21" + bytes(7), b"\x22" + bytes(7)):
        wire.feed(wire.right, frame)
        assert wire.right.message == message_of(30)
        assert wire.right.frame(wire.clock.now_ms) is None
    wire.right.taken()
    works(wire)


def test_frames_that_are_none_of_ours_are_ignored():
    wire = pair()
    alien = [b"", b"\x00", b"\x01", b"\x30", b"\x21", b"\x00" * 8, b"\xff" * 8, b"\x08" + bytes(7)]
    alien += [bytes([kind << 4 | 5]) + bytes(7) for kind in range(4, 16)]
    alien += [b"\x05\x01\x02\x03\x04", b"\x0f" + bytes(7)]  # less than announced
    alien += [b"\x10\x14" + bytes(5), b"\x10\x07" + bytes(6), b"\x10\x01" + bytes(6)]
    alien += [b"\x30\x00\x00", b"\x31\x00\x00", b"\x32\x00\x00"]  # nobody waits for them
    for frame in alien:
        wire.feed(wire.right, frame)
        assert wire.right.message is None and wire.right.due_ms() is None
        assert wire.right.frame(wire.clock.now_ms) is None
    assert wire.refusals == []
    works(wire)


def test_alien_frames_do_not_disturb_a_message():
    wire = pair()
    noise = [b"", b"\x21", b"\x90" + bytes(7), b"\x30", b"\x30\x00", b"\x00" * 8]
    wire.fate = lambda sender, frame: noise + [frame] + noise
    wire.left.send(message_of(200))
    wire.right.send(message_of(100))
    wire.run()
    assert wire.right.message == message_of(200) and wire.left.message == message_of(100)
    assert wire.refusals == []


def test_garbage_never_sticks():
    """A thousand frames of a fixed noise, then a good message, many times over."""
    state = 12345
    wire = pair()
    wire.left.send(message_of(100))
    for _ in range(40):
        for _ in range(50):
            frame = bytearray(8)
            for i in range(8):
                state = (state * 1103515245 + 12345) & 0x7FFFFFFF
                frame[i] = state >> 16 & 0xFF
            frame[0] &= 0x3F
            wire.feed(wire.right if frame[7] & 1 else wire.left, frame[: 1 + frame[6] % 8])
            wire.right.frame(wire.clock.now_ms)
        wire.left.taken()
        wire.right.taken()
        wire.fate = lambda sender, frame: []
        wire.run()
        wire.left.taken()
        wire.right.taken()
        works(wire)


def test_giving_up_drops_both_directions():
    wire = pair()
    waiting(wire)
    wire.feed(wire.left, b"\x10\x14" + bytes(6))
    wire.left.abort()
    assert wire.left.idle() and wire.left.due_ms() is None
    assert wire.left.frame(wire.clock.now_ms) is None
    works(wire)
