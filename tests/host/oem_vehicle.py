"""A vehicle as the back office sees it, made of cbor2 and PyNaCl alone.

It shares no line with `muptane.oem` nor with the device, so what it seals is a third opinion on
docs/pouf.cddl. Lies are told by overriding fields. Not a test file.
"""

import hashlib

import cbor2
import pytest
from cbor2 import CBORTag
from grammar import conforms
from nacl.signing import SigningKey
from sqlalchemy import select

from muptane.oem.enrolment import NewEcu
from muptane.oem.inventory import ManifestReceived
from uptane import ids

NOW = 1_760_000_000
GATEWAY, BRAKE, DOOR = 1, 2, 3


def dumps(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


def seal(content: bytes, key: SigningKey, kind: int, identity: bytes) -> bytes:
    digest = hashlib.sha256(content).digest()
    protected = dumps({1: -8, 258: -16})
    aad = dumps(["muptane", 1, kind, identity, kind])
    signed = key.sign(dumps(["Signature1", protected, aad, digest])).signature
    return dumps([content, CBORTag(18, [protected, {4: kid(key)}, digest, signed])])


def kid(key: SigningKey) -> bytes:
    cose_key = {1: 1, 3: -8, -1: 6, -2: bytes(key.verify_key)}
    return hashlib.sha256(dumps(cose_key)).digest()[:8]


class Ecu:
    """One ECU with the state of an honest one. `number` also makes its key."""

    def __init__(self, number: int, hardware: int, verification: int) -> None:
        self.number = number
        self.hardware = hardware
        self.verification = verification
        self.key = SigningKey(hashlib.sha256(b"ecu %d" % number).digest())
        self.image, self.length, self.sha256, self.release = 1000, 4, b"\x00" * 32, 1
        self.attacks: list[int] = []
        self.time = NOW - 60
        self.counter = 0
        self.boot = ids.BOOT_CONFIRMED
        self.tried: list[int] = []  # bundle, image, trials

    def new(self) -> NewEcu:
        return NewEcu(
            ecu=self.number,
            public=bytes(self.key.verify_key),
            hardware=self.hardware,
            verification=self.verification,
        )

    def report(self, identity: bytes, lies: dict[int, object] | None = None) -> bytes:
        return seal(self.content(lies), self.key, 5, identity)

    def content(self, lies: dict[int, object] | None = None) -> bytes:
        self.counter += 1
        content = {
            1: 1,
            2: 5,
            3: self.number,
            4: [self.image, self.length, {-16: self.sha256}, self.release],
            5: self.attacks,
            6: self.time,
            7: self.counter,
            8: self.counter.to_bytes(8, "big"),
            9: self.boot,
        }
        if self.tried:
            content[10] = self.tried
        return dumps({**content, **(lies or {})})


class Vehicle:
    """A Primary, a full and a partial Secondary. `vin` and `first` (ECU id) make it."""

    def __init__(self, vin: str = "VIN1", first: int = 1) -> None:
        self.vin = vin
        self.ecus = [
            Ecu(first, 10, ids.PRIMARY),
            Ecu(first + 1, 20, ids.FULL),
            Ecu(first + 2, 30, ids.PARTIAL),
        ]
        self.counter = 0

    def new(self) -> list[NewEcu]:
        return [ecu.new() for ecu in self.ecus]

    def reports(self, identity: bytes) -> list[bytes]:
        return [ecu.report(identity) for ecu in self.ecus]

    def manifest(
        self,
        identity: bytes,
        reports: list[bytes] | None = None,
        lies: dict[int, object] | None = None,
    ) -> bytes:
        self.counter += 1
        content = {
            1: 1,
            2: 6,
            3: self.vin,
            4: self.ecus[0].number,
            5: self.reports(identity) if reports is None else reports,
            6: self.counter,
        }
        return seal(dumps({**content, **(lies or {})}), self.ecus[0].key, 6, identity)


def newest(office, vin, role=ids.TARGETS):
    raw = office.answer(vin, ids.DIRECTOR, ids.KIND_METADATA, role, 0)
    conforms("role-file", raw)
    return office.director.authority.verify(raw, role)


def stored(office, row):
    with office.inventory.begin() as session:
        return list(session.scalars(select(row)))


def refuses(office, vehicle, refusal, raw):
    """Refused, recorded as an oddity, and nothing else happened; then the truth is accepted."""
    before = newest(office, vehicle.vin), len(stored(office, ManifestReceived))
    with pytest.raises(refusal):
        office.accept_manifest(vehicle.vin, raw)
    assert (newest(office, vehicle.vin), len(stored(office, ManifestReceived))) == before
    assert office.director.oddities()[-1][2].startswith(refusal.__name__)
    office.accept_manifest(vehicle.vin, vehicle.manifest(office.director.identity))
