"""What a request's conditions and its Range make of a file (RFC 9110, sections 13 and 14).

One range of bytes is served; a set of several, another unit, or what is not the grammar is
ignored, as the RFC allows, and the whole file comes. Entity tags are strong, and there are no
dates: an If-Range with a date never holds. It knows nothing of files or of a server.
Rules: R-05, R-07.
"""

import re
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

HUGE = 10**18  # beyond every file: longer digits are not worth converting
_SPEC = re.compile(r"([0-9]+)-([0-9]*)|-([0-9]+)")
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


class Span(NamedTuple):
    """Bytes `first` up to and without `end`."""

    first: int
    end: int


class Verdict(Enum):
    """What is to be sent, if it is not a part."""

    WHOLE = 200
    NOT_MODIFIED = 304
    FAILED = 412
    UNSATISFIABLE = 416


class Conditions(NamedTuple):
    """The fields of a request, each with all its lines."""

    if_match: Sequence[str] = ()
    if_none_match: Sequence[str] = ()
    if_range: Sequence[str] = ()
    range: Sequence[str] = ()


def judge(method: str, asked: Conditions, tag: str, length: int) -> Span | Verdict:
    """The order of RFC 9110, 13.2.2, for a file with a strong tag `"..."` and `length` bytes."""
    if asked.if_match and not _lists(asked.if_match, tag):
        return Verdict.FAILED
    if asked.if_none_match and _lists(
        [line.replace("W/", "") for line in asked.if_none_match], tag
    ):
        return Verdict.NOT_MODIFIED
    if method != "GET" or len(asked.range) != 1:  # a Range means nothing to HEAD (14.2)
        return Verdict.WHOLE
    if asked.if_range and list(asked.if_range) != [tag]:
        return Verdict.WHOLE
    return span_of(asked.range[0], length)


def span_of(text: str, length: int) -> Span | Verdict:
    """The part that a Range field asks of a file of `length` bytes."""
    unit, equals, listed = text.partition("=")
    specs = [spec for part in listed.split(",") if (spec := part.strip(" \t"))]
    found = _SPEC.fullmatch(specs[0]) if len(specs) == 1 else None
    if unit.lower() != "bytes" or not equals or found is None:
        return Verdict.WHOLE
    low, high, suffix = found.groups()
    if suffix is not None:
        first, last = max(length - _number(suffix), 0), length - 1
    else:
        first, last = _number(low), _number(high) if high else HUGE
        if last < first:
            return Verdict.WHOLE
    if first >= length:
        return Verdict.UNSATISFIABLE
    return Span(first, min(last + 1, length))


def _number(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) < len(str(HUGE)) else HUGE


def _lists(lines: Sequence[str], tag: str) -> bool:
    """Is the tag among those of the field? `*` is any."""
    if [line.strip() for line in lines] == ["*"]:
        return True
    return any(tag in _TAG.findall(line) for line in lines)
