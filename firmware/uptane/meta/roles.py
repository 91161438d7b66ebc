"""Root, Timestamp, Snapshot: a payload becomes an object or is refused. Targets is next door.

The grammar is docs/pouf.cddl and nothing else: a missing or unknown key, a wrong type, a number
out of range is BadShape, whoever signed it; only the content of `custom` is free. `Head` reads
the first fields alone, so that versions can be compared before a signature is paid for and before
the rest is believed. It does NOT verify signatures, compare versions or know the time.
Rules: V-05, V-07, V-08, V-18, V-19, T-14, E-42, E-43, E-45, E-46, E-60.
"""

from uptane import cbor, cose
from uptane.errors import BadKey, BadShape, BadThreshold, Expired, WrongFormat, WrongType
from uptane.ids import (
    DELEGATED_FIRST,
    DELEGATED_LAST,
    FORMAT,
    KEY_CUSTOM,
    KEY_EXPIRES,
    KEY_FORMAT,
    KEY_KEYS,
    KEY_NUMBER,
    KEY_ROLES,
    KEY_SNAPSHOT,
    KEY_TYPE,
    KEY_VERSION,
    KEY_VERSIONS,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIME,
    TIMESTAMP,
)
from uptane.limits import KEYS_MAX, VERSION_MAX
from uptane.meta.shape import (
    NUMBER_MAX,
    SECONDS_MAX,
    Fields,
    read_hashes,
    read_list,
    read_map,
    read_number,
)

if False:  # for the type checker
    from errand import Keyholders
    from uptane.crypto.suite import Suite


class Head:
    """What every role file begins with: version, expires (seconds since 1970).

    `role` is its number, which is also its type unless it is that of a delegated Targets.
    Refusals: BadShape, WrongFormat, WrongType (E-46), and the encoding of those fields.
    """

    def __init__(self, payload: bytes, role: int) -> None:
        if not payload or not 0xA5 <= payload[0] <= 0xB7:  # a map of 5..23 pairs
            raise BadShape
        rest = memoryview(payload)[1:]
        values = []
        for key in (KEY_FORMAT, KEY_TYPE, KEY_NUMBER, KEY_VERSION, KEY_EXPIRES):
            found, rest = cbor.loads_first(rest)
            if type(found) is not int or found != key:
                raise BadShape
            value, rest = cbor.loads_first(rest)
            values.append(read_number(value, 0, SECONDS_MAX))
        if values[0] != FORMAT:
            raise WrongFormat
        type_wanted = TARGETS if role >= DELEGATED_FIRST else role
        if values[1] != type_wanted or values[2] != role:
            raise WrongType
        self.version = read_number(values[3], 1, VERSION_MAX)
        self.expires = values[4]
        self._rest = rest  # the pairs that follow
        self._pairs = (payload[0] & 31) - 5

    def check_expiry(self, now: int) -> None:
        """Refuse what is too old: Expired, at the second that is named (T-29)."""
        if now >= self.expires:
            raise Expired

    def _read_whole(self, payload: bytes) -> Fields:
        """Return the fields that follow; the payload is not held, for the heap is small."""
        self._rest = memoryview(b"")
        fields = Fields(cbor.loads(payload))
        for key in (KEY_FORMAT, KEY_TYPE, KEY_NUMBER, KEY_VERSION, KEY_EXPIRES):
            fields.take(key)  # looked at already
        return fields


def _end(fields: Fields) -> None:
    fields.take_custom(KEY_CUSTOM)
    fields.end()


class Root(Head):
    """Who may sign what.

    Refusals: as Head; BadKey (E-45: a key twice, or a holder whose key is not there), BadThreshold
    (E-42).
    """

    def __init__(self, suite: "Suite", payload: bytes) -> None:
        super().__init__(payload, ROOT)
        fields = self._read_whole(payload)
        keys = read_keys(suite, fields.take(KEY_KEYS))
        roles = Fields(fields.take(KEY_ROLES))
        self._keyholders = {}
        for role in (ROOT, TIMESTAMP, SNAPSHOT, TARGETS):
            self._keyholders[role] = _read_pair(roles.take(role), keys)
        time = roles.take(TIME)
        if time is not None:
            self._keyholders[TIME] = _read_pair(time, keys)
        roles.end()
        _end(fields)

    def keyholders(self, role: int) -> "Keyholders":
        """Return (threshold, {kid: public key}); for a role that nobody holds, nobody."""
        return self._keyholders.get(role, (1, {}))


def read_keys(suite: "Suite", value: object) -> "dict[bytes, bytes]":
    """Return {kid: public key} of a list of COSE_Keys. Refusals: BadShape; BadKey (E-45)."""
    keys = {}
    last = b""
    for item in read_list(value, 1, KEYS_MAX):
        public = cose.read_key(item)
        kid = cose.key_id(suite, public)
        if kid <= last:  # out of order, or the same key twice
            raise BadKey
        keys[kid] = public
        last = kid
    return keys


def read_keyholders(threshold: object, kids: object, keys: "dict[bytes, bytes]") -> "Keyholders":
    """Return (threshold, {kid: public key}). Refusals: BadShape, BadKey, BadThreshold."""
    if type(threshold) is not int:
        raise BadShape
    held = {}
    last = b""
    for kid in read_list(kids, 1, KEYS_MAX):
        if type(kid) is not bytes or kid <= last:
            raise BadShape
        if kid not in keys:
            raise BadKey
        held[kid] = keys[kid]
        last = kid
    if not 1 <= threshold <= len(held):
        raise BadThreshold
    return threshold, held


def _read_pair(value: object, keys: "dict[bytes, bytes]") -> "Keyholders":
    threshold, kids = read_list(value, 2, 2)
    return read_keyholders(threshold, kids, keys)


class Timestamp(Head):
    """Which Snapshot is the latest: snapshot_version, length and hashes of its payload."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload, TIMESTAMP)
        fields = self._read_whole(payload)
        version, length, hashes = read_list(fields.take(KEY_SNAPSHOT), 3, 3)
        self.snapshot_version = read_number(version, 1, VERSION_MAX)
        self.length = read_number(length, 0, NUMBER_MAX)
        self.hashes = read_hashes(hashes)
        _end(fields)


class Snapshot(Head):
    """Which Targets files belong together: versions = {role number: version}."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload, SNAPSHOT)
        fields = self._read_whole(payload)
        self.versions = {}
        listed = read_map(fields.take(KEY_VERSIONS))
        for key in listed:
            role = read_number(key, TARGETS, DELEGATED_LAST)
            if TARGETS < role < DELEGATED_FIRST:
                raise BadShape
            self.versions[role] = read_number(listed[key], 1, VERSION_MAX)
        if not self.versions:
            raise BadShape
        _end(fields)
