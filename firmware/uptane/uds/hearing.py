"""A transfer that also takes what crosses the bus once for several ECUs (uptane.link.broadcast).

RID_LISTEN is a RequestDownload whose blocks come with a tag on the broadcast identifier in place
of TransferData, and the same request again asks how far that has come. A block that is not the
next one is left alone: whoever sends sees it, and brings what is missing by a download. Like
those, it moves nothing that the open want does not want, and every byte is verified afterwards.
Rules: V-32, V-61, V-64, V-87, E-77, E-78.
"""

from uptane.limits import BLOCK_BYTES
from uptane.uds.codes import NRC_INCORRECT_LENGTH, NRC_REQUEST_OUT_OF_RANGE, REQUEST_DOWNLOAD
from uptane.uds.server import Nrc
from uptane.uds.transfer import NONE, OPEN_BYTES, Transfer

if False:  # for the type checker
    from errand import Work
    from uptane.link.broadcast import Air
    from uptane.uds.transfer import Taker

TAG_AT = 4  # in a request: service, sub-function, routine
BLOCK_MS = 50  # for writing a block, until it was measured


class Hearing(Transfer):
    """`air`: where blocks come from; `ecu` as Transfer has it."""

    hears = True

    def __init__(self, ecu: "Taker", air: "Air") -> None:
        Transfer.__init__(self, ecu)
        self._air = air
        self._base = 0  # where in the file the first byte belongs that was heard
        self._block_ms = BLOCK_MS
        self._began_ms = 0

    def stop(self) -> None:
        Transfer.stop(self)
        self._air.listen(0, b"")

    def writing(self) -> bool:
        return Transfer.writing(self) or self._air.block is not None

    def listen(self, request: memoryview, out: bytearray, at: int) -> "Work[int]":
        """RID_LISTEN: a tag, and the RequestDownload that it stands for. The status record, at
        `at` of `out`: bytes of the file that are there u32, ms that a block takes to write u16."""
        opening = request[TAG_AT + 1 :]
        if len(opening) != OPEN_BYTES:
            raise Nrc(NRC_INCORRECT_LENGTH)
        if not request[TAG_AT] or opening[0] != REQUEST_DOWNLOAD:
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        while self.writing():
            yield  # the main loop steps it
        want = self._wanted(opening, False)
        if self._air.tag != request[TAG_AT] or self._want is not want:
            self._open(NONE, want, opening)
            self._gather(want)
            self._base = want.offset
            self._listen_on(request[TAG_AT])
        out[at : at + 4] = (self._base + self._at).to_bytes(4, "big")
        block_ms = 0 if want.sink is None else self._block_ms
        out[at + 4 : at + 6] = min(block_ms, 0xFFFF).to_bytes(2, "big")
        return at + 6

    def _listen_on(self, tag: int) -> None:
        """To the next block: a small file is heard to where it belongs."""
        if self._memory is not None:
            self._air.listen(tag, memoryview(self._memory)[self._at :])
        else:
            self._air.listen(tag, self._block or bytearray(BLOCK_BYTES))

    def step(self) -> None:
        """Write a slice of a block, or begin with one that was heard."""
        block = self._air.block
        if self._flow is None and block is not None:
            self._hear(block)
            return
        Transfer.step(self)
        if self._flow is None and block is not None:
            self._heard(len(block))

    def _hear(self, block: memoryview) -> None:
        at = self._at
        if self._air.offset != self._base + at or at + len(block) > self._end:
            self._air.taken()  # one is missing before it: that, whoever sends will see
            return
        self._began_ms = self._cycle.clock.ticks_ms()
        if self._memory is None:
            self._flow = self._flowing(block)
        else:
            self._heard(len(block))

    def _heard(self, count: int) -> None:
        """So many bytes are where they belong."""
        if self._want is None or self._want is not self._cycle.want:
            self.stop()
            return
        self._at += count
        if self._memory is None:
            self._air.taken()
        else:
            self._listen_on(self._air.tag)
        self._block_ms = self._cycle.clock.ticks_ms() - self._began_ms + 1  # rounded up
        self._cycle.moved(count)
        if self._at == self._end:
            self._cycle.answer(True if self._memory is None else self._memory)
            self.stop()
