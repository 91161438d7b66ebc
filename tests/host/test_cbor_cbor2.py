"""The device's CBOR against the library cbor2, over values and bytes that Hypothesis makes."""

import cbor2
from hypothesis import example, given
from hypothesis import strategies as st

from uptane import cbor
from uptane.errors import Refusal
from uptane.limits import DEPTH_MAX, ITEMS_MAX, TEXT_BYTES_MAX

INTEGERS = st.integers(-(1 << 64), (1 << 64) - 1)
TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=TEXT_BYTES_MAX)
KEYS = INTEGERS | st.binary(max_size=40) | TEXTS
VALUES = st.recursive(
    st.none() | st.booleans() | KEYS,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(KEYS, inner, max_size=30),
    max_leaves=40,
)


def deterministic(value: object) -> bytes:
    """What cbor2 writes once the maps are in the order of RFC 8949, 4.2.1."""
    return cbor2.dumps(ordered(value))


def ordered(value: object) -> object:
    if isinstance(value, list):
        return [ordered(item) for item in value]
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=cbor2.dumps)}
    return value


def depth(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def is_ours(value: object) -> bool:
    """Whether a value lies inside the subset and its bounds."""
    if isinstance(value, str):
        return len(value) <= TEXT_BYTES_MAX and all(" " <= letter <= "~" for letter in value)
    if isinstance(value, list):
        return len(value) <= ITEMS_MAX and all(map(is_ours, value))
    if isinstance(value, dict):
        keys = all(type(key) in (int, str, bytes) and is_ours(key) for key in value)
        return keys and len(value) <= ITEMS_MAX and all(map(is_ours, value.values()))
    if type(value) is int:
        return -(1 << 64) <= value < 1 << 64
    return value is None or type(value) in (bool, bytes)


def same(one: object, other: object) -> bool:
    """Equality that tells True from 1."""
    return one == other and repr(one) == repr(other)


@given(VALUES)
def test_both_write_the_same_bytes_and_read_them_back(value: object) -> None:
    if depth(value) > DEPTH_MAX:
        return
    raw = deterministic(value)
    assert cbor.dumps(value) == raw
    assert same(cbor.loads(raw), cbor2.loads(raw))


def check_bytes(raw: bytes) -> None:
    """We accept bytes exactly if the library reads them as one value, which is in our subset, and
    would write that value as these bytes."""
    try:
        expected = cbor2.loads(raw)
        strict = is_ours(expected) and depth(expected) <= DEPTH_MAX
        strict = strict and deterministic(expected) == raw
    except (cbor2.CBORError, TypeError, ValueError, OverflowError, RecursionError):
        strict = False
    try:
        value = cbor.loads(raw)
    except Refusal:
        assert not strict
        return
    assert strict
    assert same(value, expected)
    assert cbor.dumps(value) == raw


@given(st.binary(max_size=64))
@example(b"\x18\x17")
@example(b"\xa2\x01\x00\x01\x00")
@example(b"\xa2\x02\x00\x01\x00")
@example(b"\xa2\x01\x00\xf5\x00")
@example(b"\xc2\x41\x01")
def test_both_judge_arbitrary_bytes_alike(raw: bytes) -> None:
    check_bytes(raw)


@given(VALUES, st.data())
def test_both_judge_damaged_encodings_alike(value: object, data: st.DataObject) -> None:
    raw = bytearray(deterministic(value))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(at, len(raw)))
    check_bytes(bytes(raw[:end]))
    check_bytes(bytes(raw))
