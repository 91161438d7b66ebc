"""ISO-TP: what silence and broken frames do; the next message works all the same (S-37)."""

from talk import answer, begun, message_of, pair, waiting, works
from uptane.errors import FrameLost, NoFlowControl
from uptane.limits import N_BS_MS, N_CR_MS

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
    wire.left.left(0)
    assert wire.left.due_ms() is None and wire.left.rest_us == 5000
    wire.left.left(5000)
    for _ in range(3):
        assert wire.left.frame(wire.clock.now_ms) is not None
        assert wire.left.due_ms() is None


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
    for frame in (b"\x02\x3e\x00", b"\x21" + bytes(7), b"\x22" + bytes(7)):
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
    alien += [b"\x10\x00\x00\x00\x0f\xff\x00\x00", b"\x10\x00"]  # 32 bits for a short length
    alien += [b"\x00\x0b" + bytes(10), b"\x05" + bytes(11), b"\x10\x0a" + bytes(10)]  # of FD
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
