"""Keys of JSON files, and who holds a role with how many of them.

A key is (type, scheme, public) with no check of any: one of an unknown kind verifies nothing, and
spoils nothing. A kid is a name that a file chose; distinct *keys* are seen to here.
Rules: V-05, T-27, E-42, E-43, E-45.
"""

from muptane.tufjson.dialect import SIGNATURES, JsonPolicy
from muptane.tufjson.text import take
from uptane.errors import BadKey, BadShape, BadThreshold

if False:  # for the type checker
    from typing import Any


def read_keys(value: "Any") -> "dict[str, Any]":
    """Return {kid: (type, scheme, public)}. Refusal: BadKey."""
    keys = {}
    for kid in value:
        try:
            public = take(take(value[kid], "keyval", dict), "public", str)
            keys[kid] = (take(value[kid], "keytype", str), take(value[kid], "scheme", str), public)
        except BadShape:
            raise BadKey from None
    return keys


def read_holders(policy: JsonPolicy, value: "Any", keys: "Any") -> "tuple[int, dict[Any, Any]]":
    """Return (threshold, {kid: key}); of two kids of one key the first holds it (E-43, E-45).

    Refusals: BadShape, BadThreshold; by T-27 BadKey, and BadThreshold if it cannot be met.
    """
    threshold = take(value, "threshold", int)
    held: dict[Any, Any] = {}
    for kid in take(value, "keyids", list):
        key = keys.get(kid) if type(kid) is str else None
        if key is None and policy.t27_counting != SIGNATURES:
            raise BadKey
        if key is not None and key not in held.values():
            held[kid] = key
    if threshold < 1 or (threshold > len(held) and policy.t27_counting != SIGNATURES):
        raise BadThreshold
    return threshold, held
