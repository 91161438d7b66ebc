"""A delta in the format of detools, applied piece by piece: old image + patch -> new image.

A patch is a head (type and compression, sizes), then a heatshrink stream of steps: how many bytes
of the old image to take, with what to add to each; how many new bytes follow, and those; where in
the old image to go on. In-place, each segment of the new image has steps of its own.
Pieces have any size; neither patch nor image is ever held. Whatever a patch says, no more is
written than the new image has, in order, nothing is read but the old image, and few steps make
nothing, so the work is in proportion to the image. It does NOT authenticate: who gives pieces
hashes the patch, and afterwards the new image where it lies.
Rules: S-26, S-29, E-81.
"""

import struct

from uptane.errors import (
    BadDelta,
    Rotten,
    TooMuch,
    TrailingBytes,
    Truncated,
    UnsupportedDelta,
    WrongFile,
)
from uptane.image.heatshrink import Decoder, fast
from uptane.limits import DELTA_EMPTY_BYTES, DELTA_EMPTY_STEPS_MAX, DELTA_NUMBER_BYTES_MAX

if False:  # for the type checker
    from collections.abc import Callable

    from storage import Buffer, Work
    from uptane.image.plan import Plan
    from uptane.store.area import ReadInto

    Write = Callable[[memoryview], Work[None]]

SEQUENTIAL_HEATSHRINK = 0x04
IN_PLACE_HEATSHRINK = 0x14

# Phases. Each but the first three reads what heatshrink decoded; DIFF and EXTRA are bytes, the
# others an integer.
HEAD, SIZES, WINDOW, FORMAT, DIFF_SIZE, DIFF, EXTRA_SIZE, EXTRA, ADJUST, END = range(10)

STATE = "<BBBBBIIIIIIIQ32s"  # format, then what `_fields` lists
STATE_BYTES = 73
STATE_FORMAT = 1
READ_BYTES = 256
RUN_BYTES = 32
ZEROS = bytes(READ_BYTES)


def add(into: memoryview, diff: memoryview, n: int) -> None:
    """Add n bytes to n bytes, modulo 256. Most are zero, so runs of zeros are skipped as such."""
    if diff == ZEROS[:n]:
        return
    for at in range(0, n, RUN_BYTES):
        end = min(at + RUN_BYTES, n)
        if diff[at:end] == ZEROS[: end - at]:
            continue
        for i in range(at, end):
            if diff[i]:
                into[i] = (into[i] + diff[i]) & 0xFF


class Patch:
    """One application of one delta. `read_into(at, buffer)` reads the old image, `write(view)`, a
    generator, takes the next bytes of the new one; `view` is good until it ends."""

    def __init__(self, plan: "Plan", read_into: "ReadInto", write: "Write") -> None:
        if plan.new_length < 1:
            raise BadDelta
        self._plan = plan
        self._read_into = read_into
        self._write = write
        self._decoder = Decoder()
        self._add = fast.add if fast else add
        self._old = memoryview(bytearray(READ_BYTES))
        self.length = plan.new_length
        self.position = 0  # bytes of the patch that were used
        self.made = 0  # bytes of the new image that were written
        self._phase = HEAD
        self._index = 0  # of the size in the head
        self._left = 0  # bytes of this DIFF or EXTRA
        self._value = 0  # of an integer, as far as it was read
        self._shift = 0  # ... bits of it; 0: its first byte is next
        self._negative = 0
        self._empty = 0  # steps that made nothing
        self._busy = False  # and for ever, once it has refused or was left in the middle
        self._begin_segment(0)

    def take(self, piece: "Buffer", stop: int) -> "Work[int]":
        """Apply the next bytes of the patch; returns how many were used: all, unless `stop` bytes
        of the new image are made before: then call again with what is left, be it nothing.
        stop=0 stops behind the head, which has then been compared.

        Refusals: UnsupportedDelta, BadDelta, TooMuch (more than announced), TrailingBytes, and
        those of reading and writing; after one, and after a call that was not run to its end, all
        others are BadDelta: another object goes on from a checkpoint."""
        raw = memoryview(piece)
        decoder = self._decoder
        self._begin_work()
        if self.position + len(raw) > self._plan.length:
            raise TooMuch
        at = 0
        while self._phase < FORMAT and at < len(raw):
            self._read_head(raw[at])
            at += 1
        before = self.position + at
        decoder.load(raw[at:])
        while self._phase != END and (self.made < stop or stop >= self._plan.new_length):
            if not decoder.fresh:
                if self._phase < FORMAT or not decoder.fill():
                    break
                yield
            self.position = before + decoder.used()
            if self._phase == DIFF or self._phase == EXTRA:
                yield from self._copy(stop)
            else:
                self._read_number(decoder.byte())
        self.position = before + decoder.used()
        if self._phase == END and not decoder.spent():
            raise TrailingBytes
        self._busy = False
        return at + decoder.used()

    def ready(self) -> bool:
        """True once the head was read: it says what the plan says."""
        return self._phase >= FORMAT

    def finish(self) -> None:
        """The whole patch was given. Truncated if that was not all of it."""
        self._begin_work()
        if self._phase != END or self.position != self._plan.length:
            raise Truncated

    # --- going on after a reset -----------------------------------------------------------------

    def checkpoint(self, lead: int = 0) -> bytearray:
        """Where this is, between two calls of `take`, behind `lead` bytes that are the caller's:
        at most CHECKPOINT_BYTES_MAX, in one piece."""
        self._begin_work()
        self._busy = False
        decoder = self._decoder
        made = bytearray(lead + STATE_BYTES + decoder.packed_bytes())
        struct.pack_into(STATE, made, lead, STATE_FORMAT, *self._fields())
        decoder.pack_into(memoryview(made)[lead + STATE_BYTES :])
        return made

    def restore(self, raw: "Buffer") -> None:
        """Go on from a checkpoint: the patch from `position` on, the new image from `made` on.
        Rotten; WrongFile if it is of another delta."""
        if len(raw) < STATE_BYTES:
            raise Rotten
        fields = struct.unpack_from(STATE, raw, 0)
        if fields[0] != STATE_FORMAT:
            raise Rotten
        if fields[13] != self._plan.digest:
            raise WrongFile
        _, self._phase, self._index, self._shift, self._negative = fields[:5]
        self.position, self.made, start, step, self._empty = fields[5:10]
        self._from, self._left, self._value = fields[10:13]
        at, end = self._from, self.made + self._left
        self._begin_segment(start)
        self._step = step
        self._from = at
        self._decoder.unpack(memoryview(raw)[STATE_BYTES:])
        good = (
            start <= step <= self.made <= end <= self._segment_end
            and self._low <= at <= self._high - (self._left if self._phase == DIFF else 0)
            and self._phase <= END
            and self._decoder.begun() == (self._phase >= FORMAT)
            and self._index <= len(self._plan.sizes()) - (self._phase <= SIZES)
            and self._shift < 7 * DELTA_NUMBER_BYTES_MAX
            and self._value < 1 << 7 * DELTA_NUMBER_BYTES_MAX
            and self.position <= self._plan.length
        )
        if not good:
            raise Rotten

    def _fields(self) -> "tuple[int | bytes, ...]":
        return (
            self._phase,
            self._index,
            self._shift,
            self._negative,
            self.position,
            self.made,
            self._segment,
            self._step,
            self._empty,
            self._from,
            self._left,
            self._value,
            self._plan.digest,
        )

    # --- inside ---------------------------------------------------------------------------------

    def _begin_work(self) -> None:
        if self._busy:
            raise BadDelta
        self._busy = True

    def _begin_segment(self, start: int) -> None:
        """The new bytes from `start` on, and what of the old image is still there to make them."""
        self._segment = self._step = start
        self._segment_end, self._low, self._high = self._plan.segment(start)
        self._from = self._low

    def _copy(self, stop: int) -> "Work[None]":
        """Make new bytes, as many as are at hand."""
        decoder = self._decoder
        n = min(self._left, decoder.fresh, READ_BYTES)
        if self.made < stop:
            n = min(n, stop - self.made)
        view = decoder.view(n)
        if self._phase == DIFF:
            old = self._old[:n]
            self._read_into(self._from, old)
            self._add(old, view, n)
            view = old
            self._from += n
        yield from self._write(view)
        decoder.take(n)
        self.made += n
        self._left -= n
        if not self._left:
            self._phase += 1

    def _read_head(self, byte: int) -> None:
        """One byte of what stands before the stream."""
        layout = self._plan.layout
        if self._phase == SIZES:
            self._read_number(byte)
        elif self._phase == WINDOW:
            self._decoder.begin(byte)
            self._phase = FORMAT
        elif byte == (SEQUENTIAL_HEATSHRINK if layout is None else IN_PLACE_HEATSHRINK):
            self._phase = SIZES
        else:
            raise UnsupportedDelta

    def _read_number(self, byte: int) -> None:
        """One byte of an integer: the lowest bits first, six of them with the sign, then seven."""
        if self._shift:
            self._value |= (byte & 0x7F) << self._shift
            self._shift += 7
        else:
            self._negative = byte & 0x40
            self._value = byte & 0x3F
            self._shift = 6
        if byte & 0x80:
            if self._shift >= 7 * DELTA_NUMBER_BYTES_MAX - 1:
                raise BadDelta
            return
        value = -self._value if self._negative else self._value
        self._value = self._shift = 0
        self._apply(value)

    def _apply(self, value: int) -> None:
        """An integer is complete: check it, and go on to the next phase."""
        phase = self._phase
        self._phase += 1
        if phase == SIZES:
            self._compare(value)
        elif phase == FORMAT:
            if value:  # a data format, of which the rest would be read otherwise
                raise UnsupportedDelta
        elif phase == ADJUST:
            if self.made == self._step:
                self._empty += 1
                if self._empty > DELTA_EMPTY_STEPS_MAX + self.made // DELTA_EMPTY_BYTES:
                    raise BadDelta
            self._step = self.made
            self._from += value
            if not self._low <= self._from <= self._high:
                raise BadDelta
            self._phase = DIFF_SIZE
            if self.made == self._segment_end:
                self._phase = FORMAT
                if self.made == self._plan.new_length:
                    self._phase = END
                else:
                    self._begin_segment(self.made)
        else:
            if not 0 <= value <= self._segment_end - self.made:
                raise BadDelta
            if phase == DIFF_SIZE and self._from + value > self._high:
                raise BadDelta
            self._left = value
            if not value:
                self._phase += 1

    def _compare(self, value: int) -> None:
        """A size in the head has to be the one in the metadata."""
        sizes = self._plan.sizes()
        if value != sizes[self._index]:
            raise BadDelta
        self._index += 1
        if self._index < len(sizes):
            self._phase = SIZES
