"""Keys of JSON files, and who holds a role with how many of them.

A key is (type, scheme, public) with no check of any: one of an unknown kind verifies nothing, and
spoils nothing. A kid is a name that a file chose; distinct *keys* are seen to here, and a key is
the same however its text, type and scheme are written, for one private key signs for all of them.
Rules: V-05, T-27, E-42, E-43, E-45.
"""

from muptane.tufjson.dialect import SIGNATURES, JsonPolicy
from muptane.tufjson.text import take
from uptane.errors import BadKey, BadShape, BadThreshold

if False:  # for the type checker
    from typing import Any


class Keys:
    """The keys that a file lists, by kid; `suite` says which of them are one. Refusal: BadKey."""

    def __init__(self, suite: "Any", value: "Any") -> None:
        self._suite = suite
        self._keys: dict[str, tuple[str, str, str]] = {}
        self._identities: dict[Any, Any] = {}
        for kid in value:
            try:
                public = take(take(value[kid], "keyval", dict), "public", str)
                kind, scheme = take(value[kid], "keytype", str), take(value[kid], "scheme", str)
            except BadShape:
                raise BadKey from None
            self._keys[kid] = (kind, scheme, public)

    def key(self, kid: object) -> "Any":
        """Return (type, scheme, public), or None where no key has this kid."""
        return self._keys.get(kid) if type(kid) is str else None

    def identity(self, key: "Any") -> "Any":
        """Return what is equal for all texts of one key."""
        if key not in self._identities:
            self._identities[key] = self._suite.identity(key)
        return self._identities[key]


def read_holders(policy: JsonPolicy, value: "Any", keys: Keys) -> "tuple[int, dict[Any, Any]]":
    """Return (threshold, {kid: key}); of two kids of one key the first holds it (E-43, E-45).

    Refusals: BadShape, BadThreshold; by T-27 BadKey, and BadThreshold if it cannot be met.
    """
    threshold = take(value, "threshold", int)
    held: dict[Any, Any] = {}
    seen = set()
    for kid in take(value, "keyids", list):
        key = keys.key(kid)
        if key is None and policy.t27_counting != SIGNATURES:
            raise BadKey
        if key is not None and keys.identity(key) not in seen:
            seen.add(keys.identity(key))
            held[kid] = key
    if threshold < 1 or (threshold > len(held) and policy.t27_counting != SIGNATURES):
        raise BadThreshold
    return threshold, held
