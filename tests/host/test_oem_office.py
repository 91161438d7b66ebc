"""The office as a bench or a command line sees it: files for feeders, restarts, sizes."""

import pytest
from grammar import conforms
from oem_vehicle import BRAKE, DOOR, NOW, Vehicle

from muptane.oem.check import verify_attestation
from muptane.oem.errors import ForeignVehicle, Malformed, NoSigner, OemRefusal, WrongPassphrase
from muptane.oem.fields import sha256
from muptane.oem.keystore import Cost
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.sizes import BUNDLE_BYTES_MAX, bundle_bytes
from uptane import ids

ROLES = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


def test_a_feeder_gets_every_kind_of_file(office, vehicle):
    """R-01, R-02, R-05, R-08, R-33."""
    for repository in (ids.DIRECTOR, ids.IMAGE):
        for role in ROLES:
            raw = office.answer("VIN1", repository, ids.KIND_METADATA, role, 0)
            conforms("role-file", raw)
            identity = (office.images if repository == ids.IMAGE else office.director).identity
            assert identity in (office.images.identity, office.director.identity)
    digest = sha256(b"door 2")
    assert office.answer("VIN1", ids.IMAGE, ids.KIND_IMAGE, 8, digest) == b"door 2"
    nonces = [b"12345678", b"87654321"]
    raw = office.answer("VIN1", ids.DIRECTOR, ids.KIND_TIME, 0, nonces)
    conforms("time-file", raw)
    key = office.director.authority.root.holders(ids.TIME).keys[0]
    found = verify_attestation(raw, key, office.director.identity)
    assert (found.now, found.nonces) == (NOW, tuple(nonces))


@pytest.mark.parametrize(
    "wanted",
    [
        (ids.DIRECTOR, ids.KIND_METADATA, 3, 99),
        (ids.DIRECTOR, ids.KIND_METADATA, 3, b"x"),
        (ids.DIRECTOR, ids.KIND_METADATA, 17, 0),
        (ids.IMAGE, ids.KIND_METADATA, 0, 2),
        (ids.IMAGE, ids.KIND_IMAGE, 7, bytes(32)),
        (ids.IMAGE, ids.KIND_IMAGE, 7, 0),
        (ids.IMAGE, ids.KIND_IMAGE, 7, b""),
        (ids.IMAGE, ids.KIND_IMAGE, -7, bytes(32)),
        (ids.DIRECTOR, ids.KIND_METADATA, 3, 2**64),
        (ids.DIRECTOR, ids.KIND_METADATA, 2**64, -1),
        (ids.IMAGE, ids.KIND_METADATA, 3, 2**64),
        (9, ids.KIND_METADATA, 0, 1),
        (ids.IMAGE, ids.KIND_DELTA, 7, 0),
        (ids.LOCAL, ids.KIND_IMAGE, 7, sha256(b"brake 2")),
        (ids.LOCAL, ids.KIND_METADATA, 0, 1),
    ],
)
def test_what_is_not_there_is_absent(office, vehicle, wanted):
    assert office.answer("VIN1", *wanted) is None


def test_time_for_impossible_nonces_is_refused(office, vehicle):
    with pytest.raises(Malformed):
        office.answer("VIN1", ids.DIRECTOR, ids.KIND_TIME, 0, [b"1"])


def test_a_seed_makes_the_same_office_byte_for_byte(tmp_path):
    def files(premises):
        office = Office.create(lambda: NOW, premises, seed=b"same")
        vehicle = Vehicle()
        office.register_vehicle("VIN1", vehicle.new())
        office.release_image(7, b"brake", [20], 2)
        office.assign("VIN1", BRAKE, 7)
        office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
        office.rotate(ids.IMAGE, ids.TARGETS)
        made = [
            office.answer("VIN1", repository, ids.KIND_METADATA, role, 0)
            for repository in (ids.DIRECTOR, ids.IMAGE)
            for role in ROLES
        ]
        office.close()
        return made

    on_disk = Premises(tmp_path, b"passphrase", Cost.cheap())
    assert files(None) == files(None) == files(on_disk)
    first, second = (Office.create(lambda: NOW) for _ in range(2))
    assert first.director.identity != second.director.identity


def test_an_office_on_a_disk_goes_on_where_it_stopped(tmp_path):
    """R-02b."""
    premises = Premises(tmp_path, b"passphrase", Cost.cheap())
    vehicle = Vehicle()
    office = Office.create(lambda: NOW, premises)
    office.register_vehicle("VIN1", vehicle.new())
    office.release_image(8, b"door", [30], 2)
    office.assign("VIN1", DOOR, 8)
    office.rotate(ids.DIRECTOR, ids.TIME)
    office.rotate(ids.IMAGE, ids.TIMESTAMP)
    identity = office.director.identity
    old = vehicle.manifest(identity)
    office.accept_manifest("VIN1", old)
    office.close()
    again = Office.open(lambda: NOW + 60, premises)
    assert again.director.identity == identity
    with pytest.raises(OemRefusal):
        again.accept_manifest("VIN1", old)
    decision = again.accept_manifest("VIN1", vehicle.manifest(identity))
    assert decision.directions == {DOOR: 8}
    again.release_image(9, b"door 3", [30], 3)
    again.refresh()
    again.rotate(ids.DIRECTOR, ids.ROOT)
    assert again.director.authority.root.version == 3
    again.close()
    with pytest.raises(WrongPassphrase):
        Office.open(lambda: NOW, Premises(tmp_path, b"guess"))
    with pytest.raises(NoSigner):
        Office.open(lambda: NOW, Premises(tmp_path))


def test_a_release_can_be_repeated_after_a_fault(office):
    """The image was published, then the office stopped before the inventory knew it."""
    office.images.add_image(11, b"half", [20], 4)
    office.images.publish(NOW)
    office.release_image(11, b"half", [20], 4)
    office.release_image(11, b"half", [20], 4)


def test_the_transport_and_the_manifest_agree_on_the_vehicle(office, vehicle):
    """R-10."""
    office.register_vehicle("VIN2", Vehicle("VIN2", first=11).new())
    with pytest.raises(ForeignVehicle):
        office.accept_manifest("VIN2", vehicle.manifest(office.director.identity))


def test_a_whole_bundle_of_metadata_is_small():
    """One ECU updated, seven images listed, threshold 1."""
    office = Office.create(lambda: NOW, seed=b"sizes")
    vehicle = Vehicle("WVWZZZ1JZXW000001", first=0x10000)
    office.register_vehicle(vehicle.vin, vehicle.new())
    for number in range(7):
        office.release_image(0x1000 + number, bytes([number]) * 70_000, [0x100 + number], 300)
    office.release_image(0x2000, b"x", [20], 2)
    office.images.withdraw_image(0x1000)
    office.refresh()
    office.assign(vehicle.vin, 0x10001, 0x2000)
    office.accept_manifest(vehicle.vin, vehicle.manifest(office.director.identity))
    assert len(office.images.images) == 7
    sizes = bundle_bytes(office, vehicle.vin)
    print(sizes, sum(sizes.values()))
    assert len(sizes) == 8 and all(sizes.values())
    assert sum(sizes.values()) <= BUNDLE_BYTES_MAX
