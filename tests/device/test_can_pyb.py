"""The driver over pyb.CAN, against a bxCAN and an FDCAN as MicroPython shows them."""

from boards.unix.parts.pybcan import BxCan, FdCan
from claims import Locked
from uptane.port.can_pyb import EXTENDED, CanPyb

ALL = [(0, 0), (EXTENDED, EXTENDED)]
LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)


def node(part, fd=False, filters=ALL, rx_frames=16):
    can = CanPyb(part, fd, rx_frames)
    if filters:
        can.set_filters(filters)
    return part, can


def received(can):
    frames = []
    frame = can.receive()
    while frame is not None:
        frames.append((frame[0], bytes(frame[1])))
        frame = can.receive()
    return frames


def sent(part, can):
    """Let everything leave; the queue moves on when it is asked, for no interrupt tells."""
    frames = []
    can.ready(1)
    while part.pending():
        frames.append(part.sent())
        can.ready(1)
    return frames


def test_a_bxcan_is_given_one_frame_at_a_time():
    part, can = node(BxCan())
    for number in range(4):
        assert can.send(0x700 - number, bytes([number]))
        assert part.pending() == 1
    assert not can.send(0x700, b"no room")
    assert [frame[1][0] for frame in sent(part, can)] == [0, 1, 2, 3]


def test_an_fdcan_is_filled_and_keeps_the_order():
    part, can = node(FdCan())
    for number in range(6):
        assert can.send(0x700 - number, bytes([number]))
    assert part.pending() == 3
    assert not can.send(0x700, b"no room")
    assert [frame[1][0] for frame in sent(part, can)] == [0, 1, 2, 3, 4, 5]


def in_order(part):
    """Send while frames come in, in the middle of `send`; what was sent, and what left."""
    part, can = node(part)
    part.before_send = lambda: part.deliver(0x123, b"between")
    expected = []
    got = []
    came = 0
    for number in range(60):
        frame = ((EXTENDED | 0x700 if number % 3 else 0x700) - number, bytes([number]))
        while not can.send(frame[0], frame[1]):
            got.append(part.sent())
        expected.append(frame)
        came += len(received(can))
    assert came
    return expected, got + sent(part, can)


def test_frames_leave_in_the_order_of_send_whatever_comes_between():
    for part in (BxCan(), FdCan()):
        expected, got = in_order(part)
        assert got == expected


def test_a_full_queue_refuses_and_says_when_there_is_room():
    for part in (BxCan(), FdCan()):
        part, can = node(part)
        while can.send(0x700, b"x"):
            pass
        assert not can.ready(1)
        part.sent()
        assert can.ready(1)
        assert not can.ready(1)
        assert can.send(0x700, b"y")
        assert not can.send(0x700, b"z")


def test_a_bxcan_tells_of_a_frame_that_has_not_left():
    part, can = node(BxCan())
    assert not can.unsent()
    can.send(0x700, b"a")
    can.send(0x700, b"b")
    part.sent()
    assert can.unsent()
    part.sent()
    assert not can.unsent()


def test_an_fdcan_tells_only_of_frames_that_have_not_reached_it():
    part, can = node(FdCan())
    for number in range(4):
        can.send(0x700, bytes([number]))
    assert can.unsent()
    part.sent()
    assert not can.unsent()
    assert part.pending() == 3


def test_every_frame_of_an_fd_bus_leaves_in_fd_format_with_its_rate_switched():
    part, can = node(FdCan(), True)
    assert can.frame_bytes == 64
    for length in LENGTHS:
        assert can.send(EXTENDED | 0x18DA10F1, bytes(range(length)))
        assert part.sent() == (EXTENDED | 0x18DA10F1, bytes(range(length)))
    assert part.formats == [(True, True)] * len(LENGTHS)


def test_on_a_classic_bus_frames_leave_in_classic_format():
    part, can = node(FdCan())
    assert can.frame_bytes == 8
    can.send(0x123, b"12345678")
    assert part.formats == [(False, False)]


def test_frames_of_every_length_come_out_in_order():
    part, can = node(FdCan(), True)
    for number, length in enumerate(LENGTHS):
        part.deliver(EXTENDED | number if number % 2 else number, bytes(range(length)))
    assert can.ready(len(LENGTHS))
    assert not can.ready(len(LENGTHS) + 1)
    assert received(can) == [
        (EXTENDED | n if n % 2 else n, bytes(range(length))) for n, length in enumerate(LENGTHS)
    ]
    assert not can.ready(1)


def test_a_short_frame_after_a_long_one_has_its_own_length():
    part, can = node(FdCan(), True, rx_frames=2)
    for length in (64, 0, 12, 64, 1, 48, 8):
        part.deliver(1, bytes(range(length)))
        assert received(can) == [(1, bytes(range(length)))]


def test_a_long_frame_on_a_classic_bus_is_dropped_and_spoils_nothing():
    part, can = node(FdCan())
    part.deliver(1, bytes(64))
    part.deliver(2, b"short")
    assert received(can) == [(2, b"short")]


def test_a_full_ring_drops_the_newest_and_still_empties_the_controller():
    part, can = node(BxCan(), rx_frames=4)
    for number in range(12):
        part.deliver(number, b"")
    assert [frame[0] for frame in received(can)] == [0, 1, 2, 3, 4]
    assert can.overruns == 7
    part.deliver(0x55, b"")
    assert received(can) == [(0x55, b"")]


def test_a_frame_that_the_controller_lost_is_counted():
    part, can = node(BxCan())
    on_frames, part._handler = part._handler, None  # interrupts are off for too long
    for number in range(4):
        part.deliver(number, b"")
    on_frames(part, 2)
    assert can.overruns == 1
    assert [frame[0] for frame in received(can)] == [0, 1, 2]


def test_the_data_given_out_survives_until_the_next_receive():
    part, can = node(BxCan(), rx_frames=4)
    part.deliver(1, b"first..8")
    frame = can.receive()
    for _ in range(12):
        part.deliver(2, b"later..8")
    assert bytes(frame[1]) == b"first..8"


def test_what_came_in_is_given_out_without_memory():
    part, can = node(FdCan(), True)
    for number in range(8):
        part.deliver(EXTENDED | number, bytes(12))
    with Locked():
        for number in range(8):
            assert can.ready(8 - number)
            frame = can.receive()
            assert frame[0] == EXTENDED | number
            assert len(frame[1]) == 12
        assert can.receive() is None


def test_remote_frames_are_dropped():
    for part in (BxCan(), FdCan()):
        part, can = node(part)
        part.deliver(5, b"", True)
        part.deliver(6, b"")
        assert received(can) == [(6, b"")]


def test_nothing_is_received_before_filters_are_set():
    for part in (BxCan(), FdCan()):
        part, can = node(part, filters=None)
        part.deliver(5, b"")
        assert received(can) == []


def test_filters_let_in_what_they_name_and_no_more():
    many = [(n, 0x7FF) for n in range(0x700, 0x720)]
    long = [(EXTENDED | n, EXTENDED | 0x1FFFFFFF) for n in range(9)]
    for filters, inside, outside in (
        ([(0x7E0, 0x7FF)], (0x7E0,), (0x7E1, EXTENDED | 0x7E0, EXTENDED | 0x7E0 << 18)),
        ([(0x600, 0x700), (0x7DF, 0x7FF)], (0x6AB, 0x7DF), (0x7E0, 0x500)),
        (
            [(EXTENDED | 0x18DA0000, EXTENDED | 0x1FFF0000)],
            (EXTENDED | 0x18DA10F1,),
            (0x18, 0x636),
        ),
        (many, (0x700, 0x71F), (0x720, EXTENDED | 0x700)),
        (long, (EXTENDED, EXTENDED | 8), (EXTENDED | 9, 8)),
    ):
        for part in (BxCan(), FdCan()):
            part, can = node(part, filters=filters)
            for can_id in inside + outside:
                part.deliver(can_id, b"")
            assert [frame[0] for frame in received(can)] == list(inside), filters


def test_the_controller_itself_holds_back_what_nobody_wants():
    for part in (BxCan(), FdCan()):
        part, can = node(part, filters=[(0x7E0, 0x7FF), (EXTENDED | 0x10, EXTENDED | 0x1FFFFFFF)])
        assert not part.deliver(0x100, b"")
        assert not part.deliver(EXTENDED | 0x11, b"")
        assert part.deliver(EXTENDED | 0x10, b"")


def test_new_filters_replace_the_old_ones_in_the_controller():
    for part in (BxCan(), FdCan()):
        part, can = node(part, filters=[(1, 0x7FF), (2, 0x7FF), (EXTENDED | 3, EXTENDED | 0xFF)])
        can.set_filters([(4, 0x7FF)])
        for can_id in (1, 2, EXTENDED | 3):
            assert not part.deliver(can_id, b"")
        assert part.deliver(4, b"")
        assert received(can) == [(4, b"")]


def test_a_restart_leaves_bus_off_and_drops_what_waits_in_the_queue():
    part, can = node(BxCan())
    can.send(0x700, b"mailbox")
    can.send(0x700, b"dropped")
    part.bus_off()
    assert can.state() == 4
    while can.send(0x700, b"dropped"):
        pass
    can.restart()
    assert can.state() == 1
    assert can.send(0x700, b"new")
    assert [frame[1] for frame in sent(part, can)] == [b"mailbox", b"new"]
