"""Blocks of a file that cross the bus once for several ECUs: to frames, and frames to blocks.

All frames have one CAN identifier and one byte before their data: 0 announces a block (tag of the
file u8, offset u32, length u16, big-endian), 1 to 255 number its parts. Nobody answers: whoever
missed a frame drops the block, and says over UDS how far he came. So a sender has to pause between
blocks for the slowest, and nothing here knows for how long, or whose file it is.

An `Air` is what `uptane.traffic` wants of a conversation, in either direction.
Rules: V-87, V-32 (N_Cr bounds a block whose frames stop).
"""

from uptane.limits import N_CR_MS
from uptane.link.isotp import put_tail
from uptane.link.sending import Sender

if False:  # for the type checker
    from hashes import Buffer

ANNOUNCEMENT = 0
ANNOUNCEMENT_BYTES = 8
PARTS_MAX = 255


class Air(Sender):
    """The blocks that are in the air. `block` is the one received, into the buffer that `listen`
    was given, or None; `offset` is its place in the file. `frame_bytes` as an ISO-TP channel's."""

    def __init__(self, frame_bytes: int) -> None:
        Sender.__init__(self, frame_bytes, -1)
        self.tag = 0  # of the file that is listened to, 0: none
        self.offset = 0
        self.block: memoryview | None = None
        self._buffer = memoryview(b"")
        self._need = 0  # bytes of the block being received, 0: none
        self._have = 0
        self._due_by = 0
        self._part = 0  # that comes, or goes, next

    # --- in --------------------------------------------------------------------------------------

    def listen(self, tag: int, buffer: "Buffer") -> None:
        """Take the blocks of the file with that tag, 0 for none; no longer ones than `buffer`."""
        self.tag = tag
        self._buffer = memoryview(buffer)
        self._need = 0
        self.block = None

    def feed(self, data: memoryview, now_ms: int) -> None:
        """Take the data of one received frame."""
        part = data[0] if len(data) > 1 else -1
        if part == ANNOUNCEMENT:
            self._begin_block(data, now_ms)
        elif part == self._part and self._need:
            self._take(data, now_ms)
        else:
            self._need = 0  # a frame is missing, and with it the block

    def _begin_block(self, data: memoryview, now_ms: int) -> None:
        self._need = 0
        if len(data) < ANNOUNCEMENT_BYTES or data[1] != self.tag or self.block is not None:
            return
        length = data[6] << 8 | data[7]
        if self.tag and 0 < length <= len(self._buffer):
            self.offset = int.from_bytes(bytes(data[2:6]), "big")
            self._need = length
            self._have = 0
            self._part = 1
            self._due_by = now_ms + N_CR_MS

    def _take(self, data: memoryview, now_ms: int) -> None:
        have = self._have
        take = self._need - have
        if take >= len(data):
            take = len(data) - 1
        if take == len(data) - 1 and have > 1:
            put_tail(self._buffer, have, data, take)
        else:
            self._buffer[have : have + take] = data[1 : 1 + take]
        self._have = have + take
        self._part += 1
        self._due_by = now_ms + N_CR_MS
        if self._have == self._need:
            self.block = self._buffer[: self._need]
            self._need = 0

    def taken(self) -> None:
        """The received block has been used; the next one may come."""
        self.block = None

    # --- out -------------------------------------------------------------------------------------

    def spread(self, tag: int, offset: int, block: "Buffer", length: int) -> None:
        """Begin to send `length` bytes of `block`, which must not change until `idle`: the bytes
        of the file with that tag from `offset` on, no more than PARTS_MAX frames hold."""
        self.tag = tag
        self.offset = offset
        self._part = ANNOUNCEMENT
        self.send(block, length)

    def frame(self, now_ms: int) -> "bytearray | memoryview | None":
        """The next frame, or None. Call `sent` when the bus has taken it."""
        if not self._length:
            return None
        out = self._out
        out[0] = self._part
        if self._part != ANNOUNCEMENT:
            return self._fill(1)
        out[1] = self.tag
        out[2:6] = self.offset.to_bytes(4, "big")
        out[6:8] = self._length.to_bytes(2, "big")
        return self._padded(ANNOUNCEMENT_BYTES)

    def sent(self, now_ms: int) -> None:
        """The frame that `frame` returned is on its way."""
        if self._part != ANNOUNCEMENT:
            self._offset = self._filled
            if self._offset == self._length:
                self._length = 0
        self._part += 1

    def abort(self) -> None:
        """Drop what is being sent."""
        self._length = 0

    # --- time ------------------------------------------------------------------------------------

    def frames_left(self) -> int:
        """Frames still missing of the block being received."""
        each = len(self._out) - 1
        return (self._need - self._have + each - 1) // each if self._need else 0

    def due_ms(self) -> "int | None":
        return self._due_by if self._need else None

    def poll(self, now_ms: int) -> None:
        """Give up a block whose frames stopped."""
        if now_ms >= self._due_by:
            self._need = 0
