"""HTTP connections that end at a moment, whatever a server does with its bytes.

A socket's own time-out begins anew with each byte, headers included. Here every read looks at the
moment until which all of it has to be there: status, headers, redirections and body. Only http and
https are opened. Looking up the name of a host is left to the system's own bounds.
Rules: E-03.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from functools import partial
from typing import Any


class Bytes(io.RawIOBase):
    """What a socket receives. TimeoutError after `quiet_s` without a byte, and at `until`."""

    def __init__(self, connected: socket.socket, quiet_s: float, until: float) -> None:
        super().__init__()
        self._socket = connected
        self._raw: Any = connected.makefile("rb", buffering=0)
        self._quiet_s = quiet_s
        self._until = until

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Wait for the next bytes."""
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("too slow")
        self._socket.settimeout(min(self._quiet_s, left_s))
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class Response(http.client.HTTPResponse):
    """An answer whose bytes come until a moment."""

    def __init__(self, limits: tuple[float, float], connected: socket.socket, *a: Any, **b: Any):
        super().__init__(connected, *a, **b)
        self.fp.close()
        self.fp = io.BufferedReader(Bytes(connected, *limits))


class Opener(urllib.request.OpenerDirector):
    """Opens addresses; quiet_s: the longest wait for a byte, until: the end of all of it, by the
    monotonic clock, in seconds."""

    def __init__(self, quiet_s: float, until: float) -> None:
        super().__init__()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.UnknownHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPErrorProcessor(),
            Plain((quiet_s, until)),
            Secure((quiet_s, until)),
        ):
            self.add_handler(handler)


class Plain(urllib.request.HTTPHandler):
    """http"""

    def __init__(self, limits: tuple[float, float]) -> None:
        super().__init__()
        self._make: Any = partial(_connection, http.client.HTTPConnection, limits)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open an address."""
        return self.do_open(self._make, req)


class Secure(urllib.request.HTTPSHandler):
    """https"""

    def __init__(self, limits: tuple[float, float]) -> None:
        super().__init__()
        self._make: Any = partial(_connection, http.client.HTTPSConnection, limits)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Open an address."""
        return self.do_open(self._make, req)


def _connection(kind: Any, limits: tuple[float, float], host: str, **options: Any) -> Any:
    quiet_s, until = limits
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise TimeoutError("too slow")
    connection = kind(host, **{**options, "timeout": min(quiet_s, left_s)})
    connection.response_class = partial(Response, limits)
    return connection
