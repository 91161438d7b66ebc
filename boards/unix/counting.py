"""What a frame costs the link on this interpreter, both ends in one process.

`micropython -m boards.unix.counting MESSAGES` prints bytes that were allocated, microseconds of
the wall and frames, sent and received, of so many messages between their ends. It knows no bus,
no driver and no ECU.
Rules: S-37.
"""

import sys
import time

from micropython import mem_total
from uptane.link.isotp import Channel

if False:  # for the type checker
    from typing import Any

MESSAGE_BYTES = 4095
EDGE_FRAMES = 20  # at both ends of each message, which are not counted
COUNTED_FRAMES = 540  # of its 585


counted = [0, 0]  # bytes allocated, nanoseconds


def carry(sender: Channel, taker: Channel, frames: int) -> None:
    """Carry so many frames from one to the other, or as many as there are, and count."""
    began = time.time_ns()
    before = mem_total()
    for _ in range(frames):
        frame: Any = sender.frame(5)
        if frame is None:
            break
        sender.sent(5)
        sender.poll(5)
        taker.feed(frame, 5)
        taker.poll(5)
        taker.due_ms()
        back: Any = taker.frame(5)
        if back is not None:
            taker.sent(5)
            sender.feed(back, 5)
    counted[0] = mem_total() - before
    counted[1] = time.time_ns() - began


def main(messages: int) -> None:
    sender, taker = Channel(64), Channel(MESSAGE_BYTES)
    message = bytes(MESSAGE_BYTES)
    allocated = ns = 0
    for _ in range(messages):
        taker.taken()
        sender.send(message)
        carry(sender, taker, EDGE_FRAMES)
        carry(sender, taker, COUNTED_FRAMES)
        allocated += counted[0]
        ns += counted[1]
        carry(sender, taker, MESSAGE_BYTES)
    print(allocated, ns // 1000, messages * COUNTED_FRAMES)


if __name__ == "__main__":
    main(int(sys.argv[1]))
