"""Mutations that know what they change, so that the fuzzer gets past the encoding.

`change_item` decodes CBOR, changes one value, key or length of it and encodes it again, sorted as
the reader wants it; byte strings that are CBOR themselves are changed inside. `change_steps` does
the same for the lists of steps of a conversation (tests/fuzz/conversations.py). Both return None
for bytes that they cannot read: then the fuzzer's own mutations have their turn.

They make no valid signature: targets that have one to verify are given their payload.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import cbor2

from uptane import ids, limits

INTERESTING = (
    0, 1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 24, 127, 128, 255, 256, 257, 65535, 65536,
    limits.VERSION_MAX, 0x80000000, 0xFFFFFFFF, 2**32, 2**63, 2**64 - 1, -1, -2, -8, -16, -17,
    -(2**64), ids.COSE_SIGN, ids.COSE_SIGN1,
)  # fmt: skip
SIMPLE = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}
LENGTHS = (0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65)
# of numbers with an exponent of their own: ArithmeticError
UNREADABLE = (
    cbor2.CBORDecodeError, cbor2.CBOREncodeError, ValueError, TypeError, ArithmeticError,
)  # fmt: skip
Change = Callable[[bytes, random.Random], bytes | None]


def encode(value: Any) -> bytes:
    """CBOR in shortest forms, keys in the order of their encodings; tags as they come."""
    if isinstance(value, dict):
        pairs = sorted((encode(key), encode(value[key])) for key in value)
        return _head(5, len(pairs)) + b"".join(key + item for key, item in pairs)
    if isinstance(value, (list, tuple)):
        return _head(4, len(value)) + b"".join(encode(item) for item in value)
    if isinstance(value, cbor2.CBORTag):
        return _head(6, value.tag) + encode(value.value)
    if isinstance(value, bool) or value is None:
        return SIMPLE[value]
    if isinstance(value, int):
        return _head(1, -1 - value) if value < 0 else _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    return bytes(cbor2.dumps(value))


def _head(major: int, argument: int) -> bytes:
    """By hand, because cbor2 takes twenty microseconds for each call."""
    if argument < 24:
        return bytes((major << 5 | argument,))
    for width in range(4):
        if not argument >> (8 << width):
            return bytes((major << 5 | 24 + width,)) + argument.to_bytes(1 << width, "big")
    return b"\xf6"


def change_item(raw: bytes, chance: random.Random) -> bytes | None:
    """`raw` with one change somewhere in the item that it is."""
    try:
        return encode(_changed(cbor2.loads(raw), chance))
    except UNREADABLE:
        return None


def _changed(value: Any, chance: random.Random) -> Any:
    """The value, or one inside it, changed."""
    if isinstance(value, cbor2.CBORTag):
        return cbor2.CBORTag(value.tag, _changed(value.value, chance))
    if isinstance(value, dict) and value and chance.random() < 0.75:
        key = chance.choice(list(value))
        return {**value, key: _changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.75:
        at = chance.randrange(len(value))
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    if isinstance(value, bytes) and len(value) > 9 and chance.random() < 0.7:
        return change_item(value, chance) or _other(value, chance)
    return _other(value, chance)


def _other(value: Any, chance: random.Random) -> Any:
    """Something in place of a value: a neighbour of it, or of another type."""
    if chance.random() < 0.1:
        return chance.choice([0, 1, b"", b"k" * 8, "", "VIN", [], {}, None, True, False, [value]])
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        step = chance.choice([-1, 1, 8, 256, -value])
        return chance.choice([*INTERESTING, value + step, value + step, value + step])
    if isinstance(value, bytes):
        return _other_bytes(value, chance)
    if isinstance(value, dict):
        return _other_map(value, chance)
    if isinstance(value, list):
        return _other_list(value, chance)
    return chance.choice([value, "A", "~" * 33, "x" * 64, "x" * 65, 1])


def _other_bytes(value: bytes, chance: random.Random) -> bytes:
    if value and chance.random() < 0.5:
        at = chance.randrange(len(value))
        return value[:at] + bytes((chance.randrange(256),)) + value[at + 1 :]
    return (value + bytes(64))[: chance.choice(LENGTHS)]


def _other_map(value: dict[Any, Any], chance: random.Random) -> dict[Any, Any]:
    made = dict(value)
    keys = list(made)
    kind = chance.randrange(4)
    if kind == 0 and keys:
        del made[chance.choice(keys)]
    elif kind == 1 and keys:
        key = chance.choice(keys)
        made[key + 1 if isinstance(key, int) else key] = made[key]
    elif kind == 2 and keys:
        key = chance.choice(keys)
        made[chance.choice(INTERESTING)] = made.pop(key)
    else:
        known = [made[key] for key in keys] or [0]
        made[chance.choice(INTERESTING[:12])] = chance.choice(known)
    return made


def _other_list(value: list[Any], chance: random.Random) -> list[Any]:
    made = list(value)
    kind = chance.randrange(5)
    if not made or kind == 0:
        return [*made, chance.choice([0, b"", [], {}, 255])]
    at = chance.randrange(len(made))
    if kind == 1:
        del made[at]
    elif kind == 2:
        made.insert(at, made[at])
    elif kind == 3:
        made = made[:1] * chance.choice((1, 8, 9, 16, 17, 33))
    else:
        made.reverse()
    return made


# --- conversations -------------------------------------------------------------------------------


def change_steps(raw: bytes, chance: random.Random) -> bytes | None:
    """`raw` with one step changed, moved, dropped or said twice."""
    steps: list[tuple[int, bytes]] = []
    at = 0
    while at + 1 < len(raw):
        end = at + 2 + raw[at + 1]
        steps.append((raw[at], raw[at + 2 : end]))
        at = end
    if not steps:
        return None
    at = chance.randrange(len(steps))
    kind, data = steps[at]
    what = chance.randrange(8)
    if what == 0:
        del steps[at]
    elif what == 1:
        steps.insert(chance.randrange(len(steps)), steps[at])
    elif what == 2:
        steps[at] = chance.randrange(8), data
    elif what == 3:
        steps.insert(at, (chance.randrange(8), chance.randbytes(chance.randrange(9))))
    elif what == 4:
        steps[at] = kind, data + chance.randbytes(1)
    elif what == 5:
        steps[at] = kind, change_item(data[5:], chance) or data[:-1]
    else:
        steps[at] = kind, _other_bytes(data, chance)
    return b"".join(bytes((kind, len(data[:255]))) + data[:255] for kind, data in steps)


def change_prefixed_steps(raw: bytes, chance: random.Random) -> bytes | None:
    """As `change_steps`, behind a first byte."""
    changed = change_steps(raw[1:], chance)
    return None if changed is None else raw[:1] + changed


def change_prefixed_item(raw: bytes, chance: random.Random) -> bytes | None:
    """As `change_item`, behind a first byte."""
    changed = change_item(raw[1:], chance)
    return None if changed is None else raw[:1] + changed
