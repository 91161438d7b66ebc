"""An MCP2518FD on its bus and on the SPI of a board, for the tests of its driver."""

from boards.unix.parts.mcp2518fd import Mcp2518fd as Part
from boards.unix.parts.mcp2518fd_ram import Message
from uptane.port.can_mcp2518fd import CanMcp2518fd
from uptane.port.mcp2518fd import EXTENDED, Mcp2518fd, bit_timing

FD_TIMING = bit_timing(40000000, 500000, 2000000)
TIMING = bit_timing(40000000, 500000)
ALL = [(0, 0), (EXTENDED, EXTENDED)]


class Pin:
    """INT of the part, as machine.Pin shows it."""

    IRQ_FALLING = 4

    def __init__(self, part):
        self.part = part
        self.woken = 0

    def irq(self, handler, trigger, hard):
        self.handler = handler
        self.part.irq(self.wake, trigger, hard)

    def wake(self, part):
        self.woken += 1
        self.handler(self)

    def __call__(self):
        return self.part.interrupt()


def node(fd=True, filters=ALL, pin=True):
    part = Part()
    chip = Mcp2518fd(part, part.cs, fd)
    can = CanMcp2518fd(chip, FD_TIMING if fd else TIMING, Pin(part) if pin else None)
    if filters:
        can.set_filters(filters)
    return part, can


def deliver(part, can_id, data, fd=False, remote=False):
    return part.deliver(Message(can_id, data, fd, remote))


def received(can):
    frames = []
    frame = can.receive()
    while frame is not None:
        frames.append((frame[0], bytes(frame[1])))
        frame = can.receive()
    return frames


def sent(part):
    frames = []
    while part.arbitrate() is not None:
        message = part.sent()
        frames.append((message.can_id, message.data))
    return frames
