"""What a frame costs in heap: nothing, once a message is under way (MicroPython counts)."""

from talk import begun, message_of, waiting
from uptane.link.broadcast import Air
from uptane.link.isotp import Channel
from wire import Clock, Wire

try:
    from micropython import mem_total
except ImportError:  # CPython does not count

    def mem_total():
        return 0


LENGTH = 4000


def cost(body):
    """Bytes of all allocations that it makes."""
    body()  # what the first round brings in is not counted
    before = mem_total()
    body()
    return mem_total() - before


def test_the_count_counts():
    def allocate():
        for _ in range(10):
            bytes(range(30))

    assert mem_total() == 0 or cost(allocate) > 0


def test_sending_a_frame_allocates_nothing():
    for size in (8, 64):
        wire = Wire(Channel(64, size), Channel(64, size), Clock(5))
        waiting(wire, LENGTH)
        wire.feed(wire.left, b"\x30\x00\x00")

        def some(channel=wire.left):
            for _ in range(20):
                channel.frame(5)
                channel.sent(5)
                channel.due_ms()
                channel.poll(5)

        assert cost(some) == 0


def test_receiving_a_frame_allocates_nothing():
    for size in (8, 64):
        wire = Wire(Channel(64, size), Channel(LENGTH, size), Clock(5))
        if size == 8:
            begun(wire, LENGTH)
        else:
            first = bytes([0x10 | LENGTH >> 8, LENGTH & 0xFF]) + message_of(LENGTH)[:62]
            wire.feed(wire.right, first)
        frames = [memoryview(bytes([0x20 | i & 15]) + bytes(size - 1)) for i in range(1, 17)]

        def some(channel=wire.right, frames=frames):
            for frame in frames:
                channel.feed(frame, 5)
                channel.due_ms()
                channel.frames_left()
                channel.poll(5)

        assert cost(some) == 0
        assert wire.right.frames_left() and wire.refusals == []


def test_a_part_of_a_broadcast_block_allocates_nothing():
    """V-87: sent or received."""
    for size in (8, 64):
        sender, receiver = Air(size), Air(size)
        sender.spread(1, 0, message_of(LENGTH), LENGTH)
        receiver.listen(1, bytearray(LENGTH))
        for _ in range(2):
            receiver.feed(memoryview(bytes(sender.frame(5))), 5)
            sender.sent(5)
        frames = [memoryview(bytes([i]) + bytes(size - 1)) for i in range(2, 60)]
        coming = iter(frames)

        def some(sender=sender, receiver=receiver, coming=coming):
            for _ in range(10):
                sender.frame(5)
                sender.sent(5)
                receiver.feed(next(coming), 5)
                receiver.due_ms()
                receiver.frames_left()
                receiver.poll(5)

        assert cost(some) == 0
        assert receiver.frames_left() and not sender.idle()
