"""The payloads of Root, Timestamp and Snapshot: built from checked values, and read back.

Every payload is a frozen pydantic model with `payload()`, its one encoding, and
`from_payload()`, the reverse. What a model accepts is what docs/pouf.cddl allows; what a role
may say at all on which repository is decided by who builds it. It verifies nothing.
Rules: V-06, V-07, V-08, V-18, V-19, T-14.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from muptane.oem.encoding import decode, encode
from muptane.oem.envelopes import Context, sign
from muptane.oem.errors import Malformed, NoSigner, TooLarge, WrongPurpose
from muptane.oem.fields import U32, Custom, Hashes, Seconds, Strict, Version, hashes_of, sha256
from muptane.oem.keys import Holders, Key, Signer
from uptane import ids, limits

TOP_LEVEL = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)
BYTES_MAX: Mapping[int, int] = MappingProxyType(
    {
        ids.ROOT: limits.ROOT_BYTES_MAX,
        ids.TIMESTAMP: limits.TIMESTAMP_BYTES_MAX,
        ids.SNAPSHOT: limits.SNAPSHOT_BYTES_MAX,
        ids.TARGETS: limits.TARGETS_BYTES_MAX,
    }
)


SnapshotNumber = Annotated[int, Field(ge=ids.TARGETS, le=ids.DELEGATED_LAST)]


class Role(Strict):
    """What the payloads of all roles share. `type` is the role, `number` which one of its kind."""

    type: ClassVar[int]

    version: Version
    expires: Seconds
    custom: Custom = {}

    @property
    def number_of(self) -> int:
        return self.type

    def payload(self) -> bytes:
        """The signed bytes."""
        head: dict[int, object] = {
            ids.KEY_FORMAT: ids.FORMAT,
            ids.KEY_TYPE: self.type,
            ids.KEY_NUMBER: self.number_of,
            ids.KEY_VERSION: self.version,
            ids.KEY_EXPIRES: self.expires,
        }
        if self.custom:
            head[ids.KEY_CUSTOM] = self.custom
        return encode(head | self.body())

    def body(self) -> dict[int, object]:
        raise NotImplementedError

    def context(self, identity: bytes) -> Context:
        return Context(self.type, identity, self.number_of)

    @classmethod
    def fields(cls, found: dict[int, Any]) -> dict[str, Any]:
        """The model's own fields out of the map of a payload, which it consumes."""
        raise NotImplementedError

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Read back. Refuses what `payload()` cannot have made: Malformed, WrongPurpose,
        NotDeterministic, TooLarge."""
        found = decode(payload, BYTES_MAX[cls.type])
        if not isinstance(found, dict):
            raise Malformed("a payload is a map")
        try:
            if found.pop(ids.KEY_FORMAT) != ids.FORMAT:
                raise Malformed("another format")
            if (other := found.pop(ids.KEY_TYPE)) != cls.type:
                raise WrongPurpose(f"type {other} came as role {cls.type}")
            version, expires = found.pop(ids.KEY_VERSION), found.pop(ids.KEY_EXPIRES)
            custom = found.pop(ids.KEY_CUSTOM, {})
            body = cls.fields(found)
            number = found.pop(ids.KEY_NUMBER)
            made = cls(version=version, expires=expires, custom=custom, **body)
        except (LookupError, ValueError, TypeError, AttributeError) as fault:
            raise Malformed(f"not a payload of role {cls.type}: {fault}") from fault
        if found or made.number_of != number or made.payload() != payload:
            raise Malformed(f"not exactly a payload of role {cls.type}")
        return made


class Root(Role):
    """Who speaks for each role. `roles`: role -> Holders, of which only the public part counts."""

    type = ids.ROOT

    roles: dict[int, tuple[Annotated[int, Field(ge=1)], tuple[Key, ...]]]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not set(TOP_LEVEL) <= set(self.roles) <= {*TOP_LEVEL, ids.TIME}:
            raise ValueError("a Root names the holders of roles 0 to 3, and perhaps of time")
        for role, (threshold, keys) in self.roles.items():
            if len(set(keys)) != len(keys) or not 1 <= threshold <= len(keys):
                raise ValueError(f"role {role}: {threshold} of {len(set(keys))} distinct keys")
        if len(self.keys()) > limits.KEYS_MAX:
            raise ValueError(f"more than {limits.KEYS_MAX} keys")
        return self

    @classmethod
    def of(cls, version: int, expires: int, holders: Mapping[int, Holders]) -> "Root":
        roles = {role: (held.threshold, held.keys) for role, held in holders.items()}
        return cls(version=version, expires=expires, roles=roles)

    def keys(self) -> list[Key]:
        """Every key once, in ascending order of kid."""
        known = {key for _, keys in self.roles.values() for key in keys}
        return sorted(known, key=lambda key: key.kid)

    def identity(self) -> bytes:
        """If this is Root 1: what the repository is called in every signature."""
        return sha256(self.payload())

    def holders(self, role: int) -> Holders:
        threshold, keys = self.roles[role]
        return Holders(threshold, keys)

    def body(self) -> dict[int, object]:
        roles = {
            role: [threshold, sorted(key.kid for key in keys)]
            for role, (threshold, keys) in self.roles.items()
        }
        return {ids.KEY_KEYS: [key.cose_key for key in self.keys()], ids.KEY_ROLES: roles}

    @classmethod
    def fields(cls, found: dict[int, Any]) -> dict[str, Any]:
        keys = [Key.from_cose(cose_key) for cose_key in found.pop(ids.KEY_KEYS)]
        by_kid = {key.kid: key for key in keys}
        roles = {
            role: (threshold, tuple(by_kid[kid] for kid in kids))
            for role, (threshold, kids) in found.pop(ids.KEY_ROLES).items()
        }
        return {"roles": roles}


class Timestamp(Role):
    """The Snapshot that counts: its version, and length and hashes of its payload (T-14)."""

    type = ids.TIMESTAMP

    snapshot: Version
    length: U32
    hashes: Hashes

    @classmethod
    def of(cls, version: int, expires: int, snapshot: "Snapshot") -> "Timestamp":
        named = snapshot.payload()
        return cls(
            version=version,
            expires=expires,
            snapshot=snapshot.version,
            length=len(named),
            hashes=hashes_of(named),
        )

    def body(self) -> dict[int, object]:
        return {ids.KEY_SNAPSHOT: [self.snapshot, self.length, self.hashes]}

    @classmethod
    def fields(cls, found: dict[int, Any]) -> dict[str, Any]:
        snapshot, length, hashes = found.pop(ids.KEY_SNAPSHOT)
        return {"snapshot": snapshot, "length": length, "hashes": hashes}


class Snapshot(Role):
    """The version of Targets (3) and of every delegated role (16..)."""

    type = ids.SNAPSHOT

    versions: Annotated[dict[SnapshotNumber, Version], Field(min_length=1)]

    def body(self) -> dict[int, object]:
        return {ids.KEY_VERSIONS: self.versions}

    @classmethod
    def fields(cls, found: dict[int, Any]) -> dict[str, Any]:
        return {"versions": found.pop(ids.KEY_VERSIONS)}


def sign_role(role: Role, holders: Holders, identity: bytes) -> bytes:
    """The file of a role, signed by every signer at hand.

    Refuses with NoSigner below the threshold, TooLarge what no device would take.
    """
    return sign_by(role, holders.ready(), identity)


def sign_by(role: Role, signers: Sequence[Signer], identity: bytes) -> bytes:
    """The file of a role, signed by exactly `signers`."""
    if not signers:
        raise NoSigner("a file needs a signature")
    made = sign(role.payload(), signers, role.context(identity))
    if len(made) > BYTES_MAX[role.type]:
        raise TooLarge(f"role {role.number_of} has {len(made)} of {BYTES_MAX[role.type]} bytes")
    return made
