"""A UDS server (ISO 14229-1, -2) on one ISO-TP channel: one request at a time, answered in P2.

The server turns a request into a response: it finds the service, runs its handler slice by slice
and, when P2 or P2* is about to end, says responsePending (0x78) so that a handler may compute for
as long as it needs. A handler is a generator: it yields `None` after each slice, fills `out` and
returns the length of its response; or raises `Nrc`.

It does NOT do functional addressing or security access yet. No service here installs, rolls
back or re-identifies anything by itself (S-39, T-55).
"""

from uptane.limits import P2_MS, P2_STAR_MS
from uptane.uds.codes import (
    NEGATIVE_RESPONSE,
    NRC_RESPONSE_PENDING,
    NRC_SERVICE_NOT_SUPPORTED,
    POSITIVE,
    SUPPRESS,
    WITH_SUB_FUNCTION,
)

if False:  # for the type checker
    from collections.abc import Callable, Mapping

    from errand import Work
    from uptane.link.isotp import Channel

    Handler = Callable[[memoryview, bytearray], Work[int]]

MARGIN_MS = 25  # a slice of computing and the frame itself must fit between here and P2


class Nrc(Exception):
    """A negative response; `code` is ISO's."""

    def __init__(self, code: int) -> None:
        self.code = code


class Server:
    """`services` maps a service number to a handler(request, out) -> generator of a length.

    `channel` is the uptane.link.isotp.Channel of requests and responses; `out` is the buffer in
    which responses are made.
    """

    def __init__(
        self, channel: "Channel", services: "Mapping[int, Handler]", out: bytearray
    ) -> None:
        self._channel = channel
        self._services = services
        self._out = out
        self._pending = bytearray(3)
        self._task: "Work[int] | None" = None
        self._request = memoryview(b"")
        self._respond_by = 0
        self._said_pending = False
        self.heard_ms = 0  # when a request was last worked on: S3 counts from here

    def busy(self) -> bool:
        """A request is being worked on, or may be taken: call `step` again without sleeping."""
        return self._task is not None or self._called()

    def _called(self) -> bool:
        """A request is there, and the response before it, made in the same buffer, has left."""
        return self._channel.message is not None and self._channel.idle()

    def step(self, now_ms: int) -> None:
        """Take a request that has arrived, or work one slice on the one at hand."""
        request = self._channel.message
        if self._task is None and request is not None and self._called():
            self._begin(request, now_ms)
        if self._task is not None:
            self._work(self._task, now_ms)
            self.heard_ms = now_ms

    def _begin(self, request: memoryview, now_ms: int) -> None:
        self._request = request
        self._respond_by = now_ms + P2_MS - MARGIN_MS
        self._said_pending = False
        self._task = self._answer(request)

    def _answer(self, request: memoryview) -> "Work[int]":
        handler = self._services.get(request[0])
        if handler is None:
            raise Nrc(NRC_SERVICE_NOT_SUPPORTED)
        return (yield from handler(request, self._out))

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
        pending = self._pending
        pending[0] = NEGATIVE_RESPONSE
        pending[1] = self._request[0]
        pending[2] = NRC_RESPONSE_PENDING
        self._channel.send(pending)
        self._said_pending = True
        self._respond_by = now_ms + P2_STAR_MS - 4 * MARGIN_MS

    def _respond(self, length: int) -> None:
        """A positive response, unless the request wants none; after 0x78 it always comes."""
        service = self._request[0]
        suppress = service in WITH_SUB_FUNCTION and self._request[1] & SUPPRESS
        self._done()
        if not suppress or self._said_pending:
            self._out[0] = service + POSITIVE
            self._channel.send(self._out, length)

    def _refuse(self, code: int) -> None:
        out = self._out
        out[0] = NEGATIVE_RESPONSE
        out[1] = self._request[0]
        out[2] = code
        self._done()
        self._channel.send(out, 3)

    def _done(self) -> None:
        self._task = None
        self._request = memoryview(b"")
        self._channel.taken()

    def due_ms(self) -> "int | None":
        return self._respond_by if self._task is not None else None
