"""ISO-TP (ISO 15765-2): frames to messages and messages to frames, on classic CAN and CAN FD.

A `Channel` is one conversation: it is fed the data of received frames and asked for the next frame
to send; it knows neither bus nor clock (a time in milliseconds comes with every call). Both
directions run at once; `uptane.link.sending` has the one out. Receiving announces `block_size` and
`st_min`; a message that comes while the one before it is not `taken` yet has to wait, and its
sender is told so by wait frames.

Which CAN identifiers a conversation has is its user's business, so normal and normal-fixed
addressing, of 11 and 29 bits, are one to it; extended and mixed addressing are a byte before
everything else in each frame.
No allocation per frame: one buffer for the message received, one frame for sending.
Rules: S-37, S-38, V-32 (N_Cr and N_Bs bound every stall).
"""

from uptane.errors import FrameLost, NoFlowControl
from uptane.limits import N_BR_MS, N_CR_MS, WAIT_FRAMES_MAX
from uptane.link.sending import (
    CLASSIC_BYTES,
    CONSECUTIVE,
    FIRST,
    FLOW,
    FLOW_CONTINUE,
    FLOW_OVERFLOW,
    FLOW_WAIT,
    LENGTH_12_MAX,
    NOTHING,
    SINGLE,
    Sender,
    single_max,
)


class Channel(Sender):
    """One ISO-TP conversation.

    `message` is the received message (a memoryview into the channel's own buffer) or None; it
    stays valid until `taken` is called. `frame` returns the data of the next frame to put on the
    bus, and must be followed by `sent` once the bus has accepted it; while `leaving`, by `left`
    once it has sent it.

    `frame_bytes`: 8, or on CAN FD up to 64 (a length that CAN FD has). `target` and `own`: the
    byte before everything else in frames sent and received (N_TA or N_AE), -1 for none.
    """

    def __init__(
        self, message_bytes: int, frame_bytes: int = CLASSIC_BYTES, target: int = -1, own: int = -1
    ) -> None:
        Sender.__init__(self, frame_bytes, target)
        self._buffer = memoryview(bytearray(message_bytes))
        self._own = own
        self.message: memoryview | None = None
        self.deaf = False  # whatever comes is for somebody else
        self.block_size = 0  # announced; 0: no limit
        self.st_min = 0  # announced, as on the wire
        self._need = 0  # bytes of the message being received, 0: none
        self._have = 0
        self._width = 0  # bytes of each of its frames
        self._next_in = 0
        self._block_in = 0  # frames until the sender waits for us; below 0: never
        self._due_by = 0  # the next frame, or our next wait frame
        self._early = NOTHING  # a first frame that has to wait until `taken`
        self._held = 0  # wait frames that we sent in a row
        self._flow = -1  # flow status that we owe the sender, -1: none

    def feed(self, data: memoryview, now_ms: int) -> None:
        """Take the data of one received frame. Alien frames are ignored (ISO 15765-2 9.8.3); a
        lost frame drops the message and raises FrameLost; Overflow or NoFlowControl say why the
        message being sent was dropped."""
        head = self._head
        if self.deaf or len(data) < head + 2 or (head and data[0] != self._own):
            return
        kind = data[head] & 0xF0
        if kind == CONSECUTIVE:
            self._feed_consecutive(data, now_ms)
        elif kind == FLOW:
            if len(data) >= head + 3:
                self._heed(data, now_ms)
        elif kind == SINGLE:
            self._feed_single(data)
        elif kind == FIRST:
            self._feed_first(data, now_ms)

    def _feed_single(self, data: memoryview) -> None:
        at = self._head + 1
        length = data[at - 1]
        if len(data) > CLASSIC_BYTES:
            if length:
                return
            length = data[at]
            at += 1
        room = len(self._buffer)
        if 0 < length <= len(data) - at and length <= room and self.message is None:
            self._need = 0
            self._buffer[:length] = data[at : at + length]
            self.message = self._buffer[:length]

    def _feed_first(self, data: memoryview, now_ms: int) -> None:
        head = self._head
        at = head + 2
        length = (data[head] & 0x0F) << 8 | data[head + 1]
        if not length and len(data) >= CLASSIC_BYTES:
            length = int.from_bytes(bytes(data[at : at + 4]), "big")
            at += 4
            if length <= LENGTH_12_MAX:
                return
        if len(data) < CLASSIC_BYTES or length <= single_max(len(data), head):
            return
        if self.message is not None:
            self._early = bytes(data)
            self._hold(now_ms)
            return
        self._need = 0  # whatever comes of it, the message before it is over
        if length > len(self._buffer):
            self._flow = FLOW_OVERFLOW
            return
        self._width = len(data)
        self._have = self._width - at
        self._buffer[: self._have] = data[at:]
        self._need = length
        self._next_in = 1
        self._go_on(now_ms)

    def _go_on(self, now_ms: int) -> None:
        """Let the sender send a block."""
        self._block_in = self.block_size or -1
        self._due_by = now_ms + N_CR_MS
        self._flow = FLOW_CONTINUE
        self._held = 0

    def _hold(self, now_ms: int) -> None:
        """Let the sender wait, or, if it has waited too often, go."""
        self._held += 1
        self._due_by = now_ms + N_BR_MS
        self._flow = FLOW_WAIT
        if self._held > WAIT_FRAMES_MAX:
            self._early = NOTHING
            self._held = 0
            self._flow = FLOW_OVERFLOW

    def _feed_consecutive(self, data: memoryview, now_ms: int) -> None:
        head = self._head + 1
        take = self._need - self._have
        if take <= 0:
            return
        if take > self._width - head:
            take = self._width - head
        if data[head - 1] & 0x0F != self._next_in or len(data) < head + take:
            self._need = 0
            raise FrameLost
        if len(data) == head + take and self._have > 1:
            put_tail(self._buffer, self._have, data, take)
        else:
            self._buffer[self._have : self._have + take] = data[head : head + take]
        self._have += take
        self._next_in = (self._next_in + 1) & 0x0F
        self._due_by = now_ms + N_CR_MS
        self._block_in -= 1
        if self._have == self._need:
            self.message = self._buffer[: self._need]
            self._need = 0
        elif not self._block_in:
            self._go_on(now_ms)

    def taken(self) -> None:
        """The received message has been used; its bytes may be overwritten."""
        self.message = None

    def frames_left(self) -> int:
        """Frames still missing of the message being received."""
        if not self._need:
            return 0
        each = self._width - self._head - 1
        return (self._need - self._have + each - 1) // each

    def abort(self) -> None:
        """Drop what is being sent and received."""
        self._length = self._need = 0
        self._flow = -1
        self._early = NOTHING
        self.leaving = False

    def frame(self, now_ms: int) -> "bytearray | memoryview | None":
        """The next frame that may go out now, or None. Call `sent` when the bus has taken it."""
        if self._early and self.message is None:
            early = memoryview(self._early)
            self._early = NOTHING
            self._feed_first(early, now_ms)
        elif self._early and now_ms >= self._due_by:
            self._hold(now_ms)
        if self._flow < 0:
            return self._next()
        out = self._out
        at = self._head
        out[at] = FLOW | self._flow
        out[at + 1] = self.block_size
        out[at + 2] = self.st_min
        return self._padded(at + 3)

    def sent(self, now_ms: int) -> None:
        """The frame that `frame` returned is on its way."""
        if self._flow >= 0:
            self._flow = -1
        else:
            self._advance(now_ms)

    # --- time --------------------------------------------------------------------------------

    def due_ms(self) -> int | None:
        """When `poll` or `frame` has something to say, or None: only a frame, room on the bus or
        the end of STmin (`leaving`) moves it on."""
        mine = self._flow_due_ms()
        if (self._need or self._early) and (mine is None or self._due_by < mine):
            return self._due_by
        return mine

    def poll(self, now_ms: int) -> None:
        """Give up what has waited too long: FrameLost (N_Cr), NoFlowControl (N_Bs). One a call."""
        if self._need and now_ms >= self._due_by:
            self._need = 0
            raise FrameLost
        flow_by = self._flow_due_ms()
        if flow_by is not None and now_ms >= flow_by:
            self._length = 0
            raise NoFlowControl


def put_tail(buffer: memoryview, at: int, data: memoryview, take: int) -> None:
    """Put the last `take` bytes of `data`, all but one or two, at `at` (2 or more) of the buffer:
    the whole frame goes there, and what its head overwrote is put right, because a slice of the
    frame would be an allocation. So would be a function of more variables than these."""
    kept = buffer[at - 2] << 8 | buffer[at - 1]
    buffer[at + take - len(data) : at + take] = data
    buffer[at - 2] = kept >> 8
    buffer[at - 1] = kept & 0xFF
