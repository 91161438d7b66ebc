"""What the link reaches of the wire's limit, read off the frames on a bus."""

import pytest

from muptane.bench import firmware
from muptane.bench.bus_figures import BUSES, ISOTP_PERCENT, _count, foreign_ns, own_ns
from muptane.bench.can.frames import Frame, duration_ns
from muptane.bench.figures import Figure
from muptane.bench.goodput import Trace, linked
from muptane.bench.plan import BusPlan

REQUEST, RESPONSE = 0x7E0, 0x7E8


def traced(*frames: tuple[int, str, int]) -> Trace:
    """What a listener keeps of frames (identifier, data, ns of silence before it)."""
    trace, now_ns = Trace(BusPlan()), 0
    for can_id, data, gap_ns in frames:
        frame = Frame(can_id, bytes.fromhex(data))
        now_ns += gap_ns + duration_ns(frame, 500_000)
        trace(now_ns, "", frame)
    return trace


def test_a_message_is_its_frames_its_flow_control_and_its_gaps() -> None:
    trace = traced(
        (REQUEST, "0322f19055555555", 0),
        (REQUEST, "100a36010203040506"[:16], 1000),
        (RESPONSE, "300000", 700),
        (REQUEST, "2107080910", 300),
        (RESPONSE, "027601", 5000),
        (REQUEST, "0137", 0),
    )
    single, block, leave = trace.sent(REQUEST, RESPONSE)
    assert (single.head[:3].hex(), block.head[0], leave.head) == ("22f190", 0x36, b"\x37")
    assert (single.single, block.single, block.frames) == (True, False, 3)
    assert block.end_ns - block.began_ns == block.wire_ns + 700 + 300
    [response] = trace.sent(RESPONSE)
    assert response.head == b"\x76\x01" and response.frames == 1


@pytest.mark.parametrize("bus", BUSES)
def test_two_boards_reach_the_wire_s_limit_within_three_percent(bus: str) -> None:
    """S-37, S-38: computing is charged as of the emulated board."""
    goodput = linked(BUSES[bus])
    assert ISOTP_PERCENT / 100 <= goodput.share < 1
    assert goodput.frames > 4 * 60


@pytest.mark.parametrize("bus", BUSES)
def test_a_message_takes_no_longer_than_with_can_isotp(bus: str) -> None:
    """S-37: on one modelled bus, padded alike, computing free on both sides."""
    assert own_ns(BUSES[bus]) <= foreign_ns(BUSES[bus])


@pytest.mark.skipif(not firmware.available(), reason="no MicroPython for this machine")
def test_a_frame_allocates_nothing_on_micropython() -> None:
    """S-37: within a message, both ends."""
    allocated, per_second = _count()
    assert allocated == 0 and per_second > 1000


def test_a_figure_is_held_against_an_upper_or_a_lower_bound() -> None:
    assert Figure("bytes", 10, "bytes", 10).met() and not Figure("bytes", 11, "bytes", 10).met()
    share = Figure("share", 97.0, "%", 97, least=True)
    assert share.met() and share.bound() == "at least 97" and share.row()["ok"] is True
    assert not Figure("share", 96.9, "%", 97, least=True).met()
    assert Figure("seconds", 5, "s").met() and Figure("seconds", 5, "s").bound() == ""
