"""The sending half of an ISO-TP conversation (ISO 15765-2): a message into frames.

Every frame is as long as the bus allows, the last of a message as long as it has to be. The block
size and the STmin that the receiver announces are honoured exactly; STmin counts, as the standard
has it, from the end of a frame, so the bus has to say when it has sent what it took (`left`).
It does NOT receive anything but what flow control says; `uptane.link.isotp` does.
Rules: S-37, V-32 (N_Bs and N_WFTmax bound every stall).
"""

from uptane.errors import NoFlowControl, Overflow
from uptane.limits import N_BS_MS, WAIT_FRAMES_MAX

if False:  # for the type checker; both compilers drop the block
    from shapes import Buffer

CLASSIC_BYTES = 8
LENGTH_12_MAX = 4095  # of a length in 12 bits; beyond it 32 bits follow
PADDING = 0xCC

SINGLE = 0x00
FIRST = 0x10
CONSECUTIVE = 0x20
FLOW = 0x30
FLOW_CONTINUE = 0
FLOW_WAIT = 1
FLOW_OVERFLOW = 2

NOTHING = b""
TICKS_US = 0x1FFFFFFF  # times in microseconds are compared under this mask
ON_BUS_US = 1000  # look again so soon whether the frame has left


class Sender:
    """`frame_bytes`: of the longest frame; `target`: the byte before everything else in each
    frame (N_TA or N_AE), -1 for none."""

    def __init__(self, frame_bytes: int, target: int) -> None:
        self._out = bytearray(frame_bytes)
        self._head = 0 if target < 0 else 1  # bytes before everything else
        if self._head:
            self._out[0] = target
        self._sending: "Buffer" = NOTHING
        self._offset = 0
        self._filled = 0  # where the frame made last ends in the message
        self._length = 0  # of the message, 0: none
        self._next_out = 0
        self._block = 0  # frames left in this block, -1: no limit, 0: waiting for flow control
        self._gap_us = 0
        self.leaving = False  # STmin after the frame sent last is not over
        self.rest_us = 0  # of it, as far as is known: call `left` again after so long
        self._left_us = -1  # when the frame was off the bus, -1: not yet
        self._flow_by = 0
        self._waits = 0  # wait frames in a row

    def send(self, message: "Buffer", length: int = -1) -> None:
        """Begin to send `length` bytes of `message`, which must not change until `idle`."""
        self._sending = message
        self._length = length if length >= 0 else len(message)
        self._offset = 0
        self.leaving = False

    def idle(self) -> bool:
        return self._length == 0

    def _next(self) -> "bytearray | memoryview | None":
        """The next frame of the message that may go out now, or None."""
        if not self._length or self.leaving:
            return None
        if self._offset == 0:
            return self._begin()
        if self._block == 0:
            return None
        at = self._head
        self._out[at] = CONSECUTIVE | self._next_out
        return self._fill(at + 1)

    def _begin(self) -> "bytearray | memoryview":
        """The only frame of a short message, or the first of a long one."""
        out = self._out
        at = self._head
        length = self._length
        out[at + 1] = length & 0xFF
        if length < CLASSIC_BYTES - at:
            out[at] = length
            return self._fill(at + 1)
        if length <= single_max(len(out), at):
            out[at] = SINGLE
        elif length <= LENGTH_12_MAX:
            out[at] = FIRST | length >> 8
        else:
            out[at] = FIRST
            out[at + 1] = 0
            out[at + 2 : at + 6] = length.to_bytes(4, "big")
            at += 4
        return self._fill(at + 2)

    def _fill(self, at: int) -> "bytearray | memoryview":
        """The frame with as much of the message as it holds from `at` on."""
        out = self._out
        source = self._sending
        i = self._offset
        end = i + len(out) - at
        if end > self._length:
            end = self._length
        self._filled = end
        while i < end:  # a slice of the message would be an allocation
            out[at] = source[i]
            at += 1
            i += 1
        return self._padded(at)

    def _padded(self, at: int) -> "bytearray | memoryview":
        """The frame that ends at `at`, brought to a length that CAN FD has: 8, 12, 16, 20, 24, 32,
        48 or 64 bytes."""
        out = self._out
        size = CLASSIC_BYTES
        while size < at:
            size += 4 if size < 24 else 8 if size < 32 else 16
        while at < size:
            out[at] = PADDING
            at += 1
        return out if size == len(out) else memoryview(out)[:size]

    def _advance(self, now_ms: int) -> None:
        """The frame made last is on its way."""
        first = self._offset == 0
        self._offset = self._filled
        if self._offset == self._length:
            self._length = 0
        elif first:
            self._next_out = 1
            self._block = self._waits = 0
            self._flow_by = now_ms + N_BS_MS
        else:
            self._next_out = (self._next_out + 1) & 0x0F
            if self._gap_us:
                self.leaving = True
                self.rest_us = ON_BUS_US
                self._left_us = -1
            if self._block > 0:
                self._block -= 1
                if self._block == 0:
                    self._flow_by = now_ms + N_BS_MS

    def left(self, now_us: int) -> None:
        """Every frame that the bus has accepted is off it by now (a time that may go round at
        2**29). To be called until STmin is over, that is, while `leaving`."""
        now_us &= TICKS_US
        if self._left_us < 0:
            self._left_us = now_us
        self.rest_us = self._gap_us - (now_us - self._left_us & TICKS_US)
        self.leaving = self.rest_us > 0

    def _heed(self, data: "Buffer", now_ms: int) -> None:
        """A flow control frame. NoFlowControl, Overflow."""
        if not self._length or self._offset == 0 or self._block != 0:
            return  # nobody waits for it
        at = self._head
        status = data[at] & 0x0F
        if status == FLOW_CONTINUE:
            self._block = data[at + 1] or -1
            self._gap_us = gap_us(data[at + 2])
            self._waits = 0
            self.leaving = False  # it was answered
        elif status == FLOW_WAIT and self._waits < WAIT_FRAMES_MAX:
            self._waits += 1
            self._flow_by = now_ms + N_BS_MS
        else:
            self._length = 0
            raise Overflow if status == FLOW_OVERFLOW else NoFlowControl

    def _flow_due_ms(self) -> int | None:
        """When the receiver has kept silent for too long, or None."""
        return self._flow_by if self._length and self._offset and self._block == 0 else None


def single_max(frame_bytes: int, head: int) -> int:
    """The longest message that a single frame of that length holds, after `head` bytes."""
    return frame_bytes - head - (1 if frame_bytes == CLASSIC_BYTES else 2)


def gap_us(st_min: int) -> int:
    """STmin (ISO 15765-2 table 20) in microseconds; reserved values: 127 ms."""
    if st_min <= 0x7F:
        return st_min * 1000
    return (st_min - 0xF0) * 100 if 0xF1 <= st_min <= 0xF9 else 127_000
