"""The office over HTTP: the paths, who may ask for them, and how much of it.

  GET  /v1/REPOSITORY/NAME               public files by their V-21 names (`names`)
  GET  /v1/vehicles/VIN/DIRECTOR/NAME    a Director's files for one vehicle
  POST /v1/vehicles/VIN/manifest         a vehicle version manifest; 201 and where the answer is
  POST /v1/vehicles/VIN/time             a CBOR array of nonces; the attestation

GET is HEAD, too. Bodies are CBOR (application/cbor) and bounded; what is refused is told as a
problem (`problems`). Paths are compared as they came, so no escape has two meanings; only a VIN is
unescaped. There is no way to assignments, keys, the inventory or other vehicles: not because it is
forbidden here, but because nothing here calls them (R-32).
Rules: R-05, R-08, R-13, R-15, R-32, R-33, R-60, E-20, E-61, E-73, E-74, E-89.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import unquote

from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muptane.oem.check import MANIFEST_BYTES_MAX
from muptane.oem.encoding import decode
from muptane.oem.errors import Malformed, OemRefusal
from muptane.oem.web.access import Tokens, bearer, named
from muptane.oem.web.allowance import Allowance, Meter, Turns
from muptane.oem.web.connection import PATIENT, PEER, Patience
from muptane.oem.web.desk import Busy, Desk, Found
from muptane.oem.web.files import COSE, file_response
from muptane.oem.web.problems import of_refusal, problem
from uptane import limits

CBOR = "application/cbor"
DRAIN_BYTES = 256 * 1024  # of a body that was refused: so much is read, so that "no" is heard
DRAIN_S = 2.0
HEARD_OUT = "heard_out"  # in the scope's state: the body has come to its end
LOG = logging.getLogger("muptane.web")
CLOSE = {"Connection": "close"}


class Terms(NamedTuple):
    """What one vehicle may ask, in bursts and at a rate (E-89): manifests that it hands in, times,
    files; and how many of its requests may be under way at the same time."""

    handed_in: Allowance = Allowance(10, 30.0)
    times: Allowance = Allowance(20, 5.0)
    files: Allowance = Allowance(300, 0.2)
    at_once: int = 4


FAIR = Terms()


class Api:
    """The application for uvicorn. `clock` gives seconds that only run forward."""

    def __init__(
        self,
        desk: Desk,
        tokens: Tokens,
        terms: Terms = FAIR,
        patience: Patience = PATIENT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._tokens = tokens
        self._patience = patience
        self._turns = Turns(terms.at_once)
        self._handed_in = Meter(terms.handed_in, clock)
        self._times = Meter(terms.times, clock)
        self._files = Meter(terms.files, clock)
        self._app: ASGIApp = self._made()

    def _made(self) -> Starlette:
        app = Starlette(
            routes=[
                Route("/v1/{repository}/{name}", self._public),
                Route("/v1/vehicles/{vin}/manifest", self._hand_in, methods=["POST"]),
                Route("/v1/vehicles/{vin}/time", self._time, methods=["POST"]),
                Route("/v1/vehicles/{vin}/{repository}/{name}", self._private),
            ],
            exception_handlers={
                HTTPException: _told,
                OemRefusal: _refused,
                ClientDisconnect: _gone,
                Busy: _busy,
                OperationalError: _locked,
                IntegrityError: _raced,
                500: _broken,
            },
        )
        app.router.redirect_slashes = False
        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        state = scope.setdefault("state", {})

        async def heard() -> Message:
            message = await receive()
            state[HEARD_OUT] = not message.get("more_body", False)
            return message

        await self._app(scope, heard, send)

    # --- public --------------------------------------------------------------------------------

    async def _public(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = await self._desk.look_up(self._desk.public, _repository(request), name)
        return file_response(request, _there(found), name, "public")

    # --- for one vehicle -----------------------------------------------------------------------

    async def _private(self, request: Request) -> Response:
        name = request.path_params["name"]

        async def answer(vin: str) -> Response:
            repository = _repository(request)
            found = await self._desk.read(self._desk.private, vin, repository, name)
            return file_response(request, _there(found), name, "private")

        return await self._for_vehicle(request, self._files, answer)

    async def _hand_in(self, request: Request) -> Response:
        async def answer(vin: str) -> Response:
            raw = await self._body(request, MANIFEST_BYTES_MAX)
            version = await self._desk.write(self._desk.receive, vin, raw)
            where = f"/v1/vehicles/{request.path_params['vin']}/1/{version}.targets.cbor"
            return Response(status_code=201, headers={"Location": where})

        return await self._for_vehicle(request, self._handed_in, answer)

    async def _time(self, request: Request) -> Response:
        async def answer(vin: str) -> Response:
            nonces = decode(
                await self._body(request, limits.TIME_BYTES_MAX), limits.TIME_BYTES_MAX
            )
            attested = await self._desk.read(self._desk.attest, vin, nonces)
            if attested is None:
                raise Malformed("nonces come as a CBOR array of byte strings")
            return Response(attested, media_type=COSE, headers={"Cache-Control": "no-store"})

        return await self._for_vehicle(request, self._times, answer)

    async def _for_vehicle(
        self, request: Request, meter: Meter, answer: Callable[[str], Awaitable[Response]]
    ) -> Response:
        """The answer for the vehicle of the path, if that is who asks, and not too often."""
        vin = unquote(request.path_params["vin"])
        asker = await self._asker(request)
        if asker != vin:
            raise HTTPException(403, "this is another vehicle's part: ask for your own")
        wait_s = meter.spend(vin)
        if wait_s > 0:
            later = {"Retry-After": str(math.ceil(wait_s))}
            raise HTTPException(429, f"too many requests: wait {wait_s:.0f} s", later)
        with self._turns.take(vin) as granted:
            if not granted:
                raise HTTPException(
                    429, "too many requests at the same time", {"Retry-After": "1"}
                )
            return await answer(vin)

    async def _asker(self, request: Request) -> str:
        """The vehicle that asks; a token that is not good is not made good by a certificate."""
        fields = request.headers.getlist("authorization")
        vehicle: str | None = named(request.scope["state"][PEER])
        if fields:
            token = bearer(fields[0]) if len(fields) == 1 else None
            known = None
            if token is not None:
                known = await self._desk.look_up(self._tokens.vehicle_of, token)
            if known is None or vehicle not in (None, known):
                vehicle = None
            else:
                vehicle = known
        if vehicle is None or not await self._desk.look_up(self._desk.knows, vehicle):
            raise HTTPException(
                401,
                "show a token of this vehicle, or a client certificate that names it",
                {"WWW-Authenticate": 'Bearer realm="muptane"'},
            )
        return vehicle

    async def _body(self, request: Request, bytes_max: int) -> bytes:
        """The body, if it is CBOR by its own words, short enough, and comes in time."""
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != CBOR:
            raise HTTPException(415, f"say Content-Type: {CBOR}", {"Accept": CBOR})
        raw = bytearray()
        try:
            async with asyncio.timeout(self._patience.body_s):
                async for piece in request.stream():
                    raw += piece
                    if len(raw) > bytes_max:
                        raise HTTPException(413, f"more than {bytes_max} bytes")
        except TimeoutError as fault:
            detail = f"the body did not come within {self._patience.body_s:g} s"
            raise HTTPException(408, detail) from fault
        return bytes(raw)


def _repository(request: Request) -> int:
    """The number of the path; -1, of no repository, if it is not a digit."""
    text: str = request.path_params["repository"]
    return int(text) if len(text) == 1 and text.isascii() and text.isdigit() else -1


def _there(found: Found | None) -> Found:
    if found is None:
        raise HTTPException(404, "there is no such file")
    return found


# --- what is told instead ---------------------------------------------------------------------


async def _told(request: Request, fault: Exception) -> Response:
    status, detail, headers = 500, "", {}
    if isinstance(fault, HTTPException):
        status, detail, headers = fault.status_code, fault.detail, dict(fault.headers or {})
    end = CLOSE if status == 408 else await _closing(request)  # it was waited for already
    return problem(status, detail).response(headers | end)


async def _refused(request: Request, fault: Exception) -> Response:
    refusal = fault if isinstance(fault, OemRefusal) else OemRefusal(str(fault))
    return of_refusal(refusal).response(await _closing(request))


async def _gone(request: Request, fault: Exception) -> Response:
    return problem(400, "the body broke off").response(CLOSE)


async def _busy(request: Request, fault: Exception) -> Response:
    headers = {"Retry-After": "1", **await _closing(request)}
    return problem(503, "the office is busy; ask again").response(headers)


async def _locked(request: Request, fault: Exception) -> Response:
    """Another program writes the database for too long, or the disk is full: the log knows."""
    LOG.warning("the database refuses: %s", getattr(fault, "orig", fault))
    return await _busy(request, fault)


async def _raced(request: Request, fault: Exception) -> Response:
    detail = "the same was handed in at the same time; ask again"
    return problem(409, detail).response(await _closing(request))


async def _broken(request: Request, fault: Exception) -> Response:
    return problem(500, "the office broke down; its log says why").response(CLOSE)


async def _closing(request: Request) -> dict[str, str]:
    """Whoever sent a body that was not wanted is heard out for a moment, then the connection
    closes: an answer to a client that is still sending would be lost."""
    if request.method in ("GET", "HEAD"):
        return {}
    left = DRAIN_BYTES
    try:
        async with asyncio.timeout(DRAIN_S):
            while left > 0 and not request.scope["state"].get(HEARD_OUT, False):
                left -= len((await request.receive()).get("body", b""))
    except TimeoutError:
        return CLOSE
    return {} if left > 0 else CLOSE
