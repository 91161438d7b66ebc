"""The feeder's side of a wire: a source of files, and whoever runs a client's generators in time.

Not a test file.
"""

from uptane.errors import Refusal
from uptane.uds.client import Client
from uptane.uds.feeding import Feeding, Held

TICK_MS = 10
REPORT = b"\x00\x03\x00\x00\x00\x00"


class Shelf:
    """A source: {file number: bytes}; `taken` is what was offered, `asked` what was wanted."""

    def __init__(self, files):
        self.files = files
        self.taken = []
        self.asked = []

    def find(self, file, detail, offset):
        self.asked.append((file, detail, offset))
        raw = self.files.get(file)
        return None if raw is None else Held(raw, offset)
        yield

    def take(self, file, raw):
        self.taken.append((file, raw))
        return
        yield


class Diagnostic:
    """Runs a client's generator against `other`, which says after each round whether it has work;
    time passes when neither has."""

    def __init__(self, wire, other):
        self.wire = wire
        self.clock = wire.clock
        self.client = Client(wire.left, wire.clock)
        self.other = other

    def feeding(self, shelf, bounds=None):
        return Feeding(self.client, shelf, bytearray(1026), bounds)

    def run(self, task):
        """What the generator returns, or the refusal that ended it. It goes on when a frame has
        passed, or at its own time."""
        until_ms = seen = 0
        while True:
            busy = self.other()
            self.wire.poll()
            self.wire.settle()
            if until_ms <= self.clock.now_ms or self.wire.count != seen:
                seen = self.wire.count
                try:
                    until_ms = next(task)
                except StopIteration as end:
                    return end.value
                except Refusal as refusal:
                    return refusal
                assert until_ms > self.clock.now_ms
            elif not busy:
                self.clock.now_ms += TICK_MS
