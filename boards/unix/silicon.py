"""The emulated chip: its tie to the world, its virtual time, its CAN controller, its reset.

A node and the world speak in lock-step over one stream: the node says what it sends, how long it
was busy and how long it will sleep; the world answers when something wakes it. Nothing moves
while the node computes: computing is *charged* (`Core.charge`), from the figures of the board
that is emulated. The same file runs in a MicroPython process, where `wire` is a socket, and in
CPython, where `wire` switches to the world and back.

It does not model: interrupt latency within a slice of computing, CAN FD, error states.
The shapes of `CAN` and `Time` are those of MicroPython's `machine.CAN` and `time`.
"""

import struct

from uptane.port.clock_ticks import ClockTicks

if False:  # for the type checker
    from collections.abc import Callable
    from typing import Any, Protocol

    from hashes import Buffer
    from shapes import Bus

    class Wire(Protocol):
        """The node's end of the lock-step."""

        def exchange(self, out: bytearray, length: int, inbox: memoryview) -> None: ...
        def reset(self, out: bytearray, length: int) -> None: ...

    class Machine(Protocol):
        @property
        def core(self) -> "Core": ...


# World to node: now (us), frames that follow, free transmit slots, flags, receive overruns.
WORLD_HEAD = "<QHBBI"
WORLD_HEAD_BYTES = 16
# A received frame: identifier (bit 31: extended), length, data.
RECEIVED = "<IB8s"
RECEIVED_BYTES = 13
# Node to world: kind, flags, records that follow, sleep until (us), busy (us), wake at so many
# frames received, wake when no more than so many are unsent.
NODE_HEAD = "<BBHQIHH"
NODE_HEAD_BYTES = 20
# A frame to send: when, counted from the wake (us); identifier, length, data.
SENT = "<IIB8s"
SENT_BYTES = 17

WAIT = 0  # records are frames to send
FILTER = 1  # records are filters: identifier in place of the time, mask in place of the identifier
RESET = 2
NEVER = 0xFFFFFFFFFFFFFFFF
NOT_SENDING = 0xFFFF

TICKS_PERIOD = 1 << 30  # as on 32-bit boards

FRAMES_MAX = 16  # of one exchange, each way


def frames_bytes(inbox: memoryview) -> int:
    """How many bytes of frames follow the head of the world's message."""
    return (inbox[8] | inbox[9] << 8) * RECEIVED_BYTES


class Core:
    """The chip as its own software sees it: the time, and what computing costs.

    `wire.exchange(out, length, inbox)` sends and returns the number of bytes received;
    `wire.reset()` does not return. `tx_queue`: transmit slots of the controller.
    """

    def __init__(self, wire: "Wire", tx_queue: int, wake_us: int, frame_us: int) -> None:
        self._wire = wire
        self._out = bytearray(NODE_HEAD_BYTES + FRAMES_MAX * SENT_BYTES)
        self._in = bytearray(WORLD_HEAD_BYTES + FRAMES_MAX * RECEIVED_BYTES)
        self.inbox = memoryview(self._in)
        self.tx_queue = tx_queue
        self.tx_free = tx_queue
        self.wake_low = NOT_SENDING  # wake when no more than so many frames are unsent
        self._last_id = -1
        self._wake_us = wake_us
        self._frame_us = frame_us
        self.now_us = 0
        self.busy_us = 0
        self._sends = 0
        self.received = 0  # frames in the inbox
        self.taken = 0  # of them, already given out
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

    def send(self, can_id: int, data: "Buffer", ordered: bool) -> bool:
        """Put a frame into a transmit slot; False when none is free, or when `ordered` and a
        frame with the same identifier is still unsent (the controller would not keep order)."""
        if ordered and can_id == self._last_id and self.tx_free < self.tx_queue:
            self.wake_low = 0
            return False
        if self.tx_free <= 0 or self._sends >= FRAMES_MAX:
            self.wake_low = self.tx_queue // 3
            return False
        self.tx_free -= 1
        self._last_id = can_id
        self.busy_us += self._frame_us
        at = NODE_HEAD_BYTES + self._sends * SENT_BYTES
        struct.pack_into(SENT, self._out, at, self.busy_us, can_id, len(data), bytes(data))
        self._sends += 1
        return True

    def wait(self, until_us: int, frames: int) -> None:
        """Sleep until that time, or until `frames` frames are there, or, if a send was refused,
        until the transmit slots are nearly empty."""
        self._exchange(WAIT, until_us, frames, self.wake_low)

    def filter(self, filters: "list[tuple[int, int]]") -> None:
        """Tell the world which identifiers this controller lets in: (identifier, mask) each."""
        self._flush()
        for can_id, mask in filters:
            at = NODE_HEAD_BYTES + self._sends * SENT_BYTES
            struct.pack_into(SENT, self._out, at, can_id, mask, 0, b"")
            self._sends += 1
        self._exchange(FILTER, 0, 0, NOT_SENDING)

    def reset(self) -> None:
        self._head(RESET, 0, 0, NOT_SENDING)
        self._wire.reset(self._out, NODE_HEAD_BYTES + self._sends * SENT_BYTES)

    def _flush(self) -> None:
        if self._sends:
            self._exchange(WAIT, 0, 0, NOT_SENDING)

    def _head(self, kind: int, until_us: int, frames: int, low: int) -> None:
        struct.pack_into(
            NODE_HEAD, self._out, 0, kind, 0, self._sends, until_us, self.busy_us, frames, low
        )

    def _exchange(self, kind: int, until_us: int, frames: int, low: int) -> None:
        self._head(kind, until_us, frames, low)
        length = NODE_HEAD_BYTES + self._sends * SENT_BYTES
        self._sends = 0
        self._wire.exchange(self._out, length, self.inbox)
        now_us, self.received, self.tx_free, _, self.overruns = struct.unpack_from(
            WORLD_HEAD, self._in, 0
        )
        self.now_us = now_us
        self.taken = 0
        if self.tx_free:
            self.wake_low = NOT_SENDING
        self.busy_us = self._wake_us + self._frame_us * self.received
        if self.on_wake:
            self.on_wake()


class CAN:
    """`machine.CAN` as MicroPython documents it, as far as classic data frames go."""

    MODE_NORMAL = 0
    FLAG_RTR = 1
    FLAG_EXT_ID = 2
    FLAG_UNORDERED = 16
    IRQ_TX = 1
    IRQ_RX = 2
    IRQ_TX_FAILED = 4
    IRQ_STATE = 8
    STATE_ACTIVE = 1

    def __init__(self, core: Core) -> None:
        self._core = core
        self._handler: "Callable[[Any], None] | None" = None
        self._trigger = self._flags = 0
        self._backings: list[tuple[list[Any], memoryview]] = []
        self.TX_QUEUE_LEN = core.tx_queue
        core.on_wake = self._woken

    def set_filters(self, filters: "list[tuple[int, int, int]] | None") -> None:
        """None: everything; a list of (identifier, mask, flags). Nothing comes in before."""
        if filters is None:
            self._core.filter([(0, 0)])
            return
        marked = []
        for can_id, mask, flags in filters:
            extended = 1 << 31 if flags & self.FLAG_EXT_ID else 0
            marked.append((can_id | extended, mask | 1 << 31))
        self._core.filter(marked)

    def send(self, can_id: int, data: "Buffer", flags: int = 0) -> "int | None":
        """The index of a transmit slot, or None when none is free."""
        if flags & self.FLAG_EXT_ID:
            can_id |= 1 << 31
        if self._core.send(can_id, data, not flags & self.FLAG_UNORDERED):
            return self._core.tx_free
        return None

    def recv(self, into: "list[Any] | None" = None) -> "list[Any] | None":
        """[identifier, memoryview of the data, flags, errors], or None. A list that is given
        is filled, the data copied into the memory behind its memoryview."""
        core = self._core
        if core.taken >= core.received:
            return None
        at = WORLD_HEAD_BYTES + core.taken * RECEIVED_BYTES
        core.taken += 1
        can_id, length, _ = struct.unpack_from(RECEIVED, core.inbox, at)
        frame = into if into is not None else [0, memoryview(bytearray(8)), 0, 0]
        backing = self.backing(frame)
        backing[:length] = core.inbox[at + 5 : at + 5 + length]
        frame[0] = can_id & 0x1FFFFFFF
        frame[1] = backing if length == len(backing) else backing[:length]
        frame[2], frame[3] = self.FLAG_EXT_ID if can_id >> 31 else 0, 0
        return frame

    def backing(self, frame: "list[Any]") -> memoryview:
        """The memory behind a list, whose memoryview may have been shortened since."""
        for known, backing in self._backings:
            if known is frame:
                return backing
        backing = memoryview(frame[1])
        self._backings.append((frame, backing))
        return backing

    def irq(
        self,
        handler: "Callable[[Any], None] | None" = None,
        trigger: int = 0,
        hard: bool = False,
    ) -> "CAN":
        if handler is not None:
            self._handler = handler
            self._trigger = trigger
        return self

    def flags(self) -> int:
        flags, self._flags = self._flags, 0
        return flags

    def state(self) -> int:
        return self.STATE_ACTIVE

    def get_counters(self) -> "list[int]":
        """As machine.CAN orders them: the errors (0), unsent, unread, overruns."""
        one = self._core
        return [0] * 5 + [one.tx_queue - one.tx_free, one.received - one.taken, one.overruns]

    def restart(self) -> None:
        """Only of use after bus-off, which this model does not know yet."""

    def _woken(self) -> None:
        core = self._core
        self._flags = self.IRQ_RX if core.received else 0
        if core.tx_free:
            self._flags |= self.IRQ_TX
        self._flags &= self._trigger
        if self._flags and self._handler:
            self._handler(self)


class WorldClock(ClockTicks):
    """The clock of a board whose sleep is the world's business: it knows when the next frame
    comes."""

    def __init__(self, time: "Time", core: Core, bus: "Bus") -> None:
        ClockTicks.__init__(self, time, nothing, bus)
        self._core = core

    def wait(self, until_ms: int, frames: int = 1) -> None:
        ahead_ms = until_ms - self.ticks_ms()
        us = self._core.elapsed_us() + ahead_ms * 1000 if ahead_ms > 0 else 0
        self._core.wait(us, frames)


def nothing() -> None:
    """Where a real board would idle."""


class Time:
    """MicroPython's `time`, on the virtual time of a `machine` and its `core`."""

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine

    def ticks_us(self) -> int:
        return self._machine.core.elapsed_us() % TICKS_PERIOD

    def ticks_ms(self) -> int:
        return self._machine.core.elapsed_us() // 1000 % TICKS_PERIOD

    def ticks_diff(self, end: int, start: int) -> int:
        half = TICKS_PERIOD // 2
        return (end - start + half) % TICKS_PERIOD - half

    def ticks_add(self, ticks: int, delta: int) -> int:
        return (ticks + delta) % TICKS_PERIOD
