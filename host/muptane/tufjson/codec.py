"""The codec of TUF's JSON: files become the objects that the device's decisions ask.

The payload of a file is the whole file as it came, so lengths and hashes are those of the file;
what is signed is the canonical form of its `signed`. A key is (type, scheme, public); whether it
can be used shows when a signature is verified. Fields that nobody knows are allowed everywhere.
It does NOT verify, compare or know the time.
Rules: V-05, V-07, V-08, V-18, V-19, T-06, T-14, T-27, E-42, E-43, E-45, E-46.
"""

from muptane.tufjson.delegation import Delegations
from muptane.tufjson.dialect import ALG_SHA512, MANDATORY, SIGNATURES, JsonPolicy
from muptane.tufjson.holders import Keys, read_holders
from muptane.tufjson.names import TOP, Names, role_of
from muptane.tufjson.text import canonical, parse, seconds, take, unhex
from uptane.errors import BadEnvelope, BadShape, EcuTwice, Expired, TooLong, WrongFormat, WrongType
from uptane.ids import ALG_SHA256, DELEGATED_FIRST, DIRECTOR, TARGETS

if False:  # for the type checker
    from typing import Any

ALGORITHMS = {"sha256": ALG_SHA256, "sha512": ALG_SHA512}
SIGNATURES_MAX = 256  # of one file
TYPES = {number: name for name, number in TOP.items()}


class Envelope:
    """An open file: payload (all of it), signatures [(kid, signature), ...]."""

    def __init__(self, payload: bytes, signatures: "list[tuple[str, bytes]]") -> None:
        self.payload = payload
        self.signatures = signatures


class Codec:
    """errand.Codec for one repository of JSON, by its names and a policy record."""

    def __init__(self, names: Names, policy: JsonPolicy) -> None:
        self.names = names
        self.policy = policy
        self._parsed: tuple[bytes, Any] = (b"", {})
        self._covered: tuple[bytes, tuple[bytes, ...]] = (b"", ())

    def signed(self, payload: bytes) -> "Any":
        """Return what is signed in a file."""
        return take(self._parse(payload), "signed", dict)

    def read_sign(self, raw: bytes) -> Envelope:
        """Refusals: BadShape; TooLong with more than SIGNATURES_MAX signatures, each of which
        costs a verification; BadEnvelope with one kid twice, by T-27."""
        value = self._parse(raw)
        take(value, "signed", dict)
        known: list[tuple[str, bytes]] = []
        kids = set()
        signatures = take(value, "signatures", list)
        if len(signatures) > SIGNATURES_MAX:
            raise TooLong
        for item in signatures:
            kid = take(item, "keyid", str)
            if kid in kids and self.policy.t27_counting == SIGNATURES:
                raise BadEnvelope
            kids.add(kid)
            try:
                known.append((kid, unhex(item.get("sig"))))
            except BadShape:
                pass  # no signature of any key: it does not count
        return Envelope(raw, known)

    def write_sign(self, payload: bytes, signatures: "Any") -> bytes:
        """Return what to store: the file as it came."""
        return payload

    def context(self, type: int, identity: bytes, number: int) -> bytes:
        """JSON ties a signature to nothing but what is signed."""
        return b""

    def sign_parts(
        self, payload: bytes, aad: bytes, signature: bytes = b""
    ) -> "tuple[bytes, ...]":
        """Return what each signature covers: the same for all of a file."""
        if self._covered[0] != payload:
            self._covered = (payload, (canonical(self.signed(payload)),))
        return self._covered[1]

    def Head(self, payload: bytes, role: int) -> "Head":  # names of errand.Codec
        return Head(self, payload, role)

    def Root(self, suite: "Any", payload: bytes) -> "Root":
        return Root(self, suite, payload)

    def Timestamp(self, payload: bytes) -> "Timestamp":
        return Timestamp(self, payload)

    def Snapshot(self, payload: bytes) -> "Snapshot":
        return Snapshot(self, payload)

    def Targets(self, payload: bytes, repository: int, role: int = TARGETS) -> "Targets":
        return Targets(self, payload, repository, role)

    def Delegations(self, suite: "Any", targets: "Any") -> Delegations:
        return Delegations(self, suite, targets)

    def _parse(self, raw: bytes) -> "Any":
        if self._parsed[0] != raw:
            self._parsed = (raw, parse(raw))
        return self._parsed[1]


class Head:
    """What every role begins with: version, expires.

    Refusals: BadShape, WrongFormat, WrongType.
    """

    def __init__(self, codec: Codec, payload: bytes, role: int) -> None:
        signed = codec.signed(payload)
        if take(signed, "spec_version", str).split(".")[0] != "1":
            raise WrongFormat
        if take(signed, "_type", str) != TYPES[TARGETS if role >= DELEGATED_FIRST else role]:
            raise WrongType
        self.version = _positive(signed, "version")
        self.expires = seconds(take(signed, "expires", str))
        self._signed = signed

    def check_expiry(self, now: int) -> None:
        """Refuse what is too old: Expired, at the second that is named (T-29)."""
        if now >= self.expires:
            raise Expired


class Root(Head):
    """Who may sign what; is_consistent: do file names carry versions and hashes?"""

    def __init__(self, codec: Codec, suite: "Any", payload: bytes) -> None:
        super().__init__(codec, payload, TOP["root"])
        keys = Keys(suite, take(self._signed, "keys", dict))
        roles = take(self._signed, "roles", dict)
        self.is_consistent = self._signed.get("consistent_snapshot", False) is True
        self._keyholders = {}
        for name in TOP:
            self._keyholders[TOP[name]] = read_holders(codec.policy, roles.get(name), keys)

    def keyholders(self, role: int) -> "tuple[int, dict[Any, Any]]":
        """Return (threshold, {kid: key}); for a role that nobody holds, nobody."""
        return self._keyholders.get(role, (1, {}))


class Timestamp(Head):
    """snapshot_version, and length and hashes of its file: None and none where it says none."""

    def __init__(self, codec: Codec, payload: bytes) -> None:
        super().__init__(codec, payload, TOP["timestamp"])
        named = take(take(self._signed, "meta", dict), "snapshot.json", dict)
        self.snapshot_version, self.length, self.hashes = read_named(named)
        if codec.policy.t14_named == MANDATORY and (self.length is None or not self.hashes):
            raise BadShape


class Snapshot(Head):
    """versions {role: version}; named {role: (version, length or None, hashes)}."""

    def __init__(self, codec: Codec, payload: bytes) -> None:
        super().__init__(codec, payload, TOP["snapshot"])
        meta = take(self._signed, "meta", dict)
        self.named = {role_of(codec.names, key): read_named(meta[key]) for key in meta}
        self.versions = {role: self.named[role][0] for role in self.named}


class Targets(Head):
    """Which images there are; of the Director also ecus {id: path} and vehicle.

    Refusals: as Head; BadShape, EcuTwice."""

    def __init__(self, codec: Codec, payload: bytes, repository: int, role: int) -> None:
        super().__init__(codec, payload, role)
        self._targets = take(self._signed, "targets", dict)
        self.delegations = self._signed.get("delegations")
        self.acknowledged: dict[str, int] = {}
        self.maps = None
        self.bundle = None
        self.bundled = ()
        self.ecus: dict[str, str] = {}
        custom = self._signed.get("custom")
        self.vehicle = custom.get("vehicleId") if type(custom) is dict else None
        for path in self._targets:
            entry = Entry(path, self._targets[path])
            for ecu in entry.ecus if repository == DIRECTOR else ():
                if ecu in self.ecus:
                    raise EcuTwice
                self.ecus[ecu] = path

    def is_empty(self) -> bool:
        """Is no image listed?"""
        return not self._targets

    def entry(self, number: str) -> "Entry | None":
        """Return the entry of a path, or None."""
        return Entry(number, self._targets[number]) if number in self._targets else None


class Entry:
    """One image: number (its path), length, hashes; with Uptane's custom data hardware, release
    and ecus. Refusal: BadShape.
    """

    def __init__(self, path: str, value: "Any") -> None:
        self.number = path
        self.length = take(value, "length", int)
        self.hashes = read_hashes(take(value, "hashes", dict))
        if self.length < 0 or not self.hashes:
            raise BadShape
        self.digest = self.hashes.get(ALG_SHA256, b"")
        custom = value.get("custom")
        custom = custom if type(custom) is dict else {}
        ecus = custom.get("ecuIdentifiers", {})
        self.ecus = {}
        for ecu in ecus if type(ecus) is dict else {}:
            self.ecus[ecu] = take(ecus[ecu], "hardwareId", str)
        listed = custom.get("hardwareIds", [])
        self.hardware = list(self.ecus.values()) or (listed if type(listed) is list else [])
        self.release = custom.get("releaseCounter", 0)
        if type(self.release) is not int:
            raise BadShape

    def says_the_same(self, other: "Entry") -> bool:
        """The same bytes, release and, of a Director's entry, hardware that the other allows?"""
        return (
            self.length == other.length
            and self.hashes == other.hashes
            and self.release == other.release
            and all([hardware in other.hardware for hardware in self.hardware])
        )


def read_named(value: "Any") -> "tuple[int, Any, Any]":
    """Return version, length or None, and hashes (none: {}) of a named file. BadShape."""
    version = _positive(value, "version")
    length = value.get("length")
    if length is not None and (type(length) is not int or length < 0):
        raise BadShape
    hashes = value.get("hashes")
    return version, length, {} if hashes is None else read_hashes(hashes)


def read_hashes(value: "Any") -> "dict[Any, bytes]":
    """Return {algorithm: digest}; a function that we have no number for keeps its name (T-34)."""
    if type(value) is not dict:
        raise BadShape
    return {ALGORITHMS.get(name, name): unhex(value[name]) for name in value}


def _positive(value: "Any", key: str) -> int:
    number: int = take(value, key, int)
    if number < 1:
        raise BadShape
    return number
