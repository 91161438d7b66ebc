"""The modelled `pyb.CAN` does what MicroPython's documentation says, in both interpreters."""

import pyb_can_lives
import pytest
from lone_chip import INTERPRETERS, Bench

from boards.unix.pyb_can import CAN, ranged
from muptane.bench.can.bus import Strike
from muptane.bench.can.frames import Frame
from muptane.identifiers import EXTENDED


@pytest.fixture(params=INTERPRETERS)
def one(request, tmp_path):
    def controller(core):
        return CAN(core, 1, CAN.NORMAL, baudrate=500_000, brs_baudrate=2_000_000)

    return Bench(tmp_path, request.param, pyb_can_lives, controller, data_bitrate=2_000_000)


def test_frames_of_both_formats_go_out_in_order_and_come_in(one):
    frames = [
        Frame(0x123, bytes(range(64)), fd=True, brs=True),
        Frame(0x123, b"classic"),
        Frame(0x200, b"not let in"[:8]),
        Frame(0x203, bytes(20), fd=True),
        Frame(0x1FF, remote=4),
        Frame(EXTENDED | 0x18DA10F1, b"", fd=True, brs=True),
        Frame(EXTENDED | 0x123, b""),
    ]
    one.at(100, *frames)
    one.at(8000, Frame(0x103, b"later", fd=True, brs=True))
    one.at(9000, Frame(0x104, b"", fd=True, brs=True))
    assert one.run("exchange", 15_000) == [
        "OSError 110",
        "True False",
        "0x123 False False 0 64 b'?'",
        "0x123 False False 0 7 b'c'",
        "0x1ff False True 0 4 b'\\x00'",
        "0x203 False False 2 20 b'\\x00'",
        "0x18da10f1 True False 1 0 b''",
        "OSError 110",
        "(0, b'later')",
        *["ValueError CAN data field too long"] * 3,
        "False",
        *["ValueError CAN filter parameter error"] * 4,
    ]
    assert one.from_node() == [
        Frame(0x700, bytes(range(64)), fd=True, brs=True),
        Frame(0x010, bytes(12), fd=True),
        Frame(EXTENDED | 0x18DB0001, b"old"),
        Frame(0x123, remote=1),
    ]


def test_the_callback_comes_for_a_frame_in_an_empty_fifo_and_for_what_was_lost(one):
    one.at(100, Frame(1), Frame(2))
    one.at(2100, Frame(3))
    one.at(3100, *[Frame(n, b"", fd=True, brs=True) for n in range(10)])
    assert one.run("callback", 10_000) == ["[0] 2", "[0]", "[0, 0, 1, 2] 8"]


def test_what_an_fdcan_holds_leaves_after_bus_off(one):
    strikes = iter([Strike(20)] * 32)
    one.bus.noise = lambda sender, frame, bits: next(strikes, None)
    assert one.run("bus_off", 1_020_000) == [
        "[256, 0, 1, 1, 1, 0, 0, 0]",
        "1 [0, 0, 0, 0, 0, 0, 0, 0]",
        "0",
        "ValueError ",
    ]
    assert one.from_node() == [Frame(0x100, bytes(48), fd=True, brs=True)]


@pytest.mark.parametrize(("first", "last"), [(0, 0x7FF), (3, 3), (0x101, 0x1FE), (5, 0x7FF)])
def test_a_range_of_identifiers_lets_in_just_those(first, last):
    pairs = ranged(first, last, 0x7FF)
    let_in = [n for n in range(0x800) if any((n ^ wanted) & mask == 0 for wanted, mask in pairs)]
    assert let_in == list(range(first, last + 1))
