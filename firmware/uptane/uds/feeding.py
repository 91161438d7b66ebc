"""Serving somebody's wants over UDS: the other half of `uptane.cycle`.

`feed` asks a server "what do you want next?" and brings it, until it wants nothing more. It runs
on the Primary towards its Secondaries and, unchanged, in the host's feeder towards the Primary.
It holds no key and decides nothing: a `source` knows the files. The server may lie: what it
answers is bounded (`Bounds`), and what makes no sense is BadShape. The source's methods are
generators, so that a Primary's source may itself want a file first:
  find(file, detail, offset) -> None (absent), or an object with `length` (bytes from `offset` on)
                                and read_into(buffer, at)
  take(file, raw)            -> is handed a file that the server offered
Rules: V-32, V-42, V-50, V-52, S-37.
"""

from uptane import cbor
from uptane.errors import BadShape, PeerRefused, SlowRetrieval, TooLong
from uptane.ids import KIND_REPORT, LOCAL
from uptane.limits import (
    LATER_MS_MAX,
    PATIENCE_MS,
    REPORT_BYTES_MAX,
    SECONDARIES_MAX,
    WANTS_MAX,
)
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
    WANTS_INSTALL,
    WANTS_LATER,
    WANTS_NOTHING,
    WANTS_REFUSED,
)

if False:  # for the type checker
    from typing import Protocol

    from errand import Cycle, Wait
    from shapes import Ticking
    from uptane.uds.client import Client

    class Found(Protocol):
        """A file on its way: `length` bytes, read from any place among them."""

        length: int

        def read_into(self, buffer: memoryview, at: int) -> None: ...

    class Source(Protocol):
        def find(self, file: bytes, detail: object, offset: int) -> Cycle[Found | None]: ...
        def take(self, file: bytes, raw: bytes) -> Cycle[None]: ...


LATER_MS_MIN = 50  # we do not ask more often
STATUS = 4  # where a routine's status record begins in a response


class Bounds:
    """What a server may ask of us: `upload_bytes` of one file that it offers, `later_ms` of
    waiting in one cycle, `wants` in one cycle."""

    def __init__(self, upload_bytes: int, later_ms: int, wants: int) -> None:
        self.upload_bytes = upload_bytes
        self.later_ms = later_ms
        self.wants = wants


def of_a_secondary() -> Bounds:
    return Bounds(REPORT_BYTES_MAX, LATER_MS_MAX, WANTS_MAX)


def of_a_primary() -> Bounds:
    """It wants for all of its Secondaries, and waits for their trials."""
    ecus = SECONDARIES_MAX + 2
    return Bounds(REPORT_BYTES_MAX * ecus, PATIENCE_MS, WANTS_MAX * ecus)


class Held:
    """A file held in memory, as a source returns it."""

    def __init__(self, raw: bytes, offset: int = 0) -> None:
        self._raw = memoryview(raw)
        self._offset = offset
        self.length = len(raw) - offset

    def read_into(self, buffer: memoryview, at: int) -> None:
        start = self._offset + at
        buffer[:] = self._raw[start : start + len(buffer)]


class Wanted:
    """A want as its server says it (CBOR rule `want`, `raw`): `file` number, `detail`, `offset`,
    `cap`, `form`, and `part`: so many bytes of it at a time, or None. Refusals of cbor.loads;
    BadShape."""

    def __init__(self, raw: bytes) -> None:
        want = cbor.loads(raw)
        if not isinstance(want, list) or not 5 <= len(want) <= 6 or not isinstance(want[0], bytes):
            raise BadShape
        self.raw = raw
        file, self.detail, offset, cap, form = want[:5]
        part = want[5] if len(want) > 5 else None
        if len(file) != 6 or type(offset) is not int or type(cap) is not int:
            raise BadShape
        if part is not None and (type(part) is not int or part < 1):
            raise BadShape
        if offset < 0 or cap < 1 or type(form) is not int or not 0 <= form <= 0xFF:
            raise BadShape
        self.file: bytes = file
        self.offset = offset
        self.cap = cap
        self.form = form
        self.part: int | None = part

    def most(self, found: "Found") -> int:
        """How many bytes of what was found it takes now."""
        return found.length if self.part is None else min(found.length, self.part)


class Feeding:
    """Serves the wants of the server behind `client` out of `source`. `block` is the buffer in
    which requests are made; `bounds` is what the server may ask, of_a_secondary() if not given;
    `clock` gives ticks_ms()."""

    def __init__(
        self,
        client: "Client",
        source: "Source",
        block: bytearray,
        bounds: "Bounds | None" = None,
    ) -> None:
        self._client = client
        self._source = source
        self._block = memoryview(block)
        self._bounds = bounds or of_a_secondary()
        self._later_ms = 0
        self._wants = 0

    def begin(self) -> "Wait[None]":
        """Open the programming session and let the server begin a cycle."""
        yield from self._client.request(bytes((DIAGNOSTIC_SESSION_CONTROL, SESSION_PROGRAMMING)))
        yield from self.routine(RID_CYCLE)

    def end(self) -> "Wait[None]":
        """Back to the default session: the application may run again."""
        yield from self._client.request(bytes((DIAGNOSTIC_SESSION_CONTROL, SESSION_DEFAULT)))

    def routine(self, number: int, record: bytes = b"") -> "Wait[memoryview]":
        """Start a routine; returns its status record (a memoryview). BadShape if the response is
        not that routine's."""
        request = bytes((ROUTINE_CONTROL, START_ROUTINE, number >> 8, number & 0xFF)) + record
        reply = yield from self._client.request(request)
        if bytes(reply[1:STATUS]) != request[1:STATUS]:
            raise BadShape
        return reply[STATUS:]

    def ask(self, clock: "Ticking") -> "Wait[Wanted | int]":
        """What it wants next, when it knows; or WANTS_NOTHING or WANTS_INSTALL.

        Refusals: PeerRefused, with its number, when the server's cycle ended in a refusal;
        SlowRetrieval when it says later for too long; BadShape for nonsense."""
        while True:
            status = bytes((yield from self.routine(RID_WANTS)))
            what = status[0] if status else -1
            if what == WANTS_FILE:
                return Wanted(status[1:])
            if what == WANTS_LATER and len(status) == 3:
                yield from self._wait(clock, status[1] << 8 | status[2])
            elif what == WANTS_REFUSED and len(status) == 2:
                raise PeerRefused(status[1])
            elif what in (WANTS_NOTHING, WANTS_INSTALL):
                return what
            else:
                raise BadShape

    def once(self, clock: "Ticking") -> "Cycle[int]":
        """Ask once and bring what is wanted. Returns WANTS_FILE (there may be more),
        WANTS_NOTHING or WANTS_INSTALL. Refusals of `ask`, and TooLong."""
        said = yield from self.ask(clock)
        if isinstance(said, int):
            return said
        yield from self.bring(said)
        return WANTS_FILE

    def _wait(self, clock: "Ticking", later_ms: int) -> "Wait[None]":
        later_ms = max(later_ms, LATER_MS_MIN)
        self._later_ms += later_ms
        if self._later_ms > self._bounds.later_ms:
            raise SlowRetrieval
        until = clock.ticks_ms() + later_ms
        while clock.ticks_ms() < until:
            yield until

    def serve(self, clock: "Ticking") -> "Cycle[int]":
        """Answer wants until there are none; returns WANTS_NOTHING or WANTS_INSTALL. Refusals of
        once(), and SlowRetrieval when it never has enough."""
        while True:
            what = yield from self.once(clock)
            if what != WANTS_FILE:
                return what

    def bring(self, want: "Wanted") -> "Cycle[None]":
        """Bring it, or fetch what is offered. Refusals of `count`, and TooLong."""
        self.count()
        file = want.file
        if file[0] == LOCAL and file[1] == KIND_REPORT:
            raw = yield from self._upload(file, want.cap)
            yield from self._source.take(file, raw)
            yield from self.routine(RID_ANSWER, file + bytes((ANSWER_TAKEN,)))
            return
        found = yield from self.find(want)
        if found is None:
            yield from self.routine(RID_ANSWER, file + bytes((ANSWER_ABSENT,)))
        else:
            yield from self.download(want, found, want.most(found))

    def count(self) -> None:
        """One want more. SlowRetrieval when it never has enough."""
        self._wants += 1
        if self._wants > self._bounds.wants:
            raise SlowRetrieval

    def find(self, want: "Wanted") -> "Cycle[Found | None]":
        """What the source has of it."""
        return (yield from self._source.find(want.file, want.detail, want.offset))

    def download(self, want: "Wanted", found: "Found", length: int) -> "Wait[None]":
        """The first `length` bytes of `found`."""
        block = self._block
        reply = yield from self._open(REQUEST_DOWNLOAD, want.file, length, want.form)
        if len(reply) != 4:
            raise BadShape
        room = min(reply[2] << 8 | reply[3], len(block)) - 2
        if room < 1:
            raise BadShape
        at = 0
        counter = 1
        while at < length:
            take = min(room, length - at)
            block[0] = TRANSFER_DATA
            block[1] = counter
            found.read_into(block[2 : 2 + take], at)
            yield from self._client.request(block, take + 2)
            self._client.gave(take)
            counter = (counter + 1) & 0xFF
            at += take
        yield from self._client.request(bytes((REQUEST_TRANSFER_EXIT,)))

    def _upload(self, file: bytes, length: int) -> "Wait[bytes]":
        if not 0 < length <= self._bounds.upload_bytes:
            raise TooLong
        raw = bytearray(length)
        yield from self._open(REQUEST_UPLOAD, file, length)
        at = 0
        counter = 1
        while at < length:
            reply = yield from self._client.request(bytes((TRANSFER_DATA, counter)))
            take = len(reply) - 2
            if take < 1 or at + take > length or reply[1] != counter:
                raise BadShape
            raw[at : at + take] = reply[2:]
            at += take
            counter = (counter + 1) & 0xFF
        yield from self._client.request(bytes((REQUEST_TRANSFER_EXIT,)))
        return bytes(raw)

    def _open(self, service: int, file: bytes, length: int, form: int = 0) -> "Wait[memoryview]":
        head = bytes((service, form, ADDRESS_FORMAT))
        reply = yield from self._client.request(head + file + length.to_bytes(4, "big"))
        return reply
