"""The slcan driver against a serial line that gives and takes as much as it likes."""

from claims import Locked, raises
from uptane.port.can_slcan import EXTENDED, LENGTHS, CanSlcan

ALL = [(0, 0), (EXTENDED, EXTENDED)]


class Line:
    """A serial line: `said` is what the driver wrote. It gives `most` bytes at a time, and takes
    `room` bytes, or all with None."""

    def __init__(self, most=64, room=None):
        self.most = most
        self.room = room
        self.said = b""
        self.coming = b""

    def any(self):
        return len(self.coming)

    def readinto(self, into):
        count = min(len(into), self.most, len(self.coming))
        for at in range(count):
            into[at] = self.coming[at]
        self.coming = self.coming[count:]
        return count or None

    def write(self, out):
        count = len(out) if self.room is None else min(len(out), self.room)
        if self.room is not None:
            self.room -= count
        self.said += bytes(out[:count])
        return count or None


def node(data_bitrate=0, filters=ALL, most=64):
    line = Line(most)
    can = CanSlcan(line, 500000, data_bitrate)
    if filters:
        can.set_filters(filters)
    return line, can


def received(can):
    frames = []
    frame = can.receive()
    while frame is not None:
        frames.append((frame[0], bytes(frame[1])))
        frame = can.receive()
    return frames


def test_the_adapter_is_closed_set_to_the_rates_and_opened():
    assert node()[0].said == b"\rC\rS6\rZ0\rO\r"
    assert node(2000000)[0].said == b"\rC\rS6\rZ0\rY2\rO\r"
    assert node()[1].frame_bytes == 8
    assert node(5000000)[1].frame_bytes == 64


def test_rates_without_a_letter_are_refused():
    assert raises(ValueError, CanSlcan, Line(), 300000)
    assert raises(ValueError, CanSlcan, Line(), 500000, 4000000)


def said(data_bitrate, can_id, data):
    line, can = node(data_bitrate)
    line.said = b""
    assert can.send(can_id, data)
    return line.said


def test_a_frame_is_a_line():
    assert said(0, 0x7E0, b"") == b"t7E00\r"
    assert said(0, 0x001, b"\x00\x1a\xff") == b"t0013001AFF\r"
    assert said(0, EXTENDED | 0x18DA10F1, b"12345678") == b"T18DA10F183132333435363738\r"
    assert said(0, EXTENDED | 0x1FFFFFFF, b"") == b"T1FFFFFFF0\r"
    assert said(2000000, 0x7E0, b"\x01") == b"b7E0101\r"
    assert said(2000000, EXTENDED | 0x1, bytes(12)) == b"B000000019" + b"00" * 12 + b"\r"


def test_a_line_is_a_frame_of_every_kind_and_length():
    for most in (1, 3, 64):
        line, can = node(2000000, most=most)
        expected = []
        for code, length in enumerate(LENGTHS):
            data = bytes(range(length))
            tail = b"%X" % code + b"".join([b"%02X" % byte for byte in data]) + b"\r"
            line.coming += b"d123" + tail + b"B18DA10F1" + tail + b"D00000000" + tail.lower()
            expected += [(0x123, data), (EXTENDED | 0x18DA10F1, data), (EXTENDED, data)]
            if length <= 8:
                line.coming += b"t7ff" + tail + b"T1FFFFFFF" + tail
                expected += [(0x7FF, data), ((1 << 30) - 1, data)]
        assert received(can) == expected
        assert (can.garbled, can.refusals) == (0, 0)


def test_answers_are_no_frames_and_no_garbage():
    line, can = node()
    line.coming = b"\r\rz\rZ\r\r\nt1230\r\nF00\rr1230\rR000000010\r"
    assert received(can) == [(0x123, b"")]
    assert can.garbled == 0


def test_part_of_a_line_waits_for_the_rest():
    line, can = node()
    for byte in b"t12320A0":
        line.coming += bytes([byte])
        assert not can.ready(1)
        assert can.receive() is None
    line.coming = b"B\r"
    assert can.ready(1)
    assert received(can) == [(0x123, b"\x0a\x0b")]


def test_garbage_is_dropped_and_counted_and_the_next_line_is_read():
    for garbage in (
        b"hello",
        b"t",
        b"t12",
        b"t1g30",
        b"t12@0",
        b"t12`0",
        b"t12:0",
        b"t8000",
        b"T200000000",
        b"T0123",
        b"t1239",
        b"t123211",
        b"t12321122F",
        b"t1232112233",
        b"t123211G2",
        b"d1239" + b"00" * 12,
        b"x" * 500,
        b"t1231" + b"00" * 400,
        b"\xff\x00\x80",
        b"z1",
    ):
        line, can = node()
        line.coming = garbage + b"\rt45611F\r"
        assert received(can) == [(0x456, b"\x1f")], garbage
        assert can.garbled == 1, garbage


def test_a_bell_ends_a_line_and_is_counted():
    line, can = node()
    line.coming = b"\at45611F\r\at12311\at4562AABB\r"
    assert received(can) == [(0x456, b"\x1f"), (0x456, b"\xaa\xbb")]
    assert (can.refusals, can.garbled) == (3, 1)


def test_a_send_waits_until_the_line_before_is_written():
    line, can = node()
    line.said = b""
    line.room = 4
    assert can.send(0x123, b"\x01\x02")
    assert can.unsent()
    assert not can.send(0x456, b"")
    assert not can.ready(1)
    line.room = None
    assert can.ready(1)
    assert not can.ready(1)
    assert not can.unsent()
    assert can.send(0x456, b"")
    assert line.said == b"t12320102\rt4560\r"


def test_the_data_given_out_survives_until_the_next_receive():
    line, can = node()
    line.coming = b"t1235" + b"31" * 5 + b"\rt1235" + b"32" * 5 + b"\rt1235" + b"33" * 5 + b"\r"
    frame = can.receive()
    assert can.ready(1)
    assert bytes(frame[1]) == b"11111"
    assert received(can) == [(0x123, b"22222"), (0x123, b"33333")]


def test_nothing_is_received_before_filters_are_set():
    line, can = node(filters=None)
    line.coming = b"t1230\r"
    assert received(can) == []
    assert can.garbled == 0


def test_filters_let_in_what_they_name_and_no_more():
    line, can = node(filters=[(0x600, 0x700), (EXTENDED | 0x10, EXTENDED | 0x1FFFFFFF)])
    line.coming = b"t6AB0\rt7000\rT000000100\rT000006000\rt0100\rT000000110\r"
    assert received(can) == [(0x6AB, b""), (EXTENDED | 0x10, b"")]


def test_error_states_are_asked_for_and_told():
    line, can = node()
    assert can.state() == 1
    for answer, state in ((b"F04\r", 2), (b"F24\r", 3), (b"F08\r", 1), (b"F00\r", 1)):
        line.said = b""
        line.coming = answer
        assert can.state() == state
        assert line.said == b"F\r"
    assert can.overruns == 1


def test_a_restart_opens_the_adapter_again_and_drops_a_line_half_written():
    line, can = node()
    line.room = 2
    can.send(0x123, b"lost")
    line.said = b""
    line.room = None
    can.restart()
    assert line.said == b"\rC\rS6\rZ0\rO\r"
    assert not can.unsent()
    assert can.send(0x456, b"")
    assert line.said.endswith(b"O\rt4560\r")


class Steady:
    """A line that says the same frame for ever, and takes no memory to do so."""

    def __init__(self):
        self.frame = b"B18DA10F19" + b"5A" * 12 + b"\r"
        self.at = 0

    def any(self):
        return 1

    def readinto(self, into):
        into[0] = self.frame[self.at]
        self.at = (self.at + 1) % len(self.frame)
        return 1

    def write(self, out):
        return len(out)


def test_a_frame_takes_no_memory_either_way():
    can = CanSlcan(Steady(), 500000, 2000000)
    can.set_filters(ALL)
    data = bytes(12)
    with Locked():
        for _ in range(20):
            assert can.send(EXTENDED | 0x18DA10F1, data)
            assert can.ready(1)
            frame = can.receive()
            assert frame[0] == EXTENDED | 0x18DA10F1
            assert len(frame[1]) == 12
