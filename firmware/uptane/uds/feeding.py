"""Serving somebody's wants over UDS: the other half of `uptane.cycle`.

`feed` asks a server "what do you want next?" and brings it, until it wants nothing more. It runs
on the Primary towards its Secondaries and, unchanged, in the host's feeder towards the Primary.
It holds no key and decides nothing: a `source` knows the files. Its methods are generators, so
that a Primary's source may itself want a file first:
  find(file, detail, offset) -> None (absent), or an object with `length` (bytes from `offset` on)
                                and read_into(buffer, at)
  take(file, raw)            -> is handed a file that the server offered
Rules: V-42, V-50, V-52, S-37.
"""

from uptane import cbor
from uptane.errors import BadShape, PeerRefused, TooLong
from uptane.ids import KIND_REPORT, LOCAL
from uptane.limits import REPORT_BYTES_MAX, SECONDARIES_MAX
from uptane.uds.codes import (
    ADDRESS_FORMAT,
    ANSWER_ABSENT,
    ANSWER_TAKEN,
    DIAGNOSTIC_SESSION_CONTROL,
    REQUEST_DOWNLOAD,
    REQUEST_TRANSFER_EXIT,
    REQUEST_UPLOAD,
    RID_ANSWER,
    RID_CYCLE,
    RID_WANTS,
    ROUTINE_CONTROL,
    SESSION_DEFAULT,
    SESSION_PROGRAMMING,
    START_ROUTINE,
    TRANSFER_DATA,
    WANTS_FILE,
    WANTS_LATER,
    WANTS_REFUSED,
)

UPLOAD_BYTES_MAX = REPORT_BYTES_MAX * (SECONDARIES_MAX + 2)


class Held:
    """A file held in memory, as a source returns it."""

    def __init__(self, raw: bytes, offset: int = 0) -> None:
        self._raw = memoryview(raw)
        self._offset = offset
        self.length = len(raw) - offset

    def read_into(self, buffer: memoryview, at: int) -> None:
        start = self._offset + at
        buffer[:] = self._raw[start : start + len(buffer)]


class Feeding:
    """Serves the wants of the server behind `client` out of `source`. `block` is the buffer in
    which requests are made; `clock` gives ticks_ms()."""

    def __init__(self, client: "Client", source: "Source", block: bytearray) -> None:
        self._client = client
        self._source = source
        self._block = memoryview(block)

    def begin(self) -> "Generator":
        """Open the programming session and let the server begin a cycle."""
        yield from self._client.request(bytes((DIAGNOSTIC_SESSION_CONTROL, SESSION_PROGRAMMING)))
        yield from self.routine(RID_CYCLE)

    def end(self) -> "Generator":
        """Back to the default session: the application may run again."""
        yield from self._client.request(bytes((DIAGNOSTIC_SESSION_CONTROL, SESSION_DEFAULT)))

    def routine(self, number: int, record: bytes = b"") -> "Generator":
        """Start a routine; returns its status record (a memoryview)."""
        request = bytes((ROUTINE_CONTROL, START_ROUTINE, number >> 8, number & 0xFF)) + record
        reply = yield from self._client.request(request)
        return reply[4:]

    def once(self, clock: "Clock") -> "Generator":
        """Ask once and bring what is wanted. Returns WANTS_FILE (there may be more),
        WANTS_NOTHING or WANTS_INSTALL; PeerRefused, with its number, when the server's cycle
        ended in a refusal."""
        status = yield from self.routine(RID_WANTS)
        what = status[0]
        if what == WANTS_FILE:
            yield from self._bring(bytes(status[1:]))
        elif what == WANTS_LATER:
            until = clock.ticks_ms() + (status[1] << 8 | status[2])
            while clock.ticks_ms() < until:
                yield until
            what = WANTS_FILE
        elif what == WANTS_REFUSED:
            raise PeerRefused(status[1])
        return what

    def serve(self, clock: "Clock") -> "Generator":
        """Answer wants until there are none; returns WANTS_NOTHING or WANTS_INSTALL."""
        what = WANTS_FILE
        while what == WANTS_FILE:
            what = yield from self.once(clock)
        return what

    def _bring(self, raw_want: bytes) -> "Generator":
        want = cbor.loads(raw_want)
        if not isinstance(want, list) or len(want) != 4 or not isinstance(want[0], bytes):
            raise BadShape
        file, detail, offset, cap = want
        if len(file) != 6 or not isinstance(offset, int) or not isinstance(cap, int):
            raise BadShape
        if file[0] == LOCAL and file[1] == KIND_REPORT:
            raw = yield from self._upload(file, cap)
            yield from self._source.take(file, raw)
            yield from self.routine(RID_ANSWER, file + bytes((ANSWER_TAKEN,)))
            return
        found = yield from self._source.find(file, detail, offset)
        if found is None:
            yield from self.routine(RID_ANSWER, file + bytes((ANSWER_ABSENT,)))
        else:
            yield from self._download(file, found)

    def _download(self, file: bytes, found: "Held") -> "Generator":
        block = self._block
        reply = yield from self._open(REQUEST_DOWNLOAD, file, found.length)
        room = min(reply[2] << 8 | reply[3], len(block)) - 2
        at = 0
        counter = 1
        while at < found.length:
            take = min(room, found.length - at)
            block[0] = TRANSFER_DATA
            block[1] = counter
            found.read_into(block[2 : 2 + take], at)
            yield from self._client.request(block, take + 2)
            counter = (counter + 1) & 0xFF
            at += take
        yield from self._client.request(bytes((REQUEST_TRANSFER_EXIT,)))

    def _upload(self, file: bytes, length: int) -> "Generator":
        if length > UPLOAD_BYTES_MAX:
            raise TooLong
        raw = bytearray(length)
        yield from self._open(REQUEST_UPLOAD, file, length)
        at = 0
        counter = 1
        while at < length:
            reply = yield from self._client.request(bytes((TRANSFER_DATA, counter)))
            take = len(reply) - 2
            if take < 1 or at + take > length:
                raise BadShape
            raw[at : at + take] = reply[2:]
            at += take
            counter = (counter + 1) & 0xFF
        yield from self._client.request(bytes((REQUEST_TRANSFER_EXIT,)))
        return bytes(raw)

    def _open(self, service: int, file: bytes, length: int) -> "Generator":
        head = bytes((service, 0, ADDRESS_FORMAT))
        reply = yield from self._client.request(head + file + length.to_bytes(4, "big"))
        return reply
