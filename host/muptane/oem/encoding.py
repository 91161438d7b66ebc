"""Deterministic CBOR (RFC 8949, 4.2.1), as much of it as docs/pouf.cddl has a place for.

There are integers of 64 bits, byte strings, printable ASCII text, arrays, maps with integer keys,
and the tags of the four COSE messages. What is not the one encoding of its value is refused, and
nothing else of CBOR is ever interpreted. It shares no line with the device's, and a test holds it
against cbor2 (docs/design.md says why that is not used here). It does not know what a message
means.
Rules: V-04, E-60, T-06.
"""

from cbor2 import CBORTag

from muptane.oem.errors import Malformed, NotDeterministic, TooLarge
from uptane import algorithms, ids, limits

COSE_TAGS = (ids.COSE_SIGN, ids.COSE_SIGN1, algorithms.COSE_MAC0, algorithms.COSE_ENCRYPT)
NESTING_MAX = limits.DEPTH_MAX + 1  # the COSE tag counts as a level here

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)  # major types
DIRECT_MAX = 23  # a greater count stands in the bytes behind the first
COUNT_BYTES = {24: 1, 25: 2, 26: 4, 27: 8}
COUNT_LEAST = {24: 24, 25: 2**8, 26: 2**16, 27: 2**32}
COUNTS_UP = ((2**8, 24, 1), (2**16, 25, 2), (2**32, 26, 4), (2**64, 27, 8))
INDEFINITE = 31
NAMED = {20: False, 21: True, 22: None}
CODES = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}
BYTE = tuple(bytes((value,)) for value in range(256))


def encode(value: object) -> bytes:
    """The one encoding of `value`. Refuses with Malformed what our grammar has no place for."""
    return _encoded(value, NESTING_MAX)


def decode(raw: bytes, bytes_max: int) -> object:
    """The value of one item that fills `raw`, in its one encoding. Arrays come as lists.

    Refuses with TooLarge, Malformed, NotDeterministic (trailing bytes and duplicate keys too).
    """
    if len(raw) > bytes_max:
        raise TooLarge(f"{len(raw)} bytes came where at most {bytes_max} are allowed")
    try:
        value, end = _item(raw, 0, NESTING_MAX)
    except IndexError as fault:
        raise Malformed("cut short") from fault
    if end != len(raw):
        raise NotDeterministic(f"{len(raw) - end} bytes follow the value")
    return value


def _item(raw: bytes, at: int, levels: int) -> tuple[object, int]:
    """The item that begins `at`, and where it ends. IndexError: behind the end of `raw`."""
    if levels == 0:
        raise Malformed("nested too deep")
    first = raw[at]
    major, count, at = first >> 5, first & 31, at + 1
    if count > DIRECT_MAX:
        count, at = _count(raw, at, major, count)
    if major == UNSIGNED:
        return count, at
    if major == NEGATIVE:
        return -1 - count, at
    if major in (BYTES, TEXT):
        end = at + count
        if end > len(raw):
            raise Malformed("cut short")
        return raw[at:end] if major == BYTES else _text(raw[at:end]), end
    if major == ARRAY:
        items = []
        for _ in range(count):
            item, at = _item(raw, at, levels - 1)
            items.append(item)
        return items, at
    if major == MAP:
        return _map(raw, at, count, levels)
    if major == TAG and count in COSE_TAGS:
        item, at = _item(raw, at, levels - 1)
        return CBORTag(count, item), at
    if major == SIMPLE and count in NAMED:
        return NAMED[count], at
    raise Malformed(f"{'tag' if major == TAG else 'simple value'} {count} has no place here")


def _count(raw: bytes, at: int, major: int, code: int) -> tuple[int, int]:
    """The count that stands `at`, behind a first byte with this code, and where it ends."""
    if code == INDEFINITE and major not in (UNSIGNED, NEGATIVE, TAG):
        raise NotDeterministic("of indefinite length")
    if major == SIMPLE or code not in COUNT_BYTES:
        raise Malformed(f"code {code} of major type {major} has no place here")
    end = at + COUNT_BYTES[code]
    if end > len(raw):
        raise Malformed("cut short")
    found = int.from_bytes(raw[at:end], "big")
    if found < COUNT_LEAST[code]:
        raise NotDeterministic(f"{found} in {COUNT_BYTES[code]} bytes")
    return found, end


def _map(raw: bytes, at: int, count: int, levels: int) -> tuple[dict[int, object], int]:
    """Keys ascend by their encodings, each once."""
    made: dict[int, object] = {}
    before = b""
    for _ in range(count):
        key, end = _item(raw, at, levels - 1)
        if type(key) is not int:
            raise Malformed(f"{key!r} is a map key that is not an integer")
        if (encoded := raw[at:end]) <= before:
            raise NotDeterministic(f"map key {key} stands behind one that comes after it")
        before = encoded
        made[key], at = _item(raw, end, levels - 1)
    return made, at


def _text(raw: bytes) -> str:
    if not raw.isascii():
        raise Malformed(f"{raw!r} is not printable ASCII")
    return _printable(raw.decode("ascii"))


def _encoded(value: object, levels: int) -> bytes:
    if levels == 0:
        raise Malformed("nested too deep")
    if isinstance(value, bytes):
        return _counted(BYTES, len(value)) + value
    if type(value) is int:
        return BYTE[value] if 0 <= value <= DIRECT_MAX else _integer(value)
    if isinstance(value, (list, tuple)):
        items = [_encoded(item, levels - 1) for item in value]
        return _counted(ARRAY, len(items)) + b"".join(items)
    if isinstance(value, dict):
        pairs = [(_key(key), _encoded(item, levels - 1)) for key, item in value.items()]
        pairs.sort()
        return _counted(MAP, len(pairs)) + b"".join([part for pair in pairs for part in pair])
    if isinstance(value, str):
        text = _printable(value).encode("ascii")
        return _counted(TEXT, len(text)) + text
    if value is None or isinstance(value, bool):
        return CODES[value]
    if isinstance(value, CBORTag) and value.tag in COSE_TAGS:
        return _counted(TAG, value.tag) + _encoded(value.value, levels - 1)
    raise Malformed(f"{type(value).__name__} has no place in our messages")


def _key(key: object) -> bytes:
    if type(key) is not int:
        raise Malformed(f"{key!r} is a map key that is not an integer")
    return BYTE[key] if 0 <= key <= DIRECT_MAX else _integer(key)


def _integer(value: int) -> bytes:
    return _counted(UNSIGNED, value) if value >= 0 else _counted(NEGATIVE, -1 - value)


def _counted(major: int, count: int) -> bytes:
    """A head, the shortest there is."""
    if count <= DIRECT_MAX:
        return BYTE[major << 5 | count]
    if count < 2**8:
        return bytes((major << 5 | 24, count))
    for limit, code, size in COUNTS_UP:
        if count < limit:
            return BYTE[major << 5 | code] + count.to_bytes(size, "big")
    raise Malformed(f"{count} needs more than 64 bits")


def _printable(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise Malformed(f"{text!r} is not printable ASCII")
    return text
