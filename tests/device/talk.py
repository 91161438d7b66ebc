"""Two ISO-TP channels on a wire, and the few states in which tests want them. Not a test file."""

from uptane.link.isotp import Channel
from wire import Clock, Wire

BYTES = 1026  # the largest message of an ECU


def message_of(length):
    return bytes([(7 * i + length) & 0xFF for i in range(length)])


def pair():
    return Wire(Channel(BYTES), Channel(BYTES), Clock(5))


def works(wire):
    """Claim that the next message, long and short, passes both ways."""
    wire.fate = lambda sender, frame: [frame]
    for sender, receiver in ((wire.left, wire.right), (wire.right, wire.left)):
        for length in (3, 40):
            receiver.taken()
            sender.send(message_of(length))
            wire.run()
            assert sender.idle() and receiver.message == message_of(length)
            receiver.taken()


def waiting(wire, length=40):
    """Let the left side send a first frame whose flow control never comes; return it."""
    wire.left.send(message_of(length))
    first = bytes(wire.left.frame(wire.clock.now_ms))
    wire.left.sent(wire.clock.now_ms)
    return first


def answer(wire, frame):
    wire.feed(wire.left, bytes(frame))


def begun(wire, length=40):
    """Let the right side have received the first frame of a long message, and have answered."""
    wire.feed(wire.right, bytes([0x10 | length >> 8, length & 0xFF]) + message_of(length)[:6])
    assert wire.right.frame(wire.clock.now_ms)[0] == 0x30
    wire.right.sent(wire.clock.now_ms)
