"""The bus over `pyb.CAN` (stm32): CAN FD where the part has an FDCAN, classic CAN on a bxCAN.

Received frames wait in a ring that the interrupt fills, in order: one hardware FIFO takes them
all. Frames to send wait behind the controller: an FDCAN keeps the order of its own FIFO (3 or 16
frames), a bxCAN sends by priority and therefore gets one frame at a time.

pyb.CAN has no transmit interrupt: the queue moves on in `send`, `receive` and `ready` only, so the
clock has to look while something waits (`untold`), and a bxCAN is better served by `can_machine`.
It cannot cancel: what the controller holds still leaves after `restart`. Of an FDCAN it does not
tell how many frames wait (`unsent` knows the driver's own queue only), and a full FIFO is an
exception, one object each time it is found full.
It does not do: remote frames (dropped), recovery from bus-off by itself (`restart`).
It imports no hardware: the controller is given, so a modelled one runs the same code.
"""

if False:  # for the type checker; both compilers drop the block
    from typing import Any

    from shapes import Buffer, Filter, Frame, PybCan

EXTENDED = 1 << 29  # of a can_id: the identifier has 29 bits; still a small integer
IDENTIFIER = 0x1FFFFFFF
LOST = 2  # reason of a callback: the FIFO was full
TX_PENDING = 5  # in pyb.CAN.info()
BANKS = 14  # of filters: of a bxCAN's first controller as MicroPython shares them out
FILTERS_MAX = (28, 8)  # of the smallest FDCAN (G4), for 11 and 29 bits


class CanPyb:
    """`can`: an initialised pyb.CAN, of an FDCAN with `auto_restart=True`, which there means that
    a frame is sent again after an error. `fd`: every frame leaves in FD format with its bit rate
    switched, which takes an FDCAN with `brs_baudrate` set. `rx_frames`, `tx_frames`: size of the
    two queues.
    """

    untold = True  # of what the controller has sent

    def __init__(
        self, can: "PybCan", fd: bool = False, rx_frames: int = 16, tx_frames: int = 3
    ) -> None:
        self._can = can
        self._fd = fd
        self._mailboxes = hasattr(can, "MASK16")  # a bxCAN: no FIFO to send, other filters
        self.frame_bytes = 64 if fd else 8
        # pyb.CAN writes as many bytes as come, and FD frames come to any FDCAN.
        size = 8 if self._mailboxes else 64
        data = memoryview(bytearray(size * (rx_frames + 3)))
        entries: list[list[Any]] = [
            [0, False, False, 0, data[size * i : size * (i + 1)]] for i in range(rx_frames + 3)
        ]
        # Rings as in can_machine: one index is written by the interrupt, the other by its user.
        self._spill = entries.pop()
        self._ring = entries
        self._head = self._tail = 0
        self._held = False
        self._frame: Frame = [0, self._spill[4]]
        self._queue: list[Frame] = [[0, b""] for _ in range(tx_frames + 1)]
        self._in = self._out = 0
        self._refused = self._freed = False
        self._filters: list[Filter] = []
        self._set: list[tuple[int, bool]] = []  # filters in the controller
        self._info = [0] * 8
        self.overruns = 0  # times that frames were lost, in the controller or for want of room
        can.rxcallback(0, self._on_frames)

    def set_filters(self, filters: "list[Filter]") -> None:
        """Let in frames whose identifier equals a filter's under its mask; both with EXTENDED
        set for 29-bit identifiers. Nothing is received before this is called. Where the
        controller has too few filters it lets everything in, and the driver looks again."""
        can = self._can
        for bank, extended in self._set:
            if extended:
                can.clearfilter(bank, extframe=True)
            else:
                can.clearfilter(bank)
        self._set = []
        self._filters = filters
        if self._mailboxes:
            self._set_banks()
        else:
            self._set_lists()

    def _set_banks(self) -> None:
        """A bank takes one filter of 29 bits or two of 11; those let in 29 bits, too."""
        can = self._can
        filters = self._filters if len(self._filters) <= BANKS else [(0, 0)]
        for bank, (can_id, mask) in enumerate(filters):
            mask &= IDENTIFIER
            if can_id & EXTENDED:
                can.setfilter(bank, can.MASK32, 0, (can_id & IDENTIFIER, mask), extframe=True)
            else:
                mask &= 0x7FF
                can.setfilter(bank, can.MASK16, 0, (can_id, mask, can_id, mask))
            self._set.append((bank, False))

    def _set_lists(self) -> None:
        """An FDCAN has a list of filters for each length of identifier."""
        can = self._can
        for extended in (False, True):
            some = [pair for pair in self._filters if (pair[0] & EXTENDED != 0) == extended]
            if len(some) > FILTERS_MAX[extended]:
                some = [(0, 0)]
            for bank, (can_id, mask) in enumerate(some):
                pair = (can_id & IDENTIFIER, mask & (IDENTIFIER if extended else 0x7FF))
                can.setfilter(bank, can.MASK, 0, pair, extframe=extended)
                self._set.append((bank, extended))

    def receive(self) -> "Frame | None":
        """[can_id, data] of the oldest frame, or None. The list and the data (a memoryview of
        0..64 bytes) are reused: they are valid until the next call."""
        self._refill()
        if self._held:
            self._held = False
            self._tail = (self._tail + 1) % len(self._ring)
        if self._tail == self._head:
            return None
        entry = self._ring[self._tail]
        self._held = True
        frame = self._frame
        frame[0] = entry[0]
        if entry[1]:
            frame[0] |= EXTENDED
        frame[1] = entry[4]
        return frame

    def send(self, can_id: int, data: "Buffer") -> bool:
        """Queue a frame of 0..8 bytes, or of a length that CAN FD knows; False when the queue is
        full, as it stays when the bus is off."""
        self._refill()
        if self._in == self._out and self._push(can_id, data):
            return True
        after = (self._in + 1) % len(self._queue)
        if after == self._out:
            self._refused = True
            return False
        entry = self._queue[self._in]
        entry[0] = can_id
        entry[1] = bytes(data)
        self._in = after
        return True

    def ready(self, frames: int) -> bool:
        """Is there a reason to wake: that many frames wait, or a send was refused and there is
        room now?"""
        self._refill()
        waiting = (self._head - self._tail) % len(self._ring)
        if self._held:
            waiting -= 1
        if self._freed:
            self._freed = False
            return True
        return waiting >= frames

    def unsent(self) -> bool:
        """Is there a frame that was accepted and has not left yet? Of an FDCAN: that has not
        even reached the controller."""
        self._refill()
        return self._in != self._out or self._in_flight()

    def state(self) -> int:
        """0 stopped, 1 active, 2 warning, 3 passive, 4 bus off (pyb.CAN.STOPPED ...)."""
        return self._can.state()

    def restart(self) -> None:
        """Leave bus-off; the frames that wait here are dropped, not those in the controller."""
        self._out = self._in
        self._can.restart()

    def _on_frames(self, _can: object, reason: int) -> None:
        """A hard interrupt that may interrupt any line of this class, so it allocates nothing.
        Empty the controller, always: it gives no new interrupt while it holds a frame."""
        if reason == LOST:
            self.overruns += 1
        size = len(self._ring)
        while self._can.any(0):
            after = (self._head + 1) % size
            full = after == self._tail
            entry = self._spill if full else self._ring[self._head]
            self._can.recv(0, entry)  # does not wait, for there is one
            if entry[2] or len(entry[4]) > self.frame_bytes or not self._wanted(entry):
                continue
            if full:
                self.overruns += 1
            else:
                self._head = after

    def _wanted(self, entry: "Frame") -> bool:
        can_id = entry[0] | EXTENDED if entry[1] else entry[0]
        for identifier, mask in self._filters:
            if (can_id ^ identifier) & (mask | EXTENDED) == 0:
                return True
        return False

    def _refill(self) -> None:
        """Hand queued frames to the controller, as many as it takes."""
        while self._out != self._in:
            entry = self._queue[self._out]
            if not self._push(entry[0], entry[1]):
                return
            self._out = (self._out + 1) % len(self._queue)
            if self._refused:
                self._refused = False
                self._freed = True

    def _in_flight(self) -> bool:
        return self._mailboxes and self._can.info(self._info)[TX_PENDING] != 0

    def _push(self, can_id: int, data: "Buffer") -> bool:
        if self._in_flight():
            return False
        extended = can_id & EXTENDED != 0
        can_id &= IDENTIFIER
        try:
            if self._fd:
                self._can.send(data, can_id, extframe=extended, fdf=True, brs=True)
            else:
                self._can.send(data, can_id, extframe=extended)
        except OSError:  # its FIFO is full
            return False
        return True
