"""The modelled `machine.CAN` does what MicroPython's documentation says, in both interpreters."""

import json
from pathlib import Path

import can_lives
import pytest

from boards.unix.machine_can import CAN
from boards.unix.silicon import Core
from muptane.bench import firmware
from muptane.bench.can.bus import Bus, Strike
from muptane.bench.can.frames import EXTENDED, Frame
from muptane.bench.interpreters import CPythonNode, GreenletWire, MicroPythonProcess
from muptane.bench.nodes import Node
from muptane.bench.world import US, World

INTERPRETERS = [
    "cpython",
    pytest.param(
        "micropython",
        marks=pytest.mark.skipif(not firmware.available(), reason="no MicroPython here"),
    ),
]
SETTINGS = {"tx_queue": 3, "wake_us": 0, "frame_us": 0}
HEAP_BYTES = 256 << 10


class Bench:
    """A chip that lives a life, and one other controller on its bus."""

    def __init__(self, folder, nodes, name):
        self.world = World()
        self.bus = Bus(self.world, 500_000)
        self.words = folder / "words"
        self.words.touch()
        self.passed = []
        self.bus.listeners.append(lambda *heard: self.passed.append(heard))
        settings = folder / "settings.json"
        settings.write_text(json.dumps(SETTINGS))
        command = firmware.micropython(HEAP_BYTES, can_lives.__file__, name, str(settings))
        interpreter = CPythonNode(lambda node: self.live(name))
        if nodes == "micropython":
            interpreter = MicroPythonProcess(command, firmware.compiled(), self.words)
        self.node = Node(self.world, 0, self.bus.port("node", 3), interpreter, rx_queue=8)
        self.other = self.bus.port("other", 100)

    def live(self, name):
        core = Core(GreenletWire(), 3, 0, 0)
        core.begin()
        with self.words.open("a") as words:

            def say(*what):
                print(*what, file=words, flush=True)

            can_lives.live(name, core, CAN(core, 1, 500_000), say)

    def at(self, us, *frames):
        self.world.at(us * US, lambda: [self.other.send(frame) for frame in frames])

    def run(self, us):
        self.world.at(us * US, lambda: None)
        self.node.power_on()
        self.world.run(lambda: self.world.now_ns >= us * US)
        self.node.power_off()
        said = self.words.read_text().splitlines()
        assert "over" in said, said
        return said[: said.index("over")]

    def from_node(self):
        return [frame for _, sender, frame in self.passed if sender == "node"]


@pytest.fixture(params=INTERPRETERS)
def bench(request, tmp_path):
    return lambda name: Bench(Path(tmp_path), request.param, name)


def test_filters_let_in_what_they_say_and_nothing_before(bench):
    one = bench("filters")
    for after_us in (100, 1100, 2100, 3100):
        for can_id in (0x10F, 0x110, EXTENDED | 0x18DA10F1, EXTENDED | 0x10F):
            one.at(after_us, Frame(can_id, b"x"))
    assert one.run(5000) == [
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


def test_a_given_list_is_filled_and_what_is_not_read_waits(bench):
    one = bench("received_lists")
    frames = [Frame(0x100 + n, bytes(range(n))) for n in (8, 0, 8, 1, 8)]
    one.at(100, *frames[:3], Frame(0x555, remote=3), *frames[3:], Frame(0x7FF, b"last"))
    assert one.run(7000) == [
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


def test_a_full_fifo_loses_frames_and_says_so_once(bench):
    one = bench("overrun")
    one.at(100, *[Frame(n, b"") for n in range(10)])
    one.at(12_000, Frame(0x20, b""))
    said = one.run(13_000)
    assert said[0] == "[8, 2]"
    assert [line.split()[-1] for line in said[1:9]] == ["3", *"0000000"]
    assert said[9:] == ["[0, 2]", "0x20 b'' 0 0"]


def test_the_transmit_queue_has_numbers_and_priorities(bench):
    one = bench("priority")
    assert one.run(10_000) == [
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


def test_what_waits_is_cancelled_and_what_is_on_the_wire_is_not(bench):
    one = bench("cancelling")
    assert one.run(4000) == [
        "False True False",
        "True [(5, 1)]",
        "[(5, 1), (1, 0), (1, 1)] False",
        "IndexError ",
    ]
    assert [frame.id for frame in one.from_node()] == [0x100, 0x201]


def test_interrupts_come_for_what_they_were_asked(bench):
    one = bench("interrupts")
    for us in (500, 2500, 4500):
        one.at(us, Frame(0x100, b""))
    assert one.run(20_000) == [
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


def test_a_disturbed_controller_goes_off_the_bus_and_comes_back_when_told(bench):
    one = bench("bus_off")
    one.bus.noise = lambda sender, frame, bits: (
        Strike(20) if sender.name == "node" and frame.id < 0x300 else None
    )
    assert one.run(120_000) == [
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


def test_the_modes_loop_keep_silent_or_both(bench):
    one = bench("modes")
    one.other.silent = True  # nobody acknowledges what loops
    third = one.bus.port("third")
    third.silent = True
    one.world.at(5500 * US, lambda: setattr(third, "silent", False))
    one.at(6000, Frame(0x555, b"heard"))
    said = one.run(9000)
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
