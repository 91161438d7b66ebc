"""The bus when things go wrong: errors, counters, bus-off, identifiers with two senders."""

import pytest
from loud_wire import BIT_NS, BITRATE, ERROR_BITS, FRAME, LENGTH, Wire

from muptane.bench.can.bus import LONELY_TRIES, Strike
from muptane.bench.can.confinement import BUS_OFF_COUNT, Confinement, State
from muptane.bench.can.frames import Frame, bits_of, frame_bits
from muptane.bench.can.noise import Babbler


def test_a_struck_frame_is_sent_again_after_an_error_frame():
    wire = Wire("a", "b", "c")
    wire.strike(Strike(29))
    wire.ports["a"].send(FRAME)
    wire.run()
    begins_again = 30 + ERROR_BITS
    assert wire.broken == [(begins_again, "a", FRAME)]
    assert wire.heard == [(begins_again + LENGTH, name, FRAME) for name in "bc"]
    assert (wire.bus.frames, wire.bus.errors) == (1, 1)
    assert wire.bus.busy_ns == (begins_again + LENGTH) * BIT_NS


def test_counters_rise_by_eight_and_one_and_fall_by_one():
    """ISO 11898-1, 12.1.4.2: a transmitter 8, a receiver 1, 8 for who saw it first."""
    wire = Wire("a", "b", "c")
    wire.strike(Strike(29), Strike(40, frozenset("b")))
    wire.ports["a"].send(FRAME)
    wire.run(40)
    assert (wire.counts("a"), wire.counts("b"), wire.counts("c")) == ((0, 0), (0, 0), (0, 0))
    wire.run(30)
    assert (wire.counts("a"), wire.counts("b"), wire.counts("c")) == ((8, 0), (0, 1), (0, 1))
    wire.run()
    assert (wire.counts("a"), wire.counts("b"), wire.counts("c")) == ((15, 0), (0, 8), (0, 1))
    for _ in range(20):
        wire.ports["a"].send(FRAME)
        wire.run()
    assert (wire.counts("a"), wire.counts("b"), wire.counts("c")) == ((0, 0), (0, 0), (0, 0))


def test_an_error_that_one_alone_sees_takes_the_longest_flag():
    wire = Wire("a", "b", "c")
    wire.strike(Strike(29, frozenset("b")))
    wire.ports["a"].send(FRAME)
    wire.run()
    assert wire.broken[0][0] == 30 + ERROR_BITS + 6


def test_a_frame_that_nobody_acknowledges_never_puts_its_sender_off_the_bus():
    """Alone, it goes on for ever as error-passive (12.1.4.2, exception a)."""
    wire = Wire("a")
    wire.ports["a"].send(FRAME)
    wire.run(200_000)
    assert wire.heard == []
    assert len(wire.broken) == LONELY_TRIES  # what follows is alike
    assert wire.counts("a") == (128, 0)
    assert wire.states == [("a", State.WARNING), ("a", State.PASSIVE)]
    ack = sum(bits_of(FRAME)) - 3 - 9
    first, second = (ns for ns, _, _ in wire.broken[:2])
    assert first == ack + 1 + ERROR_BITS
    assert second - first == ack + 1 + ERROR_BITS
    late = [ns for ns, _, _ in wire.broken[-2:]]
    assert late[1] - late[0] == ack + 1 + ERROR_BITS + 8  # it has to wait, being passive


@pytest.mark.parametrize("how", ["power", "silent"])
def test_only_who_is_on_the_bus_and_not_silent_acknowledges(how):
    wire = Wire("a", "b")
    if how == "power":
        wire.ports["b"].switch(on=False)
    else:
        wire.ports["b"].silent = True
    wire.ports["a"].send(FRAME)
    wire.run(2_000)
    assert wire.bus.frames == 0
    if how == "power":
        wire.ports["b"].switch(on=True)
    else:
        wire.ports["b"].silent = False
        wire.bus.filters_changed()
    wire.run()
    assert [name for _, name, _ in wire.heard] == ["b"]


def test_filters_do_not_keep_a_controller_from_acknowledging():
    wire = Wire("a", "b")
    wire.ports["b"].filters = None
    wire.bus.filters_changed()
    wire.ports["a"].send(FRAME)
    wire.run(2_000)
    assert (wire.bus.frames, wire.heard) == (1, [])


def test_who_sends_in_vain_for_days_costs_no_time_and_is_heard_by_the_first_who_comes():
    wire = Wire("a")
    wire.ports["a"].send(FRAME)
    wire.run(500 * BITRATE)
    assert len(wire.broken) == LONELY_TRIES
    came = wire.bits()
    newcomer = wire.bus.port("b")
    newcomer.filters = [(0, 0)]
    newcomer.on_frame = lambda frame: wire.heard.append((wire.bits(), "b", frame))
    wire.run(1_000)
    assert wire.heard == [(came + LENGTH, "b", FRAME)]
    assert wire.bus.busy_ns == pytest.approx((came + LENGTH) * BIT_NS, rel=1e-3)


# --- off the bus ------------------------------------------------------------------------------


def off_the_bus(*names):
    """A wire on which `a` has failed 32 times with a frame, and has one more to send."""
    wire = Wire(*names)
    wire.strike(*[Strike(29)] * 32)
    wire.ports["a"].recovers = False
    wire.ports["a"].send(FRAME)
    wire.run(32 * (30 + ERROR_BITS + 8) + LENGTH)
    assert wire.states[-1] == ("a", State.BUS_OFF)
    assert wire.ports["a"].counts.tec == BUS_OFF_COUNT
    return wire


def test_thirty_two_failures_put_a_controller_off_the_bus():
    wire = off_the_bus("a", "b")
    mine = [state for name, state in wire.states if name == "a"]
    assert mine == [State.WARNING, State.PASSIVE, State.BUS_OFF]
    assert len(wire.broken) == 32
    assert wire.heard == []
    wire.ports["b"].send(Frame(0x200))  # nobody is left to acknowledge it
    wire.run(1_000)
    assert wire.heard == []


def test_it_comes_back_after_128_times_11_recessive_bits_of_an_idle_bus():
    wire = off_the_bus("a", "b")
    began = wire.bits()
    wire.ports["a"].restart()
    wire.ports["a"].restart()  # twice is once
    wire.run(128 * 11 - 1)
    assert wire.ports["a"].counts.bus_off
    wire.run()
    assert wire.heard == [(began + 128 * 11 + LENGTH, "b", FRAME)]
    assert wire.counts("a") == (0, 0)
    assert wire.states[-1] == ("a", State.ACTIVE)


def test_frames_of_others_give_it_one_sequence_each():
    wire = off_the_bus("a", "b", "c")
    wire.ports["a"].restart()
    babbler = Babbler(wire.bus, "babbler", Frame(0x001, b"12345678"))
    wire.run(127 * frame_bits(0x001, b"12345678") + 1)
    assert babbler.sent == 127
    assert wire.ports["a"].counts.bus_off
    wire.run(130)
    assert not wire.ports["a"].counts.bus_off


def test_who_recovers_by_itself_needs_no_restart():
    wire = Wire("a", "b")
    wire.strike(*[Strike(29)] * 32)
    wire.ports["a"].send(FRAME)
    wire.run()
    assert [name for _, name, _ in wire.heard] == ["b"]
    assert [state for name, state in wire.states if name == "a"][-2:] == [
        State.BUS_OFF,
        State.ACTIVE,
    ]


# --- errors that not everybody sees --------------------------------------------------------


def test_an_error_passive_receiver_misses_the_frame_and_stops_nobody():
    wire = Wire("a", "b", "c")
    wire.ports["b"].counts.rec = 130
    wire.strike(Strike(29, frozenset("b")))
    wire.ports["a"].send(FRAME)
    wire.run()
    assert [name for _, name, _ in wire.heard] == ["c"]
    assert wire.broken == []
    assert wire.counts("b") == (0, 131)


def test_an_error_in_the_last_bit_but_one_doubles_the_frame_for_the_others():
    """Who saw nothing has taken it, and the sender sends it again."""
    bits = sum(bits_of(FRAME)) - 3
    wire = Wire("a", "b", "c")
    wire.strike(Strike(bits - 2, frozenset("b")))
    wire.ports["a"].send(FRAME)
    wire.run()
    assert sorted(name for _, name, _ in wire.heard) == ["b", "c", "c"]
    assert wire.heard[0][:2] == (bits - 1, "c")


def test_an_error_one_bit_earlier_doubles_it_for_nobody():
    bits = sum(bits_of(FRAME)) - 3
    wire = Wire("a", "b", "c")
    wire.strike(Strike(bits - 3, frozenset("b")))
    wire.ports["a"].send(FRAME)
    wire.run()
    assert sorted(name for _, name, _ in wire.heard) == ["b", "c"]


# --- one identifier, two senders -----------------------------------------------------------


def test_equal_frames_sent_together_are_one():
    wire = Wire("a", "b", "c")
    left = []
    for name in "ab":
        wire.ports[name].on_sent = lambda frame, name=name: left.append(name)
        wire.ports[name].send(FRAME)
    wire.run()
    assert [name for _, name, _ in wire.heard] == ["c"]
    assert left == ["a", "b"]
    assert wire.bus.frames == 1


def test_different_frames_of_one_identifier_destroy_each_other_until_one_is_passive():
    """Both fail and try again together; the one that sends recessive first where the other is
    dominant becomes passive at its sixteenth failure, as the other does, and then lets it pass."""
    wire = Wire("a", "b", "c")
    wire.ports["a"].send(Frame(0x123, b"\x00"))
    wire.ports["b"].send(Frame(0x123, b"\x01"))
    wire.run()
    assert len(wire.broken) == 16
    assert {sender for _, sender, _ in wire.broken} == {"a+b"}
    got = [(name, frame.data) for _, name, frame in wire.heard if name == "c"]
    assert got == [("c", b"\x00"), ("c", b"\x01")]
    assert ("a", State.PASSIVE) in wire.states
    assert ("b", State.PASSIVE) in wire.states


# --- power, formats, babble ------------------------------------------------------------------


def test_a_frame_whose_sender_loses_its_power_ends_in_an_error_frame():
    wire = Wire("a", "b")
    wire.ports["a"].send(FRAME)
    wire.ports["b"].send(Frame(0x200))
    wire.world.at(20 * BIT_NS, wire.ports["a"].cut)
    wire.run()
    assert wire.broken[0][0] == 20 + 6 + ERROR_BITS
    assert [(name, frame.id) for _, name, frame in wire.heard] == [("a", 0x200)]
    assert wire.counts("b") == (0, 1)


def test_a_classic_controller_destroys_fd_frames_until_it_is_passive():
    """Sixteen of them: then it counts 128, and its flags disturb nobody any more."""
    frame = Frame(0x123, bytes(64), fd=True, brs=True)
    wire = Wire("a", "b", "c", data_bitrate=2_000_000)
    wire.ports["c"].fd = False
    wire.ports["a"].send(frame)
    wire.run()
    assert len(wire.broken) == 16
    assert ("c", State.PASSIVE) in wire.states
    assert [name for _, name, _ in wire.heard] == ["b"]


def test_a_babbler_of_the_lowest_identifier_starves_all_others():
    wire = Wire("a", "b")
    babbler = Babbler(wire.bus, "babbler", Frame(0x000))
    wire.ports["a"].send(FRAME)
    wire.run(100_000)
    assert wire.bus.load() > 0.999
    assert babbler.sent > 1_700
    assert all(frame.id == 0 for _, _, frame in wire.heard)
    babbler.stop()
    wire.run(1_000)
    assert [name for _, name, frame in wire.heard if frame == FRAME] == ["b"]


# --- counters ------------------------------------------------------------------------------


def test_counters_heal_as_the_standard_says():
    counts = Confinement()
    counts.rec = 200
    counts.received()
    assert (counts.rec, counts.state) == (127, State.WARNING)
    counts.tec = 255
    assert counts.passive
    counts.sent()
    assert counts.tec == 254
    counts.failed_sending()
    assert counts.state is State.BUS_OFF
    counts.restarted()
    assert (counts.tec, counts.rec, counts.state) == (0, 0, State.ACTIVE)
