"""The bus over `machine.CAN` (stm32, mimxrt, Alif; MicroPython 1.28 and later), classic CAN.

Received frames wait in a ring that the interrupt fills, because the controller itself holds only
three per FIFO: 0.7 ms at 500 kbit/s. Frames to send wait in a FIFO that the interrupt moves on:
the controller is a priority queue, and where it cannot keep the order of equal identifiers it
takes one at a time (all of stm32: `equal_ids = "one_in_flight"` in board.toml). Data is sent in
the order of `send` in every case, which ISO-TP needs.

It does not do: CAN FD, remote frames (dropped), recovery from bus-off by itself (`restart`): it
sees to it that `ready` tells of bus-off, and takes nothing to send while the bus is off.
It imports no hardware: the controller is given, so the modelled one runs the same code.
"""

if False:  # for the type checker; both compilers drop the block
    from typing import Any

    from shapes import Buffer, CanPeripheral, Filter, Frame

EXTENDED = 1 << 29  # of a can_id: the identifier has 29 bits; still a small integer
IDENTIFIER = 0x1FFFFFFF
TX_PENDING = 5  # in machine.CAN.get_counters()
BUS_OFF = 4


class CanMachine:
    """`can`: an initialised machine.CAN. `rx_frames`, `tx_frames`: size of the two queues.

    `in_order`: the controller itself sends equal identifiers in the order they were queued, so
    all its transmit buffers may be filled at once.
    """

    frame_bytes = 8

    def __init__(
        self,
        can: "CanPeripheral",
        rx_frames: int = 16,
        tx_frames: int = 3,
        in_order: bool = False,
    ) -> None:
        self._can = can
        self._send_flags = can.FLAG_UNORDERED if in_order else 0
        # One place of each ring stays empty, to tell full from empty without a shared count:
        # the interrupt writes one index, the loop the other.
        # All their data lies in one piece of memory: small pieces cost more than they hold.
        data = memoryview(bytearray(8 * (rx_frames + 2)))
        self._ring = [[0, data[8 * i : 8 * i + 8], 0, 0] for i in range(rx_frames + 2)]
        self._spill = [0, memoryview(bytearray(8)), 0, 0]
        self._head = 0  # written by the interrupt
        self._tail = 0  # written by `receive`
        self._held = False  # the frame at the tail was given out
        self._frame: Frame = [0, self._spill[1]]
        self._queue = [[0, b"", 0] for _ in range(tx_frames + 1)]
        self._in = 0  # written by `send`
        self._out = 0  # written by `_refill`
        self._filling = False
        self._again = False
        self._refused = False
        self._watched = False  # somebody waits for the last frame to leave
        self._freed = False
        self._counters = [0] * 8
        self.overruns = 0  # frames dropped because the ring was full
        self._irq = can.irq()
        # A hard interrupt, because a garbage collection is longer than the controller's FIFO.
        can.irq(self._on_irq, can.IRQ_RX | can.IRQ_TX | can.IRQ_STATE, True)

    def set_filters(self, filters: "list[Filter]") -> None:
        """Let in frames whose identifier equals a filter's under its mask; both with EXTENDED
        set for 29-bit identifiers. Nothing is received before this is called."""
        marked = []
        for can_id, mask in filters:
            flags = self._can.FLAG_EXT_ID if can_id & EXTENDED else 0
            marked.append((can_id & IDENTIFIER, mask & IDENTIFIER, flags))
        self._can.set_filters(marked if len(marked) <= self._can.FILTERS_MAX else None)

    def receive(self) -> "Frame | None":
        """[can_id, data] of the oldest frame, or None. The list and the data (a memoryview of
        0..8 bytes) are reused: they are valid until the next call."""
        if self._held:
            self._held = False
            self._tail = (self._tail + 1) % len(self._ring)
        if self._tail == self._head:
            return None
        entry = self._ring[self._tail]
        self._held = True
        frame = self._frame
        frame[0] = entry[0]
        if entry[2] & self._can.FLAG_EXT_ID:  # type: ignore[operator]
            frame[0] |= EXTENDED
        frame[1] = entry[1]
        return frame

    def send(self, can_id: int, data: "Buffer") -> bool:
        """Queue a frame of 0..8 bytes; False when the queue is full or the bus is off."""
        if self._can.state() == BUS_OFF:
            return False
        flags = self._send_flags
        if can_id & EXTENDED:
            flags |= self._can.FLAG_EXT_ID
            can_id &= IDENTIFIER
        if self._in == self._out and self._push(can_id, data, flags):
            return True
        after = (self._in + 1) % len(self._queue)
        if after == self._out:
            self._refused = True
            return False
        entry = self._queue[self._in]
        entry[0] = can_id
        entry[1] = bytes(data)
        entry[2] = flags
        self._in = after
        self._refill()
        return True

    def ready(self, frames: int) -> bool:
        """Is there a reason to wake: that many frames wait, a send was refused and there is room
        now, the last frame has left since `unsent` said yes, or errors have become many?"""
        waiting = (self._head - self._tail) % len(self._ring)
        if self._held:
            waiting -= 1
        if self._freed:
            self._freed = False
            return True
        return waiting >= frames

    def unsent(self) -> bool:
        """Is there a frame that was accepted and has not left yet? A port that does not count
        them says no."""
        counters = self._can.get_counters(self._counters)
        self._watched = self._in != self._out or bool(counters and counters[TX_PENDING])
        return self._watched

    def state(self) -> int:
        """0 stopped, 1 active, 2 warning, 3 passive, 4 bus off (machine.CAN.STATE_...)."""
        return self._can.state()

    def restart(self) -> None:
        """Leave bus-off; frames not yet sent are dropped."""
        self._out = self._in
        self._can.restart()

    def _on_irq(self, _can: "Any") -> None:
        """May interrupt any line of this class, so it allocates nothing."""
        sent = False
        flags = self._irq.flags()
        while flags:
            if flags & self._can.IRQ_RX:
                self._drain()
            if flags & self._can.IRQ_TX:
                sent = True
            if flags & self._can.IRQ_STATE:
                self._freed = True
            flags = self._irq.flags()
        if sent:
            self._refill()
            if self._refused:
                self._refused = False
                self._freed = True
            if self._watched and not self.unsent():
                self._freed = True

    def _drain(self) -> None:
        """Empty the controller, always: it gives no new interrupt while it holds a frame."""
        size = len(self._ring)
        while True:
            after = (self._head + 1) % size
            full = after == self._tail
            entry = self._spill if full else self._ring[self._head]
            if self._can.recv(entry) is None:
                return
            if entry[2] & self._can.FLAG_RTR:  # type: ignore[operator]
                continue
            if full:
                self.overruns += 1
            else:
                self._head = after

    def _refill(self) -> None:
        """Hand queued frames to the controller. The interrupt may come in the middle: it then
        only leaves a note, and the loop here goes round again."""
        self._again = True
        if self._filling:
            return
        while self._again:
            self._filling = True
            self._again = False
            while self._out != self._in:
                entry = self._queue[self._out]
                if not self._push(entry[0], entry[1], entry[2]):  # type: ignore[arg-type]
                    break
                self._out = (self._out + 1) % len(self._queue)
            self._filling = False

    def _push(self, can_id: int, data: "Buffer", flags: int) -> bool:
        try:
            return self._can.send(can_id, data, flags) is not None
        except OSError:  # bus off: `state` says so
            return False
