"""A file as an HTTP response: its conditions and its range, its caching, its bytes in pieces.

What never changes under its name may be kept for ever; what does (the Timestamp, the newest of a
vehicle) has to be asked for again, which costs a 304 where it is the same. A public file may be
kept by anybody, a vehicle's own by nobody in between. Bytes leave in pieces as the client takes
them; clients of one file share its bytes.
Rules: R-05, R-07, R-08, E-20.
"""

from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from muptane.oem.web.desk import Found
from muptane.oem.web.problems import problem
from muptane.oem.web.ranges import Conditions, Span, Verdict, judge

PIECE_BYTES = 32 * 1024
FOR_EVER = "max-age=31536000, immutable"
AGAIN = "no-cache"
COSE, BYTES = "application/cose", "application/octet-stream"


def file_response(request: Request, found: Found, name: str, whose: str) -> Response:
    """The response to a GET or HEAD for a file that is there. `whose`: public or private."""
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"{whose}, {AGAIN if found.changes else FOR_EVER}",
        "ETag": found.tag,
        "X-Content-Type-Options": "nosniff",
    }
    lines = request.headers.getlist
    asked = Conditions(
        lines("if-match"), lines("if-none-match"), lines("if-range"), lines("range")
    )
    length = len(found.raw)
    verdict = judge(request.method, asked, found.tag, length)
    if verdict is Verdict.NOT_MODIFIED:
        return Response(status_code=304, headers=headers)
    if verdict is Verdict.FAILED:
        detail = "the file is not the one that If-Match names"
        return problem(412, detail).response({"ETag": found.tag})
    if verdict is Verdict.UNSATISFIABLE:
        detail = f"the file has {length} bytes, and none of those that were asked for"
        return problem(416, detail).response({"Content-Range": f"bytes */{length}"})
    span, status = Span(0, length), 200
    if isinstance(verdict, Span):
        span, status = verdict, 206
        headers["Content-Range"] = f"bytes {span.first}-{span.end - 1}/{length}"
    headers["Content-Length"] = str(span.end - span.first)
    return _sent(request.method, found.raw, span, status, headers | {"Content-Type": _media(name)})


def _sent(
    method: str, raw: bytes, span: Span, status: int, headers: Mapping[str, str]
) -> Response:
    if method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_pieces(raw, span), status, headers=headers)


async def _pieces(raw: bytes, span: Span) -> AsyncIterator[bytes]:
    for at in range(span.first, span.end, PIECE_BYTES):
        yield raw[at : min(at + PIECE_BYTES, span.end)]


def _media(name: str) -> str:
    """Role files are COSE messages; a map is CBOR that nobody signed; the rest are bytes."""
    if name.endswith(".map.cbor"):
        return "application/cbor"
    return COSE if name.endswith(".cbor") else BYTES
