"""One file on its way in or out: RequestDownload, RequestUpload, TransferData, TransferExit.

A download is accepted only if it matches the open want of the cycle exactly: its file number and
form, and no more bytes than the want allows. Small files are gathered in memory; an image flows
into the want's sink, whose offset moves with it: what is written need not be brought again. A
repeated block counter is answered and written once (ISO 14229-1, 15.4). Bytes that nobody wanted,
or too many, are refused with a number and change nothing; a request to open that is refused leaves
the transfer that is open as it was.
Rules: V-32, V-61, V-64, E-19, E-20, E-77, E-78.
"""

from uptane.errors import EncryptionDiffers, Refusal, TooLong, TooMuch, Unwanted, WrongFile
from uptane.limits import BLOCK_BYTES, UPLOAD_BYTES
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
    from collections.abc import Callable

    from errand import Work
    from uptane.cycle import Cycle
    from uptane.meta.wants import Want

NONE = 0
DOWNLOAD = 1
UPLOAD = 2
OPEN_BYTES = 13  # service, formats, address and size


class Transfer:
    """At most one transfer at a time. `note(number)` is told of each refusal."""

    def __init__(self, cycle: "Cycle", note: "Callable[[int], None]") -> None:
        self._cycle = cycle
        self._note = note
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
        self._memory = self._want = None

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

    def _open(self, direction: int, want: "Want", request: memoryview, out: bytearray) -> int:
        """Check the size and begin; returns the length of the response."""
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
        out[1] = 0x20
        out[2] = (BLOCK_BYTES + 2) >> 8
        out[3] = (BLOCK_BYTES + 2) & 0xFF
        return 4

    def download(self, request: memoryview, out: bytearray) -> int:
        """0x34: bytes for the open want."""
        want = self._wanted(request, False)
        length = self._open(DOWNLOAD, want, request, out)
        if want.sink is None:
            self._memory = bytearray(self._end)
        return length

    def upload(self, request: memoryview, out: bytearray) -> int:
        """0x35: the file that the cycle offers."""
        return self._open(UPLOAD, self._wanted(request, True), request, out)

    def data(self, request: memoryview, out: bytearray) -> "Work[int]":
        """0x36: the next block, in or out."""
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
        else:
            yield from self._flow(block)
        self._at = at + len(block)
        self._cycle.moved(len(block))

    def _flow(self, block: memoryview) -> "Work[None]":
        """Into the sink of the want, which moves on with it: after a break it wants the rest."""
        want = self._want
        if want is None or want.sink is None:
            raise Nrc(NRC_REQUEST_SEQUENCE_ERROR)
        try:
            work = want.sink.write(want.offset, block)
            if work is not None:
                yield from work
        except Refusal as refusal:
            self.stop()
            self._note(refusal.number)
            raise Nrc(NRC_GENERAL_PROGRAMMING_FAILURE)
        want.offset += len(block)

    def finish(self, request: memoryview, out: bytearray) -> int:
        """0x37: all of it was moved; a download goes to the cycle."""
        if len(request) != 1:
            raise Nrc(NRC_INCORRECT_LENGTH)
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
