"""Heatshrink: LZSS over a small window, decoded from pieces of any size in bounded heap.

A stream is bits, the highest first: 1 and a literal byte, or 0, a distance less one (`window`
bits) and a count less one (`lookahead` bits), which repeats what was decoded that far back. Before
the first byte lies a window of zeros, to which streams do refer. At the end up to seven zero bits
fill the last byte.
Whatever the stream says, it decodes to something: there is nothing here to refuse but a window
that is too large. It does NOT know where a stream ends: who reads it does.
Rules: E-81.
"""

import struct
from array import array

from uptane.errors import Rotten, UnsupportedDelta
from uptane.limits import DELTA_LOOKAHEAD_BITS_MAX, DELTA_WINDOW_BITS_MAX

if False:  # for the type checker
    from typing import Any

    from storage import Buffer

fast: "Any" = None
try:
    from uptane.image import delta_viper as fast
except ImportError:  # CPython, or a port without machine code: slower, the same bytes
    pass

STATE = "<BBIH"  # head byte, bits held, the bits, bytes decoded and not taken; the window follows
STATE_BYTES = 8
FILL_BYTES = 256  # decoded between two yields of who reads
NOTHING = b""

# What `decode` works on: the bits held (never more than 26) and their number, how far it is in the
# piece, the piece's length, where the decoded bytes end, beyond where no token may begin, the bits
# of the longest token, and those of a count.
HELD, BITS, AT, SIZE, END, FULL, NEED, LOOKAHEAD = range(8)


def decode(state: "array[int]", buffer: memoryview, raw: "Buffer") -> None:
    """Decode whole tokens while the end is not beyond `full` and the piece has any."""
    held, bits, at, end, full = state[HELD], state[BITS], state[AT], state[END], state[FULL]
    size, need, lookahead = state[SIZE], state[NEED], state[LOOKAHEAD]
    while end <= full:
        while bits < need and at < size:
            held = held << 8 | raw[at]
            bits += 8
            at += 1
        if bits < 9:
            break
        if held >> (bits - 1):
            bits -= 9
            buffer[end] = held >> bits & 0xFF
            end += 1
        else:
            if bits < need:
                break
            bits -= need
            token = held >> bits
            source = end - 1 - (token >> lookahead)
            stop = end + 1 + (token & ((1 << lookahead) - 1))
            while end < stop:  # what overlaps repeats itself, and doubles each time
                n = min(end - source, stop - end)
                buffer[end : end + n] = buffer[source : source + n]
                end += n
        held &= (1 << bits) - 1
    state[HELD], state[BITS], state[AT], state[END] = held, bits, at, end


class Decoder:
    """Holds 2304 bytes, made once; one object serves one stream. Give it the head byte by `begin`
    and pieces by `load`; `fill` decodes, `fresh` counts what is decoded and not taken."""

    def __init__(self) -> None:
        size = (2 << DELTA_WINDOW_BITS_MAX) + (1 << DELTA_LOOKAHEAD_BITS_MAX)
        # A window of what was, then what is fresh; slid down before it would run over.
        self._buffer = memoryview(bytearray(size))
        self._decode = fast.decode if fast else decode
        self._state = array("i", [0] * 8)
        self._head = 0
        self._window = 0  # bytes; 0: not begun
        self._start = 0  # of the fresh bytes
        self.fresh = 0
        self._raw: "Buffer" = NOTHING

    def begin(self, head: int) -> None:
        """The byte with which detools begins a stream: window - 4, lookahead - 3 (in bits).
        UnsupportedDelta."""
        window = (head >> 4) + 4
        lookahead = (head & 15) + 3
        if window > DELTA_WINDOW_BITS_MAX or lookahead > DELTA_LOOKAHEAD_BITS_MAX:
            raise UnsupportedDelta
        if lookahead >= window or lookahead + window < 8:  # a literal is the shortest token
            raise UnsupportedDelta
        self._head = head
        self._window = self._start = self._state[END] = 1 << window
        self._state[LOOKAHEAD] = lookahead
        self._state[NEED] = 1 + window + lookahead

    def begun(self) -> bool:
        return self._window > 0

    def load(self, raw: "Buffer") -> None:
        """The next piece; the one before has to be used up, or what is left of it comes again."""
        self._raw = raw
        self._state[AT] = 0
        self._state[SIZE] = len(raw)

    def used(self) -> int:
        """How many bytes of the piece were looked at."""
        return self._state[AT]

    def spent(self) -> bool:
        """True if nothing is left but zero bits that fill the last byte."""
        state = self._state
        left = self.fresh or state[AT] < state[SIZE] or state[BITS] > 7 or state[HELD]
        return not left

    def view(self, n: int) -> memoryview:
        """The first n fresh bytes, as they lie here until the next `fill`."""
        return self._buffer[self._start : self._start + n]

    def take(self, n: int) -> None:
        """Done with n fresh bytes."""
        self._start += n
        self.fresh -= n

    def byte(self) -> int:
        """Take one fresh byte."""
        self._start += 1
        self.fresh -= 1
        return self._buffer[self._start - 1]

    def fill(self) -> bool:
        """Decode some hundred bytes more; False if the piece holds no whole token. What is fresh
        never exceeds the window."""
        state, window = self._state, self._window
        end = state[END]
        if end >= 2 * window:
            # The last window has whatever is fresh: it goes down, and makes room.
            self._buffer[:window] = self._buffer[end - window : end]
            self._start -= end - window
            state[END] = end = window
        room = self._start + window - (1 << state[LOOKAHEAD])
        state[FULL] = min(room, 2 * window, end + FILL_BYTES)
        self._decode(state, self._buffer, self._raw)
        self.fresh += state[END] - end
        return self.fresh > 0

    def packed_bytes(self) -> int:
        """How many bytes `pack_into` writes: 8, and a window once it is begun."""
        return STATE_BYTES + self._window

    def pack_into(self, into: memoryview) -> None:
        """Write what `unpack` goes on from."""
        state = self._state
        struct.pack_into(STATE, into, 0, self._head, state[BITS], state[HELD], self.fresh)
        into[STATE_BYTES:] = self._buffer[state[END] - self._window : state[END]]

    def unpack(self, raw: "Buffer") -> None:
        """Go on where `pack_into` was called. Rotten; UnsupportedDelta."""
        if len(raw) < STATE_BYTES:
            raise Rotten
        head, bits, held, fresh = struct.unpack_from(STATE, raw, 0)
        if len(raw) > STATE_BYTES:
            self.begin(head)
        window = self._window
        if len(raw) != STATE_BYTES + window or fresh > window:
            raise Rotten
        if bits > self._state[NEED] + 7 or held >> bits:
            raise Rotten
        self._buffer[:window] = memoryview(raw)[STATE_BYTES:]
        self._state[HELD] = held
        self._state[BITS] = bits
        self._start = window - fresh
        self.fresh = fresh
        self.load(NOTHING)
