"""One TCP connection of the server: uvicorn's own, with patience that ends and the peer's name.

uvicorn waits for ever for the head of a first request and for a client that does not read; here
a head has `head_s` and whatever is on its way out has to move in each `stall_s`, so a slow client
costs one connection for that long and no worker at all (E-20). uvicorn does not tell an
application what certificate the peer showed (the TLS extension of ASGI), so the verified one is
put into the scope's `state` under PEER.
It reads no request and judges no certificate: the TLS layer verified it, `access` reads it.
Rules: E-20, E-22, R-33.
"""

import asyncio
import socket
import struct
from typing import NamedTuple

from uvicorn.protocols.http.h11_impl import H11Protocol

PEER = "peer_certificate"
BUFFER_BYTES = 64 * 1024  # that wait for a client in this process


class Patience(NamedTuple):
    """`head_s`: for the head of a request; `stall_s`: without a byte that the client takes;
    `body_s`: for the body of a request; `rest_s`: of a connection between two requests."""

    head_s: float = 10.0
    stall_s: float = 30.0
    body_s: float = 10.0
    rest_s: float = 10.0


PATIENT = Patience()


class Connection(H11Protocol):
    """`patience` is set by `impatient`."""

    patience = PATIENT

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=BUFFER_BYTES)
        certificate = transport.get_extra_info("peercert") or {}
        self.app_state = {**self.app_state, PEER: certificate}
        self._waiting_bytes = 0
        self._moved = False
        self._stall: asyncio.TimerHandle | None = None
        self._head: asyncio.TimerHandle | None = None
        self._watch_head()
        self._watch_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._head, self._stall):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._moved = True

    def _watch_head(self) -> None:
        """A request's head may take so long from its first byte, or from the connection's."""
        if self.cycle is not None and not self.cycle.response_complete:
            if self._head is not None:
                self._head.cancel()
                self._head = None
        elif self._head is None:
            self._head = self.loop.call_later(self.patience.head_s, self.transport.abort)

    def _watch_writing(self) -> None:
        waiting_bytes = self.transport.get_write_buffer_size()
        if waiting_bytes and self._waiting_bytes and not self._moved:
            # with a reset, or the kernel would hold what nobody takes for minutes
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.transport.abort()
            return
        self._waiting_bytes, self._moved = waiting_bytes, False
        self._stall = self.loop.call_later(self.patience.stall_s, self._watch_writing)


def impatient(given: Patience) -> type[Connection]:
    """The connection that uvicorn is to make."""

    class Impatient(Connection):
        patience = given

    return Impatient
