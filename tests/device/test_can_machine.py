"""The driver over machine.CAN, against a bxCAN as MicroPython's documentation describes it."""

from boards.unix.parts.bxcan import BxCan
from uptane.port.can_machine import EXTENDED, CanMachine


def node(ordered=False, rx_frames=16):
    part = BxCan(ordered)
    can = CanMachine(part, rx_frames, 3, ordered)
    can.set_filters([(0, 0), (EXTENDED, EXTENDED)])
    return part, can


SMALL_INT_MAX = (1 << 30) - 1  # where words have 32 bits; larger numbers are objects


def received(can):
    frames = []
    frame = can.receive()
    while frame is not None:
        frames.append((frame[0], bytes(frame[1])))
        frame = can.receive()
    return frames


def test_frames_with_one_identifier_leave_in_order_one_in_flight():
    part, can = node()
    for number in range(4):
        assert can.send(0x700, bytes([number]))
    assert part.pending() == 1
    assert [part.sent()[1][0] for _ in range(4)] == [0, 1, 2, 3]
    assert part.pending() == 0


def test_a_controller_that_keeps_the_order_is_filled():
    part, can = node(True)
    for number in range(6):
        assert can.send(0x700, bytes([number]))
    assert part.pending() == 3
    assert [part.sent()[1][0] for _ in range(6)] == list(range(6))


def test_a_full_queue_refuses_and_says_when_there_is_room():
    part, can = node()
    while can.send(0x700, b"x"):
        pass
    assert not can.ready(1)
    part.sent()
    assert can.ready(1)
    assert not can.ready(1)
    assert can.send(0x700, b"y")
    assert not can.send(0x700, b"z")


def test_a_frame_is_unsent_until_it_has_left_the_controller():
    for ordered in (False, True):
        part, can = node(ordered)
        assert not can.unsent()
        can.send(0x700, b"a")
        can.send(0x700, b"b")
        part.sent()
        assert can.unsent()
        part.sent()
        assert not can.unsent()


def test_who_asked_for_the_unsent_is_told_when_nothing_is():
    for ordered in (False, True):
        part, can = node(ordered)
        can.send(0x700, b"a")
        can.send(0x700, b"b")
        part.sent()
        assert not can.ready(1)  # nobody has asked
        assert can.unsent()
        assert not can.ready(1)
        part.sent()
        assert can.ready(1)
        assert not can.ready(1)
        can.send(0x700, b"c")
        part.sent()
        assert not can.ready(1)


def test_a_controller_with_too_few_filters_lets_everything_in():
    part, can = node()
    can.set_filters([(0x100 + n, 0x7FF) for n in range(15)])
    part.deliver(0x555, b"")
    assert received(can) == [(0x555, b"")]
    can.set_filters([(0x100 + n, 0x7FF) for n in range(14)])
    part.deliver(0x555, b"")
    assert received(can) == []


def test_received_frames_wait_in_the_ring_in_order():
    part, can = node()
    for number in range(10):
        part.deliver(EXTENDED | number if number % 2 else number, bytes(range(number % 9)))
    assert can.ready(10)
    assert not can.ready(11)
    assert received(can) == [
        (EXTENDED | n if n % 2 else n, bytes(range(n % 9))) for n in range(10)
    ]
    assert not can.ready(1)


def test_a_full_ring_drops_the_newest_and_still_empties_the_controller():
    part, can = node(rx_frames=4)
    for number in range(12):
        part.deliver(number, b"")
    assert [frame[0] for frame in received(can)] == [0, 1, 2, 3, 4]
    assert can.overruns == 7
    part.deliver(0x55, b"")
    assert received(can) == [(0x55, b"")]


def test_the_data_given_out_survives_until_the_next_receive():
    part, can = node(rx_frames=4)
    part.deliver(1, b"first..8")
    frame = can.receive()
    for _ in range(12):
        part.deliver(2, b"later..8")
    assert bytes(frame[1]) == b"first..8"


def test_remote_frames_are_dropped():
    part, can = node()
    part.deliver(5, b"", True)
    part.deliver(6, b"")
    assert received(can) == [(6, b"")]


def test_an_identifier_is_a_small_integer_where_words_have_32_bits():
    assert EXTENDED | 0x1FFFFFFF == SMALL_INT_MAX
    part, can = node()
    part.deliver(EXTENDED | 0x1FFFFFFF, b"")
    assert received(can) == [(SMALL_INT_MAX, b"")]
    assert can.send(SMALL_INT_MAX, b"")
    assert part.sent() == (SMALL_INT_MAX, b"")


def test_a_classic_controller_carries_8_bytes():
    assert node()[1].frame_bytes == 8


def test_filters_tell_the_two_lengths_of_identifier_apart():
    part, can = node()
    can.set_filters([(0x7DF, 0x7FF), (EXTENDED | 0x18DA0000, EXTENDED | 0x1FFF0000)])
    for can_id in (0x7DF, 0x7E0, EXTENDED | 0x7DF, EXTENDED | 0x18DA10F1, EXTENDED | 0x18DB10F1):
        part.deliver(can_id, b"")
    assert [frame[0] for frame in received(can)] == [0x7DF, EXTENDED | 0x18DA10F1]


def test_bus_off_refuses_sends_until_the_restart():
    part, can = node()
    can.send(0x700, b"lost")
    part.bus_off()
    assert can.state() == 4
    assert can.ready(1)  # somebody has to look
    assert not can.ready(1)
    assert not can.send(0x700, b"not taken")
    can.restart()
    assert can.state() == 1
    assert can.send(0x700, b"new")
    assert part.sent() == (0x700, b"new")
    assert part.pending() == 0


def test_an_interrupt_in_the_middle_of_a_send_loses_and_swaps_nothing():
    part, can = node()
    got = []
    part.before_send = lambda: got.append(part.sent()) if part.pending() else None
    for number in range(50):
        while not can.send(0x700, bytes([number])):
            got.append(part.sent())
    part.before_send = None
    while part.pending():
        got.append(part.sent())
    assert [frame[1][0] for frame in got] == list(range(50))
