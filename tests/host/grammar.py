"""Whether bytes are what docs/pouf.cddl says, by pycddl, an independent validator.

pycddl (0.6) reads less than RFC 8610: it knows no `h''`, follows the name of an array's member
into a rule of that name, takes `.cbor` in an array for all of its items, takes `{}` for any map,
and does not look at maps whose keys have a `.size` or are a range, and in a choice of maps mixes
up their keys. So it is shown the same grammar in words that it knows, and each embedded message
on its own. Not a test file.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cbor2
import pycddl

GRAMMAR = (Path(__file__).parents[2] / "docs" / "pouf.cddl").read_text()
SIZED_KEYS = ("role-number", "ecu-id", "image-number", "map-number", "repository-number")
SIGNED = "{ 1 => algorithm }"
EDDSA_HASHED = "{ 1 => -8, 258 => -16 }"
HMAC_HASHED = "{ 1 => 5, 258 => -16 }"
# Choices of maps, and which of them a map has to be.
CHOICES: dict[str, Callable[[Any], str]] = {
    "identity-record": lambda found: "symmetric-identity" if 10 in found else "signing-identity",
    "cose-key": lambda found: "p256-key" if found[1] == 2 else "ed25519-key",
    "wrap": lambda found: "derived-wrap" if -20 in found.value[3][0][1] else "agreed-wrap",
}


class NotConforming(Exception):
    """The text says where."""


def conforms(rule: str, raw: bytes) -> None:
    """Raises NotConforming unless `raw` is a `rule`, with all that is embedded."""
    if rule in CHOICES:
        rule = CHOICES[rule](cbor2.loads(raw))
    try:
        _schema(rule).validate_cbor(raw)
    except pycddl.ValidationError as fault:
        raise NotConforming(f"{rule}: {fault}") from fault
    for inner, embedded in _embedded(rule, cbor2.loads(raw)):
        conforms(inner, embedded)


@cache
def _schema(rule: str) -> pycddl.Schema:
    return pycddl.Schema(f"start = {rule}\n{_simpler(GRAMMAR)}")


def _simpler(text: str) -> str:
    text = re.sub(r";.*", "", text)
    text = text.replace("h''", "bstr .size 0")
    text = re.sub(r"\b[a-z][a-z0-9-]*: ", "", text)  # names of an array's members say nothing
    text = re.sub(r"bstr \.cbor (\{[^}]*\}|[a-z-]+)", "bstr", text)
    text = text.replace("1*16 cose-key", "1*16 { * int => any }")
    return re.sub(rf"\b({'|'.join(SIZED_KEYS)}) =>", "uint =>", text)


def _embedded(rule: str, value: Any) -> Iterator[tuple[str, bytes]]:
    """(rule, bytes) of every `.cbor` that _simpler took out."""
    if rule == "role-file":
        if value.value[1] != {}:
            raise NotConforming("role-file: unprotected headers")
        yield "role-payload", value.value[2]
        yield from ((SIGNED, entry[0]) for entry in value.value[3])
    elif rule in ("role-payload", "root-payload", "targets-payload"):
        for key in value.get(6, []) + value.get(12, [[]])[0]:
            yield "cose-key", cbor2.dumps(key)
    elif rule == "time-file":
        yield SIGNED, value.value[0]
        yield "time-payload", value.value[2]
    elif rule == "report-file":
        yield "report-content", value[0]
        yield (HMAC_HASHED if value[1].tag == 17 else EDDSA_HASHED), value[1].value[0]
    elif rule == "vehicle-file":
        yield "vehicle-content", value[0]
        yield EDDSA_HASHED, value[1].value[0]
    elif rule == "encrypted":
        yield from (("wrap", wrap) for wrap in value[2].values())
    elif rule in ("agreed-wrap", "derived-wrap"):
        yield "{ 1 => 24 }", value.value[0]
        algorithm = -25 if rule == "agreed-wrap" else -10
        yield f"{{ 1 => {algorithm} }}", value.value[3][0][0]
    elif rule == "vehicle-content":
        yield from (("report-file", report) for report in value[5])
