"""The bus over an adapter at a serial line or USB that speaks slcan, for a board without CAN.

LAWICEL's ASCII lines (CAN232 manual v3), and CANable 2's for CAN FD: `t` and `T` a frame of 11 and
29 bits, `b` and `B` one in FD format with its bit rate switched, `d` and `D` without; `C`, `S`,
`Y`, `O` close, choose the bit rates and open, `F` asks for errors. A line that is none, too long
or cut off by a bell is dropped and counted; the next one is read.

What waits has to fit the stream's own buffer (a UART's `rxbuf`, 27 bytes for a classic frame of 8
bytes and 29 bits, 139 for 64). It does not do: remote frames (dropped), timestamps. Of what the
adapter holds it knows nothing: a frame is gone when its line is written, a bell (`refusals`) may
be for any frame before, and an adapter with mailboxes sends the first identifier first. `ready`
wakes for every frame.
It imports no hardware: the stream is given, so a socket does, too.
"""

if False:  # for the type checker; both compilers drop the block
    from shapes import Buffer, Filter, Frame, Stream

EXTENDED = 1 << 29  # of a can_id: the identifier has 29 bits; still a small integer
IDENTIFIER = 0x1FFFFFFF
BITRATES = (10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 800_000, 1_000_000)
DATA_BITRATES = {2_000_000: 2, 5_000_000: 5}
LENGTHS = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0c\x10\x14\x18\x20\x30\x40"  # by code
DIGITS = b"0123456789ABCDEF"
END = 13
BELL = 7
LINE_FEED = 10
FLAG_WARNING = 0x04  # in the answer to F
FLAG_OVERRUN = 0x08
FLAG_PASSIVE = 0x20


class CanSlcan:
    """`stream`: an adapter's line, whose `any` tells how much `readinto` gives without waiting.
    `data_bitrate`: 0 for classic CAN. ValueError: slcan has no letter for such a rate."""

    def __init__(self, stream: "Stream", bitrate: int, data_bitrate: int = 0) -> None:
        if bitrate not in BITRATES or (data_bitrate and data_bitrate not in DATA_BITRATES):
            raise ValueError
        self._stream = stream
        self._fd = data_bitrate != 0
        self.frame_bytes = 64 if data_bitrate else 8
        # The first end closes a line that was cut off, whose answer nobody waits for.
        self._opening = b"\rC\rS%d\rZ0\r" % BITRATES.index(bitrate)
        if data_bitrate:
            self._opening += b"Y%d\r" % DATA_BITRATES[data_bitrate]
        self._opening += b"O\r"
        line_bytes = 10 + 2 * self.frame_bytes
        self._line = bytearray(line_bytes + 1)  # one more: what fills it is too long
        self._length = 0
        self._chunk = bytearray(64)
        self._at = self._got = 0
        codes = LENGTHS if data_bitrate else LENGTHS[:9]
        # Two memories, because the next frame may come while the last one is looked at.
        memories = (memoryview(bytearray(64)), memoryview(bytearray(64)))
        self._views = [[memory[:length] for length in codes] for memory in memories]
        self._turn = 0
        self._code = 0
        self._can_id = -1  # of the frame that waits; none: -1
        self._frame: Frame = [0, b""]
        out = memoryview(bytearray(line_bytes + 1))
        self._out = out
        self._outs = [[out[: 6 + at + 2 * length] for length in codes] for at in (0, 5)]
        self._rest: Buffer = b""  # of the line that is being written
        self._refused = False
        self._filters: list[Filter] = []
        self._flags = 0
        self.overruns = 0  # times that the adapter lost frames
        self.garbled = 0  # lines that were none
        self.refusals = 0  # bells: what the adapter would not do
        self.restart()

    def set_filters(self, filters: "list[Filter]") -> None:
        """Let in frames whose identifier equals a filter's under its mask; both with EXTENDED
        set for 29-bit identifiers. Nothing is received before this is called."""
        self._filters = filters

    def receive(self) -> "Frame | None":
        """[can_id, data] of the oldest frame, or None. The list and the data (a memoryview of
        0..64 bytes) are reused: they are valid until the next call."""
        self._read()
        if self._can_id < 0:
            return None
        frame = self._frame
        frame[0] = self._can_id
        frame[1] = self._views[self._turn][self._code]
        self._can_id = -1
        self._turn ^= 1
        return frame

    def send(self, can_id: int, data: "Buffer") -> bool:
        """Write the line of a frame of 0..8 bytes, or of a length that CAN FD knows; False while
        the one before is not written yet."""
        if not self._flush():
            self._refused = True
            return False
        out = self._out
        extended = can_id & EXTENDED != 0
        out[0] = (66 if self._fd else 84) if extended else (98 if self._fd else 116)  # B T b t
        at = 9 if extended else 4
        can_id &= IDENTIFIER
        for digit in range(at - 1, 0, -1):
            out[digit] = DIGITS[can_id & 15]
            can_id >>= 4
        length = len(data)
        code = length
        if length > 8:
            code = 6 + length // 4 if length <= 24 else 11 + length // 16
        out[at] = DIGITS[code]
        for byte in data:
            out[at + 1] = DIGITS[byte >> 4]
            out[at + 2] = DIGITS[byte & 15]
            at += 2
        out[at + 1] = END
        self._rest = self._outs[extended][code]
        self._flush()
        return True

    def ready(self, frames: int) -> bool:
        """Is there a reason to wake: a frame waits, or a send was refused and there is room
        now?"""
        self._read()
        if self._flush() and self._refused:
            self._refused = False
            return True
        return self._can_id >= 0

    def unsent(self) -> bool:
        """Is there a frame that was accepted and whose line is not written yet?"""
        return not self._flush()

    def state(self) -> int:
        """1 active, 2 warning, 3 passive, by the adapter's last answer; it is asked once more.
        slcan has no word for bus-off."""
        self._read()
        if self._flush():
            self._rest = b"F\r"
            self._flush()
        if self._flags & FLAG_PASSIVE:
            return 3
        return 2 if self._flags & FLAG_WARNING else 1

    def restart(self) -> None:
        """Close and open the adapter; a line not yet written is dropped."""
        self._refused = False
        self._flags = 0
        self._rest = self._opening
        self._flush()

    def _flush(self) -> bool:
        """Write on; True when the line is out."""
        rest = self._rest
        if len(rest):
            count = self._stream.write(rest) or 0
            self._rest = b"" if count == len(rest) else rest[count:]
        return len(self._rest) == 0

    def _read(self) -> None:
        """Read on, to the end of the next frame that somebody wants."""
        while self._can_id < 0:
            if self._at == self._got:
                self._at = 0
                self._got = (self._stream.any() and self._stream.readinto(self._chunk)) or 0
                if not self._got:
                    return
            byte = self._chunk[self._at]
            self._at += 1
            if byte == END:
                self._obey()
                self._length = 0
            elif byte == BELL:
                self.refusals += 1
                self.garbled += self._length > 0
                self._length = 0
            elif byte != LINE_FEED and self._length < len(self._line):
                self._line[self._length] = byte
                self._length += 1

    def _obey(self) -> None:
        """A line is whole: a frame, the answer to F, or one of the answers that say nothing."""
        letter = self._line[0]
        kind = letter | 32
        if self._length == 0 or (self._length == 1 and kind == 122):  # z: a frame was taken
            return
        if kind in b"tdb":
            if not self._take(letter):
                self.garbled += 1
        elif letter == 70 and self._length == 3:  # F
            self._flags = max(self._number(1, 2), 0)
            self.overruns += self._flags & FLAG_OVERRUN != 0
        elif kind != 114:  # r, a remote frame
            self.garbled += 1

    def _take(self, letter: int) -> bool:
        """The frame of a line; False when it is none."""
        at = 9 if letter < 97 else 4
        can_id = self._number(1, at - 1)
        code = self._number(at, 1)
        if not 0 <= can_id <= (IDENTIFIER if at == 9 else 0x7FF):
            return False
        views = self._views[self._turn]
        if not 0 <= code < (9 if letter | 32 == 116 else len(views)):
            return False
        if self._length != at + 1 + 2 * LENGTHS[code]:
            return False
        data = views[code]
        for index in range(LENGTHS[code]):
            byte = self._number(at + 1 + 2 * index, 2)
            if byte < 0:
                return False
            data[index] = byte
        if at == 9:
            can_id |= EXTENDED
        for identifier, mask in self._filters:
            if (can_id ^ identifier) & (mask | EXTENDED) == 0:
                self._can_id = can_id
                self._code = code
                break
        return True

    def _number(self, at: int, digits: int) -> int:
        """So many hexadecimal digits of the line; -1 when they are none."""
        value = 0
        for index in range(at, at + digits):
            if index >= self._length:
                return -1
            byte = self._line[index]
            digit = byte - 48
            if byte > 57:
                digit = (byte | 32) - 87
                if digit < 10:
                    return -1
            if not 0 <= digit < 16:
                return -1
            value = value << 4 | digit
        return value
