"""A car maker in miniature, for tests on the device: it signs what it is told, lies included.

Its keys come from fixed seeds. `alter` edits the fields of a role before they are signed, `keys`
says who signs, `files` what is served: so every refusal is provoked by bytes that a real liar
could make. It is no second opinion: it shares the device's encoder; the host's back office is
written apart.
"""

from memory import SUITE, digest, public_key, sign_with
from uptane import cbor, cose
from uptane.ids import (
    ALG_SHA256,
    DELEGATED_FIRST,
    DIRECTOR,
    ENTRY_ECUS,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    FORMAT,
    IMAGE,
    KEY_DELEGATIONS,
    KEY_EXPIRES,
    KEY_FORMAT,
    KEY_IMAGES,
    KEY_KEYS,
    KEY_MAPS,
    KEY_NUMBER,
    KEY_ROLES,
    KEY_SNAPSHOT,
    KEY_TYPE,
    KEY_VEHICLE,
    KEY_VERSION,
    KEY_VERSIONS,
    KIND_METADATA,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIME,
    TIME_NONCES,
    TIME_NOW,
    TIMESTAMP,
)
from uptane.meta.wants import Commit

NOW = 1_700_000_000
LATER = NOW + 86400  # when the files of an honest maker expire
VEHICLE = "VIN-1"
GATEWAY, BRAKE, DOOR = 1, 2, 3  # ECU ids; their hardware ids are ten times as large


def kid_of(seed):
    return cose.key_id(SUITE, public_key(seed))


def seed_of(repository, role, generation=0):
    return bytes([repository, role, generation]) + bytes(29)


def image_digest(number):
    return digest(b"image %d" % number)


def number_of(ecu, release):
    return 100 * ecu + release


def entry_of(ecu, release):
    """The honest entry of an image, as the Image repository lists it."""
    return {
        ENTRY_LENGTH: 1000 + release,
        ENTRY_HASHES: {ALG_SHA256: image_digest(number_of(ecu, release))},
        ENTRY_MATCH: {MATCH_HARDWARE: [10 * ecu], MATCH_RELEASE: release},
    }


def type_of(role):
    return TARGETS if role >= DELEGATED_FIRST else role


def targets_of(source):
    """The fields that Targets has for itself: `images`, and `delegations` or None."""
    fields = {KEY_IMAGES: {number: dict(source.images[number]) for number in source.images}}
    if source.delegations is not None:
        fields[KEY_DELEGATIONS] = source.delegations
    return fields


class Repository:
    """One repository: `keys` {role: [seed, ...]}, `thresholds`, `versions`, and what it serves."""

    def __init__(self, number):
        self.number = number
        roles = (ROOT, TIMESTAMP, SNAPSHOT, TARGETS) + ((TIME,) if number == DIRECTOR else ())
        self.keys = {role: [seed_of(number, role)] for role in roles}
        self.thresholds = dict.fromkeys(roles, 1)
        self.versions = dict.fromkeys(roles, 0)
        self.expires = dict.fromkeys(roles, LATER)
        self.images = {}
        self.delegations = None  # of the top-level Targets, as they stand there
        self.suppliers = {}  # delegated role -> suppliers.Supplier
        self.vehicle = VEHICLE if number & 1 == DIRECTOR else None
        self.maps = {}  # number -> [length, hashes]
        self.identity = b""
        self.alter = {}
        self.files = {}  # (role, version) -> bytes; the latest also as version 0
        self.history = {}
        self.rotate()

    def sign(self, role, payload, seeds):
        """Return the envelope of a payload, signed for `role` by every seed, in that order."""
        parts = cose.sign_parts(payload, cose.context(type_of(role), self.identity, role))
        return cose.write_sign(payload, [(kid_of(seed), sign_with(seed, parts)) for seed in seeds])

    def rotate(self, signers=None):
        """Serve the next Root, for `keys` and `thresholds` as they are now."""
        signers = signers or self.keys[ROOT]
        seeds = [seed for role in self.keys for seed in self.keys[role]]
        publics = {kid_of(seed): public_key(seed) for seed in seeds}
        holders = {
            role: [self.thresholds[role], sorted([kid_of(seed) for seed in self.keys[role]])]
            for role in self.keys
        }
        keys = [cbor.loads(cose.write_key(publics[kid])) for kid in sorted(publics)]
        return self.serve(ROOT, {KEY_KEYS: keys, KEY_ROLES: holders}, signers)

    def serve(self, role, fields, signers=None):
        """Sign the next version of a role, serve it, and return its payload."""
        self.versions[role] = self.versions.get(role, 0) + 1
        fields[KEY_FORMAT] = FORMAT
        fields[KEY_TYPE] = type_of(role)
        fields[KEY_NUMBER] = role
        fields[KEY_VERSION] = self.versions[role]
        fields[KEY_EXPIRES] = self.expires.get(role, LATER)
        changed = self.alter.get(role, lambda fields: None)(fields)
        payload = changed or cbor.dumps(fields)
        if not self.identity:
            self.identity = digest(payload)
        raw = self.sign(role, payload, signers or self.keys[role])
        self.files[role, self.versions[role]] = self.files[role, 0] = raw
        self.history[role, self.versions[role]] = raw
        return payload

    def repent(self):
        """Forget every lie, and the Roots after the first."""
        self.alter = {}
        self.expires = dict.fromkeys(self.keys, LATER)
        self.keys = {role: [seed_of(self.number, role)] for role in self.keys}
        self.thresholds = dict.fromkeys(self.keys, 1)
        self.vehicle = VEHICLE if self.number & 1 == DIRECTOR else None
        self.maps = {}
        while self.versions[ROOT] > 1:
            del self.files[ROOT, self.versions[ROOT]]
            self.versions[ROOT] -= 1

    def publish(self):
        """Serve delegated files, Targets, Snapshot and Timestamp anew."""
        for role in sorted(self.suppliers):
            supplier = self.suppliers[role]
            self.serve(role, targets_of(supplier), supplier.seeds)
        targets = targets_of(self)
        if self.vehicle is not None:
            targets[KEY_VEHICLE] = self.vehicle
        if self.maps:
            targets[KEY_MAPS] = self.maps
        self.serve(TARGETS, targets)
        versions = {role: self.versions[role] for role in self.suppliers}
        versions.update({TARGETS: self.versions[TARGETS], 16: 7})
        snapshot = self.serve(SNAPSHOT, {KEY_VERSIONS: versions})
        named = [self.versions[SNAPSHOT], len(snapshot), {ALG_SHA256: digest(snapshot)}]
        self.serve(TIMESTAMP, {KEY_SNAPSHOT: named})


class Oem:
    """Both repositories and the time key; `publish` is one honest campaign."""

    def __init__(self):
        self.director = Repository(DIRECTOR)
        self.image = Repository(IMAGE)
        self.repositories = {DIRECTOR: self.director, IMAGE: self.image}
        self.released = []
        self.provisioned = {}  # records that an ECU leaves the factory with, besides the usual

    def publish(self, release):
        """Direct every ECU to `release`; the Image repository goes on listing the older ones."""
        self.direct(dict.fromkeys((GATEWAY, BRAKE, DOOR), release))
        self.image.publish()

    def direct(self, releases):
        """Direct {ecu: release}; publish the Director only."""
        self.director.images = {}
        for ecu in sorted(releases):
            number = number_of(ecu, releases[ecu])
            self.director.images[number] = entry_of(ecu, releases[ecu])
            self.director.images[number][ENTRY_ECUS] = [ecu]
            self.released.append((ecu, releases[ecu]))
        self.image.images = {number_of(*known): entry_of(*known) for known in self.released}
        self.director.publish()

    def repent(self):
        self.director.repent()
        self.image.repent()

    def answer(self, want):
        """What the feeder would send for a Want of metadata: bytes, or None for absent."""
        assert want.kind == KIND_METADATA
        repository = self.repositories.get(want.repository)
        return None if repository is None else repository.files.get((want.number, want.detail))

    def attest(self, nonces, seconds, seed=None):
        """Return a time attestation."""
        seed = seed or self.director.keys[TIME][0]
        fields = {KEY_FORMAT: FORMAT, KEY_TYPE: TIME, TIME_NOW: seconds, TIME_NONCES: nonces}
        payload = cbor.dumps(fields)
        parts = cose.sign1_parts(payload, cose.context(TIME, self.director.identity, TIME))
        return cose.write_sign1(payload, kid_of(seed), sign_with(seed, parts))


def drive(cycle, oem, records, wants):
    """Run a cycle to its result, storing its Commits; note (repository, role, version) wanted."""
    answer = None
    while True:
        try:
            step = cycle.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = None
        if isinstance(step, Commit):
            for number in step.changes:
                if step.changes[number] is None:
                    records.pop(number, None)
                else:
                    records[number] = step.changes[number]
        elif step is not None:
            wants.append((step.repository, step.number, step.detail))
            answer = oem.answer(step)
