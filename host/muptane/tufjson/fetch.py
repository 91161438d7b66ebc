"""Files over HTTP, bounded in bytes and in time.

*Absent* is what a server says with 404 or 403; anything else that goes wrong is Unreachable, so a
server in trouble does not look like the end of a chain of Roots. Nobody is trusted here.
Rules: V-32, E-02, E-03.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

ABSENT = (403, 404)
QUIET_MAX_S = 10
WHOLE_MAX_S = 120
RATE_MIN_BYTES_S = 10_000  # of an image, beyond the time that every file has
CHUNK_BYTES = 65_536


class Unreachable(Exception):
    """A file could be neither had nor known to be absent."""


class Absent(Exception):
    """The server says that there is no such file."""


def fetch(address: str, cap: int) -> bytes | None:
    """The file, or its first `cap` + 1 bytes, which is too much for whoever named the cap; None
    if it is absent. Unreachable."""
    try:
        return b"".join(chunks(address, cap, WHOLE_MAX_S))
    except Absent:
        return None


def chunks(address: str, cap: int, whole_max_s: float) -> Iterator[bytes]:
    """The file piece by piece, `cap` + 1 bytes of it at most. Unreachable, Absent."""
    until = time.monotonic() + whole_max_s
    count = 0
    try:
        with urllib.request.urlopen(address, timeout=QUIET_MAX_S) as response:
            while count <= cap:
                chunk = response.read1(min(CHUNK_BYTES, cap + 1 - count))
                if not chunk:
                    return
                count += len(chunk)
                yield chunk
                if time.monotonic() > until:
                    raise Unreachable(f"{address}: too slow")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in ABSENT:
            raise Absent from error
        raise Unreachable(f"{address}: {error}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unreachable(f"{address}: {error}") from error
