"""What disturbs a bus: bit errors that cost time, ears that lose frames for good."""

import random
from itertools import pairwise

import pytest
from loud_wire import BIT_NS, LENGTH, Wire

from muptane.bench.can.frames import Frame
from muptane.bench.can.noise import BitErrors, Ear, Odds


def flood(wire, frames):
    for number in range(frames):
        wire.ports["a"].send(Frame(0x100 + number % 16, bytes([number % 256] * 8)))
        before = wire.bus.frames
        wire.world.run(lambda before=before: wire.bus.frames > before)
    return [frame.data[0] for _, name, frame in wire.heard if name == "b"]


def test_bit_errors_cost_time_and_no_frame():
    wire = Wire("a", "b")
    wire.bus.noise = BitErrors(wire.bus, random.Random(1), 1e-3)
    assert flood(wire, 200) == [number % 256 for number in range(200)]
    expected = 200 * (1 - (1 - 1e-3) ** (LENGTH - 3)) / (1 - 1e-3) ** (LENGTH - 3)
    assert 0.6 * expected < wire.bus.errors < 1.5 * expected


def test_local_errors_lose_and_double_frames_as_the_standard_lets_them():
    """Some error hits the last bit but one, and some receiver becomes passive and misses a frame:
    both are known weaknesses of CAN."""
    wire = Wire("a", "b", "c")
    wire.bus.noise = BitErrors(wire.bus, random.Random(7), 2e-2, local=1.0)
    got = flood(wire, 400)
    doubled = sum(1 for one, next_one in pairwise(got) if one == next_one)
    missed = 400 - (len(got) - doubled)
    assert doubled > 0
    assert missed > 0


def test_no_noise_is_no_noise():
    wire = Wire("a", "b")
    wire.bus.noise = BitErrors(wire.bus, random.Random(1), 0.0)
    flood(wire, 50)
    assert wire.bus.errors == 0
    with pytest.raises(ValueError, match=r"rate 1\.0 is 0 to less than 1"):
        BitErrors(wire.bus, random.Random(1), 1.0)


def test_an_ear_loses_alters_doubles_and_delays_at_one_receiver_alone():
    wire = Wire("a", "b", "c")
    ear = Ear(random.Random(3), Odds(0.2, 0.2, 0.2, 0.2), 50_000 * BIT_NS)
    wire.ports["b"].ear = ear
    honest = [number % 256 for number in range(200)]
    flood(wire, 200)
    wire.run(60_000)
    assert [frame.data[0] for _, name, frame in wire.heard if name == "c"] == honest
    at_b = [frame for _, name, frame in wire.heard if name == "b"]
    assert min(ear.lost, ear.altered, ear.doubled, ear.late) > 10
    assert len(at_b) == 200 - ear.lost + ear.doubled
    spoiled = [frame for frame in at_b if len(set(frame.data)) > 1]
    assert ear.altered <= len(spoiled) <= 2 * ear.altered
    assert [frame.data[7] for frame in at_b] != sorted(frame.data[7] for frame in at_b)


def test_the_same_seed_disturbs_the_same_frames():
    def trace(seed):
        wire = Wire("a", "b", "c")
        wire.bus.noise = BitErrors(wire.bus, random.Random(seed), 5e-3, local=0.5)
        flood(wire, 50)
        return wire.world.trace()

    assert trace(1) == trace(1)
    assert trace(1) != trace(2)
