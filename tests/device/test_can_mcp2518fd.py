"""Frames through the MCP2518FD driver, against the chip's SPI instructions and RAM."""

from claims import Locked
from fd_chip import FD_TIMING, deliver, node, received, sent
from uptane.port.can_mcp2518fd import CanMcp2518fd
from uptane.port.mcp2518fd import EXTENDED, LENGTHS, Mcp2518fd


def test_frames_of_every_length_leave_in_fd_format_with_their_rate_switched():
    part, can = node()
    for length in LENGTHS:
        data = bytes(range(length))
        for can_id in (0x7E8, EXTENDED | 0x18DA10F1, EXTENDED | 0x1FFFFFFF, 0):
            assert can.send(can_id, data)
            message = part.sent()
            assert (message.can_id, message.data) == (can_id, data)
            assert message.fd and message.switched and not message.remote


def test_frames_on_a_classic_bus_leave_in_classic_format():
    part, can = node(False)
    for length in range(9):
        assert can.send(EXTENDED | 0x18DA10F1, bytes(range(length)))
        message = part.sent()
        assert (message.can_id, message.data) == (EXTENDED | 0x18DA10F1, bytes(range(length)))
        assert not message.fd and not message.switched


def test_frames_of_every_length_and_format_come_in():
    part, can = node()
    expected = []
    for number, length in enumerate(LENGTHS):
        frame = (EXTENDED | 0x1FFFFFF0 | number if number % 2 else number, bytes(range(length)))
        assert deliver(part, frame[0], frame[1], length > 8 or number % 3 == 0)
        expected.append(frame)
    assert can.ready(len(LENGTHS))
    assert not can.ready(len(LENGTHS) + 1)
    assert received(can) == expected
    assert not can.ready(1)


def test_an_identifier_is_a_small_integer_where_words_have_32_bits():
    part, can = node()
    deliver(part, EXTENDED | 0x1FFFFFFF, b"")
    assert received(can)[0][0] == (1 << 30) - 1


def test_a_classic_frame_with_a_length_code_above_8_has_8_bytes():
    part, can = node(False)
    deliver(part, 1, b"12345678")
    part.ram[7 * 16 + 4] = 0x0F
    assert received(can) == [(1, b"12345678")]


def test_frames_leave_in_the_order_of_send_whatever_their_identifier():
    part, can = node()
    expected = []
    got = []
    for number in range(100):
        frame = (0x700 - number * 7 if number % 3 else 0x700, bytes([number]))
        while not can.send(frame[0], frame[1]):
            got += [(one.can_id, one.data) for one in (part.sent(),)]
        expected.append(frame)
    assert got + sent(part) == expected


def test_a_full_queue_refuses_and_says_when_there_is_room():
    for pin in (True, False):
        part, can = node(pin=pin)
        count = 0
        while can.send(0x100, bytes([count])):
            count += 1
        assert count == 7
        assert not can.ready(1)
        part.sent()
        assert can.ready(1)
        assert not can.ready(1)
        assert can.send(0x100, b"room")
        assert not can.send(0x100, b"no room")


def test_a_frame_is_unsent_until_it_has_left_the_chip():
    part, can = node()
    assert not can.unsent()
    can.send(0x700, b"a")
    can.send(0x700, b"b")
    part.sent()
    assert can.unsent()
    part.sent()
    assert not can.unsent()


def test_received_frames_wait_in_the_chip_in_order():
    for fd, depth in ((True, 21), (False, 32)):
        part, can = node(fd)
        for number in range(75):  # several times round, at changing levels
            deliver(part, number, bytes([number]))
            if number % 3 == 2:
                assert received(can) == [(n, bytes([n])) for n in range(number - 2, number + 1)]
        for number in range(depth):
            assert not can.ready(number + 1)
            assert deliver(part, number, b"")
            assert can.ready(number + 1)
        assert [frame[0] for frame in received(can)] == list(range(depth))


def test_a_full_chip_loses_the_newest_and_counts_it_once():
    part, can = node()
    for number in range(30):
        assert deliver(part, number, b"") == (number < 21)
    assert [frame[0] for frame in received(can)] == list(range(21))
    assert can.overruns == 1
    assert deliver(part, 0x55, b"")
    assert received(can) == [(0x55, b"")]
    assert can.state() == 1
    assert can.overruns == 1


def test_the_pin_spares_the_chip_when_there_is_nothing_to_do():
    part, can = node()
    part.write_readinto = None  # whoever asks the chip fails
    assert can.receive() is None
    assert not can.ready(1)


def test_the_pin_ends_the_sleep_for_a_frame_and_for_room():
    part, can = node()
    pin = can._interrupt
    deliver(part, 1, b"")
    assert pin.woken == 1
    received(can)
    while can.send(0x100, b""):
        pass
    assert pin.woken == 1
    part.sent()
    assert pin.woken == 2
    assert pin() == 0
    assert can.ready(1)
    assert pin() == 1


def test_without_the_pin_the_chip_is_asked():
    part, can = node(pin=False)
    deliver(part, 5, b"x")
    assert can.ready(1)
    assert received(can) == [(5, b"x")]
    assert not can.ready(1)


def test_remote_frames_are_dropped():
    part, can = node(False)
    deliver(part, 0x123, b"", remote=True)
    deliver(part, EXTENDED | 0x123, b"", remote=True)
    deliver(part, 6, b"data")
    assert received(can) == [(6, b"data")]


class Steady:
    """A chip that always has a frame and always has room, and takes no memory to say so."""

    IRQ_FALLING = 4

    def write(self, out):
        pass

    def write_readinto(self, out, into):
        instruction = out[0]
        for at in range(len(into)):
            into[at] = 0
        if len(into) == 10 and instruction == 0x34:  # a message: 29 bits, FD, 12 bytes
            into[2] = 0x55
            into[6] = 0x99
        elif len(into) == 10:
            into[2] = 1  # its FIFO: room, or not empty
        elif len(into) == 3:
            into[2] = 0x84  # the mode is configuration, the oscillator is ready

    def irq(self, handler, trigger, hard):
        pass

    def __call__(self):
        return 0


def test_a_frame_takes_no_memory_either_way():
    steady = Steady()
    chip = Mcp2518fd(steady, lambda level: None, True)
    chip.mode = 4  # all that this one ever says
    can = CanMcp2518fd(chip, FD_TIMING, steady)
    data = bytes(12)
    with Locked():
        for _ in range(50):
            assert can.send(EXTENDED | 0x18DA10F1, data)
            assert can.ready(1)
            frame = can.receive()
            assert frame[0] == EXTENDED | 0x55 << 18
            assert len(frame[1]) == 12
