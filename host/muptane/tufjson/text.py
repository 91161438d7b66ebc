"""JSON as TUF has it: bytes become values, and values the canonical bytes that are signed.

Canonical is OLPC's form: no white space, keys sorted, only quote and backslash escaped, no
fractions. MicroPython's reader is laxer than CPython's (it passes over a missing comma), which
does no harm: what is signed is the canonical form of what was read. Names that stand twice in an
object are not seen; both interpreters take the last.
Rules: V-07, T-06.
"""

import binascii
import json

from uptane.errors import BadShape, BadText, TooDeep, Unsupported

if False:  # for the type checker
    from typing import Any

DEPTH_MAX = 32
DIGITS_BYTES = 2048


def parse(raw: bytes) -> "Any":
    """Return the value of JSON text in UTF-8. Refusal: BadShape, also for a row of so many digits
    that a reader could be busy with them for hours: twice DIGITS_BYTES, or a little less."""
    for place in range(0, len(raw), DIGITS_BYTES):
        part = raw[place : place + DIGITS_BYTES]
        if len(part) == DIGITS_BYTES and part.isdigit():
            raise BadShape
    try:
        return json.loads(str(raw, "utf-8"))
    except (ValueError, RuntimeError):  # no JSON, or nested beyond all bounds
        raise BadShape from None


def canonical(value: object) -> bytes:
    """Return the canonical bytes of a value.

    Refusals: Unsupported (a fraction), TooDeep, BadText (half a surrogate, where the interpreter
    sees it).
    """
    parts: list[str] = []
    _write(value, parts, 0)
    try:
        return "".join(parts).encode()
    except ValueError:
        raise BadText from None


def _write(value: "Any", parts: "list[str]", depth: int) -> None:
    if depth > DEPTH_MAX:
        raise TooDeep
    if value is None or value is True or value is False:
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif type(value) is int:
        parts.append(str(value))
    elif type(value) is str:
        parts.append('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"')
    elif type(value) is list:
        for place, item in enumerate(value):
            parts.append("," if place else "[")
            _write(item, parts, depth + 1)
        parts.append("]" if value else "[]")
    elif type(value) is dict:
        for place, key in enumerate(sorted(value)):
            parts.append("," if place else "{")
            _write(key, parts, depth + 1)
            parts.append(":")
            _write(value[key], parts, depth + 1)
        parts.append("}" if value else "{}")
    else:
        raise Unsupported


def unhex(text: object) -> bytes:
    """Return the bytes of hexadecimal text. Refusal: BadShape."""
    if type(text) is not str:
        raise BadShape
    try:
        return binascii.unhexlify(text)
    except (ValueError, TypeError):
        raise BadShape from None


def take(value: object, key: str, kind: type) -> "Any":
    """Return a field of an object, which has to be there and of that type. Refusal: BadShape."""
    found = value.get(key) if type(value) is dict else None
    if type(found) is not kind:
        raise BadShape
    return found


def seconds(text: str) -> int:
    """Return the seconds since 1970 of YYYY-MM-DDTHH:MM:SSZ. Refusal: BadShape."""
    form = "0000-00-00T00:00:00Z"
    if len(text) != len(form):
        raise BadShape
    for mark, sign in zip(text, form):  # noqa: B905  # MicroPython's zip has no strict
        if mark != sign and not (sign == "0" and "0" <= mark <= "9"):
            raise BadShape
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
    if not (year >= 1970 and 1 <= month <= 12 and 1 <= day <= 31):
        raise BadShape
    if hour > 23 or minute > 59 or second > 59:
        raise BadShape
    # days of the civil calendar, counted in years that begin in March
    year -= 1 if month < 3 else 0
    days = year * 365 + year // 4 - year // 100 + year // 400
    days += (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719468
    return days * 86400 + hour * 3600 + minute * 60 + second
