"""CBOR, the deterministic subset that every signed or stored item is written in.

Every accepted sequence of bytes has one value and every value one encoding (RFC 8949, 4.2.1), so
`dumps(loads(raw)) == raw`. Integers are -2^64..2^64-1, text is printable ASCII, keys of a map are
integers, byte strings or text. Floats, tags, undefined and other simple values do not exist here.
The decoder allocates nothing on the word of a length: it is held against the bytes that are left.
It does NOT know any message: which keys must be there is the business of its callers, and the
tags of an envelope are the business of `cose`.
Rules: V-04, T-06.
"""

from uptane.errors import (
    BadText,
    DuplicateKey,
    NotDeterministic,
    TooDeep,
    TooLong,
    TrailingBytes,
    Truncated,
    Unsupported,
)
from uptane.limits import DEPTH_MAX, ITEMS_MAX, TEXT_BYTES_MAX

if False:  # for the type checker; mpy-cross leaves it out
    from hashes import Buffer

UNSIGNED = 0  # the major types of RFC 8949, 3.1
NEGATIVE = 1
BYTES = 2
TEXT = 3
ARRAY = 4
MAP = 5
TAG = 6


def loads(raw: "Buffer") -> object:
    """Return the one item that `raw` is: dict, list, int, bytes, str, bool or None.

    Byte strings are copies. Refusals: Truncated, TrailingBytes, NotDeterministic, DuplicateKey,
    TooDeep, TooLong, BadText, Unsupported. RFC 8949, 4.2.1 and appendix F.
    """
    value, rest = loads_first(raw)
    if len(rest):
        raise TrailingBytes
    return value


def loads_first(raw: "Buffer") -> "tuple[object, memoryview]":
    """Return the first item of `raw` and a view of the bytes after it. Refusals as of `loads`."""
    reader = _Reader(raw)
    value = reader.read_item(DEPTH_MAX)
    return value, reader.rest()


def dumps(value: object) -> bytes:
    """Return the deterministic encoding of `value`; a tuple is an array.

    Whatever it returns, `loads` accepts. Refusals: TooDeep, TooLong, BadText, Unsupported.
    """
    out = bytearray()
    _write_item(out, value, DEPTH_MAX)
    return bytes(out)


def head(major: int, argument: int) -> bytes:
    """Return the shortest head of major type 0..6 with an argument of 0..2^64-1 (RFC 8949, 3)."""
    if argument < 24:
        return bytes((major << 5 | argument,))
    width = 0
    while argument >> (8 << width):
        width += 1
    if width > 3:
        raise Unsupported  # a bignum would be a tag
    return bytes((major << 5 | 24 + width,)) + argument.to_bytes(1 << width, "big")


class _Reader:
    def __init__(self, raw: "Buffer") -> None:
        self._raw = memoryview(raw)
        self._at = 0

    def rest(self) -> memoryview:
        return self._raw[self._at :]

    def _take(self, count: int) -> memoryview:
        if count > len(self._raw) - self._at:
            raise Truncated
        self._at += count
        return self._raw[self._at - count : self._at]

    def _read_argument(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            # 28..30 are reserved; 31 is an indefinite length or, out of place, a break
            raise NotDeterministic if info == 31 else Unsupported
        width = 1 << (info - 24)
        argument = int.from_bytes(self._take(width), "big")
        if argument < 24 or (width > 1 and not argument >> (4 * width)):
            raise NotDeterministic
        return argument

    def read_item(self, depth: int) -> object:
        first = self._take(1)[0]
        major = first >> 5
        if major >= TAG:
            return _simple(first)
        argument = self._read_argument(first & 31)
        if major == UNSIGNED:
            return argument
        if major == NEGATIVE:
            return -1 - argument
        if major == BYTES:
            return bytes(self._take(argument))
        if major == TEXT:
            return self._read_text(argument)
        if not depth:
            raise TooDeep
        # an item is one byte at least, a pair two
        if argument << (major - ARRAY) > len(self._raw) - self._at:
            raise Truncated
        if argument > ITEMS_MAX:
            raise TooLong
        if major == ARRAY:
            return self._read_array(argument, depth - 1)
        return self._read_map(argument, depth - 1)

    def _read_text(self, count: int) -> str:
        raw = self._take(count)
        if count > TEXT_BYTES_MAX:
            raise TooLong
        for byte in raw:
            if not 0x20 <= byte <= 0x7E:
                raise BadText
        return str(raw, "ascii")

    def _read_array(self, count: int, depth: int) -> "list[object]":
        items = []
        for _ in range(count):  # no comprehension: it would double the stack of a level
            items.append(self.read_item(depth))
        return items

    def _read_map(self, count: int, depth: int) -> "dict[object, object]":
        pairs: dict[object, object] = {}
        last = b""
        for _ in range(count):
            start = self._at
            if self._take(1)[0] >= 0x80:
                raise Unsupported  # a key that is an array, a map, a tag or a simple value
            self._at = start
            key = self.read_item(depth)
            encoded = bytes(self._raw[start : self._at])
            if encoded <= last:
                raise DuplicateKey if encoded == last else NotDeterministic
            last = encoded
            pairs[key] = self.read_item(depth)
        return pairs


def _simple(first: int) -> object:
    if first == 0xF4:
        return False
    if first == 0xF5:
        return True
    if first == 0xF6:
        return None
    raise Unsupported


def _write_item(out: bytearray, value: object, depth: int) -> None:
    if value is None:
        out.append(0xF6)
    elif value is True or value is False:  # before int: CPython's bool is one, MicroPython's not
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        out.extend(head(NEGATIVE, -1 - value) if value < 0 else head(UNSIGNED, value))
    elif isinstance(value, (bytes, bytearray, memoryview)):
        out.extend(head(BYTES, len(value)))
        out.extend(value)
    elif isinstance(value, str):
        _write_text(out, value)
    elif isinstance(value, (list, tuple)):
        _write_container_head(out, ARRAY, len(value), depth)
        for item in value:
            _write_item(out, item, depth - 1)
    elif isinstance(value, dict):
        _write_map(out, value, depth)
    else:
        raise Unsupported


def _write_text(out: bytearray, value: str) -> None:
    raw = value.encode()
    if len(raw) > TEXT_BYTES_MAX:
        raise TooLong
    for byte in raw:
        if not 0x20 <= byte <= 0x7E:
            raise BadText
    out.extend(head(TEXT, len(raw)))
    out.extend(raw)


def _write_container_head(out: bytearray, major: int, count: int, depth: int) -> None:
    if not depth:
        raise TooDeep
    if count > ITEMS_MAX:
        raise TooLong
    out.extend(head(major, count))


def _write_map(out: bytearray, value: "dict[object, object]", depth: int) -> None:
    _write_container_head(out, MAP, len(value), depth)
    encoded = {}
    for key in value:
        raw = dumps(key)
        if raw[0] >= 0x80:
            raise Unsupported
        encoded[raw] = value[key]
    for raw in sorted(encoded):  # bytewise (RFC 8949, 4.2.1)
        out.extend(raw)
        _write_item(out, encoded[raw], depth - 1)
