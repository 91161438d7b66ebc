"""The MCP2515 driver against the chip's SPI instructions and registers (boards/unix/parts)."""

from boards.unix.parts.mcp2515 import Mcp2515 as Part
from claims import raises
from uptane.port.can_mcp2515 import EXTENDED, CanMcp2515
from uptane.port.mcp2515 import Mcp2515, bit_timing

TIMING = bit_timing(16000000, 500000)
ALL = [(0, 0), (EXTENDED, EXTENDED)]


class Pin:
    """INT of the part, as machine.Pin shows it."""

    IRQ_FALLING = 4

    def __init__(self, part):
        self.part = part
        self.irq = part.irq

    def __call__(self):
        return self.part.interrupt()


def node(filters=ALL, pin=True):
    part = Part()
    can = CanMcp2515(Mcp2515(part, part.cs), TIMING, Pin(part) if pin else None)
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


def sent(part):
    frames = []
    while part.arbitrate() is not None:
        frames.append(part.sent())
    return frames


def test_a_frame_is_unsent_until_it_has_left_the_chip():
    part, can = node()
    assert not can.unsent()
    can.send(0x700, b"a")
    assert can.unsent()
    assert len(sent(part)) == 1
    assert not can.unsent()


def test_bit_rates_are_exact_with_a_late_sample_point():
    for crystal_hz in (8000000, 16000000, 20000000):
        for bitrate in (125000, 250000, 500000):
            cnf1, cnf2, cnf3 = bit_timing(crystal_hz, bitrate)
            before = 1 + (cnf2 & 7) + 1 + (cnf2 >> 3 & 7) + 1
            quanta = before + (cnf3 & 7) + 1
            assert cnf2 >> 7 == 1
            assert crystal_hz == 2 * (cnf1 + 1) * quanta * bitrate
            assert 70 <= 100 * before // quanta <= 80
            assert cnf3 & 7 >= 1  # phase segment 2 of two quanta at least


def test_a_rate_that_the_crystal_cannot_make_is_refused():
    assert raises(ValueError, bit_timing, 8000000, 1000000)
    assert raises(ValueError, bit_timing, 16000000, 333333)


def test_a_missing_chip_is_an_error_at_start():
    class Nothing:
        def write(self, out):
            pass

        def write_readinto(self, out, into):
            for at in range(len(into)):
                into[at] = 0xFF

    assert raises(OSError, CanMcp2515, Mcp2515(Nothing(), lambda level: None), TIMING)


def test_a_frame_leaves_as_it_was_given():
    part, can = node()
    assert can.send(0x123, b"\x01\x02\x03")
    assert can.send(EXTENDED | 0x18DA10F1, b"12345678")
    assert can.send(0x7FF, b"")
    assert sent(part) == [
        (0x123, b"\x01\x02\x03"),
        (EXTENDED | 0x18DA10F1, b"12345678"),
        (0x7FF, b""),
    ]


def test_frames_leave_in_the_order_of_send_whatever_their_identifier():
    part, can = node()
    expected = []
    got = []
    for number in range(100):
        frame = (0x700 - number * 7 if number % 3 else 0x700, bytes([number]))
        while not can.send(frame[0], frame[1]):
            got.append(part.sent())
        expected.append(frame)
        if number % 5 == 0:
            got.append(part.sent())
    assert got + sent(part) == expected


def test_a_full_queue_refuses_and_says_when_there_is_room():
    part, can = node()
    count = 0
    while can.send(0x100, bytes([count])):
        count += 1
    assert count == 6  # three in the chip, three behind
    assert not can.ready(1)
    part.sent()
    assert can.ready(1)
    assert not can.ready(1)
    assert can.send(0x100, b"room")
    assert not can.send(0x100, b"no room")


def test_without_the_interrupt_pin_the_queue_moves_when_asked():
    part, can = node(pin=False)
    for number in range(6):
        assert can.send(0x100, bytes([number]))
    got = []
    while part.arbitrate() is not None:
        got.append(part.sent()[1][0])
        can.ready(1)
    assert got == [0, 1, 2, 3, 4, 5]


def test_received_frames_come_out_in_order():
    part, can = node()
    for number in range(10):
        assert part.deliver(0x123 + number, bytes([number] * (number % 9)))
    frames = received(can)
    assert frames == [(0x123 + n, bytes([n] * (n % 9))) for n in range(10)]


def test_long_identifiers_come_out_whole():
    part, can = node()
    part.deliver(EXTENDED | 0x18DAF110, b"12345678")
    assert received(can) == [(EXTENDED | 0x18DAF110, b"12345678")]


def test_a_frame_that_rolled_over_is_older_than_the_next_in_buffer_0():
    """Without the rule in `_take`, frames 2 and 3 come out swapped."""
    part, can = node(pin=False)
    part.deliver(1, b"\x01")
    part.deliver(2, b"\x02")  # rolls over into buffer 1
    release = part.cs
    pending = [3]

    def slow(level):
        release(level)
        if level and pending and not part.registers[0x2C] & 1:
            part.deliver(pending.pop(), b"\x03")  # as soon as buffer 0 is free again

    can._chip._cs = slow
    assert [frame[0] for frame in received(can)] == [1, 2, 3]


def test_an_identifier_is_a_small_integer_where_words_have_32_bits():
    part, can = node()
    part.deliver(EXTENDED | 0x1FFFFFFF, b"")
    (can_id, _data) = received(can)[0]
    assert can_id == EXTENDED | 0x1FFFFFFF == (1 << 30) - 1
    assert can.send(can_id, b"")
    assert sent(part) == [(can_id, b"")]
    assert can.frame_bytes == 8


def test_nothing_is_received_before_filters_are_set():
    part, can = node(None)
    part.deliver(0x123, b"")
    assert received(can) == []


def test_filters_let_in_what_they_name_and_no_more():
    for filters, inside, outside in (
        ([(0x7E0, 0x7FF)], (0x7E0,), (0x7E1, 0x000, EXTENDED | 0x7E0)),
        ([(0x7E0, 0x7FF), (0x7DF, 0x7FF)], (0x7E0, 0x7DF), (0x7E8, EXTENDED | 0x7DF)),
        ([(0x600, 0x700), (0x7DF, 0x7FF)], (0x6AB, 0x7DF), (0x7E0, 0x500)),
        ([(n, 0x7FF) for n in range(0x700, 0x706)], (0x700, 0x705), (0x706, 0x6FF)),
        ([(n, 0x7FF) for n in range(0x700, 0x709)], (0x700, 0x708), (0x709, 0x6FF)),
        (
            [(EXTENDED | 0x18DA10F1, EXTENDED | 0x1FFFFFFF), (0x7DF, 0xFFFFFFFF)],
            (EXTENDED | 0x18DA10F1, 0x7DF),
            (EXTENDED | 0x18DA10F2, 0x7E0, 0x636),
        ),
        ([(1, 0x7FF), (0x100, 0x700), (EXTENDED, EXTENDED)], (1, 0x1FF, EXTENDED | 5), (2,)),
    ):
        part, can = node(filters)
        for can_id in inside + outside:
            part.deliver(can_id, b"x")
        assert [frame[0] for frame in received(can)] == list(inside), filters


def test_the_chip_itself_holds_back_what_nobody_wants():
    part, _ = node([(0x7E0, 0x7FF), (0x7DF, 0x7FF)])
    assert not part.deliver(0x100, b"")
    assert part.deliver(0x7DF, b"")


def test_remote_frames_are_dropped():
    part, can = node()
    part.deliver(0x123, b"", True)
    part.deliver(EXTENDED | 0x123, b"", True)
    assert received(can) == []


def test_a_full_ring_drops_the_newest_and_counts_it():
    part, can = node()
    for number in range(30):
        part.deliver(number, b"")
    assert can.overruns == 30 - 17
    assert [frame[0] for frame in received(can)] == list(range(17))


def test_an_overrun_in_the_chip_is_counted_and_cleared():
    part, can = node(pin=False)
    assert part.deliver(1, b"")
    assert part.deliver(2, b"")
    assert not part.deliver(3, b"")
    assert can.state() == 1
    assert can.overruns == 1
    assert part.registers[0x2D] == 0


def test_the_data_given_out_survives_until_the_next_receive():
    part, can = node()
    part.deliver(1, b"first..8")
    frame = can.receive()
    for _ in range(40):
        part.deliver(2, b"later..8")
    assert bytes(frame[1]) == b"first..8"


def test_error_states_are_told():
    part, can = node()
    for transmit, receive, state in ((0, 0, 1), (96, 0, 2), (0, 130, 3), (128, 0, 3), (256, 0, 4)):
        part.count_errors(transmit, receive)
        assert can.state() == state


def test_a_restart_keeps_the_filters_and_drops_what_waits():
    part, can = node([(0x7E0, 0x7FF)])
    for number in range(6):
        can.send(0x100, bytes([number]))
    can.restart()
    assert part.arbitrate() is None
    part.deliver(0x7E0, b"\x01")
    part.deliver(0x7E1, b"\x01")
    assert received(can) == [(0x7E0, b"\x01")]
    assert can.send(0x100, b"new")
    assert sent(part) == [(0x100, b"new")]


def test_a_frame_that_arrives_while_another_is_loaded_is_not_lost():
    """The interrupt comes in the middle of an SPI instruction of `send`."""
    part, can = node()
    write = part.write
    waiting = [7]

    def interrupted(out):
        if out[0] & 0xF8 == 0x40 and waiting:
            can._service()  # as the handler would; the select is taken, so it must not talk
            waiting.pop()
        write(out)

    part.write = interrupted
    assert can.send(0x100, b"12345678")
    assert sent(part) == [(0x100, b"12345678")]
