"""One file on its way in or out: RequestDownload, RequestUpload, TransferData, TransferExit.

A download is accepted only if it matches the open want of the cycle exactly: its file number and
form, and no more bytes than the want allows. Small files are gathered in memory; an image flows
into the want's sink, whose offset moves with it: what is written need not be brought again. With
room for two blocks, one is written while the next one comes: its response says that it has
arrived, and that it could not be written is the answer to the next request. A repeated block
counter is answered and written once (ISO 14229-1, 15.4). Bytes that nobody wanted, or too many,
are refused with a number and change nothing; a request to open that is refused leaves the transfer
that is open as it was.
Rules: V-32, V-61, V-64, E-19, E-20, E-77, E-78.
"""

from uptane.algorithms import FORM_ENCRYPTED
from uptane.errors import EncryptionDiffers, Refusal, TooLong, TooMuch, Unwanted, WrongFile
from uptane.limits import UPLOAD_BYTES
from uptane.uds.codes import (
    ADDRESS_FORMAT,
    NRC_GENERAL_PROGRAMMING_FAILURE,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_REQUEST_SEQUENCE_ERROR,
    NRC_TRANSFER_DATA_SUSPENDED,
    NRC_WRONG_BLOCK_SEQUENCE_COUNTER,
)
from uptane.uds.server import Nrc

if False:  # for the type checker
    from typing import Protocol

    from errand import Work
    from uptane.cycle import Cycle
    from uptane.meta.wants import Want

    class Taker(Protocol):
        """uptane.main.Ecu is one."""

        cycle: Cycle
        block_bytes: int
        two_blocks: bool

        def note(self, number: int) -> None: ...


NONE = 0
DOWNLOAD = 1
UPLOAD = 2
OPEN_BYTES = 13  # service, formats, address and size
SLICE_BYTES = 256  # written at once; whole units of every flash that may hold an image


class Transfer:
    """At most one transfer at a time. `ecu` has the `cycle`, is told of each refusal by
    `note(number)`, and says what there is memory for: `block_bytes` of data in a block, and, while
    an image comes, `two_blocks`?

    While `writing`, `step` writes the next slice."""

    hears = False  # what is broadcast: that is `uptane.uds.hearing`

    def __init__(self, ecu: "Taker") -> None:
        self._cycle = ecu.cycle
        self._note = ecu.note
        self._block_bytes = ecu.block_bytes
        self._two = ecu.two_blocks
        self._block: "bytearray | None" = None  # what is written while the next one comes
        self._flow: "Work[None] | None" = None  # of the last block, into the sink
        self._fault = 0  # an NRC: a block could not be written, and nothing goes on
        self._direction = NONE
        self._want: "Want | None" = None
        self._memory: "bytearray | None" = None
        self._offer = b""  # what an upload sends
        self._at = 0
        self._end = 0
        self._counter = 0  # of the last block that was moved
        self._last = 0  # bytes of the last block sent, in case it is asked for again

    def stop(self) -> None:
        self._direction = NONE
        self._memory = self._want = self._block = self._flow = None
        self._fault = 0

    def writing(self) -> bool:
        """Is there a block that is not in the sink yet?"""
        return self._flow is not None

    def step(self) -> None:
        """Write a slice of it."""
        if self._flow is not None:
            try:
                next(self._flow)
            except StopIteration:
                self._flow = None
            except Refusal as refusal:
                self.stop()
                self._note(refusal.number)
                self._fault = NRC_GENERAL_PROGRAMMING_FAILURE

    def _settle(self) -> "Work[None]":
        """Wait until the last block is in the sink. Nrc if it could not be written."""
        while self._flow is not None:
            yield  # the main loop steps it
        if self._fault:
            raise Nrc(self._fault)

    def _refused(self, refusal: "type[Refusal]", code: int) -> Nrc:
        self._note(refusal.number)
        return Nrc(code)

    def _wanted(self, request: memoryview, offered: bool) -> "Want":
        """Check the file of a request to open a transfer against the open want; returns it."""
        if request[2] != ADDRESS_FORMAT:
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        if len(request) != OPEN_BYTES:
            raise Nrc(NRC_INCORRECT_LENGTH)
        want = self._cycle.want
        if want is None or (want.offer is not None) != offered:
            raise self._refused(Unwanted, NRC_REQUEST_OUT_OF_RANGE)
        if bytes(request[3:9]) != file_number(want):
            raise self._refused(WrongFile, NRC_REQUEST_OUT_OF_RANGE)
        if request[1] != want.form:
            raise self._refused(EncryptionDiffers, NRC_REQUEST_OUT_OF_RANGE)
        return want

    def _open(self, direction: int, want: "Want", request: memoryview) -> None:
        """Check the size and begin."""
        size = int.from_bytes(bytes(request[9:]), "big")
        if not 0 < size <= (want.until or want.cap) - want.offset:
            raise self._refused(TooLong, NRC_REQUEST_OUT_OF_RANGE)
        self.stop()
        self._cycle.pace.begun = True
        self._direction = direction
        self._want = want
        self._offer = want.offer or b""
        self._at = 0
        self._end = size
        self._counter = 0

    def _gather(self, want: "Want") -> None:
        """Have room for what comes."""
        if want.sink is None:
            self._memory = bytearray(self._end)
        elif self._two and want.form <= FORM_ENCRYPTED:  # to apply a delta takes too long
            self._block = bytearray(min(self._block_bytes, self._end))

    def _granted(self, out: bytearray) -> int:
        """The response to a request that opens a transfer: its longest request from now on."""
        out[1] = 0x20
        out[2] = (self._block_bytes + 2) >> 8
        out[3] = (self._block_bytes + 2) & 0xFF
        return 4

    def download(self, request: memoryview, out: bytearray) -> "Work[int]":
        """0x34: bytes for the open want."""
        while self._flow is not None:
            yield  # the main loop steps it; `want.offset` moves
        want = self._wanted(request, False)
        self._open(DOWNLOAD, want, request)
        self._gather(want)
        return self._granted(out)

    def upload(self, request: memoryview, out: bytearray) -> int:
        """0x35: the file that the cycle offers."""
        self._open(UPLOAD, self._wanted(request, True), request)
        return self._granted(out)

    def listen(self, request: memoryview, out: bytearray, at: int) -> "Work[int]":
        """RID_LISTEN, of who hears."""
        raise Nrc(NRC_REQUEST_OUT_OF_RANGE)

    def data(self, request: memoryview, out: bytearray) -> "Work[int]":
        """0x36: the next block, in or out."""
        yield from self._settle()
        if self._direction != NONE and self._cycle.refusal:
            self.stop()  # it was too slow; that is noted
            raise Nrc(NRC_TRANSFER_DATA_SUSPENDED)
        if self._direction == NONE or self._want is not self._cycle.want:
            raise self._refused(Unwanted, NRC_REQUEST_SEQUENCE_ERROR)
        counter = request[1]
        repeated = self._at > 0 and counter == self._counter
        if not repeated and counter != (self._counter + 1) & 0xFF:
            raise Nrc(NRC_WRONG_BLOCK_SEQUENCE_COUNTER)
        out[1] = counter
        length = 2
        if self._direction == UPLOAD:
            length = self._send(out, repeated)
        elif not repeated:
            yield from self._write(request[2:])
        self._counter = counter
        return length

    def _send(self, out: bytearray, repeated: bool) -> int:
        if repeated:
            self._at -= self._last
        elif self._at == self._end:
            raise Nrc(NRC_REQUEST_SEQUENCE_ERROR)
        take = min(UPLOAD_BYTES, self._end - self._at)
        out[2 : 2 + take] = self._offer[self._at : self._at + take]
        self._at += take
        self._last = take
        if not repeated:
            self._cycle.moved(take)
        return take + 2

    def _write(self, block: memoryview) -> "Work[None]":
        at = self._at
        if at + len(block) > self._end or not block:
            self.stop()
            raise self._refused(TooMuch, NRC_TRANSFER_DATA_SUSPENDED)
        if self._memory is not None:
            self._memory[at : at + len(block)] = block
        elif self._block is None:
            self._flow = self._flowing(block)
            yield from self._settle()
        else:
            self._block[: len(block)] = block
            self._flow = self._flowing(memoryview(self._block)[: len(block)])
        self._at = at + len(block)
        self._cycle.moved(len(block))

    def _flowing(self, block: memoryview) -> "Work[None]":
        """Into the sink of the want, which moves on with it: after a break it wants the rest."""
        want = self._want
        for at in range(0, len(block), SLICE_BYTES):
            if want is None or want.sink is None or want is not self._cycle.want:
                return  # nobody wants it any more
            part = block[at : at + SLICE_BYTES]
            work = want.sink.write(want.offset, part)
            if work is not None:
                yield from work
            want.offset += len(part)
            yield

    def finish(self, request: memoryview, out: bytearray) -> "Work[int]":
        """0x37: all of it was moved; a download goes to the cycle."""
        if len(request) != 1:
            raise Nrc(NRC_INCORRECT_LENGTH)
        yield from self._settle()
        done = self._direction != NONE and self._at == self._end
        if not done or self._want is not self._cycle.want:
            raise Nrc(NRC_REQUEST_SEQUENCE_ERROR)
        if self._direction == DOWNLOAD:
            self._cycle.answer(True if self._memory is None else self._memory)
        self.stop()
        return 1


def file_number(want: "Want") -> bytes:
    """(repository u8, kind u8, number u32), big-endian."""
    return bytes((want.repository, want.kind)) + want.number.to_bytes(4, "big")
