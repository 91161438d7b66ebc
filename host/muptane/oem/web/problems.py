"""How the API says no: problem details in JSON (RFC 9457), with the office's own words.

What the office refuses has the name of its class as `refusal` (muptane.oem.errors), so that a
program can tell a replay from a wrong seal; what only HTTP knows has none. Nobody who has not said
who he is learns which vehicles there are.
Rules: R-32, E-60.
"""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from muptane.oem import errors
from muptane.oem.errors import OemRefusal
from muptane.oem.fields import Strict

MEDIA = "application/problem+json"
PROBLEM_BYTES_MAX = 4096
DETAIL_CHARS_MAX = 1000

# What is not listed is understood and refused: 422.
STATUS: Mapping[type[OemRefusal], HTTPStatus] = {
    errors.Malformed: HTTPStatus.BAD_REQUEST,
    errors.NotDeterministic: HTTPStatus.BAD_REQUEST,
    errors.ForeignVehicle: HTTPStatus.FORBIDDEN,
    errors.UnknownVehicle: HTTPStatus.NOT_FOUND,
    errors.Replayed: HTTPStatus.CONFLICT,
    errors.Overtaken: HTTPStatus.CONFLICT,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.NoSigner: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.WrongPassphrase: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Problem(Strict):
    """A body of application/problem+json."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    refusal: str = ""

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        said = {"Cache-Control": "no-store", **(headers or {})}
        body = self.model_dump_json(exclude_defaults=True)
        return Response(body, self.status, headers=said, media_type=MEDIA)


def problem(status: int, detail: str) -> Problem:
    """A problem that HTTP has a name for."""
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=_cut(detail))


def of_refusal(refusal: OemRefusal) -> Problem:
    """What the office refused."""
    status = STATUS.get(type(refusal), HTTPStatus.UNPROCESSABLE_ENTITY)
    name = type(refusal).__name__
    detail = _cut(str(refusal))
    return Problem(title=status.phrase, status=status, detail=detail, refusal=name)


def refusal_of(found: Problem) -> OemRefusal:
    """The office's refusal that a problem tells of; OemRefusal itself if it is none of ours."""
    kind = getattr(errors, found.refusal, OemRefusal)
    known = isinstance(kind, type) and issubclass(kind, OemRefusal)
    return (kind if known else OemRefusal)(found.detail)


def _cut(text: str) -> str:
    return text if len(text) <= DETAIL_CHARS_MAX else text[: DETAIL_CHARS_MAX - 3] + "..."
