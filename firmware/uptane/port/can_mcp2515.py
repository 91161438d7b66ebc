"""The bus over an MCP2515 on SPI, for boards without machine.CAN (RP2040, ESP32).

The chip holds two received frames, and sends the highest priority first, of equal ones the
highest buffer. This driver keeps the order both ways: a ring filled by the interrupt pin, a FIFO
to send, priorities that fall from frame to frame.

Without the interrupt pin the chip is looked at in `receive`, `send` and `ready` only, which loses
frames on a busy bus. It does not do: remote frames (dropped), CAN FD.
It imports no hardware: SPI, chip select and interrupt pin are given.
"""

from uptane.port import mcp2515

if False:  # for the type checker; both compilers drop the block
    from shapes import Buffer, Filter, Frame, Input

EXTENDED = 1 << 29  # of a can_id: the identifier has 29 bits
RANK_FIRST = 11  # 4 priorities of 3 buffers: so many frames may follow each other in order
TX_FRAMES = 3  # waiting behind the three in the chip


class CanMcp2515:
    """`chip`: mcp2515.Mcp2515; `timing`: of mcp2515.bit_timing; `interrupt`: the pin at INT, or
    None. OSError(ENODEV): nothing answers."""

    frame_bytes = 8

    def __init__(
        self,
        chip: mcp2515.Mcp2515,
        timing: "tuple[int, int, int]",
        interrupt: "Input | None" = None,
        rx_frames: int = 16,
    ) -> None:
        self._chip = chip
        self._timing = timing
        self._interrupt = interrupt
        self._filters: list[Filter] = []
        # Rings as in can_machine: one index is written by `_service`, the other by its user.
        self._ids = [0] * (rx_frames + 2)
        self._lengths = bytearray(rx_frames + 2)
        self._data = [memoryview(bytearray(8)) for _ in range(rx_frames + 2)]
        self._head = self._tail = 0
        self._held = False
        self._frame: Frame = [0, self._data[0]]
        self._tx_ids = [0] * (TX_FRAMES + 1)
        self._tx_data = [b""] * (TX_FRAMES + 1)
        self._in = self._out = 0
        self._rank = RANK_FIRST
        self._serving = self._again = False
        self._refused = self._freed = False
        self.overruns = 0  # times that frames were lost, in the chip or because the ring was full
        self.restart()
        if interrupt is not None:
            # A hard interrupt, because a garbage collection outlasts the two receive buffers.
            interrupt.irq(self._service, interrupt.IRQ_FALLING, hard=True)

    def set_filters(self, filters: "list[Filter]") -> None:
        """Let in frames whose identifier equals a filter's under its mask; both with EXTENDED
        set for 29-bit identifiers. Nothing is received before this is called; frames not yet sent
        are dropped by it."""
        self._filters = filters
        self.restart()

    def receive(self) -> "Frame | None":
        """[can_id, data] of the oldest frame, or None. The list and the data (a memoryview of
        0..8 bytes) are reused: they are valid until the next call."""
        if self._held:
            self._held = False
            self._tail = (self._tail + 1) % len(self._ids)
        if self._interrupt is None:
            self._service()
        at = self._tail
        if at == self._head:
            return None
        self._held = True
        self._frame[0] = self._ids[at]
        length = self._lengths[at]
        self._frame[1] = self._data[at] if length == 8 else self._data[at][:length]
        return self._frame

    def send(self, can_id: int, data: "Buffer") -> bool:
        """Queue a frame of 0..8 bytes; False when the queue is full."""
        if self._interrupt is None:
            self._service()
        after = (self._in + 1) % len(self._tx_ids)
        if after == self._out:
            self._refused = True
            return False
        self._tx_ids[self._in] = can_id
        self._tx_data[self._in] = bytes(data)
        self._in = after
        self._service()
        return True

    def ready(self, frames: int) -> bool:
        """Is there a reason to wake: that many frames wait, or a send was refused and there is
        room now?"""
        if self._interrupt is None or not self._interrupt():  # low: an edge was missed
            self._service()
        waiting = (self._head - self._tail) % len(self._ids)
        if self._held:
            waiting -= 1
        if self._freed:
            self._freed = False
            return True
        return waiting >= frames

    def unsent(self) -> bool:
        """Is there a frame that was accepted and has not left yet?"""
        if self._in != self._out:
            return True
        return self._chip.status() & mcp2515.STATUS_TXREQ_ALL != 0

    def state(self) -> int:
        """1 active, 2 warning, 3 passive, 4 bus off (as machine.CAN.STATE_...); the chip leaves
        bus-off by itself after 128 idle periods."""
        self._serving = True
        flags = self._chip.register(mcp2515.EFLG)
        if flags & mcp2515.EFLG_OVERRUNS:
            self.overruns += 1
            self._chip.modify(mcp2515.EFLG, mcp2515.EFLG_OVERRUNS, 0)
        self._serving = False
        self._service()
        if flags & mcp2515.EFLG_BUS_OFF:
            return 4
        if flags & mcp2515.EFLG_PASSIVE:
            return 3
        return 2 if flags & mcp2515.EFLG_WARNING else 1

    def restart(self) -> None:
        """Set the chip up from reset; frames not yet sent are dropped."""
        self._serving = True
        self._chip.reset(self._timing, self._filters)
        self._out = self._in
        self._rank = RANK_FIRST
        self._serving = False
        self._service()

    def _service(self, _pin: object = None) -> None:
        """Move frames both ways. Also the interrupt handler, so it allocates nothing; when it
        interrupts itself it only leaves a note."""
        self._again = True
        if self._serving:
            return
        while self._again:
            self._serving = True
            self._again = False
            status = self._chip.status()
            while status & (mcp2515.STATUS_RX0 | mcp2515.STATUS_RX1 | mcp2515.STATUS_SENT):
                if status & (mcp2515.STATUS_RX0 | mcp2515.STATUS_RX1):
                    self._take(status)
                else:
                    self._chip.modify(mcp2515.CANINTF, mcp2515.INTF_SENT, 0)
                status = self._chip.status()
            self._refill(status)
            self._serving = False

    def _take(self, status: int) -> None:
        """Buffer 1 right after buffer 0, whatever came meanwhile: a frame that came in while
        buffer 0 was full is older than the next one in buffer 0."""
        if status & mcp2515.STATUS_RX0:
            self._chip.read_message(0)
            self._keep()
            status = self._chip.status()
        if status & mcp2515.STATUS_RX1:
            self._chip.read_message(1)
            self._keep()

    def _keep(self) -> None:
        """Put the frame just read into the ring, unless it is remote or nobody wants it."""
        raw = self._chip.message
        can_id = raw[1] << 3 | raw[2] >> 5
        remote = raw[2] & mcp2515.STANDARD_REMOTE
        if raw[2] & mcp2515.IDE:
            can_id = EXTENDED | can_id << 18 | (raw[2] & 3) << 16 | raw[3] << 8 | raw[4]
            remote = raw[5] & mcp2515.EXTENDED_REMOTE
        if remote or not self._wanted(can_id):
            return
        head = self._head
        after = (head + 1) % len(self._ids)
        if after == self._tail:
            self.overruns += 1
            return
        data = self._data[head]
        for at in range(8):
            data[at] = raw[6 + at]
        self._ids[head] = can_id
        self._lengths[head] = min(raw[5] & 0x0F, 8)
        self._head = after

    def _wanted(self, can_id: int) -> bool:
        for identifier, mask in self._filters:
            if (can_id ^ identifier) & (mask | EXTENDED) == 0:
                return True
        return False

    def _refill(self, status: int) -> None:
        """Load frames with falling rank, so that they leave in the order of the queue."""
        while self._out != self._in:
            if status & mcp2515.STATUS_TXREQ_ALL == 0:
                self._rank = RANK_FIRST
            buffer = self._rank % 3
            requested = mcp2515.STATUS_TXREQ << 2 * buffer
            if self._rank < 0 or status & requested:
                break
            self._chip.load_message(buffer, self._tx_ids[self._out], self._tx_data[self._out])
            control = mcp2515.TXB0CTRL + 0x10 * buffer
            self._chip.write(control, mcp2515.TXREQ | self._rank // 3)
            self._out = (self._out + 1) % len(self._tx_ids)
            status |= requested
            self._rank -= 1
            if self._refused:
                self._refused = False
                self._freed = True
