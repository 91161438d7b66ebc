"""ISO-TP in all its forms: CAN FD, extended and mixed addressing, blocks and waits of our own."""

from talk import BYTES, answer, begun, message_of, pair, waiting, works
from uptane.errors import FrameLost, NoFlowControl
from uptane.limits import N_BR_MS, WAIT_FRAMES_MAX
from uptane.link.isotp import Channel
from wire import Clock, Wire

FD_LENGTHS = (8, 12, 16, 20, 24, 32, 48, 64)


def between(left_bytes, right_bytes, addresses=(-1, -1), room=BYTES):
    """Two channels, frames so long, with these bytes before everything else in what they send."""
    return Wire(
        Channel(room, left_bytes, addresses[0], addresses[1]),
        Channel(room, right_bytes, addresses[1], addresses[0]),
        Clock(5),
    )


def passes(wire, length):
    message = message_of(length)
    for sender, receiver in ((wire.left, wire.right), (wire.right, wire.left)):
        sender.send(message)
        wire.settle()
        assert sender.idle() and receiver.message == message, (length, wire.refusals)
        receiver.taken()


# --- CAN FD ------------------------------------------------------------------------------------


def test_every_length_passes_at_every_frame_length():
    """S-37; also between two sides whose longest frames differ."""
    for size in FD_LENGTHS:
        wire = between(size, 64)
        for length in list(range(1, 140)) + [BYTES]:
            passes(wire, length)
            wire.log.clear()
        assert wire.refusals == []


def test_every_frame_has_a_length_that_can_fd_has():
    wire = between(64, 64)
    lengths = set()
    for length in range(1, 200):
        passes(wire, length)
        lengths |= {len(frame) for _, _, frame in wire.log}
    assert lengths == set(FD_LENGTHS)


def test_fd_frames_are_as_iso_15765_draws_them():
    wire = between(64, 64)
    message = message_of(62)
    for length, drawn in (
        (7, b"\x07" + message_of(7)),
        (8, b"\x00\x08" + message_of(8) + 2 * b"\xcc"),
        (62, b"\x00\x3e" + message),
    ):
        wire.left.send(message_of(length))
        wire.settle()
        assert wire.frames("left")[-1] == drawn
        wire.right.taken()
    message = message_of(130)
    wire.left.send(message)
    wire.settle()
    assert wire.frames("left")[-3:] == [
        b"\x10\x82" + message[:62],
        b"\x21" + message[62:125],
        b"\x22" + message[125:] + 2 * b"\xcc",
    ]
    assert wire.frames("right")[-1] == b"\x30\x00\x00" + 5 * b"\xcc"


def test_all_consecutive_frames_but_the_last_are_as_long_as_the_first():
    """ISO 15765-2: RX_DL is the length of the first frame; a shorter one is a lost one."""
    for width in (12, 64):
        wire = between(64, 64)
        wire.feed(wire.right, b"\x10\xc8" + message_of(200)[: width - 2])
        wire.right.frame(5)
        wire.right.sent(5)
        wire.feed(wire.right, b"\x21" + bytes(7))
        assert wire.refusals == [FrameLost] and wire.right.message is None
        works(wire)


def test_a_first_frame_whose_message_a_single_frame_holds_is_alien():
    for frame in (b"\x10\x3e" + bytes(62), b"\x10\x0a" + bytes(10), b"\x10\x07" + bytes(6)):
        wire = between(64, 64)
        wire.feed(wire.right, frame)
        assert wire.right.frame(5) is None and wire.right.frames_left() == 0


def test_long_messages_pass_in_long_frames():
    wire = between(64, 64, room=5000)
    for length in (4095, 4096, 5000):
        passes(wire, length)


# --- extended and mixed addressing -------------------------------------------------------------


def test_a_byte_of_address_goes_before_everything_else():
    """S-37: N_TA of extended addressing differs both ways, N_AE of mixed addressing does not."""
    for addresses in ((0x10, 0xF1), (0x55, 0x55), (0, 255)):
        for size in (8, 64):
            wire = between(size, size, addresses, room=5000)
            for length in list(range(1, 100)) + [BYTES, 4095, 4096, 4999]:
                passes(wire, length)
            for _, sender, frame in wire.log:
                assert frame[0] == addresses[sender == "right"]
            assert wire.refusals == []


def test_frames_for_another_address_are_ignored():
    wire = between(8, 8, (0x10, 0xF1))
    wire.fate = lambda sender, frame: [b"\x11" + frame[1:], frame[:1], b"", frame]
    passes(wire, 6)
    passes(wire, 100)
    assert wire.refusals == []


def test_extended_frames_are_as_iso_15765_draws_them():
    wire = between(8, 8, (0x10, 0xF1))
    message = message_of(12)
    wire.left.send(message[:6])
    wire.settle()
    wire.right.taken()
    wire.left.send(message)
    wire.settle()
    assert wire.frames("left") == [
        b"\x10\x06" + message[:6],
        b"\x10\x10\x0c" + message[:5],
        b"\x10\x21" + message[5:11],
        b"\x10\x22" + message[11:] + 5 * b"\xcc",
    ]
    assert wire.frames("right") == [b"\xf1\x30\x00\x00" + 4 * b"\xcc"]


# --- blocks and gaps that we ask for ------------------------------------------------------------


def test_the_block_size_and_gap_that_we_announce_are_answered_block_by_block():
    for size in (1, 2, 5, 14, 200):
        wire = pair()
        wire.right.block_size = size
        wire.right.st_min = 3
        wire.left.send(message_of(100))  # a first frame and 14 others
        wire.run()
        assert wire.right.message == message_of(100) and wire.refusals == []
        flow = wire.frames("right")
        assert set(flow) == {bytes([0x30, size, 3]) + 5 * b"\xcc"}
        assert len(flow) == 1 + 13 // size
        times = [ms for ms, sender, _ in wire.log if sender == "left"]
        assert times[-1] - times[0] >= 3 * (13 - 13 // size)


# --- a message that comes too early -------------------------------------------------------------


def test_a_message_that_comes_before_the_last_was_taken_waits_for_it():
    """Its sender is told to wait, and loses nothing; the one before it is not touched. Nobody
    polls: an ECU that computes asks for frames and for nothing else."""
    wire = pair()
    wire.left.send(b"first")
    wire.settle()
    second = message_of(60)
    wire.left.send(second)
    wire.settle()
    for _ in range(3):
        assert wire.frames("right")[-1][0] == 0x31 and wire.right.message == b"first"
        assert wire.right.due_ms() == wire.clock.now_ms + N_BR_MS
        wire.clock.now_ms += N_BR_MS
        wire.settle()
    wire.right.taken()
    wire.settle()
    assert wire.right.message == second and wire.refusals == []
    wire.right.taken()
    works(wire)


def test_a_sender_does_not_wait_for_ever():
    """V-32: after N_WFTmax wait frames it is told that there is no room."""
    wire = pair()
    wire.left.send(b"first")
    wire.settle()
    wire.left.send(message_of(60))
    wire.fate = lambda sender, frame: [frame]
    for _ in range(WAIT_FRAMES_MAX + 1):
        wire.settle()
        wire.clock.now_ms += N_BR_MS
    wire.settle()
    kinds = [frame[0] for frame in wire.frames("right")]
    assert kinds == [0x31] * WAIT_FRAMES_MAX + [0x32]
    assert wire.left.idle() and wire.right.due_ms() is None
    assert wire.right.message == b"first"
    wire.right.taken()
    works(wire)


def test_a_sender_that_gave_up_waiting_leaves_nothing_behind():
    wire = pair()
    wire.left.send(b"first")
    wire.settle()
    wire.left.send(message_of(60))
    wire.settle()
    wire.left.abort()
    wire.right.taken()
    wire.run()  # it is asked to go on, and does not
    assert wire.refusals == [FrameLost] and wire.right.message is None
    works(wire)


def test_giving_up_drops_a_message_that_waits():
    wire = pair()
    wire.left.send(b"first")
    wire.settle()
    wire.feed(wire.right, b"\x10\x14" + bytes(6))
    wire.right.abort()
    wire.right.taken()
    assert wire.right.frame(5) is None and wire.right.due_ms() is None


def test_a_wait_frame_does_not_move_a_block_that_runs():
    """Flow control that nobody waits for is ignored (ISO 15765-2 9.8.3)."""
    wire = pair()
    waiting(wire, 60)
    answer(wire, [0x30, 0, 0])
    answer(wire, [0x31, 0, 0])
    answer(wire, [0x32, 0, 0])
    answer(wire, [0x33, 0, 0])
    assert wire.left.frame(5)[0] == 0x21 and wire.refusals == []
    begun(wire, 27)
    answer(wire, [0x3F, 0, 0])
    assert NoFlowControl not in wire.refusals
