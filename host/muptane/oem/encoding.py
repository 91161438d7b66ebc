"""Deterministic CBOR (RFC 8949, 4.2.1) over cbor2: one value, one encoding.

cbor2's own `canonical` sorts map keys by length first (RFC 7049), so the keys are sorted here,
by their encodings. Decoding is strict in the simplest way: what was read is written again and
compared with what came. Only the types of docs/pouf.cddl exist: integers, byte strings,
printable ASCII text, arrays, maps with integer keys, and the tags of the four COSE messages.
It does not know what a message means.
Rules: V-04, E-60, T-06.
"""

from io import BytesIO
from typing import Any

import cbor2
from cbor2 import CBORTag

# Not cbor2.loads: in C, cbor2 5.9 loses 500 bytes and more for ever at each text that is no UTF-8
# and each bad fraction, regular expression or UUID. cbor2 6 does not, but cwt 3.3 wants 5.
from cbor2._decoder import CBORDecoder
from cbor2._types import CBORDecodeError

from muptane.oem.errors import Malformed, NotDeterministic, TooLarge
from uptane import algorithms, ids, limits

INTEGER_MAX = 2**64 - 1
INTEGER_MIN = -(2**64)
COSE_TAGS = (ids.COSE_SIGN, ids.COSE_SIGN1, algorithms.COSE_MAC0, algorithms.COSE_ENCRYPT)
NESTING_MAX = limits.DEPTH_MAX + 1  # the COSE tag counts as a level here


def encode(value: object) -> bytes:
    """The one encoding of `value`. Refuses with Malformed what our grammar has no place for."""
    return cbor2.dumps(_ordered(value, NESTING_MAX))


def decode(raw: bytes, bytes_max: int) -> object:
    """The value of one item that fills `raw`, in its one encoding. Arrays come as lists.

    Refuses with TooLarge, Malformed, NotDeterministic (trailing bytes and duplicate keys too).
    """
    if len(raw) > bytes_max:
        raise TooLarge(f"{len(raw)} bytes came where at most {bytes_max} are allowed")
    try:
        value = CBORDecoder(BytesIO(raw), tag_hook=_tagged).decode()
    except (CBORDecodeError, ValueError, TypeError, ArithmeticError) as fault:
        # cbor2 interprets foreign tags (dates, decimals) and lets some of their faults through
        raise Malformed(f"not CBOR: {fault}") from fault
    if encode(value) != raw:
        raise NotDeterministic("the bytes are not the deterministic encoding of their value")
    return value


def _tagged(decoder: object, tag: Any) -> CBORTag:
    """A tag as cbor2.dumps knows it."""
    return CBORTag(tag.tag, tag.value)


def _ordered(value: object, levels: int) -> object:
    """`value` with every map in the order of its encoded keys."""
    if levels == 0:
        raise Malformed("nested too deep")
    if isinstance(value, bool) or value is None or isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return _in_range(value)
    if isinstance(value, str):
        return _printable(value)
    if isinstance(value, (list, tuple)):
        return [_ordered(item, levels - 1) for item in value]
    if isinstance(value, dict):
        keys = sorted((_key(key) for key in value), key=cbor2.dumps)
        return {key: _ordered(value[key], levels - 1) for key in keys}
    if isinstance(value, CBORTag) and value.tag in COSE_TAGS:
        return CBORTag(value.tag, _ordered(value.value, levels - 1))
    raise Malformed(f"{type(value).__name__} has no place in our messages")


def _key(key: object) -> int:
    if isinstance(key, bool) or not isinstance(key, int):
        raise Malformed(f"{key!r} is a map key that is not an integer")
    return _in_range(key)


def _in_range(value: int) -> int:
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise Malformed(f"{value} needs more than 64 bits")
    return value


def _printable(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise Malformed(f"{text!r} is not printable ASCII")
    return text
