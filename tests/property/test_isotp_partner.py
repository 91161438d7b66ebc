"""Our ISO-TP against can-isotp, both ways at once, by the wall clock: S-37, S-38.

Addressing, length of frames, block size, STmin, delays and what is lost are drawn. Only limits of
the standard are held against the clock: STmin as a lower bound, blocks as their number; how soon a
frame comes depends on the machine.
"""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from isotp import AddressingMode

from tests.property.conftest import LONG
from tests.property.partners import Habits, Pair, gap_us, gaps_us, heads
from tests.property.profile import chosen

SECONDS_MAX = 0.4  # that STmin alone may take in an example
ST_MINS = (0, 0, 0xF1, 0xF5, 0xF9, 1, 3, 0x14)
MODES = st.sampled_from(list(AddressingMode))
LENGTHS = st.one_of(st.integers(1, 200), st.integers(1, 5000))
HABITS = st.builds(
    Habits,
    st.sampled_from((8, 8, 12, 16, 24, 48, 64)),
    st.one_of(st.just(0), st.integers(1, 12)),
    st.sampled_from(ST_MINS),
)
DELAYS_US = st.tuples(st.sampled_from((0, 50, 2000)), st.sampled_from((0, 50, 2000)))


def message_of(length: int) -> bytes:
    return bytes((7 * at + length) & 0xFF for at in range(length))


def rests(length: int, sender: Habits, taker: Habits) -> float:
    """Seconds that the taker's STmin makes of a message."""
    return length / (sender.frame_bytes - 2) * gap_us(taker.st_min) / 1e6


def keeps_the_gap(way, back, mode, taker: Habits) -> None:
    at = 0 if heads(mode)[0] < 0 else 1
    short = [gap for gap in gaps_us(way, back, at) if gap < gap_us(taker.st_min)]
    assert not short, (short[:3], taker)


def keeps_to_blocks(way, back, mode, taker: Habits) -> None:
    """Between two flow controls there are no more frames than the taker announced."""
    at = 0 if heads(mode)[0] < 0 else 1
    events = sorted(
        [(now, 1) for now, frame in way.log if frame[at] & 0xF0 == 0x20]
        + [(now, 0) for now, frame in back.log if frame[at] == 0x30]
    )
    run = 0
    for _, is_data in events:
        run = run + 1 if is_data else 0
        assert not taker.block_size or run <= taker.block_size


@settings(chosen(), max_examples=300 if LONG else 30)
@example(AddressingMode.Normal_11bits, Habits(8, 0, 0), Habits(8, 0, 0), (65_536, 1), (0, 0))
@example(AddressingMode.Mixed_29bits, Habits(64, 0, 0), Habits(8, 0, 0), (1, 65_536), (0, 0))
@given(MODES, HABITS, HABITS, st.tuples(LENGTHS, LENGTHS), DELAYS_US)
def test_messages_pass_both_ways_at_once(mode, ours, theirs, lengths, delays_us) -> None:
    """Bytes are equal; our frames keep their STmin and their block size."""
    assume(rests(lengths[0], ours, theirs) + rests(lengths[1], theirs, ours) < SECONDS_MAX)
    pair = Pair(mode, ours, theirs, delays_us)
    pair.ours.send(message_of(lengths[0]))
    pair.theirs.send(message_of(lengths[1]))
    pair.settle()
    assert pair.theirs.received == [message_of(lengths[0])], pair.theirs.errors
    assert pair.ours.received == [message_of(lengths[1])], pair.ours.refusals
    assert pair.ours.refusals == [] and pair.theirs.errors == []
    keeps_the_gap(pair.out, pair.back, mode, theirs)
    keeps_to_blocks(pair.out, pair.back, mode, theirs)


@settings(chosen(), max_examples=100 if LONG else 5)
@given(
    st.sampled_from((AddressingMode.Normal_11bits, AddressingMode.Extended_29bits)),
    HABITS.filter(lambda one: one.st_min in (0, 0xF1)),
    HABITS.filter(lambda one: one.st_min in (0, 0xF1)),
    st.booleans(),
    st.integers(0, 8),
)
def test_a_lost_frame_costs_a_message_and_no_more(mode, ours, theirs, of_ours, at) -> None:
    """E-19, V-32: whoever waits gives up by its time-out, and the next message passes. What was
    said when flow control is lost is for nobody; a message is whole or not there."""
    lost = (at, -1) if of_ours else (-1, at)
    pair = Pair(mode, ours, theirs, (50, 50), lost)
    message = message_of(300)
    pair.ours.send(message)
    pair.settle()
    pair.theirs.send(message)
    pair.settle()
    assert set(pair.ours.received) | set(pair.theirs.received) <= {message}
    assert len(pair.ours.received) + len(pair.theirs.received) >= 1
    pair.out.lost = pair.back.lost = -1
    for end in (pair.ours, pair.theirs):
        end.received.clear()
        end.send(message)
    pair.settle()
    assert pair.ours.received == pair.theirs.received == [message]


@pytest.mark.parametrize("st_min", (0x80, 0xF0, 0xFA, 0xFF))
def test_a_reserved_separation_time_is_the_longest(st_min: int) -> None:
    """ISO 15765-2: 0x7F, 127 ms, in the place of what is reserved."""
    assert gap_us(st_min) == 127_000
