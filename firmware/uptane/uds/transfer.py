"""One file on its way in or out: RequestDownload, RequestUpload, TransferData, TransferExit.

A download is accepted only if it matches the open want of the cycle exactly: its file number, and
no more bytes than the want allows. Small files are gathered in memory; an image flows into the
want's sink. A repeated block counter is answered and written once (ISO 14229-1, 15.4). Bytes that
nobody wanted, or too many, are refused with a number and change nothing.
Rules: V-61, V-64, E-19, E-20, E-77, E-78.
"""

from uptane.errors import Refusal, TooLong, TooMuch, Unwanted, WrongFile
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

NONE = 0
DOWNLOAD = 1
UPLOAD = 2
OPEN_BYTES = 13  # service, format, address and size


class Transfer:
    """At most one transfer at a time. `note(number)` is told of each refusal."""

    def __init__(self, cycle: "Cycle", note: "Callable") -> None:
        self._cycle = cycle
        self._note = note
        self._direction = NONE
        self._want: "Want | None" = None
        self._memory: "bytearray | None" = None
        self._at = 0
        self._end = 0
        self._counter = 0
        self._last = 0  # bytes of the last block sent, in case it is asked for again

    def stop(self) -> None:
        self._direction = NONE
        self._memory = self._want = None

    def _refused(self, refusal: "type[Refusal]", code: int) -> Nrc:
        self._note(refusal.number)
        return Nrc(code)

    def _opened(self, request: memoryview) -> int:
        """Check a request to open a transfer against the open want; returns its size."""
        if len(request) != OPEN_BYTES or request[2] != ADDRESS_FORMAT:
            raise Nrc(NRC_INCORRECT_LENGTH)
        want = self._cycle.want
        if want is None:
            raise self._refused(Unwanted, NRC_REQUEST_OUT_OF_RANGE)
        if bytes(request[3:9]) != file_number(want):
            raise self._refused(WrongFile, NRC_REQUEST_OUT_OF_RANGE)
        size = int.from_bytes(bytes(request[9:]), "big")
        if not 0 < size <= want.cap - want.offset:
            raise self._refused(TooLong, NRC_REQUEST_OUT_OF_RANGE)
        self._want = want
        self._at = 0
        self._end = size
        self._counter = 0
        return size

    def _reply(self, out: bytearray) -> int:
        out[1] = 0x20
        out[2] = (BLOCK_BYTES + 2) >> 8
        out[3] = (BLOCK_BYTES + 2) & 0xFF
        return 4

    def download(self, request: memoryview, out: bytearray) -> "Generator":
        """0x34: bytes for the open want."""
        self.stop()
        size = self._opened(request)
        want = self._cycle.want
        if want.offer is not None:
            raise self._refused(Unwanted, NRC_REQUEST_OUT_OF_RANGE)
        if want.sink is None:
            self._memory = bytearray(size)
        self._direction = DOWNLOAD
        return self._reply(out)
        yield

    def upload(self, request: memoryview, out: bytearray) -> "Generator":
        """0x35: the file that the cycle offers."""
        self.stop()
        self._opened(request)
        if self._cycle.want.offer is None:
            raise self._refused(Unwanted, NRC_REQUEST_OUT_OF_RANGE)
        self._direction = UPLOAD
        return self._reply(out)
        yield

    def data(self, request: memoryview, out: bytearray) -> "Generator":
        """0x36: the next block, in or out."""
        if self._direction == NONE or self._want is not self._cycle.want:
            raise self._refused(Unwanted, NRC_REQUEST_SEQUENCE_ERROR)
        if len(request) < 2:
            raise Nrc(NRC_INCORRECT_LENGTH)
        counter = request[1]
        repeated = counter == self._counter and (self._at or self._last)
        if not repeated and counter != (self._counter + 1) & 0xFF:
            raise Nrc(NRC_WRONG_BLOCK_SEQUENCE_COUNTER)
        self._counter = counter
        out[1] = counter
        if self._direction == UPLOAD:
            return self._send(out, repeated)
        if not repeated:
            self._write(request[2:])
        return 2
        yield

    def _send(self, out: bytearray, repeated: bool) -> int:
        if repeated:
            self._at -= self._last
        take = min(UPLOAD_BYTES, self._end - self._at)
        out[2 : 2 + take] = self._want.offer[self._at : self._at + take]
        self._at += take
        self._last = take
        return take + 2

    def _write(self, block: memoryview) -> None:
        at = self._at
        if at + len(block) > self._end or not block:
            self.stop()
            raise self._refused(TooMuch, NRC_TRANSFER_DATA_SUSPENDED)
        if self._memory is not None:
            self._memory[at : at + len(block)] = block
        else:
            try:
                self._want.sink.write(self._want.offset + at, block)
            except Refusal as refusal:
                self.stop()
                self._note(refusal.number)
                raise Nrc(NRC_GENERAL_PROGRAMMING_FAILURE)
        self._at = at + len(block)

    def finish(self, request: memoryview, out: bytearray) -> "Generator":
        """0x37: all of it was moved; a download goes to the cycle."""
        if self._direction == NONE or self._at != self._end:
            raise Nrc(NRC_REQUEST_SEQUENCE_ERROR)
        if self._direction == DOWNLOAD and self._cycle.want is self._want:
            self._cycle.answer(True if self._memory is None else self._memory)
        self.stop()
        return 1
        yield


def file_number(want: "Want") -> bytes:
    """(repository u8, kind u8, number u32), big-endian."""
    return bytes((want.repository, want.kind)) + want.number.to_bytes(4, "big")
