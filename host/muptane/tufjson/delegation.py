"""Delegations of a JSON Targets: paths by pattern or by the hash of the path, or bins by number.

The shape is that of `uptane.meta.delegation`: a sequence by priority, each saying what it covers
and which roles speak; here one role each, for JSON has no agreement of several (T-25).
Rules: V-15, V-16, V-17, T-20, T-25, T-26, T-27, E-56.
"""

from muptane.tufjson.holders import Keys, read_holders
from muptane.tufjson.names import bin_name, matches, path_hash
from muptane.tufjson.text import take
from uptane.errors import BadShape

if False:  # for the type checker
    from typing import Any

BITS_MAX = 32


class Delegation:
    """Who speaks for which paths: terminating, agreement (of one), roles [(role, holders)].

    Refusals: BadShape, BadThreshold, BadKey.
    """

    agreement = 1

    def __init__(self, codec: "Any", value: "Any", keys: "Any") -> None:
        role = codec.names.delegated(take(value, "name", str))
        self.roles = [(role, read_holders(codec.policy, value, keys))]
        self.terminating = value.get("terminating", False) is True
        self._star = codec.policy.t26_star
        paths, prefixes = value.get("paths"), value.get("path_hash_prefixes")
        if (paths is None) == (prefixes is None):
            raise BadShape
        self._paths = _texts(paths)
        self._prefixes = _texts(prefixes)

    def covers(self, wanted: "Any") -> bool:
        """Is it about this path?"""
        path: str = wanted.number
        digest = path_hash(path)
        text = "".join([f"{byte:02x}" for byte in digest])
        return any([matches(path, pattern, self._star) for pattern in self._paths]) or any(
            [text.startswith(prefix) for prefix in self._prefixes]
        )


class Bins:
    """All bins in one delegation: each path falls into exactly one, and nobody else has it."""

    agreement = 1
    terminating = True

    def __init__(self, codec: "Any", value: "Any", keys: "Any") -> None:
        self.roles: list[Any] = []
        self._names = codec.names
        self._holders = read_holders(codec.policy, value, keys)
        self._prefix = take(value, "name_prefix", str)
        self._bits = take(value, "bit_length", int)
        if not 1 <= self._bits <= BITS_MAX:
            raise BadShape

    def covers(self, wanted: "Any") -> bool:
        """Always; by the role of the bin that the path falls into."""
        name = bin_name(wanted.number, self._prefix, self._bits)
        self.roles = [(self._names.delegated(name), self._holders)]
        return True


class Delegations:
    """The delegations of Targets by priority. Refusals: BadShape, those of Delegation."""

    def __init__(self, codec: "Any", suite: "Any", targets: "Any") -> None:
        self._items: list[Any] = []
        value = targets.delegations
        if value is None:
            return
        keys = Keys(suite, take(value, "keys", dict))
        bins = value.get("succinct_roles")
        if (bins is None) == (value.get("roles") is None):
            raise BadShape
        if bins is not None:
            self._items = [Bins(codec, bins, keys)]
        else:
            self._items = [Delegation(codec, item, keys) for item in take(value, "roles", list)]

    def __len__(self) -> int:
        return len(self._items)

    def at(self, place: int) -> "Any":
        """Return the delegation at a place of the order, from 0."""
        return self._items[place]


def _texts(value: object) -> "list[str]":
    if value is None:
        return []
    if type(value) is not list or [item for item in value if type(item) is not str]:
        raise BadShape
    return value
