"""A maker whose keys can be stolen, and the thief. Decisions are under test here, not the curve:
signatures are libsodium's, on both sides, which says the same and a hundred times as fast.
"""

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from maker import (
    BRAKE,
    DOOR,
    GATEWAY,
    NOW,
    Oem,
    Repository,
    entry_of,
    kid_of,
    number_of,
    seed_of,
    type_of,
)
from memory import digest
from suppliers import Supplied
from uptane import cbor, cose
from uptane.crypto.suite import Suite
from uptane.ids import (
    ALG_SHA256,
    DIRECTOR,
    ENTRY_ECUS,
    ENTRY_HASHES,
    FORMAT,
    IMAGE,
    KEY_EXPIRES,
    KEY_FORMAT,
    KEY_IMAGES,
    KEY_NUMBER,
    KEY_SNAPSHOT,
    KEY_TYPE,
    KEY_VEHICLE,
    KEY_VERSION,
    KEY_VERSIONS,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIME,
    TIME_NONCES,
    TIME_NOW,
    TIMESTAMP,
)

DAY = 86400
ECUS = (GATEWAY, BRAKE, DOOR)
ONLINE = (TIMESTAMP, SNAPSHOT, TARGETS)


class Sodium(Suite):
    """The suite of an ECU with an accelerator."""

    def verify(self, public, parts, signature):
        yield None
        try:
            VerifyKey(public).verify(joined(parts), signature)
        except (BadSignatureError, ValueError):
            return False
        return True


def joined(parts) -> bytes:
    return b"".join([bytes(part) for part in parts])


def sign(seed: bytes, parts) -> bytes:
    return SigningKey(seed).sign(joined(parts)).signature


def evil_digest(number: int) -> bytes:
    return digest(b"evil %d" % number)


class Shop(Repository):
    """A repository that remembers which of its keys were stolen."""

    def __init__(self, number):
        self.stolen = set()
        self.renewed = NOW
        super().__init__(number)

    def sign(self, role, payload, seeds):
        parts = cose.sign_parts(payload, cose.context(type_of(role), self.identity, role))
        return cose.write_sign(payload, [(kid_of(seed), sign(seed, parts)) for seed in seeds])

    def forge(self, role, fields, version, seeds=None):
        """Return a file that is none of the maker's, and its payload: signed by the stolen keys
        of the role, or by those of a stranger.
        """
        fields.update({KEY_FORMAT: FORMAT, KEY_TYPE: type_of(role), KEY_NUMBER: role})
        fields.update({KEY_VERSION: version, KEY_EXPIRES: NOW + 3650 * DAY})
        payload = cbor.dumps(fields)
        seeds = seeds or self.thief_of(role) or [seed_of(9, role)]
        return self.sign(role, payload, seeds), payload

    def thief_of(self, role):
        """The keys that sign for a role as the thief has them."""
        return [seed for seed in self.keys[role] if seed in self.stolen]

    def replace(self, roles, generation):
        """Serve a Root with one new key for each of these roles."""
        signers = list(self.keys[ROOT])
        for role in roles:
            self.keys[role] = [seed_of(self.number, role, generation)]
            self.thresholds[role] = 1
        self.renew(signers)

    def renew(self, signers=()):
        """Serve the next Root; signed by whoever held the role before, too."""
        signers = list(signers) or list(self.keys[ROOT])
        self.rotate(signers + [seed for seed in self.keys[ROOT] if seed not in signers])


class Maker(Oem):
    """`now` is the true time; `release` what the last campaign brought."""

    def __init__(self):
        super().__init__()
        self.director = Shop(DIRECTOR)
        self.image = Shop(IMAGE)
        self.repositories = {DIRECTOR: self.director, IMAGE: self.image}
        self.now = NOW
        self.release = 0
        self.generation = 0
        self.ever_stolen = set()  # (repository, role)

    def campaign(self, ecus=ECUS, release=0):
        """Publish the next release for some ECUs, or for all; a Root that is old is renewed."""
        self.release = release or self.release + 1
        self.released = self.released[-3:]
        for repository in self.repositories.values():
            roles = (*repository.keys, *repository.suppliers)
            repository.expires = dict.fromkeys(roles, self.now + DAY)
            repository.expires[ROOT] = self.now + 30 * DAY
            if self.now + DAY >= repository.renewed:
                repository.renewed = self.now + 30 * DAY
                repository.renew()
        self.direct(dict.fromkeys(ecus, self.release))
        self.image.publish()

    def replace(self, number, roles):
        self.generation += 1
        repository = self.repositories[number]
        repository.expires[ROOT] = repository.renewed = self.now + 30 * DAY
        repository.replace(roles, self.generation)

    def add(self, number, role, threshold):
        """Give a role a second key, beside its first."""
        self.generation += 1
        repository = self.repositories[number]
        repository.expires[ROOT] = repository.renewed = self.now + 30 * DAY
        second = seed_of(number, role, self.generation)
        repository.keys[role] = [repository.keys[role][0], second]
        repository.thresholds[role] = threshold
        repository.renew()

    def steal(self, number, roles):
        repository = self.repositories[number]
        for role in roles:
            if role in repository.keys:
                repository.stolen.update(repository.keys[role])
                self.ever_stolen.add((number, role))

    def heal(self, release):
        """Replace every key that was stolen, and publish."""
        for number, repository in self.repositories.items():
            roles = [role for role in repository.keys if repository.thief_of(role)]
            if roles:
                self.replace(number, roles)
        self.campaign(ECUS, release)

    def attest(self, nonces, seconds, seed=None):
        seed = seed or self.director.keys[TIME][0]
        fields = {KEY_FORMAT: FORMAT, KEY_TYPE: TIME, TIME_NOW: seconds, TIME_NONCES: nonces}
        payload = cbor.dumps(fields)
        parts = cose.sign1_parts(payload, cose.context(TIME, self.director.identity, TIME))
        return cose.write_sign1(payload, kid_of(seed), sign(seed, parts))

    def forged_chain(self, number, versions, release, vehicle, seeds=None):
        """Targets, Snapshot and Timestamp that fit together, of the thief's making:
        {(repository, role): file}. `versions` by role; `seeds` None: what he stole.
        """
        repository = self.repositories[number]
        seeds = seeds or {}
        images = {number_of(ecu, release): entry_of(ecu, release) for ecu in ECUS}
        for image in images:
            images[image][ENTRY_HASHES] = {ALG_SHA256: evil_digest(image)}
            if number == DIRECTOR:
                images[image][ENTRY_ECUS] = [image // 100]
        targets = {KEY_IMAGES: images}
        if number == DIRECTOR:
            targets[KEY_VEHICLE] = vehicle
        made = {}
        made[number, TARGETS], _ = repository.forge(
            TARGETS, targets, versions[TARGETS], seeds.get(TARGETS)
        )
        listed = {role: repository.versions[role] for role in repository.suppliers}
        listed.update({TARGETS: versions[TARGETS], 16: 7})
        made[number, SNAPSHOT], payload = repository.forge(
            SNAPSHOT, {KEY_VERSIONS: listed}, versions[SNAPSHOT], seeds.get(SNAPSHOT)
        )
        named = [versions[SNAPSHOT], len(payload), {ALG_SHA256: digest(payload)}]
        made[number, TIMESTAMP], _ = repository.forge(
            TIMESTAMP, {KEY_SNAPSHOT: named}, versions[TIMESTAMP], seeds.get(TIMESTAMP)
        )
        return made


class SuppliedMaker(Supplied, Maker):
    """The same, whose images all come from suppliers."""
