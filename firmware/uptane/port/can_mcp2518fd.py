"""The bus over an MCP2518FD on SPI, classic CAN or CAN FD, for boards without such a controller.

The chip holds the queues: 7 frames to send, in order, and 21 (CAN FD) or 32 received, which is 7
ms and more on a full bus, longer than a garbage collection. So nothing runs in the interrupt; its
pin says without SPI traffic that there is nothing to do, and ends the board's sleep.
Data is sent in the order of `send`. Without the pin the chip is asked each time.

It does not do: remote frames (dropped), CRC on SPI. Out of bus-off the chip comes by itself, after
128 idle periods, and has dropped what was to be sent.
It imports no hardware: SPI, chip select and interrupt pin are given.
"""

from uptane.port import mcp2518fd

if False:  # for the type checker; both compilers drop the block
    from shapes import Buffer, Filter, Frame, Input


class CanMcp2518fd:
    """`chip`: mcp2518fd.Mcp2518fd; `timing`: of mcp2518fd.bit_timing, with a data bit rate if the
    chip is to send CAN FD; `interrupt`: the pin at INT, or None. OSError(ENODEV): nothing
    answers."""

    def __init__(
        self, chip: mcp2518fd.Mcp2518fd, timing: bytes, interrupt: "Input | None" = None
    ) -> None:
        self._chip = chip
        self._timing = timing
        self._interrupt = interrupt
        self._filters: list[Filter] = []
        self._frame: Frame = [0, b""]
        self._refused = False
        self.frame_bytes = chip.frame_bytes
        self.overruns = 0  # times that frames were lost, because the chip was full
        self.restart()
        if interrupt is not None:
            interrupt.irq(self._wake, interrupt.IRQ_FALLING, hard=True)

    def set_filters(self, filters: "list[Filter]") -> None:
        """Let in frames whose identifier equals a filter's under its mask; both with EXTENDED
        set for 29-bit identifiers. Nothing is received before this is called. ValueError: more
        than 32."""
        self._chip.set_filters(filters)
        self._filters = filters

    def receive(self) -> "Frame | None":
        """[can_id, data] of the oldest frame, or None. The list and the data (a memoryview of
        0..64 bytes) are reused: they are valid until the next call."""
        chip = self._chip
        while self._called() and self._look() & mcp2518fd.FIFO_NOT_EMPTY:
            data = chip.read_message()
            if not chip.remote:
                self._frame[0] = chip.can_id
                self._frame[1] = data
                return self._frame
        return None

    def send(self, can_id: int, data: "Buffer") -> bool:
        """Queue a frame of 0..8 bytes, or of a length that CAN FD knows; False when the queue is
        full."""
        chip = self._chip
        if chip.look(mcp2518fd.TX) & mcp2518fd.FIFO_NOT_FULL:
            chip.write_message(can_id, data)
            return True
        self._refused = True
        chip.write(mcp2518fd.TX, mcp2518fd.TXEN | mcp2518fd.NOT_FULL_INTERRUPT)
        return False

    def ready(self, frames: int) -> bool:
        """Is there a reason to wake: that many frames wait, or a send was refused and there is
        room now?"""
        if not self._called():
            return False
        chip = self._chip
        if self._refused and chip.look(mcp2518fd.TX) & mcp2518fd.FIFO_NOT_FULL:
            self._refused = False
            chip.write(mcp2518fd.TX, mcp2518fd.TXEN)
            return True
        if not self._look() & mcp2518fd.FIFO_NOT_EMPTY:
            return False
        return frames <= 1 or chip.waiting() >= frames

    def unsent(self) -> bool:
        """Is there a frame that was accepted and has not left yet?"""
        return not self._chip.look(mcp2518fd.TX) & mcp2518fd.FIFO_EMPTY

    def state(self) -> int:
        """0 stopped (the chip left the bus: `restart`), 1 active, 2 warning, 3 passive, 4 bus
        off."""
        chip = self._chip
        self._look()
        errors = chip.register(mcp2518fd.TREC_STATE)
        if errors & mcp2518fd.TREC_BUS_OFF:
            return 4
        if chip.register(mcp2518fd.CON_MODE) >> 5 != chip.mode:
            return 0
        if errors & mcp2518fd.TREC_PASSIVE:
            return 3
        return 2 if errors & mcp2518fd.TREC_WARNING else 1

    def restart(self) -> None:
        """Set the chip up from reset; frames not yet sent are dropped, those received, too."""
        self._refused = False
        self._chip.reset(self._timing, self._filters)

    def _called(self) -> bool:
        """Has the chip something to say, by its pin?"""
        return self._interrupt is None or not self._interrupt()

    def _look(self) -> int:
        flags = self._chip.look(mcp2518fd.RX)
        if flags & mcp2518fd.FIFO_OVERRUN:
            self.overruns += 1
            self._chip.write(mcp2518fd.RX + 4, 0)
        return flags

    def _wake(self, _pin: object) -> None:
        """The interrupt has ended the board's sleep; that was all."""
