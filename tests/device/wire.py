"""Two ISO-TP channels and what lies between them: a wire with a clock that tests set.

It is the loop of an ECU in a few lines: frames go over as soon as a side has one; time moves only
when a test says so, or to the next deadline when nothing else can happen.
"""

from uptane.errors import Refusal

LOG_FRAMES_MAX = 200


class Clock:
    """Milliseconds, given to whoever asks for ticks_ms()."""

    def __init__(self, now_ms=0):
        self.now_ms = now_ms

    def ticks_ms(self):
        return self.now_ms


class Wire:
    """`left` and `right` are channels; `log` holds (ms, sender, bytes) of the frames sent, the
    newest at least, and `count` their number.

    `fate(sender, frame)` returns the frames that arrive in place of one that was sent; by default
    that frame. `refusals` holds what the channels raised.
    """

    def __init__(self, left, right, clock=None):
        self.left = left
        self.right = right
        self.clock = clock or Clock()
        self.log = []
        self.count = 0
        self.refusals = []
        self.fate = lambda sender, frame: [frame]

    def feed(self, channel, frame):
        """Hand a frame to a channel; a refusal is kept."""
        try:
            channel.feed(memoryview(frame), self.clock.now_ms)
        except Refusal as refusal:
            self.refusals.append(type(refusal))

    def step(self):
        """Let each side send one frame, if it has one now; True if one did."""
        moved = False
        for sender, channel, other in (
            ("left", self.left, self.right),
            ("right", self.right, self.left),
        ):
            if channel.leaving:
                channel.left(self.clock.now_ms * 1000)
            frame = channel.frame(self.clock.now_ms)
            if frame is None:
                continue
            moved = True
            raw = bytes(frame)
            channel.sent(self.clock.now_ms)
            if channel.leaving:
                channel.left(self.clock.now_ms * 1000)
            self.log.append((self.clock.now_ms, sender, raw))
            self.count += 1
            if len(self.log) > LOG_FRAMES_MAX:
                self.log = self.log[LOG_FRAMES_MAX // 2 :]
            for arrived in self.fate(sender, raw):
                self.feed(other, arrived)
        return moved

    def settle(self):
        """Let everything happen that needs no time."""
        while self.step():
            pass

    def poll(self):
        """Let both sides give up what has waited too long."""
        for channel in (self.left, self.right):
            try:
                channel.poll(self.clock.now_ms)
            except Refusal as refusal:
                self.refusals.append(type(refusal))

    def deadline_ms(self):
        """The earliest of both sides, or None."""
        known = [channel.due_ms() for channel in (self.left, self.right)]
        for channel in (self.left, self.right):
            if channel.leaving:
                known.append(self.clock.now_ms + (channel.rest_us + 999) // 1000)
        known = [deadline_ms for deadline_ms in known if deadline_ms is not None]
        return min(known) if known else None

    def run(self):
        """Let everything happen, time included, until nothing is left."""
        self.settle()
        deadline_ms = self.deadline_ms()
        while deadline_ms is not None:
            assert deadline_ms > self.clock.now_ms, "a deadline that has passed is no deadline"
            self.clock.now_ms = deadline_ms
            self.poll()
            self.settle()
            deadline_ms = self.deadline_ms()

    def frames(self, sender):
        """What one side has sent."""
        return [raw for _, who, raw in self.log if who == sender]
