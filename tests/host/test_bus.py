"""The bus: arbitration, queues, filters, load, and what becomes of frames when power goes."""

import pytest

from muptane.bench.can.bus import Bus
from muptane.bench.can.frames import Frame, arbitration_key, frame_bits
from muptane.bench.world import S, World
from muptane.identifiers import EXTENDED

BITRATE = 500_000
BIT_NS = S // BITRATE


class Wire:
    """A bus, and what passed on it: [(ns, sender, frame), ...]."""

    def __init__(self, *names, queue_frames=3):
        self.world = World()
        self.bus = Bus(self.world, BITRATE)
        self.ports = {name: self.bus.port(name, queue_frames) for name in names}
        self.bus.port("witness")  # acknowledges, whoever else is there
        self.passed = []
        self.bus.listeners.append(lambda *heard: self.passed.append(heard))

    def at(self, ns, act):
        self.world.at(ns, act)

    def send(self, name, can_id, data=b""):
        return self.ports[name].send(Frame(can_id, data))

    def run(self, frames):
        self.world.run(lambda: len(self.passed) >= frames)
        return [(sender, frame.id) for _, sender, frame in self.passed]


def test_a_frame_takes_the_time_of_its_bits():
    wire = Wire("a")
    wire.send("a", 0x123, b"abc")
    wire.send("a", 0x456, b"")
    wire.run(2)
    first = frame_bits(0x123, b"abc") * BIT_NS
    assert [ns for ns, _, _ in wire.passed] == [first, first + frame_bits(0x456, b"") * BIT_NS]


def test_the_lowest_identifier_wins_among_ports_and_within_a_queue():
    wire = Wire("a", "b", "c")
    wire.send("a", 0x300)
    wire.send("a", 0x100)
    wire.send("b", 0x200)
    wire.send("c", 0x000)
    order = wire.run(4)
    assert order == [("c", 0x000), ("a", 0x100), ("b", 0x200), ("a", 0x300)]


def test_arbitration_waits_for_all_who_speak_at_the_same_time():
    wire = Wire("a", "b")
    wire.at(1000, lambda: wire.send("a", 0x7FF))
    wire.at(1000, lambda: wire.send("b", 0x001))
    assert wire.run(2) == [("b", 0x001), ("a", 0x7FF)]


def test_a_frame_on_the_wire_is_not_interrupted():
    wire = Wire("a", "b")
    wire.at(0, lambda: wire.send("a", 0x7FF, bytes(8)))
    wire.at(1000, lambda: wire.send("b", 0x001))
    assert wire.run(2) == [("a", 0x7FF), ("b", 0x001)]


def test_standard_wins_over_extended_with_the_same_beginning():
    """A standard frame's RTR is dominant where an extended frame has its recessive SRR."""
    base = 0x123
    extended = [base << 18 | low | EXTENDED for low in (0, 1, 0x3FFFF)]
    keys = [arbitration_key(can_id) for can_id in [base, *extended, base + 1]]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    wire = Wire("a", "b", "c")
    wire.send("a", extended[0])
    wire.send("b", base)
    wire.send("c", (base - 1) << 18 | 0x3FFFF | EXTENDED)
    assert [sender for sender, _ in wire.run(3)] == ["c", "b", "a"]


def test_equal_identifiers_leave_in_the_order_they_were_queued():
    wire = Wire("a")
    for number in range(3):
        wire.send("a", 0x100, bytes([number]))
    wire.run(3)
    assert [frame.data[0] for _, _, frame in wire.passed] == [0, 1, 2]


def test_a_queue_holds_no_more_than_it_has_room_for():
    wire = Wire("a", queue_frames=2)
    assert wire.send("a", 1)
    assert wire.send("a", 2)
    assert not wire.send("a", 3)
    wire.run(1)
    assert wire.send("a", 4)
    assert not wire.send("a", 5)
    assert wire.run(3) == [("a", 1), ("a", 2), ("a", 4)]


def test_the_sender_hears_when_its_frame_has_left():
    wire = Wire("a", "b")
    left = []
    wire.ports["a"].on_sent = lambda frame: left.append((wire.world.now_ns, frame.id))
    wire.send("a", 0x10, b"xy")
    wire.send("b", 0x11)
    wire.run(2)
    assert left == [(frame_bits(0x10, b"xy") * BIT_NS, 0x10)]


# --- who receives --------------------------------------------------------------------------------


def heard(wire, name, filters):
    got = []
    wire.ports[name].filters = filters
    wire.ports[name].on_frame = lambda frame: got.append(frame.id)
    wire.bus.filters_changed()
    return got


def test_filters_let_in_what_matches_under_their_mask():
    wire = Wire("a", "b", "c", "d", "e", queue_frames=9)
    exact = heard(wire, "b", [(0x123, 0x7FF), (0x200, 0x7FF)])
    group = heard(wire, "c", [(0x120, 0x7F0)])
    everything = heard(wire, "d", [(0, 0)])
    nothing = heard(wire, "e", None)
    for can_id in (0x123, 0x124, 0x200, 0x300, 0x123 | EXTENDED):
        wire.send("a", can_id)
    wire.run(5)
    assert sorted(exact) == [0x123, 0x200, 0x123 | EXTENDED]  # bit 31 not in the mask
    assert sorted(group) == [0x123, 0x124, 0x123 | EXTENDED]
    assert len(everything) == 5
    assert nothing == []


def test_a_mask_with_bit_31_tells_standard_from_extended():
    wire = Wire("a", "b")
    got = heard(wire, "b", [(0x123, 0x7FF | EXTENDED)])
    wire.send("a", 0x123 | EXTENDED)
    wire.send("a", 0x123)
    wire.run(2)
    assert got == [0x123]


def test_nobody_hears_himself_and_changed_filters_count_at_once():
    wire = Wire("a", "b")
    own = heard(wire, "a", [(0, 0)])
    other = heard(wire, "b", [(0, 0)])
    wire.send("a", 0x10)
    wire.run(1)
    heard(wire, "b", [(0x11, 0x7FF)])
    wire.send("a", 0x10)
    wire.run(2)
    assert own == []
    assert other == [0x10]


# --- what it counts ----------------------------------------------------------------------------


def test_load_is_the_share_of_time_in_which_frames_passed():
    wire = Wire("a")
    assert wire.bus.load() == 0.0
    wire.send("a", 0x123, bytes(8))
    wire.run(1)
    assert wire.bus.load() == pytest.approx(1.0)
    busy_ns = wire.world.now_ns
    wire.at(4 * busy_ns, lambda: None)
    wire.world.run(lambda: wire.world.now_ns == 4 * busy_ns)
    assert wire.bus.load() == pytest.approx(0.25)
    assert (wire.bus.frames, wire.bus.payload_bytes) == (1, 8)
    assert wire.bus.bits == frame_bits(0x123, bytes(8))


def test_a_saturated_bus_has_a_load_of_one_at_every_moment():
    wire = Wire("a", queue_frames=50)
    for number in range(50):
        wire.send("a", number, b"12345678")
    for number in range(1, 51):
        wire.run(number)
        assert wire.bus.load() == pytest.approx(1.0)


# --- power ---------------------------------------------------------------------------------------


def test_a_controller_without_power_sends_nothing_of_what_it_queued():
    wire = Wire("a", "b")
    got = heard(wire, "b", [(0, 0)])
    wire.send("a", 0x100, bytes(8))
    wire.send("a", 0x101)
    wire.send("b", 0x200)
    wire.at(20 * BIT_NS, wire.ports["a"].cut)  # in the middle of the first frame
    wire.at(30 * BIT_NS, lambda: wire.send("a", 0x102))
    assert wire.run(2) == [("a", 0x102), ("b", 0x200)]
    assert got == [0x102]
    assert wire.bus.frames == 2


def test_a_controller_without_power_breaks_nobody_elses_frame():
    wire = Wire("a", "b")
    wire.send("b", 0x100, bytes(8))
    wire.send("a", 0x200)
    wire.at(20 * BIT_NS, wire.ports["a"].cut)
    assert wire.run(1) == [("b", 0x100)]
    assert wire.bus.frames == 1
