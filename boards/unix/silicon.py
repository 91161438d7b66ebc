"""The emulated chip: its tie to the world, its virtual time, its transmit buffers, its reset.

A node and the world speak in lock-step over one stream: the node says what it sends, how long it
was busy and how long it will sleep; the world answers when something wakes it. Nothing moves
while the node computes: computing is *charged* (`Core.charge`), from the figures of the board
that is emulated. The same file runs in a MicroPython process, where `wire` is a socket, and in
CPython, where `wire` switches to the world and back. What the software sees of the controller
is in `machine_can`, and for CAN FD in `pyb_can`.

It does not model: interrupt latency within a slice of computing. Interrupts that nobody waits for
are gathered: the world wakes a node for so many frames, or for transmit buffers once a `send` was
refused or somebody asked how many are unsent.
"""

import struct

if False:  # for the type checker
    from collections.abc import Callable
    from typing import Protocol

    from hashes import Buffer

    class Wire(Protocol):
        """The node's end of the lock-step."""

        def exchange(self, out: bytearray, length: int, inbox: memoryview) -> None: ...
        def reset(self, out: bytearray, length: int) -> None: ...


# World to node: now (us); frames that follow, bytes of data in each; state of the controller; its
# transmit buffers, as bits: still unsent, given up; transmit and receive errors; times that it
# became warning, passive, bus off; receive overruns.
WORLD_HEAD = "<QBBBIIHBBBBI"
WORLD_HEAD_BYTES = 29
COUNTERS_AT = 19  # where in it the errors begin
# A received frame: identifier (bit 31: extended), FRAME_..., length; its data follows.
RECEIVED = "<IBB"
RECEIVED_BYTES = 6
# Node to world: kind; bytes of data in each record, records that follow; frames of the last
# message that it has not taken; sleep until (us), busy (us); what the kind needs (WAIT: wake at so
# many frames received); WATCH_...; wake when no more than so many are unsent.
NODE_HEAD = "<BBBBQIBBH"
NODE_HEAD_BYTES = 20
# A frame to send: when, counted from the wake (us); identifier, transmit buffer, FRAME_...,
# length; its data follows.
SENT = "<IIBBB"
SENT_BYTES = 11

# What a message of the node is. All but WAIT and RESET are answered at once, without frames.
WAIT = 0
FILTER = (
    1  # records are filters, identifier and mask in place of time and identifier; 1: the first
)
RESET = 2
TELL = 3  # nothing but its frames
MODE = 4  # the controller begins anew in machine.CAN.MODE_..., or STOPPED
CANCEL = 5  # the frame in that transmit buffer
RESTART = 6  # out of bus-off; 1: without what waits to be sent

STOPPED = 255
NEVER = 0xFFFFFFFFFFFFFFFF
NOT_SENDING = 0xFFFF

WATCH_STATE = 1  # wake for a worse state
WATCH_TICKS = 2  # nobody is told of what was sent: the software looks when a millisecond begins

FRAME_REMOTE = 1
FRAME_FD = 2
FRAME_FAST = 4  # with bit rate switch
FRAME_FULL = 64  # received: there was no room for another one behind it
FRAME_OVERRUN = 128  # ... and one was lost

STATE_BUS_OFF = 4


FRAMES_MAX = 16  # of one exchange, each way
CLASSIC_BYTES = 8


def frames_bytes(inbox: memoryview) -> int:
    """How many bytes of frames follow the head of the world's message."""
    return inbox[8] * (RECEIVED_BYTES + inbox[9])


class Core:
    """The chip as its own software sees it: the time, and what computing costs.

    `wire.exchange(out, length, inbox)` sends, and reads the answer into `inbox`; `wire.reset()`
    does not return. `tx_queue`: transmit buffers of the controller. `data_bytes`: of a frame at
    most, 8 or with CAN FD 64.
    """

    def __init__(
        self,
        wire: "Wire",
        tx_queue: int,
        wake_us: int,
        frame_us: int,
        data_bytes: int = CLASSIC_BYTES,
    ) -> None:
        self._wire = wire
        self.data_bytes = data_bytes
        self._record_bytes = SENT_BYTES + data_bytes
        self._out = bytearray(NODE_HEAD_BYTES + FRAMES_MAX * self._record_bytes)
        self.inbox = memoryview(
            bytearray(WORLD_HEAD_BYTES + FRAMES_MAX * (RECEIVED_BYTES + data_bytes))
        )
        self.tx_queue = tx_queue
        self.held = [-1] * tx_queue  # the identifier in each transmit buffer; -1: it is free
        self.unsent = 0  # buffers, as bits, whose frame has not left yet
        self.given_up = 0
        self.wake_low = NOT_SENDING  # wake when no more than so many frames are unsent
        self.watch = 0
        self._wake_us = wake_us
        self._frame_us = frame_us
        self.now_us = 0
        self.busy_us = 0
        self._sends = 0
        self.received = 0  # frames in the inbox
        self.taken = 0  # of them, already given out
        self.state = 1
        self.overruns = 0
        self.on_wake: "Callable[[], None] | None" = None

    def begin(self) -> None:
        """The first word to the world; its answer sets the time."""
        self._exchange(WAIT, 0, 0, NOT_SENDING)

    def charge(self, us: int) -> None:
        """Computing, or the flash, took so long."""
        self.busy_us += us

    def elapsed_us(self) -> int:
        return self.now_us + self.busy_us

    def send(self, can_id: int, data: "Buffer", flags: int, ordered: bool) -> int:
        """Put a frame into a transmit buffer: its index, or -1 when none is free, or when
        `ordered` and a frame of the same identifier is there (the controller would not keep
        order)."""
        free = -1
        for at, held in enumerate(self.held):
            if held < 0:
                if free < 0:
                    free = at
            elif ordered and (held ^ can_id) & 0x1FFFFFFF == 0:
                self.wake_low = 0
                return -1
        if free < 0 or self._sends >= FRAMES_MAX:
            self.wake_low = self.tx_queue // 3
            return -1
        self.held[free] = can_id
        self.unsent |= 1 << free
        self.busy_us += self._frame_us
        length = len(data)
        at = NODE_HEAD_BYTES + self._sends * self._record_bytes
        struct.pack_into(SENT, self._out, at, self.busy_us, can_id, free, flags, length)
        at += SENT_BYTES
        if not flags & FRAME_REMOTE:
            self._out[at : at + length] = data
        self._sends += 1
        return free

    def finished(self) -> int:
        """A transmit buffer whose frame has left or was given up, or -1."""
        for index, held in enumerate(self.held):
            if held >= 0 and not self.unsent >> index & 1:
                return index
        return -1

    def free(self, index: int) -> bool:
        """That buffer may be used again; was its frame given up?"""
        self.held[index] = -1
        given_up = self.given_up >> index & 1
        self.given_up &= ~(1 << index)
        return bool(given_up)

    def empty(self) -> None:
        """No transmit buffer holds a frame, and nobody is told."""
        self.held = [-1] * self.tx_queue
        self.given_up = self.unsent = 0

    def pending(self) -> int:
        """How many frames have not left yet. Who is told of some is woken when none is left."""
        unsent, count = self.unsent, 0
        while unsent:
            unsent &= unsent - 1
            count += 1
        if count and self.wake_low == NOT_SENDING:
            self.wake_low = 0
        return count

    def wait(self, until_us: int, frames: int) -> None:
        """Sleep until that time, or until `frames` frames are there, or, if somebody waits for
        transmit buffers, until they are empty enough."""
        self._exchange(WAIT, until_us, frames, self.wake_low)

    def tell(self, kind: int, value: int) -> None:
        """MODE, CANCEL, RESTART: something that the controller does at once."""
        self._exchange(kind, 0, value, self.wake_low)

    def filter(self, filters: "list[tuple[int, int]]") -> None:
        """Tell the world which identifiers this controller lets in: (identifier, mask) each."""
        if self._sends:
            self.tell(TELL, 0)
        first = 1
        while first or filters:
            for can_id, mask in filters[:FRAMES_MAX]:
                at = NODE_HEAD_BYTES + self._sends * self._record_bytes
                struct.pack_into(SENT, self._out, at, can_id, mask, 0, 0, 0)
                self._sends += 1
            self.tell(FILTER, first)
            filters = filters[FRAMES_MAX:]
            first = 0

    def reset(self) -> None:
        self._head(RESET, 0, 0, NOT_SENDING)
        self._wire.reset(self._out, NODE_HEAD_BYTES + self._sends * self._record_bytes)

    def _head(self, kind: int, until_us: int, value: int, low: int) -> None:
        unread = self.received - self.taken if kind == WAIT else 0
        struct.pack_into(
            NODE_HEAD,
            self._out,
            0,
            kind,
            self.data_bytes,
            self._sends,
            unread,
            until_us,
            self.busy_us,
            value,
            self.watch,
            low,
        )

    def _exchange(self, kind: int, until_us: int, value: int, low: int) -> None:
        self._head(kind, until_us, value, low)
        length = NODE_HEAD_BYTES + self._sends * self._record_bytes
        self._sends = 0
        self._wire.exchange(self._out, length, self.inbox)
        (self.now_us, frames, _, self.state, self.unsent, given_up) = struct.unpack_from(
            "<QBBBII", self.inbox, 0
        )
        self.overruns = struct.unpack_from("<I", self.inbox, WORLD_HEAD_BYTES - 4)[0]
        self.given_up |= given_up
        self.busy_us = 0
        if kind == WAIT:
            self.received, self.taken = frames, 0
            self.busy_us = self._wake_us + self._frame_us * frames
            if self.unsent != (1 << self.tx_queue) - 1:
                self.wake_low = NOT_SENDING
        if self.on_wake:
            self.on_wake()
