"""The modelled `machine.CAN` does what MicroPython's documentation says, in both interpreters."""

import can_lives
import pytest
from lone_chip import INTERPRETERS, Bench
from scripted import FRAME_NS

from boards.unix.machine_can import CAN
from boards.unix.silicon import Core
from muptane.bench.can.bus import Strike
from muptane.bench.can.frames import Frame
from muptane.bench.world import US
from muptane.identifiers import EXTENDED


@pytest.fixture(params=INTERPRETERS)
def one(request, tmp_path):
    return Bench(tmp_path, request.param, can_lives, lambda core: CAN(core, 1, 500_000))


def test_filters_let_in_what_they_say_and_nothing_before(one):
    for after_us in (100, 1100, 2100, 3100):
        for can_id in (0x10F, 0x110, EXTENDED | 0x18DA10F1, EXTENDED | 0x10F):
            one.at(after_us, Frame(can_id, b"x"))
    assert one.run("filters", 5000) == [
        "0x10f b'x' 0 0",
        "0x18da10f1 b'x' 2 0",
        "0x10f b'x' 2 0",
        "0x10f b'x' 0 0",
        "0x110 b'x' 0 0",
        "0x18da10f1 b'x' 2 0",
        "ValueError invalid id",
        "ValueError invalid id",
        "ValueError invalid id",
        "ValueError filter items must have length 3",
        "ValueError flags",
        "ValueError too many filters",
    ]


def test_a_given_list_is_filled_and_what_is_not_read_waits(one):
    frames = [Frame(0x100 + n, bytes(range(n))) for n in (8, 0, 8, 1, 8)]
    one.at(100, *frames[:3], Frame(0x555, remote=3), *frames[3:], Frame(0x7FF, b"last"))
    assert one.run("received_lists", 7000) == [
        "True 0x100 b'' 0 0",
        "True 0x101 b'\\x00' 0 0",
        "True 0x108 b'\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\x07' 0 0",
        "b'\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\x07'",
        "True b'\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\x07'",
        "TypeError ",
        "TypeError ",
        "2 unread",
        "2 unread",
        "0x555 b'\\x00\\x00\\x00' 1 0",
        "0x7ff b'last' 0 0",
    ]


def test_a_full_fifo_loses_frames_and_says_so_once(one):
    one.at(100, *[Frame(n, b"") for n in range(10)])
    one.at(12_000, Frame(0x20, b""))
    said = one.run("overrun", 13_000)
    assert said[0] == "[8, 2]"
    assert [line.split()[-1] for line in said[1:9]] == ["3", *"0000000"]
    assert said[9:] == ["[0, 2]", "0x20 b'' 0 0"]


def test_the_transmit_queue_has_numbers_and_priorities(one):
    assert one.run("priority", 10_000) == [
        "3",
        "0 1 None",
        "2 None",
        "[0, 0, 0, 0, 0, 3, 0, 0]",
        "[0, 0, 0, 0, 0, 0, 0, 0]",
        "[0, 1, 2, None]",
        "0 None",
        "ValueError invalid id",
        "ValueError invalid id",
        "ValueError invalid id",
        "OverflowError data too long",
    ]
    assert one.from_node() == [
        Frame(EXTENDED | 0x100, b"d"),
        Frame(0x200, b"b"),
        Frame(0x300, b"a"),
        *[Frame(0x700, bytes([n])) for n in range(3)],
        Frame(0x123, remote=5),
    ]


def test_what_waits_is_cancelled_and_what_is_on_the_wire_is_not(one):
    assert one.run("cancelling", 4000) == [
        "False True False",
        "True [(5, 1)]",
        "[(5, 1), (1, 0), (1, 1)] False",
        "IndexError ",
    ]
    assert [frame.id for frame in one.from_node()] == [0x100, 0x201]


def test_who_asks_for_the_unsent_is_woken_when_nothing_is(one):
    both_us = -(-2 * FRAME_NS // US)
    assert one.run("leaving", 120_000) == ["50000 0", "2", f"{both_us} 0"]


def test_interrupts_come_for_what_they_were_asked(one):
    for us in (500, 2500, 4500):
        one.at(us, Frame(0x100, b""))
    assert one.run("interrupts", 20_000) == [
        "True True",
        "[2]",
        "True True",
        "[1, 65537]",
        "True True",
        "[3, 65537]",
        "[0, 1, 2]",
        "None 0",
        "0x1 0",
        "[0, 1, 2]",
        "ValueError handler must be None or callable",
        "ValueError trigger 0x00000004 unsupported",
    ]


def test_a_disturbed_controller_goes_off_the_bus_and_comes_back_when_told(one):
    one.bus.noise = lambda sender, frame, bits: (
        Strike(20) if sender.name == "node" and frame.id < 0x300 else None
    )
    assert one.run("bus_off", 120_000) == [
        "[2, 3, 4] [256, 0, 1, 1, 1, 2, 0, 0]",
        "OSError 100",
        "4 2",
        "4 [0, 0, 0, 0]",
        "4",
        "1 [0, 0, 0, 0, 0, 0, 0, 0]",
        "0",
        "[2, 3, 4] [0, 0, 0, 0, 0, 0, 0, 0]",
    ]
    assert one.from_node() == [Frame(0x300, b"back")]


def test_the_modes_loop_keep_silent_or_both(one):
    one.other.silent = True  # nobody acknowledges what loops
    third = one.bus.port("third")
    third.silent = True
    one.world.at(5500 * US, lambda: setattr(third, "silent", False))
    one.at(6000, Frame(0x555, b"heard"))
    said = one.run("modes", 9000)
    assert said[:3] == ["0x111 b'loop' 0 0", "0x222 b'silent' 0 0", "0x555 b'heard' 0 0"]
    assert said[3].startswith("[0, ") and said[3].endswith(", 0, 0, 0, 1, 0, 0]")
    assert said[4:] == [
        "0",
        "OSError 22",
        "OSError 22",
        "1",
        "ValueError mode",
        "ValueError tseg2",
        "ValueError tseg1",
        "ValueError tseg1",
        "ValueError sjw",
        "ValueError sample_point",
        "ValueError unable to calculate BRP for baudrate",
        "[500000, 1, 8, 3, None, None]",
        "[500000, 2, 16, 4, None, None]",
        "[125000, 1, 13, 2, None, None]",
    ]
    assert Frame(0x444, b"never") not in one.from_node()


def test_a_second_controller_does_not_exist():
    with pytest.raises(ValueError, match="doesn't exist"):
        CAN(Core(None, 3, 0, 0), 2, 500_000)
