"""`machine.CAN` as MicroPython documents it (1.28 and later), above an emulated chip's `Core`.

Classic CAN, as on a bxCAN: frames go into transmit buffers and leave by priority, `flags` tells
one finished buffer at a time and frees it, received frames wait until `recv` takes them, error
states come from the bus, and bus-off ends with `restart` only. Arguments that the documentation
calls invalid raise what it says.

It does not model: several FIFOs (one holds `rx_queue` frames, the ring of a driver included),
sleeping (as on stm32, MODE_SLEEP only listens), a bit rate that is not that of the bus, or a
second controller. Where a real one shortens the memoryview of a list, this one puts a shorter one
over the same memory.
Source: docs/library/machine.CAN.rst and extmod/machine_can.c of MicroPython.
"""

import struct

from boards.unix.bit_timing import divided
from boards.unix.interrupts import INDEX_SHIFT, IRQ_RX, IRQ_STATE, IRQ_TX, IRQ_TX_FAILED, Irq
from boards.unix.silicon import (
    CANCEL,
    CLASSIC_BYTES,
    COUNTERS_AT,
    FRAME_REMOTE,
    MODE,
    RECEIVED,
    RECEIVED_BYTES,
    RESTART,
    STATE_BUS_OFF,
    STOPPED,
    WORLD_HEAD_BYTES,
    Core,
)

if False:  # for the type checker
    from collections.abc import Iterable
    from typing import Any

    from hashes import Buffer

EINVAL = 22
ENETDOWN = 100
EXTENDED = 1 << 31  # of an identifier between node and world
ARGUMENTS = ("bitrate", "mode", "sample_point", "sjw", "tseg1", "tseg2")
ERRORS_SHIFT = 6  # of FRAME_FULL and FRAME_OVERRUN, to RECV_ERR_...


class Message(list):  # type: ignore[type-arg]
    """What `recv` returns when it was given no list; `memory` lies behind its memoryview."""

    memory: memoryview


class CAN:
    MODE_NORMAL = 0
    MODE_SLEEP = 1
    MODE_LOOPBACK = 2
    MODE_SILENT = 3
    MODE_SILENT_LOOPBACK = 4
    STATE_STOPPED = 0
    STATE_ACTIVE = 1
    STATE_WARNING = 2
    STATE_PASSIVE = 3
    STATE_BUS_OFF = STATE_BUS_OFF
    FLAG_RTR = 1
    FLAG_EXT_ID = 2
    FLAG_UNORDERED = 16
    RECV_ERR_FULL = 1
    RECV_ERR_OVERRUN = 2
    IRQ_TX = IRQ_TX
    IRQ_RX = IRQ_RX
    IRQ_TX_FAILED = IRQ_TX_FAILED
    IRQ_STATE = IRQ_STATE
    IRQ_TX_IDX_SHIFT = INDEX_SHIFT
    IRQ_TX_IDX_MASK = 0xFF
    FILTERS_MAX = 14

    def __init__(self, core: Core, number: int, *arguments: int, **named: "int | None") -> None:
        if number != 1:
            raise ValueError(f"CAN({number}) doesn't exist")
        self._core = core
        self.TX_QUEUE_LEN = core.tx_queue
        self._irq = Irq(core, self)
        self._on = True  # a board's controller is, from its reset on
        self._mode = 0
        self._backings: list[tuple[list[Any], memoryview]] = []
        self.init(*arguments, **named)

    def init(self, *arguments: int, **named: "int | None") -> None:
        """`bitrate`; `mode`, `sample_point`, `sjw`, `tseg1`, `tseg2` as they are documented."""
        given: "dict[str, int | None]" = dict(named)
        for name, value in zip(ARGUMENTS, arguments):
            given[name] = value
        if len(arguments) > len(ARGUMENTS) or "bitrate" not in given:
            raise TypeError
        mode = given.pop("mode", 0)
        if mode is None or not 0 <= mode <= self.MODE_SILENT_LOOPBACK:
            raise ValueError("mode")
        self._timings = divided(given)
        if self._mode or mode or not self._on:
            self._begin(mode)
        self._mode, self._on = mode, True
        self._core.on_wake = self._irq.woken

    def deinit(self) -> None:
        """Off the bus; what waits to be sent or read is dropped."""
        self._irq.set()
        self._begin(STOPPED)
        self._on = False

    def _begin(self, mode: int) -> None:
        core = self._core
        core.on_wake = None
        core.tell(MODE, mode)
        core.empty()
        core.received = core.taken = 0
        core.on_wake = self._irq.woken

    def _check(self) -> None:
        if not self._on:
            raise OSError(EINVAL)

    # --- receiving ---------------------------------------------------------------------------

    def set_filters(self, filters: "Iterable[tuple[int, int, int]] | None") -> None:
        """None: everything; items of (identifier, mask, flags). Nothing comes in before."""
        self._check()
        if filters is None:
            self._core.filter([(0, 0)])
            return
        marked: list[tuple[int, int]] = []
        for item in filters:
            if len(item) != 3:
                raise ValueError("filter items must have length 3")
            can_id, mask, flags = item
            id_range_check(can_id, flags)
            id_range_check(mask, flags)
            if len(marked) == self.FILTERS_MAX:
                raise ValueError("too many filters")
            if flags & ~self.FLAG_EXT_ID:
                raise ValueError("flags")
            extended = EXTENDED if flags & self.FLAG_EXT_ID else 0
            marked.append((can_id | extended, mask | EXTENDED))
        self._core.filter(marked)

    def recv(self, into: "list[Any] | None" = None) -> "list[Any] | None":
        """[identifier, memoryview of the data, flags, errors], or None. A list that is given
        is filled, the data copied into the memory behind its memoryview."""
        self._check()
        if into is not None:
            if not isinstance(into, list) or not isinstance(into[1], memoryview):
                raise TypeError
            if len(into) < 4:
                raise ValueError
        core = self._core
        if core.taken >= core.received:
            return None
        at = WORLD_HEAD_BYTES + core.taken * (RECEIVED_BYTES + core.data_bytes)
        core.taken += 1
        can_id, flags, length = struct.unpack_from(RECEIVED, core.inbox, at)
        at += RECEIVED_BYTES
        frame = into
        if frame is None:
            frame = Message((0, None, 0, 0))
            frame.memory = memoryview(bytearray(CLASSIC_BYTES))
        backing = frame.memory if isinstance(frame, Message) else self.backing(frame)
        backing[:length] = core.inbox[at : at + length]
        frame[0] = can_id & 0x1FFFFFFF
        frame[1] = backing if length == len(backing) else backing[:length]
        frame[2] = (self.FLAG_EXT_ID if can_id & EXTENDED else 0) | (flags & FRAME_REMOTE)
        frame[3] = flags >> ERRORS_SHIFT
        return frame

    def backing(self, frame: "list[Any]") -> memoryview:
        """The memory behind a list, whose memoryview may have been shortened since."""
        for known, backing in self._backings:
            if known is frame:
                return backing
        backing = memoryview(frame[1])
        self._backings.append((frame, backing))
        return backing

    # --- sending -----------------------------------------------------------------------------

    def send(self, can_id: int, data: "Buffer", flags: int = 0) -> "int | None":
        """The index of a transmit buffer, or None when none is free."""
        self._check()
        if len(data) > CLASSIC_BYTES:
            raise OverflowError("data too long")
        id_range_check(can_id, flags)
        core = self._core
        if core.state == STATE_BUS_OFF:
            raise OSError(ENETDOWN)
        if flags & self.FLAG_EXT_ID:
            can_id |= EXTENDED
        index = core.send(can_id, data, flags & FRAME_REMOTE, not flags & self.FLAG_UNORDERED)
        return index if index >= 0 else None

    def cancel_send(self, index: int) -> bool:
        """Was a frame in that buffer, and was it kept from being sent?"""
        self._check()
        if not 0 <= index < self.TX_QUEUE_LEN:
            raise IndexError
        core = self._core
        if not core.unsent >> index & 1:
            return False
        core.on_wake = None
        core.tell(CANCEL, index)
        core.on_wake = self._irq.woken
        cancelled = bool(core.given_up >> index & 1)
        self._irq.woken()
        return cancelled

    # --- interrupts --------------------------------------------------------------------------

    def irq(self, *arguments: "Any", **named: "Any") -> Irq:
        """`handler`, `trigger`, `hard`; with none of them, nothing changes."""
        self._check()
        if arguments or named:
            self._irq.set(*arguments, **named)
        return self._irq

    # --- errors and figures ------------------------------------------------------------------

    def state(self) -> int:
        return self._core.state if self._on else self.STATE_STOPPED

    def get_counters(self, into: "list[int] | None" = None) -> "list[int]":
        """Transmit and receive errors; times it became warning, passive, bus off; unsent, unread,
        overruns."""
        self._check()
        core = self._core
        counters = [0] * 8 if into is None else into
        if len(counters) < 8:
            raise ValueError
        inbox = core.inbox
        counters[0] = inbox[COUNTERS_AT] | inbox[COUNTERS_AT + 1] << 8
        for at in range(1, 5):
            counters[at] = inbox[COUNTERS_AT + 1 + at]
        counters[5] = core.pending()
        counters[6] = core.received - core.taken
        counters[7] = core.overruns
        return counters

    def get_timings(self, into: "list[Any] | None" = None) -> "list[Any]":
        """[bit rate, sjw, tseg1, tseg2, None, None]"""
        timings = self._timings
        if into is None:
            return list(timings)
        into[:6] = timings
        return into

    def restart(self) -> None:
        """Begin to come back from bus-off; what waits to be sent is dropped, nobody is told."""
        self._check()
        core = self._core
        core.on_wake = None
        core.tell(RESTART, 1)
        core.empty()
        self._irq.state = core.state
        core.on_wake = self._irq.woken


def id_range_check(can_id: int, flags: int) -> None:
    if not 0 <= can_id < (1 << 29 if flags & CAN.FLAG_EXT_ID else 1 << 11):
        raise ValueError("invalid id")
