"""Files over HTTP, bounded in bytes and in time.

*Absent* is what a server says with 404 or 403; anything else that goes wrong is Unreachable, so a
server in trouble does not look like the end of a chain of Roots. Nobody is trusted here.
Rules: V-32, E-02, E-03, E-19, E-20.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass

from muptane.tufjson.connections import Opener

ABSENT = (403, 404)
RATE_MIN_BYTES_S = 10_000  # of an image, beyond the time that every file has
CHUNK_BYTES = 65_536


@dataclass(frozen=True)
class Patience:
    """The longest wait for a byte, for a file, and for all files of one refresh together."""

    quiet_s: float = 10
    file_s: float = 120
    refresh_s: float = 600


class Unreachable(Exception):
    """A file could be neither had nor known to be absent."""


class Absent(Exception):
    """The server says that there is no such file."""


def fetch(address: str, cap: int, opener: Opener) -> bytes | None:
    """The file, or its first `cap` + 1 bytes, which is too much for whoever named the cap; None
    if it is absent. Unreachable."""
    try:
        return b"".join(chunks(address, cap, opener))
    except Absent:
        return None


def chunks(address: str, cap: int, opener: Opener) -> Iterator[bytes]:
    """The file piece by piece, `cap` + 1 bytes of it at most. Unreachable, Absent."""
    count = 0
    try:
        with opener.open(address) as response:
            while count <= cap:
                chunk = response.read1(min(CHUNK_BYTES, cap + 1 - count))
                if not chunk:
                    return
                count += len(chunk)
                yield chunk
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in ABSENT:
            raise Absent from error
        raise Unreachable(f"{address}: {error}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unreachable(f"{address}: {error}") from error


def for_image(patience: Patience, length: int) -> Opener:
    """What brings an image of this length, at no less than the lowest rate."""
    whole_s = patience.file_s + length / RATE_MIN_BYTES_S
    return Opener(patience.quiet_s, time.monotonic() + whole_s)


class Budget:
    """The time of one refresh, from now on."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._until = time.monotonic() + patience.refresh_s

    def for_file(self) -> Opener:
        """What brings the next file. Unreachable: nothing is left."""
        now = time.monotonic()
        if now >= self._until:
            raise Unreachable(
                f"the repository is too slow: given up after {self._patience.refresh_s} s; what "
                "is stored stays, and the next refresh goes on from there"
            )
        until = min(self._until, now + self._patience.file_s)
        return Opener(self._patience.quiet_s, until)
