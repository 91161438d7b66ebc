"""A UDS server (ISO 14229-1, -2) on ISO-TP: one request at a time, answered in P2.

The server turns a request into a response: it finds the service in a table, checks in the order
that ISO 14229-1 has (figures 5 and 6) what the table says of it, runs its handler slice by slice
and, when P2 or P2* is about to end, says responsePending (0x78) so that a handler may compute for
as long as it needs. A handler fills `out` and returns the length of its response, or a generator
of it that yields `None` after each slice; or it raises `Nrc`.

A functional request is answered like a physical one, but for the refusals that would only say
that it was meant for others; while a physical one is worked on it is dropped. What is behind a
sub-function's sequence, or depends on an identifier, is the handler's to check.
It does NOT answer busyRepeatRequest: meanwhile a second physical request of one frame is not even
received, and a longer one is told to wait.
"""

from uptane.limits import P2_MS, P2_STAR_MS
from uptane.uds.codes import (
    NEGATIVE_RESPONSE,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_RESPONSE_PENDING,
    NRC_SECURITY_ACCESS_DENIED,
    NRC_SERVICE_NOT_IN_SESSION,
    NRC_SERVICE_NOT_SUPPORTED,
    NRC_SUB_FUNCTION_NOT_IN_SESSION,
    NRC_SUB_FUNCTION_NOT_SUPPORTED,
    POSITIVE,
    SESSION_DEFAULT,
    SESSION_EXTENDED,
    SESSION_PROGRAMMING,
    SUPPRESS,
)

if False:  # for the type checker
    from collections.abc import Sequence
    from typing import Protocol, TypeAlias

    from errand import Work
    from uptane.link.isotp import Channel

    # Service; the name of its handler, a method (request, out) -> int | Work[int]; where it is
    # allowed, and its shortest request; of each sub-function, if it has any: itself, where it is
    # allowed, and its length or 0: the handler knows.
    Row: TypeAlias = tuple[int, str, int, tuple[tuple[int, int], ...]]

    class Served(Protocol):
        """`state`: the bit of the active session, and SECURED while security is unlocked.
        `tables`: rows, which are constants and cost no heap, and whose methods they name."""

        state: int

        @property
        def tables(self) -> Sequence[tuple[object, tuple[Row, ...]]]: ...


FUNCTIONAL_BYTES = 7  # a functional request is a single frame
MARGIN_MS = 25  # a slice of computing and the frame itself must fit between here and P2

# Where something is allowed: a bit for each session, and whether security has to be unlocked.
# The low byte is free for a length.
SECURED = 0x100
IN_DEFAULT = SECURED << SESSION_DEFAULT
IN_PROGRAMMING = SECURED << SESSION_PROGRAMMING
BEYOND_DEFAULT = IN_PROGRAMMING | SECURED << SESSION_EXTENDED
ANYWHERE = IN_DEFAULT | BEYOND_DEFAULT

QUIET = (  # refusals that nobody hears who asked all ECUs (ISO 14229-1, 7.5.3)
    NRC_SERVICE_NOT_SUPPORTED,
    NRC_SUB_FUNCTION_NOT_SUPPORTED,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_SUB_FUNCTION_NOT_IN_SESSION,
    NRC_SERVICE_NOT_IN_SESSION,
)


class Nrc(Exception):
    """A negative response; `code` is ISO's."""

    def __init__(self, code: int) -> None:
        self.code = code


class Server:
    """`channels`: the uptane.link.isotp.Channel of requests and responses, and behind it the one
    on which functional requests are heard, if they are. `services` has the table and the state;
    `out` is the buffer in which responses are made.
    """

    def __init__(self, channels: "Sequence[Channel]", services: "Served", out: bytearray) -> None:
        self._channels = channels
        self._channel = channels[0]
        self._asked = channels[0]  # where the request at hand came from
        self._services = services
        self._out = out
        self._task: "Work[int] | None" = None
        self._request = memoryview(b"")
        self._suppress = False
        self._respond_by = 0
        self._said_pending = False
        self.heard_ms = 0  # when a request was last worked on: S3 counts from here

    def busy(self) -> bool:
        """A request is being worked on, or may be taken: call `step` again without sleeping."""
        return self._task is not None or self._called() is not None

    def _called(self) -> "Channel | None":
        """Where a request is, if the response before it, made in the same buffer, has left."""
        if self._channel.idle():
            for channel in self._channels:
                if channel.message is not None:
                    return channel
        return None

    def step(self, now_ms: int) -> None:
        """Take a request that has arrived, or work one slice on the one at hand."""
        if self._task is None:
            called = self._called()
            if called is not None:
                self._begin(called, now_ms)
        if self._task is not None:
            self._work(self._task, now_ms)
            self.heard_ms = now_ms

    def _begin(self, channel: "Channel", now_ms: int) -> None:
        self._asked = channel
        self._request = channel.message or self._request
        self._respond_by = now_ms + P2_MS - MARGIN_MS
        self._suppress = self._said_pending = False
        self._task = self._answer(self._request)

    def _answer(self, request: memoryview) -> "Work[int]":
        owner, (_, name, rule, sub_functions) = self._find(request[0])
        self._check(rule, NRC_SERVICE_NOT_IN_SESSION)
        if len(request) < rule & 0xFF:
            raise Nrc(NRC_INCORRECT_LENGTH)
        if sub_functions:
            asked = self._out[1] = request[1] & ~SUPPRESS
            for number, allowed in sub_functions:
                if number == asked:
                    rule = allowed
                    break
            else:
                raise Nrc(NRC_SUB_FUNCTION_NOT_SUPPORTED)
            self._check(rule, NRC_SUB_FUNCTION_NOT_IN_SESSION)
            if rule & 0xFF not in (0, len(request)):
                raise Nrc(NRC_INCORRECT_LENGTH)
            self._suppress = request[1] != asked
        done = getattr(owner, name)(request, self._out)
        return done if isinstance(done, int) else (yield from done)

    def _find(self, service: int) -> "tuple[object, Row]":
        for owner, rows in self._services.tables:
            for row in rows:
                if row[0] == service:
                    return owner, row
        raise Nrc(NRC_SERVICE_NOT_SUPPORTED)

    def _check(self, rule: int, otherwise: int) -> None:
        state = self._services.state
        if not rule & state & ANYWHERE:
            raise Nrc(otherwise)
        if rule & ~state & SECURED:
            raise Nrc(NRC_SECURITY_ACCESS_DENIED)

    def _work(self, task: "Work[int]", now_ms: int) -> None:
        if now_ms >= self._respond_by and self._channel.idle():
            self._say_pending(now_ms)  # and let it leave before the next slice
            return
        try:
            next(task)
        except StopIteration as end:
            self._respond(end.value)
        except Nrc as refused:
            self._refuse(refused.code)

    def _say_pending(self, now_ms: int) -> None:
        pending = bytes((NEGATIVE_RESPONSE, self._request[0], NRC_RESPONSE_PENDING))
        self._channel.send(pending)
        self._said_pending = True
        self._respond_by = now_ms + P2_STAR_MS - 4 * MARGIN_MS

    def _respond(self, length: int) -> None:
        """A positive response, unless the request wants none; after 0x78 it always comes."""
        self._out[0] = self._request[0] + POSITIVE
        self._done(length, self._suppress)

    def _refuse(self, code: int) -> None:
        """A negative one, unless all were asked and it would say: not me."""
        out = self._out
        out[0] = NEGATIVE_RESPONSE
        out[1] = self._request[0]
        out[2] = code
        self._done(3, self._asked is not self._channel and code in QUIET)

    def _done(self, length: int, quiet: bool) -> None:
        self._task = None
        self._request = memoryview(b"")
        self._asked.taken()
        self._channels[-1].taken()  # what all were asked meanwhile is dropped
        if self._said_pending or not quiet:
            self._channel.send(self._out, length)

    def due_ms(self) -> "int | None":
        return self._respond_by if self._task is not None else None
