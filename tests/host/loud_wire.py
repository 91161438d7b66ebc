"""A bus on which frames break, and what its ports heard. Not a test file."""

from muptane.bench.can.bus import Bus
from muptane.bench.can.frames import Frame, frame_bits
from muptane.bench.world import S, World

BITRATE = 500_000
BIT_NS = S // BITRATE
ERROR_BITS = 6 + 8 + 3  # a flag that all answer at once, its delimiter, intermission


class Wire:
    """A bus with ports that hear everything: [(bit time, who, frame), ...] of frames heard, and of
    broken ones."""

    def __init__(self, *names, data_bitrate=0):
        self.world = World()
        self.bus = Bus(self.world, BITRATE, data_bitrate)
        self.heard = []
        self.broken = []
        self.states = []
        self.ports = {}
        for name in names:
            port = self.ports[name] = self.bus.port(name)
            port.filters = [(0, 0)]
            port.on_frame = lambda frame, name=name: self.heard.append((self.bits(), name, frame))
            port.on_state = lambda state, name=name: self.states.append((name, state))
        self.bus.error_listeners.append(
            lambda ns, sender, frame: self.broken.append((ns // BIT_NS, sender, frame))
        )

    def bits(self):
        return self.world.now_ns // BIT_NS

    def strike(self, *strikes):
        """Each of the next frames is struck as said."""
        left = list(strikes)
        self.bus.noise = lambda sender, frame, bits: left.pop(0) if left else None

    def run(self, bits=100_000):
        end_ns = self.world.now_ns + bits * BIT_NS
        self.world.at(end_ns, lambda: None)
        self.world.run(lambda: self.world.now_ns >= end_ns)

    def counts(self, name):
        counts = self.ports[name].counts
        return counts.tec, counts.rec


FRAME = Frame(0x123, b"12345678")
LENGTH = frame_bits(*FRAME[:2])
