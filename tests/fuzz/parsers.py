"""Targets that read one item or file: bytes in, nothing or a refusal out.

Each says what must hold of what it accepted: mostly that it is written again as the same bytes.
Files behind a signature are read as payloads, and the time with a suite that believes every
signature, so that no input has to be signed.
"""

from claims import run
from fuzz.finding import claim
from maker import NOW, Oem, kid_of
from memory import SUITE, digest
from uptane import cbor, cose
from uptane.algorithms import FORM_ENCRYPTED, METHOD_CHACHA20
from uptane.crypto.secrecy import Secrecy
from uptane.crypto.suite import Suite
from uptane.errors import BadApplication, NotMyNonce, Refusal, TooDeep
from uptane.ids import CUSTOM_ENCRYPTED, DELEGATED_FIRST, DIRECTOR, IMAGE, ROOT, TARGETS, TIME
from uptane.image.decryption import content_key
from uptane.image.encryption import check_arrived, encryption_of, wanted_digest
from uptane.limits import DIGEST_BYTES, NONCE_BYTES
from uptane.meta.attested_time import AttestedTime
from uptane.meta.delegation import Delegations
from uptane.meta.files import Mark
from uptane.meta.roles import Root, Snapshot, Timestamp
from uptane.meta.targets import Targets
from uptane.port.romfs import IS_DIRECTORY, RomFs
from uptane.report import installed_of, nonce_of
from wrapping import (
    BASE,
    CONTENT_KEY,
    ECU,
    SECRET,
    WrapMaker,
    encrypted_entry,
    entry_with,
    signing_ecu,
    symmetric_ecu,
)

NONCE = b"fuzzing!"
FILES_MAX = 8  # folders that are looked at


class Credulous(Suite):
    """Takes every signature for good: what is under test lies behind it."""

    def verify(self, public, parts, signature):
        return True
        yield


def item(raw):
    claim(cbor.dumps(cbor.loads(raw)) == raw, "written again as the same bytes")


def first_item(raw):
    value, rest = cbor.loads_first(raw)
    encoded = cbor.dumps(value)
    claim(encoded + bytes(rest) == raw, "written again as the same bytes")


def envelope(raw):
    found = cose.read_sign(raw)
    if found.signatures:  # those that cannot count were dropped, which is all that may differ
        again = cose.read_sign(cose.write_sign(found.payload, found.signatures))
        claim(again.payload == found.payload, "the payload survives")
        claim(again.signatures == found.signatures, "the signatures survive")


def signed(raw):
    again = cose.write_sign1(*cose.read_sign1(raw))
    claim(again == raw, "written again as the same bytes")


def sealed(raw):
    again = cose.write_sealed(*cose.read_sealed(raw))
    claim(again == raw, "written again as the same bytes")


def key(raw):
    public = cose.read_key(cbor.loads(raw))
    claim(cose.write_key(public) == raw, "written again as the same bytes")


def deterministic(payload):
    """Whatever was accepted as a whole or piece by piece is one item in its one encoding."""
    try:
        item(payload)
    except TooDeep:
        pass  # a piece may be as deep as a whole


def root(raw):
    found = Root(SUITE, raw)
    for role in range(TIME + 1):
        threshold, keys = found.keyholders(role)
        claim(role == TIME or 1 <= threshold <= len(keys), "a role can be met")
        for kid in keys:
            claim(cose.key_id(SUITE, keys[kid]) == kid, "a kid is that of its key")
    deterministic(raw)


def timestamp(raw):
    claim(Timestamp(raw).snapshot_version >= 1, "versions begin at 1")
    deterministic(raw)


def snapshot(raw):
    claim(min(Snapshot(raw).versions) >= TARGETS, "no other role is named")
    deterministic(raw)


def director_targets(raw):
    read_targets(raw, DIRECTOR, TARGETS)


def image_targets(raw):
    read_targets(raw, IMAGE, TARGETS)


def delegated_targets(raw):
    read_targets(raw, IMAGE, DELEGATED_FIRST)


def read_targets(raw, repository, role):
    """Open a Targets file and read again what its index says is there."""
    found = Targets(raw, repository, role)
    numbers = sorted(found._offsets)
    claim(found.is_empty() == (not numbers), "an empty file lists nothing")
    wanted = None
    for number in numbers:
        wanted = found.entry(number)
        claim(wanted.number == number and wanted.says_the_same(wanted), "an entry is read again")
        claim(len(wanted.digest) in (0, DIGEST_BYTES), "a digest has its length")
    for ecu in found.ecus:
        claim(found.ecus[ecu] in numbers, "an ECU is sent to an image that is listed")
    delegations = Delegations(SUITE, found)
    for place in range(len(delegations)):
        delegation = delegations.at(place)
        claim(1 <= delegation.agreement <= len(delegation.roles), "agreement can be reached")
        if wanted is not None:
            delegation.covers(wanted)
    deterministic(raw)


class TimeSource:
    """The time as an ECU reads it, its state made anew for each input."""

    def __init__(self):
        director = Oem().director
        self.identity = director.identity
        self.root = Root(SUITE, cose.read_sign(director.files[ROOT, 0]).payload)
        self.kid = kid_of(director.keys[TIME][0])
        self.suite = Credulous()

    def __call__(self, raw):
        stored = cbor.dumps([NOW, self.kid])
        clock = AttestedTime(self.suite, lambda count: NONCE[:count], self.identity, stored, 0)
        clock.nonce(0)
        try:
            run(clock.accept(raw, self.root, 0, []))
        finally:
            claim(clock.now(0) >= NOW, "time does not go back")
        claim(clock.fresh, "an attestation is fresh")
        try:
            run(clock.accept(raw, self.root, 0, []))
        except NotMyNonce:
            return
        claim(False, "an attestation counts once")


def encrypted(raw):
    """What a Director's entry says of encryption, as the value of its custom data."""
    value = cbor.loads(raw)
    entry = entry_with({CUSTOM_ENCRYPTED: value})
    found = encryption_of(entry)
    wanted = [METHOD_CHACHA20, found.digest, found.wraps]
    claim(cbor.dumps(wanted) == raw, "written again as the same bytes")
    claim(wanted_digest(entry, FORM_ENCRYPTED) != entry.digest, "plain is never what is wanted")
    check_arrived(entry, found.digest)


class Swift(Secrecy):
    """Agrees in a microsecond, on something else for each public key."""

    def agree(self, secret, public):
        return digest(secret + public)
        yield


class WrapReader:
    """The wrap of an ECU that has a key pair, and of one with a symmetric key: each opens the two
    honest ones at most, and whatever else opened would be a forgery."""

    def __init__(self):
        self.secrecy = Swift(SUITE, lambda: None)
        self.ecus = (signing_ecu(), symmetric_ecu())
        agreed, derived = WrapMaker(BASE), WrapMaker(symmetric=SECRET)
        agreed.secret = run(self.secrecy.agree(SECRET, agreed.given))
        self.honest = (agreed.make(), derived.make())
        self.entry = encrypted_entry()
        self.encryption = encryption_of(self.entry)

    def __call__(self, raw):
        self.encryption.wraps = {ECU: raw}
        refused = []
        for identity in self.ecus:
            try:
                key = run(content_key(self.secrecy, identity, self.entry, self.encryption))
            except Refusal as refusal:
                refused.append(refusal.number)
                continue
            claim(raw in self.honest and key == CONTENT_KEY, "nothing opens but what was made")
        return refused if len(refused) == len(self.ecus) else []


def mark(raw):
    found = Mark(raw)
    claim(found.version >= 1 and len(found.digest) == DIGEST_BYTES, "a mark is whole")


def relayed_report(raw):
    """A Secondary's report, as its Primary looks at it."""
    nonce = nonce_of(raw)
    claim(len(nonce) == NONCE_BYTES, "a nonce has its length")
    found = installed_of(raw)
    claim(type(found.image) is int and type(found.release) is int, "numbers are numbers")


def image(raw):
    """Everything in a ROMFS image is looked at, as a mount may."""
    try:
        filesystem = RomFs(raw)
        folders = [""]
        for _ in range(FILES_MAX):  # a folder without a name is its own parent
            if not folders:
                break
            folder = folders.pop()
            for entry in filesystem.ilistdir(folder):
                path = folder + "/" + entry[0]
                if entry[1] == IS_DIRECTORY:
                    folders.append(path)
                elif "/" not in entry[0]:
                    look_at(filesystem, path, entry[3])
        filesystem.stat("app.py")
        filesystem.open("app.py", "rb")
    except OSError:  # what Applications makes of it
        raise BadApplication


def look_at(filesystem, path, length):
    """The first file of that name, whose length the folder gave if there is one of that name."""
    status = filesystem.stat(path)
    if status[0] != IS_DIRECTORY:
        content = filesystem.open(path, "rb").read()
        claim(len(content) == status[6], "a file is as long as its status says")
    claim(length >= 0, "a length is a length")
