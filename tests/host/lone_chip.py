"""A chip that lives a life of `can_lives` or `pyb_can_lives`, and one other controller on its bus.
Not a test file.
"""

import json

import pytest

from boards.unix.silicon import Core
from muptane.bench import firmware
from muptane.bench.can.bus import Bus
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
SETTINGS = {"tx_queue": 3, "wake_us": 0, "frame_us": 0, "bitrate": 500_000}
HEAP_BYTES = 256 << 10


class Bench:
    """`lives` is the module of the life, `controller` makes what it uses of a Core; the bus has
    CAN FD with `data_bitrate`."""

    def __init__(self, folder, nodes, lives, controller, data_bitrate=0):
        self.lives, self.controller = lives, controller
        self.world = World()
        self.bus = Bus(self.world, 500_000, data_bitrate)
        self.words = folder / "words"
        self.words.touch()
        self.passed = []
        self.bus.listeners.append(lambda *heard: self.passed.append(heard))
        settings = folder / "settings.json"
        self.data_bytes = 64 if data_bitrate else 8
        rates = {"data_bitrate": data_bitrate, "data_bytes": self.data_bytes}
        settings.write_text(json.dumps(SETTINGS | rates))
        self.nodes, self.folder, self.settings = nodes, folder, str(settings)
        self.port = self.bus.port("node", 3)
        self.port.fifo = data_bitrate > 0
        self.other = self.bus.port("other", 100)

    def live(self, name):
        core = Core(GreenletWire(), 3, 0, 0, self.data_bytes)
        core.begin()
        with self.words.open("a") as words:

            def say(*what):
                print(*what, file=words, flush=True)

            self.lives.live(name, core, self.controller(core), say)

    def at(self, us, *frames):
        self.world.at(us * US, lambda: [self.other.send(frame) for frame in frames])

    def interpreter(self, name):
        if self.nodes == "cpython":
            return CPythonNode(lambda node: self.live(name))
        command = firmware.micropython(HEAP_BYTES, self.lives.__file__, name, self.settings)
        return MicroPythonProcess(command, firmware.compiled(), self.words)

    def run(self, name, us):
        """Let it live that life for so long; returns what it said."""
        self.node = Node(self.world, 0, self.port, self.interpreter(name), rx_queue=8)
        self.world.at(us * US, lambda: None)
        self.node.power_on()
        self.world.run(lambda: self.world.now_ns >= us * US)
        self.node.power_off()
        said = self.words.read_text().splitlines()
        assert "over" in said, said
        return said[: said.index("over")]

    def from_node(self):
        return [frame for _, sender, frame in self.passed if sender == "node"]
