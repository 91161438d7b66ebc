"""A courier: files from a server and messages to it, over HTTP(S), within bounds.

Every answer is bounded in bytes, every step and every whole file in seconds. A file that broke off
goes on where it broke (Range, If-Range), over a new connection, and begins anew if it has changed
meanwhile. A message is sent again when its answer was lost: the office refuses the second copy of
one that had arrived, and that is the answer. It follows no redirection, and shows its token to the
private part of the API alone. It does not know what the bytes mean.
Rules: R-05, R-33, E-19, E-20, E-73.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import ValidationError

from muptane.oem.errors import Exposed, Replayed, TooLarge, Unreachable
from muptane.oem.web.problems import MEDIA, PROBLEM_BYTES_MAX, Problem, refusal_of
from muptane.oem.web.server import is_loopback

READ_BYTES = 64 * 1024
CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


class Bounds(NamedTuple):
    """What a server may take: `step_s` for each step of a conversation, `file_s` for a whole file;
    `tries` in a row that bring nothing; `wait_s`, the longest that it may ask to be left alone."""

    step_s: float = 10.0
    file_s: float = 300.0
    tries: int = 3
    wait_s: float = 5.0


BOUNDS = Bounds()


class Broken(HTTPException):
    """An answer that ended early, or does not go on where the last one broke."""


class Later(HTTPException):
    """The server wants to be left alone for a moment."""


class Part:
    """What has come of a file, and the tag of the file that it is a part of."""

    def __init__(self, bytes_max: int) -> None:
        self.raw = bytearray()
        self._tag = ""
        self._bytes_max = bytes_max

    def conditions(self) -> dict[str, str]:
        """What to ask for: the rest of the same file, or all of it."""
        if not self.raw or not self._tag:
            return {}
        return {"Range": f"bytes={len(self.raw)}-", "If-Range": self._tag}

    def go_on(self, response: HTTPResponse) -> None:
        """Make room for what this response brings. Broken, if that is not what was asked."""
        if response.status == 200:
            tag = response.headers.get("ETag", "")
            self._tag = "" if tag.startswith("W/") else tag
            self.raw.clear()
            return
        found = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != len(self.raw) or not self._tag:
            self.raw.clear()
            raise Broken("a part of a file that was not asked for")

    def add(self, piece: bytes) -> None:
        if len(self.raw) + len(piece) > self._bytes_max:
            raise TooLarge(f"the server sends more than {self._bytes_max} bytes")
        self.raw += piece


class Courier:
    """`url` of the server, such as https://127.0.0.1:8443; `token` to show, if there is one;
    `context`: whom to trust, and the certificate to show, if there is one."""

    def __init__(
        self,
        url: str,
        token: str = "",
        context: ssl.SSLContext | None = None,
        bounds: Bounds = BOUNDS,
    ) -> None:
        """Refuses with Unreachable for what is no address, Exposed for a token in the clear."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if host is None or parts.scheme not in ("http", "https"):
            raise Unreachable(f"{url!r} is no address of a server; say https://HOST:PORT")
        self.url = url
        self._bounds = bounds
        self._prefix = parts.path.rstrip("/")
        self._token = token
        self._line: HTTPConnection
        if parts.scheme == "https":
            trusted = context or ssl.create_default_context()
            self._line = HTTPSConnection(host, port, timeout=bounds.step_s, context=trusted)
        elif token and not is_loopback(host):
            raise Exposed(f"a token would travel to {url} in the clear; say https://")
        else:
            self._line = HTTPConnection(host, port, timeout=bounds.step_s)

    def get(self, path: str, bytes_max: int, private: bool) -> bytes | None:
        """A file, or None: there is no such file. Refuses with Unreachable, TooLarge, and as the
        office does."""
        part = Part(bytes_max)
        until = time.monotonic() + self._bounds.file_s
        faults, had = 0, 0
        while True:
            try:
                self._send("GET", path, part.conditions(), private=private)
                with self._line.getresponse() as response:
                    if response.status == 404:
                        self._told(response, until)
                        return None
                    self._expect(response, (200, 206), until)
                    part.go_on(response)
                    for piece in _pieces(response, until):
                        part.add(piece)
                return bytes(part.raw)
            except (OSError, HTTPException) as fault:
                faults = 1 if len(part.raw) > had else faults + 1
                had = len(part.raw)
                self._broke(fault, faults, until)
            except TooLarge:
                self._line.close()
                raise

    def post(self, path: str, body: bytes, bytes_max: int) -> bytes:
        """Send a message; returns the answer. Refuses like `get`, but with nothing when the
        second copy of what had arrived is refused as a replay."""
        until = time.monotonic() + self._bounds.file_s
        headers = {"Content-Type": "application/cbor"}
        faults, sent = 0, False
        while True:
            try:
                self._send("POST", path, headers, body)
                before, sent = sent, True
                with self._line.getresponse() as response:
                    self._expect(response, (200, 201), until)
                    return _whole(response, bytes_max, until)
            except Replayed:
                if not before:
                    raise
                return b""
            except TooLarge:
                self._line.close()
                raise
            except (OSError, HTTPException) as fault:
                faults, sent = faults + 1, sent and not isinstance(fault, Later)
                self._broke(fault, faults, until)

    def close(self) -> None:
        self._line.close()

    # --- one exchange --------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None = None,
        private: bool = True,
    ) -> None:
        if private and self._token:
            headers = {**headers, "Authorization": f"Bearer {self._token}"}
        self._line.request(method, self._prefix + path, body, headers)

    def _expect(self, response: HTTPResponse, good: tuple[int, int], until: float) -> None:
        """Later, or what the server refuses, unless its status is one of those."""
        if response.status in good:
            return
        said = self._told(response, until)
        wait = response.headers.get("Retry-After", "")
        soon = wait.isascii() and wait.isdigit() and int(wait[:9]) <= self._bounds.wait_s
        if response.status in (429, 503) and soon:
            time.sleep(int(wait))
            raise Later(said.detail)
        if said.refusal:
            raise refusal_of(said)
        raise Unreachable(f"{self.url} says {response.status}: {said.detail}")

    def _told(self, response: HTTPResponse, until: float) -> Problem:
        """The problem in a response; one of our words, if there is none."""
        try:
            raw = _whole(response, PROBLEM_BYTES_MAX, until)
            if response.headers.get_content_type() == MEDIA:
                return Problem.model_validate_json(raw)
        except (TooLarge, ValidationError):
            self._line.close()
        return Problem(title=response.reason, status=response.status, detail=response.reason)

    def _broke(self, fault: Exception, faults: int, until: float) -> None:
        """Hang up, and try again unless that was the last time. Unreachable."""
        self._line.close()
        if faults >= self._bounds.tries or time.monotonic() > until:
            why = str(fault) or type(fault).__name__
            raise Unreachable(f"{self.url} is out of reach, or broke off: {why}") from fault


def _whole(response: HTTPResponse, bytes_max: int, until: float) -> bytes:
    part = Part(bytes_max)
    for piece in _pieces(response, until):
        part.add(piece)
    return bytes(part.raw)


def _pieces(response: HTTPResponse, until: float) -> Iterator[bytes]:
    """The body as it comes. Broken when it ends early, or is not there in time."""
    while piece := response.read1(READ_BYTES):
        yield piece
        if time.monotonic() > until:
            raise Broken("the answer comes too slowly")
    if response.length:
        raise Broken(f"{response.length} bytes are missing")
