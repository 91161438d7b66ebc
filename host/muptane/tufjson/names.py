"""Names where the device has numbers: roles get numbers for as long as a session lasts, images
keep their paths, and a delegation matches by pattern or by the hash of a path.

A name becomes part of a file's name and of an address only with every byte quoted that could mean
something there. It does NOT read metadata.
Rules: V-16, V-21, T-07, T-23, T-26.
"""

import hashlib

from uptane.errors import BadShape, BadText, TooLong
from uptane.ids import DELEGATED_FIRST, ROOT, SNAPSHOT, TARGETS, TIMESTAMP

if False:  # for the type checker
    from typing import Any

TOP = {"root": ROOT, "timestamp": TIMESTAMP, "snapshot": SNAPSHOT, "targets": TARGETS}
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~"

ROLES = 0x10000  # room for the numbers of a repository's roles among the records

IN_SEGMENT = 1  # a star matches no slash, as in TUF
ACROSS = 2  # it matches slashes, too


class Names:
    """The roles of one repository: names to numbers and back, numbered as they come."""

    def __init__(self) -> None:
        self._numbers = dict(TOP)
        self._names = {number: name for name, number in TOP.items()}

    def number(self, name: object) -> int:
        """Return the number of a role. Refusals: BadShape without a name; TooLong where no number
        is left in this session."""
        if type(name) is not str or not name:
            raise BadShape
        if name not in self._numbers:
            number = DELEGATED_FIRST + len(self._numbers)
            if number >= ROLES:
                raise TooLong
            self._numbers[name] = number
            self._names[number] = name
        return self._numbers[name]

    def delegated(self, name: object) -> int:
        """Return the number of a role that somebody delegates to: no top-level one. BadShape."""
        number = self.number(name)
        if number < DELEGATED_FIRST:
            raise BadShape
        return number

    def file(self, number: int) -> str:
        """Return the name of a role's file without a version."""
        return quote(self._names[number]) + ".json"


def quote(text: str) -> str:
    """Return text with everything but letters, digits and _.-~ as %XX of its UTF-8."""
    return "".join([chr(b) if chr(b) in PLAIN else f"%{b:02X}" for b in text.encode()])


def matches(path: str, pattern: str, star: int) -> bool:
    """Does a path match a shell pattern, by `star` in each segment or altogether? (T-26)"""
    if star == ACROSS:
        return _matches(path, pattern)
    parts, patterns = path.split("/"), pattern.split("/")
    if len(parts) != len(patterns):
        return False
    return all([_matches(parts[place], patterns[place]) for place in range(len(parts))])


def path_hash(path: str) -> bytes:
    """Return the hash by which bins are found. Refusal: BadText, for half a surrogate."""
    try:
        return hashlib.sha256(path.encode()).digest()
    except ValueError:
        raise BadText from None


def bin_name(path: str, prefix: str, bits: int) -> str:
    """Return the name of the bin, of 2**bits, that a path falls into."""
    number = int.from_bytes(path_hash(path)[:4], "big") >> (32 - bits)
    digits = len("%x" % ((1 << bits) - 1))
    return prefix + "-" + ("0" * digits + "%x" % number)[-digits:]


def _matches(text: str, pattern: str) -> bool:
    """Match with * ? and [sets]; goes back to the last star only, so it takes no more steps than
    the product of both lengths."""
    at = place = 0
    star, resume = -1, 0
    while at < len(text):
        step = _one(text[at], pattern, place)
        if place < len(pattern) and pattern[place] == "*":
            star, resume = place, at
            place += 1
        elif step:
            at += 1
            place += step
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return pattern[place:].replace("*", "") == ""


def _one(mark: str, pattern: str, place: int) -> int:
    """Return how many signs of the pattern match one of the text, 0: it does not match."""
    if place >= len(pattern):
        return 0
    sign = pattern[place]
    end = pattern.find("]", place + 2 + (pattern[place + 1 : place + 2] == "!"))
    if sign == "[" and end >= 0:
        inner = pattern[place + 1 : end]
        negative = inner[0] == "!"
        found = _in_set(mark, inner[1:] if negative else inner)
        return end + 1 - place if found != negative else 0
    return 1 if sign in ("?", mark) else 0


def _in_set(mark: str, inner: str) -> bool:
    place = 0
    while place < len(inner):
        if inner[place + 1 : place + 2] == "-" and place + 2 < len(inner):
            if inner[place] <= mark <= inner[place + 2]:
                return True
            place += 3
        elif inner[place] == mark:
            return True
        else:
            place += 1
    return False


def role_of(names: Names, value: "Any") -> int:
    """Return the number of the role of a key of `meta`: its name ends in .json. BadShape."""
    if not value.endswith(".json"):
        raise BadShape
    return names.number(value[:-5])
