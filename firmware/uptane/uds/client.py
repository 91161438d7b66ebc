"""A UDS client (ISO 14229-1, -2) on one ISO-TP channel, as a generator.

`request` sends, then yields the time (ms) until which there is nothing to do but wait for frames,
and returns the response. It waits for P2, as the server announced it for its session;
responsePending (0x78) moves the deadline to P2*; a negative response raises Negative, silence
raises NoReply (and P2 is again that of the default session). The caller feeds the channel and
puts its frames on the bus; a lost frame ends the wait as NoReply would. However a server behaves,
one request is over within EXCHANGE_MS_MAX; all requests together may have a budget of time, to
which the server adds by taking bytes at the floor of `uptane.pace`.

Whoever asks the same server besides is answered on the same identifiers; so a client hears nothing
while it waits for nothing, and no flow control of its own disturbs them.
It does not repeat a request: what to do about silence is for its caller to decide.
Rules: V-32, T-49, E-72.
"""

from uptane.errors import Negative, NoReply, SlowRetrieval
from uptane.limits import EXCHANGE_MS_MAX, P2_MS, P2_STAR_MS, PACE_WINDOW_MS
from uptane.uds.codes import (
    DIAGNOSTIC_SESSION_CONTROL,
    NEGATIVE_RESPONSE,
    NRC_RESPONSE_PENDING,
    POSITIVE,
)

if False:  # for the type checker
    from errand import Wait
    from hashes import Buffer
    from shapes import Ticking
    from uptane.link.isotp import Channel

# Added to the server's P2 for the way there and back: a response of one block takes its time on
# a slow bus, and the clock of the client starts when the request has left.
TRANSPORT_MS = 450


class Client:
    """`channel` is the conversation with one server, `clock` gives ticks_ms()."""

    def __init__(self, channel: "Channel", clock: "Ticking") -> None:
        self.channel = channel
        channel.deaf = True
        self._clock = clock
        self._p2_ms = P2_MS
        self._left_ms: int | None = None  # of the budget; None: there is none
        self._floor = 1

    def allow(self, budget_ms: int, floor: int) -> None:
        """From now on all requests together have so much time; `floor` bytes that the server took
        add a window to it."""
        self._left_ms = budget_ms
        self._floor = floor

    def gave(self, count: int) -> None:
        """The server took so many bytes."""
        if self._left_ms is not None:
            self._left_ms += count * PACE_WINDOW_MS // self._floor

    def request(self, message: "Buffer", length: int = -1) -> "Wait[memoryview]":
        """Send `length` bytes of `message` and return the positive response (a memoryview that
        is valid until the next request). Negative, NoReply, SlowRetrieval over the budget."""
        left_ms = self._left_ms
        most_ms = EXCHANGE_MS_MAX if left_ms is None else min(left_ms, EXCHANGE_MS_MAX)
        if most_ms <= 0:
            raise SlowRetrieval
        began_ms = self._clock.ticks_ms()
        self.channel.deaf = False
        try:
            reply = yield from self._exchange(message, length, began_ms + most_ms)
        except NoReply:
            self._p2_ms = P2_MS
            if left_ms is not None and self._clock.ticks_ms() - began_ms >= left_ms:
                raise SlowRetrieval
            raise
        finally:
            self.channel.deaf = True
            if left_ms is not None:
                self._left_ms = left_ms - (self._clock.ticks_ms() - began_ms)
        if reply[0] == DIAGNOSTIC_SESSION_CONTROL + POSITIVE and len(reply) >= 4:
            self._p2_ms = min(reply[2] << 8 | reply[3], P2_STAR_MS)
        return reply

    def _exchange(self, message: "Buffer", length: int, over_at: int) -> "Wait[memoryview]":
        channel = self.channel
        channel.taken()
        channel.send(message, length)
        while not channel.idle():
            if self._clock.ticks_ms() >= over_at:
                channel.abort()
                raise NoReply
            yield self._clock.ticks_ms() + TRANSPORT_MS
        reply_by = self._clock.ticks_ms() + self._p2_ms + TRANSPORT_MS
        while True:
            reply = channel.message
            reply_by = min(reply_by, over_at)
            if reply is None:
                now = self._clock.ticks_ms()
                if channel.frames_left() and now < over_at:
                    reply_by = now + TRANSPORT_MS
                elif now >= reply_by:
                    raise NoReply
                yield reply_by
            elif reply[0] == message[0] + POSITIVE:
                return reply
            elif len(reply) >= 3 and reply[0] == NEGATIVE_RESPONSE and reply[1] == message[0]:
                code = reply[2]
                channel.taken()
                if code != NRC_RESPONSE_PENDING:
                    raise Negative(code)
                reply_by = self._clock.ticks_ms() + P2_STAR_MS + TRANSPORT_MS
            else:
                channel.taken()  # the answer to something we no longer wait for
