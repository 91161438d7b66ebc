"""Symmetric keys of ECUs: what the key server believes, and that nobody else has them."""

import pytest
from cbor2 import CBORTag
from grammar import conforms
from nacl.public import PrivateKey
from oem_vehicle import BRAKE, DOOR, GATEWAY, Vehicle, dumps, refuses, seal
from symmetric_ecu import SymmetricEcu, mac, split

from muptane.oem.enrolment import NewEcu
from muptane.oem.envelopes import Context, read_sign
from muptane.oem.errors import AlreadyRegistered, BadKey, BadSeal, Malformed
from muptane.oem.inventory import Ecu
from muptane.oem.key_server import KeyServer, derived, kid_of, no_key_server
from muptane.oem.keystore import Cost, MemorySecrets, SecretStore
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from uptane import algorithms, ids

NOW = 1_760_000_000
SECRET = bytes(range(32))


@pytest.fixture
def mixed():
    """An office, and a vehicle whose partial Secondary has a symmetric key."""
    office = Office.create(lambda: NOW, seed=b"key server")
    vehicle = Vehicle()
    vehicle.ecus[2] = door = SymmetricEcu(DOOR, 30, ids.PARTIAL)
    signing = [ecu.new() for ecu in vehicle.ecus[:2]]
    office.register_vehicle("VIN1", [*signing, door.enrolled(office)])
    return office, vehicle, door


def with_door(office, vehicle, report):
    """A manifest of which one report is a lie."""
    identity = office.director.identity
    honest = [ecu.report(identity) for ecu in vehicle.ecus[:2]]
    return vehicle.manifest(identity, [*honest, report])


def test_a_report_under_a_mac_is_accepted_among_signed_ones(mixed):
    """V-24, V-44, R-44: written by hmac alone, read through the key server."""
    office, vehicle, door = mixed
    report = door.report(office.director.identity)
    conforms("report-file", report)
    found = office.key_server.verify(report, office.director.identity)
    assert (found.ecu, found.counter) == (DOOR, 1)
    raw = vehicle.manifest(office.director.identity)
    conforms("vehicle-file", raw)
    office.accept_manifest("VIN1", raw)


def test_a_forged_tag_is_refused(mixed):
    """E-74, R-12: any bit of it, and of what it covers."""
    office, vehicle, door = mixed
    report = door.report(office.director.identity)
    forged = report[:-1] + bytes([report[-1] ^ 1])
    refuses(office, vehicle, BadSeal, with_door(office, vehicle, forged))
    at = report.index(b"\x00" * 32)
    forged = report[:at] + b"\1" + report[at + 1 :]
    refuses(office, vehicle, BadSeal, with_door(office, vehicle, forged))


def test_the_key_of_another_ecu_or_use_makes_no_report(mixed):
    """V-24, T-43, E-74: another ECU's, the provisioned key itself, and the wrapping part."""
    office, vehicle, door = mixed
    other = SymmetricEcu(77, 30, ids.PARTIAL)
    office.key_server.enrol(other.number, other.secret)
    for key in (other.mac_key, door.secret, split(door.secret, algorithms.USE_WRAP)):
        lie = mac(door.content(), key, 5, office.director.identity)
        refuses(office, vehicle, BadSeal, with_door(office, vehicle, lie))


def test_a_mac_for_another_purpose_or_director_is_refused(mixed):
    """E-46, E-47."""
    office, vehicle, door = mixed
    identity = office.director.identity
    refuses(office, vehicle, BadSeal, with_door(office, vehicle, door.report(bytes(32))))
    for kind in (ids.TIME, ids.TYPE_VEHICLE):
        lie = mac(door.content(), door.mac_key, kind, identity)
        refuses(office, vehicle, BadSeal, with_door(office, vehicle, lie))


def test_a_signature_does_not_stand_for_a_mac_nor_a_mac_for_a_signature(mixed):
    """V-24, E-74: each ECU seals as its kind of key does."""
    office, vehicle, door = mixed
    identity = office.director.identity
    lie = seal(door.content(), door.key, 5, identity)
    refuses(office, vehicle, Malformed, with_door(office, vehicle, lie))
    gateway, brake, _ = vehicle.ecus
    office.key_server.enrol(BRAKE, SECRET)  # which does not make it a symmetric one
    lie = mac(brake.content(), split(SECRET, algorithms.USE_MAC), 5, identity)
    reports = [gateway.report(identity), lie, door.report(identity)]
    refuses(office, vehicle, Malformed, vehicle.manifest(identity, reports))


def test_a_manifest_is_signed_and_never_under_a_mac(mixed):
    """V-43, V-24: a Primary has no symmetric key, and one in an inventory would not help it."""
    office, vehicle, door = mixed
    raw = mac(dumps({1: 1, 2: 6, 3: "VIN1", 4: GATEWAY, 5: [b""], 6: 9}), SECRET, 6, bytes(32))
    refuses(office, vehicle, Malformed, raw)
    with pytest.raises(BadKey):
        door_as_primary = SymmetricEcu(90, 10, ids.PRIMARY)
        office.register_vehicle("VIN9", [door_as_primary.enrolled(office)])


def test_a_mac_never_counts_for_metadata():
    """V-24, V-91: an entry of a role file under alg 5 is passed over."""
    entry = [dumps({1: 5}), {4: bytes(8)}, bytes(64)]
    raw = dumps(CBORTag(98, [b"", {}, b"payload", [entry]]))
    assert read_sign(raw, 1000) == (b"payload", [])
    with pytest.raises(Malformed):
        read_sign(dumps(CBORTag(17, [dumps({1: 5}), {4: bytes(8)}, b"payload", bytes(32)])), 1000)


def test_the_key_server_splits_as_the_rfc_says():
    """V-24, T-43."""
    for use in (algorithms.USE_MAC, algorithms.USE_WRAP):
        assert derived(SECRET, use) == split(SECRET, use)
    assert len({SECRET, derived(SECRET, 1), derived(SECRET, 2)}) == 3


def test_the_inventory_and_the_director_hold_no_symmetric_key(mixed):
    """R-17, R-44: kinds and kids are there, and a function; no secret in any row or text."""
    office, _, door = mixed
    with office.inventory.begin() as session:
        row = session.get(Ecu, DOOR)
        assert row is not None and row.key is None and row.public is None
        assert row.kid == kid_of(door.secret)
    for text in (repr(office.key_server), repr(vars(office.director))):
        assert door.secret.hex() not in text and repr(door.secret) not in text
    offered = {name for name in dir(KeyServer) if not name.startswith("_")}
    assert offered == {"enrol", "verify", "wrap"}


def test_a_key_is_enrolled_once_and_for_one_ecu():
    """V-24, E-75."""
    server = KeyServer(MemorySecrets())
    assert server.enrol(1, SECRET) == server.enrol(1, SECRET)
    with pytest.raises(AlreadyRegistered):
        server.enrol(1, bytes(32))
    with pytest.raises(AlreadyRegistered):
        server.enrol(2, SECRET)
    with pytest.raises(BadKey):
        server.enrol(3, SECRET[1:])
    with pytest.raises(BadSeal):
        server.verify(SymmetricEcu(3, 30, ids.PARTIAL).report(bytes(32)), bytes(32))
    with pytest.raises(BadSeal):
        no_key_server(b"", bytes(32))


def test_a_key_server_opens_again_behind_its_passphrase(tmp_path):
    """R-44: apart from the inventory, encrypted at rest."""
    door = SymmetricEcu(DOOR, 30, ids.PARTIAL)
    KeyServer(SecretStore(tmp_path, b"right", Cost.cheap())).enrol(DOOR, door.secret)
    assert all(door.secret not in path.read_bytes() for path in tmp_path.iterdir())
    server = KeyServer(SecretStore(tmp_path, b"right"))
    assert server.verify(door.report(bytes(32)), bytes(32)).ecu == DOOR


def test_an_office_finds_its_key_server_again(tmp_path):
    """R-44."""
    premises = Premises(tmp_path, b"right", Cost.cheap())
    office = Office.create(lambda: NOW, premises)
    door = SymmetricEcu(DOOR, 30, ids.PARTIAL)
    office.key_server.enrol(DOOR, door.secret)
    office.close()
    again = Office.open(lambda: NOW, premises)
    report = door.report(again.director.identity)
    assert again.director.verify_mac(report, again.director.identity).ecu == DOOR


# --- keys for decryption ----------------------------------------------------------------------


def brake_with(decryption):
    brake = Vehicle().ecus[1]
    made = brake.new()
    return brake, NewEcu(**{**dict(made), "decryption": decryption})


def test_the_public_key_for_decryption_is_in_the_inventory(office):
    """V-24, R-17."""
    secret = PrivateKey(SECRET)
    gateway, _, door = Vehicle("VIN5", 51).new()
    wanted = bytes(secret.public_key)
    office.register_vehicle("VIN5", [NewEcu(**{**dict(gateway), "decryption": wanted}), door])
    with office.inventory.begin() as session:
        rows = [session.get(Ecu, number) for number in (51, 53)]
        assert [row.decryption for row in rows] == [wanted, None]
    again = NewEcu(**{**dict(Vehicle("VIN6", 61).new()[0]), "decryption": wanted})
    with pytest.raises(AlreadyRegistered):
        office.register_vehicle("VIN6", [again])


def test_one_key_for_both_is_refused():
    """V-24, T-43: the X25519 form of the signing key, and what is no key at all."""
    brake, _ = brake_with(None)
    both = bytes(brake.key.verify_key.to_curve25519_public_key())
    for decryption in (both, SECRET[1:]):
        with pytest.raises(BadKey):
            brake_with(decryption)[1].row("VIN1")
    assert brake_with(bytes(PrivateKey(SECRET).public_key))[1].row("VIN1").decryption


def test_an_ecu_has_a_signing_key_or_a_symmetric_one():
    """V-24."""
    public = bytes(Vehicle().ecus[1].key.verify_key)
    wrong = (
        {"public": None},
        {"public": None, "kid": bytes(7)},
        {"public": None, "kid": bytes(8), "decryption": SECRET},
        {"public": public, "kid": bytes(8)},
        {"public": b"\x04" + bytes(64)},
    )
    for fields in wrong:
        with pytest.raises(BadKey):
            NewEcu(**{"ecu": 1, "hardware": 1, "verification": ids.FULL, **fields}).row("VIN1")


def test_contexts_of_reports_and_manifests_differ():
    """E-47: so that no MAC around a report is one around anything else."""
    contexts = [Context(kind, bytes(32), kind).encode() for kind in range(7)]
    assert len(set(contexts)) == 7
