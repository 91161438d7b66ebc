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

ABSENT = (403, 404)
QUIET_MAX_S = 10
WHOLE_MAX_S = 120
CHUNK_BYTES = 65_536


class Unreachable(Exception):
    """A file could be neither had nor known to be absent."""


def fetch(address: str, cap: int) -> bytes | None:
    """The file, or its first `cap` + 1 bytes, which is too much for whoever named the cap; None
    if it is absent. Unreachable."""
    until = time.monotonic() + WHOLE_MAX_S
    raw = bytearray()
    try:
        with urllib.request.urlopen(address, timeout=QUIET_MAX_S) as response:
            while len(raw) <= cap:
                chunk = response.read1(min(CHUNK_BYTES, cap + 1 - len(raw)))
                if not chunk:
                    return bytes(raw)
                raw += chunk
                if time.monotonic() > until:
                    raise Unreachable(f"{address}: too slow")
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in ABSENT:
            return None
        raise Unreachable(f"{address}: {error}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unreachable(f"{address}: {error}") from error
    return bytes(raw)
