"""Images encrypted by the office: the ECU opens them, cwt opens them, and no key serves twice."""

import hashlib
from dataclasses import replace

import cbor2
import pytest
import sqlalchemy
from cbor2 import CBORTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cwt import COSE, COSEKey, CWTError
from grammar import conforms
from nacl.public import PrivateKey
from oem_vehicle import BRAKE, DOOR, GATEWAY, NOW, Vehicle, dumps, stored
from symmetric_ecu import SymmetricEcu, split

from claims import run
from muptane.oem.encryption import Encryption
from muptane.oem.enrolment import NewEcu
from muptane.oem.errors import (
    BadKey,
    ContentKeyUsed,
    Malformed,
    NoDecryptionKey,
    UnknownEcu,
    UnknownImage,
    UnknownVehicle,
)
from muptane.oem.inventory import ContentKey
from muptane.oem.office import Office
from muptane.oem.targets import Entry
from uptane import cbor, ids
from uptane.crypto.secrecy import Secrecy
from uptane.crypto.suite import Suite
from uptane.errors import BadWrap
from uptane.identity import Identity
from uptane.image.decryption import Decrypting, content_key
from uptane.image.encryption import encryption_of, wanted_digest
from uptane.meta import targets
from vectors.rfc7748 import SMALL_ORDER

VIN = "VIN1"
SECRET = hashlib.sha256(b"the brake decrypts").digest()
IMAGE = 205
PLAIN = b"an image that nobody should read on its way. " * 40
SECRECY = Secrecy(Suite(), lambda: None)


@pytest.fixture
def maker():
    """An office with a vehicle: the brake has a key to decrypt, the door a symmetric one, and the
    gateway none; and one released image."""
    office = Office.create(lambda: NOW, seed=b"encryption")
    vehicle = Vehicle()
    vehicle.ecus[2] = door = SymmetricEcu(DOOR, 20, ids.PARTIAL)
    gateway, brake = (ecu.new() for ecu in vehicle.ecus[:2])
    public = bytes(PrivateKey(SECRET).public_key)
    brake = NewEcu(**{**dict(brake), "decryption": public})
    office.register_vehicle(VIN, [gateway, brake, door.enrolled(office)])
    office.release_image(IMAGE, PLAIN, [20], 5)
    return office, door


def encryption(office, random=None):
    more = () if random is None else (random,)
    identity = office.director.identity
    return Encryption(office.inventory, identity, office.key_server.wrap, *more)


def identity_of(office, ecu, secret):
    """The identity record of an ECU, as its factory would write it."""
    fields = {
        ids.IDENTITY_ECU: ecu,
        ids.IDENTITY_HARDWARE: 20,
        ids.IDENTITY_VEHICLE: VIN,
        ids.IDENTITY_VERIFICATION: ids.PARTIAL,
        ids.IDENTITY_DIRECTOR: office.director.identity,
        ids.IDENTITY_LINK: [1, 2],
        **secret,
    }
    return Identity(cbor.dumps(fields))


def directed(office, made, ecus):
    """The Director's entry as ECUs of this vehicle read it, out of Targets."""
    plain = office.images.images[IMAGE]
    entry = Entry(
        length=plain.length,
        hashes=plain.hashes,
        hardware=plain.hardware,
        release=plain.release,
        ecus=tuple(ecus),
        custom=made.custom(VIN),
    )
    return targets.Entry(IMAGE, cbor.loads(dumps(entry.as_map())), True)


def test_what_the_office_encrypts_its_ecus_decrypt(maker):
    """V-13, V-65, R-44, S-15, T-33: one ciphertext, a wrap for a key pair and for a symmetric key;
    the entry stays that of the plain image."""
    office, door = maker
    made = encryption(office).encrypt_image(IMAGE, PLAIN, {VIN: [BRAKE, DOOR]}, NOW)
    assert len(made.ciphertext) == len(PLAIN) and made.ciphertext != PLAIN
    entry = directed(office, made, (BRAKE, DOOR))
    found = encryption_of(entry)
    assert wanted_digest(entry, 1) == hashlib.sha256(made.ciphertext).digest()
    assert entry.digest == hashlib.sha256(PLAIN).digest()
    brake = identity_of(
        office, BRAKE, {ids.IDENTITY_SEED: bytes(32), ids.IDENTITY_DECRYPTION: SECRET}
    )
    keys = []
    for identity in (brake, identity_of(office, DOOR, {ids.IDENTITY_SYMMETRIC: door.secret})):
        keys.append(run(content_key(SECRECY, identity, entry, found)))
        image = bytearray(made.ciphertext)
        Decrypting(SECRECY, keys[-1], entry).decrypt(0, image)
        assert image == PLAIN
    assert keys[0] == keys[1]


def test_what_it_says_is_in_the_grammar(maker):
    """V-13, R-16: the value under the key of the entry's custom data, with every wrap in it."""
    office, _ = maker
    made = encryption(office).encrypt_image(IMAGE, PLAIN, {VIN: [BRAKE, DOOR]}, NOW)
    custom = made.custom(VIN)
    assert list(custom) == [1]
    conforms("encrypted", dumps(custom[1]))
    assert [len(made.wraps[VIN][ecu]) for ecu in (BRAKE, DOOR)] == [123, 116]


def aad_of(office, made, ecu, lies):
    """The external_aad of a wrap, written from docs/pouf.cddl alone."""
    fields = {
        "director": office.director.identity,
        "vehicle": VIN,
        "ecu": ecu,
        "kind": 1,
        "number": IMAGE,
        "length": len(PLAIN),
        "plain": hashlib.sha256(PLAIN).digest(),
        "cipher": hashlib.sha256(made.ciphertext).digest(),
    }
    return dumps(["muptane", 1, 8, *{**fields, **(lies or {})}.values()])


def opened(office, made, ecu, key, lies=None):
    """What cwt finds in a wrap, with a KDF context written from the RFC alone."""
    raw = made.wraps[VIN][ecu]
    recipient = cbor2.loads(raw).value[3][0][0]
    parties = [[office.director.identity, None, None], [ecu.to_bytes(4, "big"), None, None]]
    context = [24, *parties, [256, recipient]]
    return COSE.new().decode(raw, key, context, aad_of(office, made, ecu, lies))


def test_a_library_opens_the_wraps_and_the_image(maker):
    """V-13, V-65: cwt knows neither our code; and what it finds decrypts by OpenSSL."""
    office, door = maker
    made = encryption(office).encrypt_image(IMAGE, PLAIN, {VIN: [BRAKE, DOOR]}, NOW)
    public = bytes(PrivateKey(SECRET).public_key)
    keys = {
        BRAKE: COSEKey.new({1: 1, 3: -25, -1: 4, -2: public, -4: SECRET}),
        DOOR: COSEKey.from_symmetric_key(split(door.secret, 2), alg="ChaCha20/Poly1305"),
    }
    for ecu, key in keys.items():
        found = opened(office, made, ecu, key)
        start = bytes(4) + hashlib.sha256(PLAIN).digest()[:12]
        assert Cipher(ChaCha20(found, start), None).decryptor().update(made.ciphertext) == PLAIN
        for lie in ({"number": 206}, {"ecu": 9}, {"cipher": bytes(32)}, {"vehicle": "VIN2"}):
            with pytest.raises(CWTError):
                opened(office, made, ecu, key, lie)


def test_each_ciphertext_has_a_key_of_its_own(maker):
    """V-13, R-09: also of one image, for the same ECUs; the ledger has them all, and no key."""
    office, _ = maker
    office.release_image(IMAGE + 1, PLAIN + b"more", [20], 6)
    maker_of = encryption(office)
    made = [maker_of.encrypt_image(IMAGE, PLAIN, {VIN: [BRAKE]}, NOW + i) for i in range(3)]
    made.append(maker_of.encrypt_image(IMAGE + 1, PLAIN + b"more", {VIN: [BRAKE]}, NOW))
    assert len({one.ciphertext for one in made}) == 4
    rows = stored(office, ContentKey)
    assert len({row.digest for row in rows}) == 4
    assert [row.number for row in rows] == [IMAGE] * 3 + [IMAGE + 1]
    for row, one in zip(rows, made, strict=True):
        assert row.ciphertext == hashlib.sha256(one.ciphertext).digest()
        assert row.plaintext in (hashlib.sha256(PLAIN).digest(), rows[3].plaintext)


def test_a_content_key_that_comes_twice_is_refused(maker):
    """V-13: a random source that repeats itself is found out, and nothing leaves the office; also
    by another process, later, for another image."""
    office, _ = maker
    office.release_image(IMAGE + 1, PLAIN + b"more", [20], 6)

    def stuck(count):
        return b"\x11" * count

    encryption(office, stuck).encrypt_image(IMAGE, PLAIN, {VIN: [BRAKE]}, NOW)
    for number, plain in ((IMAGE, PLAIN), (IMAGE + 1, PLAIN + b"more")):
        with pytest.raises(ContentKeyUsed):
            encryption(office, stuck).encrypt_image(number, plain, {VIN: [BRAKE]}, NOW)
    assert len(stored(office, ContentKey)) == 1
    encryption(office).encrypt_image(IMAGE, PLAIN, {VIN: [BRAKE]}, NOW)


def test_the_ledger_forgets_nothing(maker):
    """V-13, R-32: no row of it is changed or deleted."""
    office, _ = maker
    encryption(office).encrypt_image(IMAGE, PLAIN, {VIN: [BRAKE]}, NOW)
    for act in ("DELETE FROM content_keys", "UPDATE content_keys SET digest = x'00'"):
        with (
            office.inventory.begin() as session,
            pytest.raises(sqlalchemy.exc.IntegrityError, match="append only"),
        ):
            session.execute(sqlalchemy.text(act))
    assert len(stored(office, ContentKey)) == 1


@pytest.mark.parametrize(
    ("refusal", "number", "plain", "ecus"),
    [
        (UnknownImage, IMAGE + 1, PLAIN, {VIN: [BRAKE]}),
        (UnknownImage, IMAGE, PLAIN + b"\0", {VIN: [BRAKE]}),
        (UnknownImage, IMAGE, PLAIN[:-1] + b"x", {VIN: [BRAKE]}),
        (UnknownVehicle, IMAGE, PLAIN, {"VIN9": [BRAKE]}),
        (UnknownEcu, IMAGE, PLAIN, {VIN: [BRAKE, 99]}),
        (NoDecryptionKey, IMAGE, PLAIN, {VIN: [BRAKE, GATEWAY]}),
        (NoDecryptionKey, IMAGE, PLAIN, {}),
        (NoDecryptionKey, IMAGE, PLAIN, {VIN: []}),
    ],
)
def test_what_cannot_be_encrypted_leaves_no_trace(maker, refusal, number, plain, ecus):
    """V-24, V-86, R-17."""
    office, _ = maker
    with pytest.raises(refusal):
        encryption(office).encrypt_image(number, plain, ecus, NOW)
    assert stored(office, ContentKey) == []


def test_an_image_without_bytes_is_not_encrypted(maker):
    """E-80: its ciphertext would be the image itself."""
    office, _ = maker
    office.release_image(IMAGE + 1, b"", [20], 6)
    with pytest.raises(Malformed):
        encryption(office).encrypt_image(IMAGE + 1, b"", {VIN: [BRAKE]}, NOW)


def test_one_ciphertext_goes_to_many_vehicles(maker):
    """V-13: a broadcast; each vehicle's directions hold its own wraps, and none of another's."""
    office, door = maker
    other = Vehicle("VIN2", 51)
    secret = PrivateKey(hashlib.sha256(b"another brake").digest())
    new = other.new()
    new[1] = NewEcu(**{**dict(new[1]), "decryption": bytes(secret.public_key)})
    office.register_vehicle("VIN2", new)
    made = encryption(office).encrypt_image(IMAGE, PLAIN, {VIN: [BRAKE], "VIN2": [52]}, NOW)
    assert [list(made.custom(vin)[1][2]) for vin in (VIN, "VIN2")] == [[BRAKE], [52]]
    assert made.custom(VIN)[1][1] == made.custom("VIN2")[1][1]
    moved = replace(made, wraps={VIN: {BRAKE: made.wraps["VIN2"][52]}})
    brake = identity_of(
        office, BRAKE, {ids.IDENTITY_SEED: bytes(32), ids.IDENTITY_DECRYPTION: bytes(secret)}
    )
    entry = directed(office, moved, (BRAKE,))
    with pytest.raises(BadWrap):
        run(content_key(SECRECY, brake, entry, encryption_of(entry)))


def test_a_weak_key_is_not_registered():
    """V-24, E-80: of small order: whatever is wrapped for it, anybody opens."""
    brake = Vehicle().ecus[1].new()
    for point in SMALL_ORDER:
        weak = NewEcu(**{**dict(brake), "decryption": point.to_bytes(32, "little")})
        with pytest.raises(BadKey):
            weak.row(VIN)


def test_the_key_server_wraps_for_the_ecus_that_it_knows(maker):
    """R-44: and shows no key; the Director was given less than that."""
    office, door = maker
    made = encryption(office).encrypt_image(IMAGE, PLAIN, {VIN: [DOOR]}, NOW)
    raw = made.wraps[VIN][DOOR]
    message = cbor2.loads(raw)
    assert isinstance(message, CBORTag) and message.tag == 96
    assert door.secret not in raw and split(door.secret, 2) not in raw
    with pytest.raises(NoDecryptionKey):
        empty = Office.create(lambda: NOW, seed=b"no keys").key_server
        identity = office.director.identity
        Encryption(office.inventory, identity, empty.wrap).encrypt_image(
            IMAGE, PLAIN, {VIN: [DOOR]}, NOW
        )
    assert len(stored(office, ContentKey)) == 1
