"""An ECU that listens to the broadcast, under frames and requests of anybody's making."""

from fuzz.conversations import FILLER, LONGEST_BYTES, PICTURE_BYTES, Tested, number, served
from fuzz.finding import claim
from uptane.link.broadcast import Air

TAG = 1
FILES = (b"\x01\x00\x00\x00\x00\x03", b"\x02\x01\x00\x00\x00\x65")  # as `wanted` wants them
SMALL_BYTES = 600


class Listener(Tested):
    """Like Tested; two kinds of steps are frames, and a whole block."""

    def __init__(self):
        self.air = Air(8)
        Tested.__init__(self, self.air)

    def step(self, kind, data):
        air = self.air
        if kind % 8 == 1:
            self._spread(number(data), number(data[2:]) % 1100)
        elif kind % 8 == 2:
            air.feed(memoryview(data[:LONGEST_BYTES]), self.clock.now_ms)
        else:
            Tested.step(self, kind, data)
        air.poll(self.clock.now_ms)
        claim(air.block is None or air.tag, "a block is somebody's")
        claim(0 <= air.frames_left() <= 1024 // 7 + 1, "what is missing is bounded")
        claim(
            self.cycle.want is None or self.cycle.want.offset <= PICTURE_BYTES, "no more than all"
        )

    def _spread(self, offset, length):
        sender = Air(8)
        sender.spread(TAG, offset, FILLER, length or 1)
        while not sender.idle():
            self.air.feed(memoryview(bytes(sender.frame(0))), self.clock.now_ms)
            sender.sent(0)
        for _ in range(offset & 7):
            self.services.transfer.step()


def listening(raw):
    """From where a broadcast may begin: the first byte says of what."""
    ecu = Listener()
    ecu.request(b"\x10\x02")
    which = raw[0] & 1 if len(raw) else 0
    ecu.wanted(which, SMALL_BYTES)
    size = PICTURE_BYTES if which else SMALL_BYTES
    opening = b"\x34\x00\x46" + FILES[which] + size.to_bytes(4, "big")
    ecu.request(b"\x31\x01\x02\x06" + bytes((TAG,)) + opening)
    return served(ecu, raw[1:])
