"""`pyb.CAN` as MicroPython documents it for an FDCAN (stm32 G4, H7), above an emulated `Core`.

Frames of both formats go in order out of a FIFO; a callback tells of received ones, and nobody of
those that were sent: the software looks again each millisecond, when the tick wakes it. What it
does on a bus without CAN FD is the same, in classic frames.

It does not model: FIFO 1 (no filter can be set for it), timings (the bus has those of its
vehicle), remote frames that filters tell apart, frames that are sent only once (on an FDCAN
`auto_restart` means that they are sent again, and they always are). Where a real one shortens the
memoryview of a list, this one puts a shorter one over the same memory.
Source: docs/library/pyb.CAN.rst and ports/stm32/pyb_can.c of MicroPython.
"""

import struct

from boards.unix.silicon import (
    CLASSIC_BYTES,
    COUNTERS_AT,
    FRAME_FAST,
    FRAME_FD,
    FRAME_FULL,
    FRAME_OVERRUN,
    FRAME_REMOTE,
    MODE,
    RECEIVED,
    RECEIVED_BYTES,
    RESTART,
    STOPPED,
    WATCH_TICKS,
    WORLD_HEAD_BYTES,
    Core,
)

if False:  # for the type checker
    from collections.abc import Callable
    from typing import Any

    from hashes import Buffer

ETIMEDOUT = 110
EXTENDED = 1 << 31  # of an identifier between node and world
EXTENDED_MAX = 0x1FFFFFFF
STANDARD_MAX = 0x7FF
FD_LENGTHS = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0c\x10\x14\x18\x20\x30\x40"
BANKS = (28, 8)  # of filters for 11 and 29 bits, of the smallest FDCAN
PENDING, FULL, OVERFLOW = 0, 1, 2  # why the callback is called


class CAN:
    NORMAL = 0
    SILENT = 2
    SILENT_LOOPBACK = 3
    LOOPBACK = 4
    STOPPED = 0
    ERROR_ACTIVE = 1
    ERROR_WARNING = 2
    ERROR_PASSIVE = 3
    BUS_OFF = 4
    RANGE = 0
    DUAL = 1
    MASK = 2
    MODES = {NORMAL: 0, SILENT: 3, SILENT_LOOPBACK: 4, LOOPBACK: 2}  # machine.CAN.MODE_...

    def __init__(self, core: Core, bus: int, *arguments: int, **named: int) -> None:
        if bus != 1:
            raise ValueError(f"CAN({bus}) doesn't exist")
        self._core = core
        self._on = False
        self._fun: "Callable[[CAN, int], object] | None" = None
        self._empty = True  # the FIFO was, so that the callback comes again
        self._filters: list[tuple[int, bool, list[tuple[int, int]]]] = []
        self._backings: list[tuple[list[Any], memoryview]] = []
        if arguments or named:
            self.init(*arguments, **named)

    def init(self, mode: int, prescaler: int = 100, **named: int) -> None:
        """`named`: timings, and what else is documented; the bus decides them here."""
        if mode not in self.MODES:
            raise ValueError("mode")
        self._begin(self.MODES[mode])
        self._on = True
        self._core.watch = WATCH_TICKS

    def deinit(self) -> None:
        self._begin(STOPPED)
        self._on = False

    def _begin(self, mode: int) -> None:
        core = self._core
        core.on_wake = None
        core.tell(MODE, mode)
        core.empty()
        core.received = core.taken = 0
        self._filters = []
        self._empty = True
        core.on_wake = self._woken

    # --- receiving ---------------------------------------------------------------------------

    def setfilter(
        self, bank: int, mode: int, fifo: int, params: "tuple[int, int]", **named: "Any"
    ) -> None:
        """MASK: identifier and mask; DUAL: two identifiers; RANGE: the first and the last.
        `named`: rtr, extframe."""
        extended = bool(named.get("extframe", False))
        if not 0 <= bank < BANKS[extended] or fifo != 0 or len(params) != 2:
            raise ValueError("CAN filter parameter error")
        one, other = params
        most = EXTENDED_MAX if extended else STANDARD_MAX
        if mode == self.MASK:
            pairs = [(one & most, other & most)]
        elif mode == self.DUAL:
            pairs = [(one & most, most), (other & most, most)]
        elif mode == self.RANGE:
            pairs = ranged(one & most, other & most, most)
        else:
            raise ValueError("CAN filter parameter error")
        self._drop(bank, extended)
        mark = EXTENDED if extended else 0
        marked = [(can_id | mark, mask | EXTENDED) for can_id, mask in pairs]
        self._filters.append((bank, extended, marked))
        self._filter()

    def clearfilter(self, bank: int, extframe: bool = False) -> None:
        self._drop(bank, extframe)
        self._filter()

    def initfilterbanks(self, banks: int) -> None:
        """An FDCAN shares none: all are cleared."""
        self._filters = []
        self._filter()

    def _drop(self, bank: int, extended: bool) -> None:
        self._filters = [one for one in self._filters if one[0] != bank or one[1] != extended]

    def _filter(self) -> None:
        pairs: list[tuple[int, int]] = []
        for _, _, some in self._filters:
            pairs.extend(some)
        self._core.filter(pairs)

    def any(self, fifo: int) -> bool:
        return fifo == 0 and self._core.taken < self._core.received

    def recv(self, fifo: int, into: "list[Any] | None" = None, **named: int) -> "Any":
        """(identifier, is it extended, is it remote, index of the filter, data); OSError when
        nothing has come for `timeout` ms, of `named`."""
        if into is not None and not (isinstance(into, list) and isinstance(into[4], memoryview)):
            raise TypeError
        core = self._core
        end_us = core.elapsed_us() + named.get("timeout", 5000) * 1000
        while not self.any(fifo):
            if core.elapsed_us() >= end_us:
                raise OSError(ETIMEDOUT)
            core.wait(end_us, 1)
        at = WORLD_HEAD_BYTES + core.taken * (RECEIVED_BYTES + core.data_bytes)
        core.taken += 1
        self._empty = not self.any(0)
        can_id, flags, length = struct.unpack_from(RECEIVED, core.inbox, at)
        at += RECEIVED_BYTES
        data = core.inbox[at : at + length]
        extended = bool(can_id & EXTENDED)
        remote = bool(flags & FRAME_REMOTE)
        if into is None:
            return can_id & EXTENDED_MAX, extended, remote, self._matched(can_id), bytes(data)
        backing = self.backing(into)
        backing[:length] = data
        into[0], into[1], into[2] = can_id & EXTENDED_MAX, extended, remote
        into[3] = self._matched(can_id)
        into[4] = backing if length == len(backing) else backing[:length]
        return into

    def _matched(self, can_id: int) -> int:
        for bank, _, pairs in self._filters:
            for wanted, mask in pairs:
                if (can_id ^ wanted) & mask == 0:
                    return bank
        return 0

    def backing(self, frame: "list[Any]") -> memoryview:
        """The memory behind a list, whose memoryview may have been shortened since."""
        for known, backing in self._backings:
            if known is frame:
                return backing
        backing = memoryview(frame[4])
        self._backings.append((frame, backing))
        return backing

    def rxcallback(self, fifo: int, fun: "Callable[[CAN, int], object] | None") -> None:
        """`fun` is told when a frame came into the empty FIFO (0), filled it (1), was lost (2)."""
        if fifo == 0:
            self._fun = fun

    def _woken(self) -> None:
        """The world has spoken: buffers are free, frames have come."""
        core = self._core
        index = core.finished()
        while index >= 0:
            core.free(index)
            index = core.finished()
        fun = self._fun
        if fun is None or not self._empty or not self.any(0):
            return
        self._empty = False
        faults = core.inbox[WORLD_HEAD_BYTES + core.taken * (RECEIVED_BYTES + core.data_bytes) + 4]
        fun(self, PENDING)
        if faults & FRAME_FULL:
            fun(self, FULL)
        if faults & FRAME_OVERRUN:
            fun(self, OVERFLOW)

    # --- sending -----------------------------------------------------------------------------

    def send(self, data: "Buffer | int", id: int, **named: "Any") -> None:
        """`named`: timeout (ms to wait for room), rtr, extframe, fdf, brs. OSError: no room."""
        core = self._core
        if isinstance(data, int):
            data = bytes([data])
        fd = bool(named.get("fdf", False))
        most = core.data_bytes if fd else CLASSIC_BYTES
        if len(data) > most or len(data) not in FD_LENGTHS:
            raise ValueError("CAN data field too long")
        can_id = id & EXTENDED_MAX | EXTENDED if named.get("extframe") else id & STANDARD_MAX
        flags = FRAME_REMOTE if named.get("rtr") else 0
        if fd:
            flags = FRAME_FD | (FRAME_FAST if named.get("brs") else 0)
        end_us = core.elapsed_us() + named.get("timeout", 0) * 1000
        while core.send(can_id, data, flags, False) < 0:
            core.wake_low = core.tx_queue - 1  # there is room for one
            if core.elapsed_us() >= end_us:
                raise OSError(ETIMEDOUT)
            core.wait(end_us, 0)

    # --- errors and figures ------------------------------------------------------------------

    def state(self) -> int:
        return self._core.state if self._on else self.STOPPED

    def info(self, into: "list[int] | None" = None) -> "list[int]":
        """Transmit and receive errors; times it became warning, passive, bus off; 0, since an
        FDCAN does not count what waits to be sent; unread of both FIFOs."""
        core = self._core
        counters = [0] * 8 if into is None else into
        counters[0] = core.inbox[COUNTERS_AT] | core.inbox[COUNTERS_AT + 1] << 8
        for at in range(1, 5):
            counters[at] = core.inbox[COUNTERS_AT + 1 + at]
        counters[5] = counters[7] = 0
        counters[6] = core.received - core.taken
        return counters

    def restart(self) -> None:
        """Begin to come back from bus-off; what waits to be sent is sent then."""
        if not self._on:
            raise ValueError
        core = self._core
        core.on_wake = None
        core.tell(RESTART, 0)
        core.on_wake = self._woken


def ranged(first: int, last: int, most: int) -> "list[tuple[int, int]]":
    """A range of identifiers as (identifier, mask) pairs that let in the same."""
    pairs = []
    while first <= last:
        size = first & -first or most + 1
        while first + size - 1 > last:
            size >>= 1
        pairs.append((first, most & ~(size - 1)))
        first += size
    return pairs
