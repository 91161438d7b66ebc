"""ISO-TP (ISO 15765-2), normal addressing, classic CAN: frames to messages and messages to frames.

A `Channel` is one conversation: it is fed the data of received frames and asked for the next frame
to send; it knows neither bus nor clock (a time in milliseconds comes with every call). Both
directions run at once. Receiving announces block size 0 and STmin 0; sending honours what the
other side announces, with STmin rounded up to a whole millisecond and counted, as the standard
has it, from the end of a frame: the bus has to say when it has sent what it took (`left`).

It does not do: CAN FD, extended and mixed addressing, wait frames of its own.
No allocation per frame: one buffer for the message received, one frame for sending.
Rules: S-37, S-38, V-32 (N_Bs and N_Cr bound every stall).
"""

from uptane.errors import FrameLost, NoFlowControl, Overflow, TooLong
from uptane.limits import N_BS_MS, N_CR_MS, WAIT_FRAMES_MAX

FRAME_BYTES = 8
MESSAGE_BYTES_MAX = 4095  # of a length in 12 bits
PADDING = 0xCC

SINGLE = 0x00
FIRST = 0x10
CONSECUTIVE = 0x20
FLOW = 0x30
FLOW_CONTINUE = 0
FLOW_WAIT = 1
FLOW_OVERFLOW = 2

NOTHING = b""


class Channel:
    """One ISO-TP conversation between two CAN identifiers.

    `message` is the received message (a memoryview into the channel's own buffer) or None; it
    stays valid until `taken` is called. `frame` returns the next 8 bytes to put on the bus, and
    must be followed by `sent` once the bus has accepted them; while `leaving`, by `left` once it
    has sent them.
    """

    def __init__(self, message_bytes: int) -> None:
        self._buffer = memoryview(bytearray(message_bytes))
        self._out = bytearray(FRAME_BYTES)
        self.message: memoryview | None = None
        self._need = 0  # bytes of the message being received, 0: none
        self._have = 0
        self._next_in = 0
        self._receive_by = 0
        self._flow = -1  # flow status that we owe the sender, -1: none
        self._sending: bytes | bytearray | memoryview = NOTHING
        self._offset = 0
        self._length = 0  # of the message being sent, 0: none
        self._next_out = 0
        self._block = 0  # frames left in this block, -1: no limit, 0: waiting for flow control
        self._gap_ms = 0
        self.leaving = False  # STmin counts from when the frame sent last is off the bus
        self._not_before = 0
        self._flow_by = 0
        self._waits = 0  # wait frames in a row

    # --- receiving ---------------------------------------------------------------------------

    def feed(self, data: memoryview, now_ms: int) -> None:
        """Take the data of one received frame (1..8 bytes). Alien frames are ignored (ISO 15765-2
        9.8.3); a lost frame drops the message and raises FrameLost."""
        if len(data) < 2:
            return
        kind = data[0] & 0xF0
        if kind == CONSECUTIVE:
            self._feed_consecutive(data, now_ms)
        elif kind == FLOW:
            self._feed_flow(data, now_ms)
        elif kind == SINGLE:
            length = data[0]
            if 0 < length < len(data) and self.message is None:
                self._need = 0
                self._buffer[:length] = data[1 : 1 + length]
                self.message = self._buffer[:length]
        elif kind == FIRST:
            self._feed_first(data, now_ms)

    def _feed_first(self, data: memoryview, now_ms: int) -> None:
        length = (data[0] & 0x0F) << 8 | data[1] or MESSAGE_BYTES_MAX + 1  # 0: 32 bits follow
        if len(data) < FRAME_BYTES or length < FRAME_BYTES or self.message is not None:
            return
        self._need = 0  # whatever comes of it, the message before it is over
        if length > len(self._buffer):
            self._flow = FLOW_OVERFLOW
            return
        self._buffer[:6] = data[2:]
        self._need = length
        self._have = 6
        self._next_in = 1
        self._receive_by = now_ms + N_CR_MS
        self._flow = FLOW_CONTINUE

    def _feed_consecutive(self, data: memoryview, now_ms: int) -> None:
        have = self._have
        left = self._need - have
        if left <= 0:
            return
        if data[0] & 0x0F != self._next_in:
            self._need = 0
            raise FrameLost
        take = 7 if left > 7 else left
        if len(data) <= take:
            self._need = 0
            raise FrameLost
        self._buffer[have : have + take] = data[1 : 1 + take]
        self._have = have + take
        self._next_in = (self._next_in + 1) & 0x0F
        self._receive_by = now_ms + N_CR_MS
        if left <= 7:
            self.message = self._buffer[: self._need]
            self._need = 0

    def taken(self) -> None:
        """The received message has been used; its bytes may be overwritten."""
        self.message = None

    def frames_left(self) -> int:
        """Frames still missing of the message being received."""
        return (self._need - self._have + 6) // 7 if self._need else 0

    # --- sending -----------------------------------------------------------------------------

    def send(self, message: bytes | bytearray | memoryview, length: int = -1) -> None:
        """Begin to send `length` bytes of `message`, which must not change until `idle`. TooLong
        beyond 4095."""
        if length < 0:
            length = len(message)
        if length > MESSAGE_BYTES_MAX:
            raise TooLong
        self._sending = message
        self._length = length
        self._offset = 0
        self._not_before = 0
        self.leaving = False

    def idle(self) -> bool:
        return self._length == 0

    def abort(self) -> None:
        """Drop what is being sent and received."""
        self._length = self._need = 0
        self._flow = -1
        self.leaving = False

    def frame(self, now_ms: int) -> bytearray | None:
        """The next frame that may go out now, or None. Call `sent` when the bus has taken it."""
        if self._flow >= 0:
            return self._fill(FLOW | self._flow, 0, NOTHING, 0, 0)
        length = self._length
        if not length or self.leaving or now_ms < self._not_before:
            return None
        offset = self._offset
        if offset == 0:
            if length < FRAME_BYTES:
                return self._fill(length, -1, self._sending, 0, length)
            return self._fill(FIRST | length >> 8, length & 0xFF, self._sending, 0, 6)
        if self._block == 0:
            return None
        self._not_before = 0  # from here on it is the bus that holds it back
        end = offset + 7
        return self._fill(
            CONSECUTIVE | self._next_out,
            -1,
            self._sending,
            offset,
            end if end < length else length,
        )

    def _fill(self, first: int, second: int, source: object, start: int, end: int) -> bytearray:
        out = self._out
        out[0] = first
        at = 1
        if second >= 0:
            out[1] = second
            at = 2
        for i in range(start, end):
            out[at] = source[i]  # type: ignore[index]  # bytes of any kind
            at += 1
        if first & 0xF0 == FLOW:
            out[2] = 0  # STmin
            at = 3
        while at < FRAME_BYTES:
            out[at] = PADDING
            at += 1
        return out

    def sent(self, now_ms: int) -> None:
        """The frame that `frame` returned is on its way."""
        if self._flow >= 0:
            self._flow = -1
            return
        offset = self._offset
        if offset == 0:
            if self._length < FRAME_BYTES:
                self._length = 0
                return
            self._offset = 6
            self._next_out = 1
            self._block = self._waits = 0
            self._flow_by = now_ms + N_BS_MS
            return
        self._next_out = (self._next_out + 1) & 0x0F
        self._offset = offset + 7
        if self._offset >= self._length:
            self._length = 0
            return
        self.leaving = self._gap_ms > 0
        if self._block > 0:
            self._block -= 1
            if self._block == 0:
                self._flow_by = now_ms + N_BS_MS

    def left(self, now_ms: int) -> None:
        """Every frame that the bus has accepted is off it by now."""
        if self.leaving:
            self.leaving = False
            self._not_before = now_ms + self._gap_ms + 1  # this millisecond may be nearly over

    def _feed_flow(self, data: memoryview, now_ms: int) -> None:
        if len(data) < 3 or not self._length or self._offset == 0 or self._block != 0:
            return  # nobody waits for it
        status = data[0] & 0x0F
        if status == FLOW_CONTINUE:
            self._block = data[1] if data[1] else -1
            self._gap_ms = gap_ms(data[2])
            self._not_before = self._waits = 0
            self.leaving = False  # it was answered
        elif status == FLOW_WAIT and self._waits < WAIT_FRAMES_MAX:
            self._waits += 1
            self._flow_by = now_ms + N_BS_MS
        else:
            self._length = 0
            raise Overflow if status == FLOW_OVERFLOW else NoFlowControl

    # --- time --------------------------------------------------------------------------------

    def due_ms(self) -> int | None:
        """When `poll` has something to say, or a frame held back by STmin may go; or None: only
        a frame, or room on the bus, moves it on."""
        first = self._receive_by if self._need else None
        if self._length and self._offset:
            mine = self._flow_by if self._block == 0 else self._not_before
            if mine and (first is None or mine < first):
                first = mine
        return first

    def poll(self, now_ms: int) -> None:
        """Give up what has waited too long: FrameLost (N_Cr), NoFlowControl (N_Bs). One a call."""
        if self._need and now_ms >= self._receive_by:
            self._need = 0
            raise FrameLost
        if self._length and self._offset and self._block == 0 and now_ms >= self._flow_by:
            self._length = 0
            raise NoFlowControl


def gap_ms(st_min: int) -> int:
    """STmin (ISO 15765-2 table 20) as whole milliseconds, rounded up; reserved values: 127."""
    if st_min <= 0x7F:
        return st_min
    return 1 if 0xF1 <= st_min <= 0xF9 else 0x7F
