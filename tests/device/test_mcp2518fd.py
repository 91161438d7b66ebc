"""The MCP2518FD's set-up, filters and error states, against its registers (boards/unix/parts)."""

from claims import raises
from fd_chip import FD_TIMING, deliver, node, received, sent
from uptane.port.can_mcp2518fd import CanMcp2518fd
from uptane.port.mcp2518fd import EXTENDED, Mcp2518fd, bit_timing


def test_bit_rates_are_exact_with_a_late_sample_point():
    for clock_hz in (20000000, 40000000):
        for bitrate, data_bitrate in ((125000, 0), (500000, 0), (1000000, 0), (500000, 2000000)):
            timing = bit_timing(clock_hz, bitrate, data_bitrate)
            assert len(timing) == 12
            for at, rate in ((0, bitrate), (4, data_bitrate)):
                jump, after, before, prescaler = timing[at : at + 4]
                if rate:
                    quanta = 1 + before + 1 + after + 1
                    assert clock_hz == (prescaler + 1) * quanta * rate
                    assert 75 <= 100 * (2 + before) // quanta <= 82
                    assert jump == after
            assert timing[3] == timing[7] or not data_bitrate


def test_the_timing_of_500k_2m_at_40_mhz_is_that_of_the_makers_own_driver():
    assert FD_TIMING == b"\x0f\x0f\x3e\x00" + b"\x03\x03\x0e\x00" + b"\x00\x0f\x02\x00"


def test_rates_that_the_clock_cannot_make_are_refused():
    assert raises(ValueError, bit_timing, 40000000, 333333)
    assert raises(ValueError, bit_timing, 40000000, 500000, 3000000)
    assert raises(ValueError, bit_timing, 20000000, 500000, 8000000)


class Nothing:
    """An SPI bus without a chip: its line stays where it is pulled."""

    def __init__(self, level):
        self.level = level

    def write(self, out):
        pass

    def write_readinto(self, out, into):
        for at in range(len(into)):
            into[at] = self.level


def test_a_missing_chip_is_an_error_at_start():
    for level in (0x00, 0xFF):
        chip = Mcp2518fd(Nothing(level), lambda level: None, True)
        assert raises(OSError, CanMcp2518fd, chip, FD_TIMING).args[0] == 19  # ENODEV


def test_the_set_up_fits_the_ram_and_the_mode_comes():
    part, can = node()
    assert (part.mode, can.frame_bytes) == (0, 64)
    assert part.registers[0x004:0x010] == FD_TIMING
    part, can = node(False)
    assert (part.mode, can.frame_bytes) == (6, 8)


def test_a_mode_is_waited_for_while_the_bus_is_busy_but_not_for_ever():
    part, can = node()
    part.busy_looks = 20
    can.restart()
    assert (part.mode, part.busy_looks) == (0, 0)
    part.busy_looks = 1000000
    assert raises(OSError, can.restart)


def test_nothing_is_received_before_filters_are_set():
    part, can = node(filters=None)
    assert not deliver(part, 0x123, b"")
    assert received(can) == []


def test_filters_let_in_what_they_name_and_no_more():
    for filters, inside, outside in (
        ([(0x7E0, 0x7FF)], (0x7E0,), (0x7E1, 0x000, EXTENDED | 0x7E0, EXTENDED | 0x7E0 << 18)),
        ([(0x600, 0x700), (0x7DF, 0x7FF)], (0x6AB, 0x7DF), (0x7E0, 0x500)),
        ([(n, 0xFFFFFFFF) for n in range(0x700, 0x720)], (0x700, 0x71F), (0x720, 0x6FF)),
        (
            [(EXTENDED | 0x18DA10F1, EXTENDED | 0x1FFFFFFF), (0x7DF, 0x7FF)],
            (EXTENDED | 0x18DA10F1, 0x7DF),
            (EXTENDED | 0x18DA10F2, EXTENDED | 0x08DA10F1, 0x7E0, 0x636),
        ),
        ([(EXTENDED | 0x18DA0000, 0x1FFF0000)], (EXTENDED | 0x18DAFFFF,), (EXTENDED, 0x636)),
        ([(1, 0x7FF), (0x100, 0x700), (EXTENDED, EXTENDED)], (1, 0x1FF, EXTENDED | 5), (2,)),
    ):
        part, can = node(filters=filters)
        for can_id in inside + outside:
            deliver(part, can_id, b"x")
        assert [frame[0] for frame in received(can)] == list(inside), filters


def test_new_filters_replace_the_old_ones_and_spare_what_is_to_be_sent():
    part, can = node(filters=[(1, 0x7FF), (EXTENDED | 3, EXTENDED | 0xFF)])
    can.send(0x100, b"kept")
    can.set_filters([(4, 0x7FF)])
    for can_id in (1, EXTENDED | 3):
        assert not deliver(part, can_id, b"")
    assert deliver(part, 4, b"")
    assert sent(part) == [(0x100, b"kept")]


def test_more_filters_than_the_chip_has_are_refused():
    part, can = node()
    assert raises(ValueError, can.set_filters, [(n, 0x7FF) for n in range(33)])


def test_error_states_are_told():
    part, can = node()
    for transmit, receive, state in ((0, 0, 1), (96, 0, 2), (0, 130, 3), (128, 0, 3), (256, 0, 4)):
        part.count_errors(transmit, receive)
        assert can.state() == state


def test_bus_off_drops_what_waits_and_ends_by_itself():
    part, can = node()
    can.send(0x100, b"lost")
    part.count_errors(256, 0)
    assert can.state() == 4
    assert not can.unsent()
    assert part.arbitrate() is None
    part.count_errors(0, 0)
    assert can.state() == 1
    assert can.send(0x100, b"new")
    assert sent(part) == [(0x100, b"new")]


def test_a_chip_that_left_the_bus_says_so_until_the_restart():
    part, can = node()
    part.mode = 7  # restricted: what it does when its own memory fails it
    assert can.state() == 0
    can.restart()
    assert can.state() == 1


def test_a_restart_forgets_a_send_that_was_refused():
    part, can = node(pin=False)
    while can.send(0x100, b"dropped"):
        pass
    can.restart()
    assert not can.ready(1)


def test_the_state_also_tells_of_frames_that_were_lost():
    part, can = node()
    for number in range(22):
        deliver(part, number, b"")
    can.state()
    assert can.overruns == 1


def test_a_restart_keeps_the_filters_and_drops_what_waits():
    part, can = node(filters=[(0x7E0, 0x7FF)])
    while can.send(0x100, b"dropped"):
        pass
    deliver(part, 0x7E0, b"dropped")
    part.count_errors(256, 0)
    can.restart()
    assert can.state() == 1
    assert part.arbitrate() is None
    assert received(can) == []
    assert not can.ready(1)
    deliver(part, 0x7E0, b"\x01")
    deliver(part, 0x7E1, b"\x01")
    assert received(can) == [(0x7E0, b"\x01")]
    assert can.send(0x100, b"new")
    assert sent(part) == [(0x100, b"new")]
