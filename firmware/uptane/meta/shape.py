"""Readers of decoded items: the value if it has the shape that was asked for, else BadShape.

Types are compared exactly: CPython takes True for 1 where MicroPython does not, and a signed byte
must mean the same to both. A null stands nowhere in our grammar, so None always means *absent*.
It does NOT know which field is which; that is `roles`.
Rules: V-04, V-07, E-60.
"""

from uptane.errors import BadShape
from uptane.ids import ALG_SHA256
from uptane.limits import DIGEST_BYTES, ITEMS_MAX

if False:  # for the type checker
    from errand import Hashes

NUMBER_MAX = 0xFFFFFFFF
SECONDS_MAX = 0xFFFFFFFFFFFFFFFF
HASHES_MAX = 4


def read_number(value: object, least: int, most: int) -> int:
    """Return `value` if it is an integer of least..most."""
    if type(value) is not int or not least <= value <= most:
        raise BadShape
    return value


def read_map(value: object) -> "dict[object, object]":
    """Return `value` if it is a map."""
    if type(value) is not dict:
        raise BadShape
    return value


def read_list(value: object, least: int, most: int) -> "list[object]":
    """Return `value` if it is an array of least..most items."""
    if type(value) is not list or not least <= len(value) <= most:
        raise BadShape
    return value


def read_bytes(value: object, length: int) -> bytes:
    """Return `value` if it is a byte string of exactly `length` bytes."""
    if type(value) is not bytes or len(value) != length:
        raise BadShape
    return value


def read_hashes(value: object) -> "Hashes":
    """Return {algorithm: digest}; algorithms that we do not know stay in (T-34)."""
    pairs = read_map(value)
    if not 1 <= len(pairs) <= HASHES_MAX:
        raise BadShape
    hashes = {}
    for algorithm in pairs:
        digest = pairs[algorithm]
        if type(algorithm) is not int or type(digest) is not bytes:
            raise BadShape
        if algorithm == ALG_SHA256:
            read_bytes(digest, DIGEST_BYTES)
        hashes[algorithm] = digest
    return hashes


def read_numbers(value: object, strictly: bool) -> "tuple[int, ...]":
    """Return one or more 32-bit numbers that ascend (strictly: none twice) as a tuple."""
    least = 0
    numbers = []
    for item in read_list(value, 1, ITEMS_MAX):
        numbers.append(read_number(item, least, NUMBER_MAX))
        least = numbers[-1] + 1 if strictly else numbers[-1]
    return tuple(numbers)


def read_counters(value: object) -> "dict[int, int]":
    """Return {32-bit number: 32-bit number}, one pair at least."""
    counters = {}
    pairs = read_map(value)
    for key in pairs:
        counters[read_number(key, 0, NUMBER_MAX)] = read_number(pairs[key], 0, NUMBER_MAX)
    if not counters:
        raise BadShape
    return counters


def read_custom(value: object) -> None:
    """Pass over {* uint => any}."""
    for name in read_map(value):
        read_number(name, 0, SECONDS_MAX)


class Fields:
    """A map with integer keys, which are taken one by one until none is left."""

    def __init__(self, value: object) -> None:
        self._pairs = read_map(value)
        for key in self._pairs:
            if type(key) is not int or self._pairs[key] is None:
                raise BadShape

    def take(self, key: int) -> object:
        """Return the value, or None if it is absent."""
        return self._pairs.pop(key, None)

    def take_custom(self, key: int) -> object:
        """Return what anybody may have put there, {* uint => any}, or None."""
        custom = self.take(key)
        if custom is not None:
            read_custom(custom)
        return custom

    def end(self) -> None:
        """Refuse what is left: an unknown key."""
        if self._pairs:
            raise BadShape
