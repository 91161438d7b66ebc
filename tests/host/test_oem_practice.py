"""What the best practices ask of a back office, as far as it is one function and one database."""

import pytest
from grammar import conforms
from oem_vehicle import BRAKE, DOOR, GATEWAY, NOW, Vehicle, newest, stored
from pydantic import ValidationError

from muptane.oem.authority import DAY_S, YEAR_S
from muptane.oem.check import verify_root_1
from muptane.oem.delegations import Delegate, Delegation
from muptane.oem.errors import NoSigner
from muptane.oem.image_repository import ImageRepository
from muptane.oem.inventory import Ecu
from muptane.oem.keys import Holders, Signer
from muptane.oem.storage import MemoryStore
from muptane.oem.targets import Targets
from uptane import ids

ROLES = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)
# Role -> how many of how many keys sign it.
TYPICAL = {ids.ROOT: (5, 8), ids.TIMESTAMP: (1, 2), ids.SNAPSHOT: (1, 2), ids.TARGETS: (3, 4)}


def holders(at_hand=8):
    """The typical thresholds; of each role at most `at_hand` private keys are here."""
    made = {}
    for role, (threshold, count) in TYPICAL.items():
        signers = tuple(Signer.from_seed(b"practice", f"{role}.{n}") for n in range(count))
        made[role] = Holders(threshold, tuple(one.key for one in signers), signers[:at_hand])
    return made


def test_typical_thresholds_and_expiries_are_possible(office, vehicle):
    """R-38: 5 of 8, 3 of 4 and 1 of 2 keys; a year for Root, a day for the Director's others."""
    repository = ImageRepository.create(MemoryStore(), holders(), NOW)
    root = verify_root_1(repository.read(ids.KIND_METADATA, ids.ROOT, 1))
    for role, (threshold, count) in TYPICAL.items():
        assert (root.holders(role).threshold, len(root.holders(role).keys)) == (threshold, count)
        raw = repository.read(ids.KIND_METADATA, role, 0)
        conforms("role-file", raw)
        assert repository.authority.verify(raw, role).version == 1
    with pytest.raises(NoSigner):
        ImageRepository.create(MemoryStore(), holders(at_hand=4), NOW)
    for role in ROLES:
        lifetime = YEAR_S if role == ids.ROOT else DAY_S
        raw = office.answer("VIN1", ids.DIRECTOR, ids.KIND_METADATA, role, 0)
        assert office.director.authority.verify(raw, role).expires == NOW + lifetime


def test_the_directors_word_is_for_one_vehicle_and_the_repositorys_for_all(office, vehicle):
    """R-30, R-02: made for one Primary on one side, the same for everyone on the other."""
    other = Vehicle("VIN2", first=11)
    office.register_vehicle(other.vin, other.new())
    for role in ROLES:
        theirs = [
            office.answer(vin, ids.IMAGE, ids.KIND_METADATA, role, 0) for vin in ("VIN1", "VIN2")
        ]
        assert theirs[0] == theirs[1] is not None
    assert newest(office, "VIN1").vehicle == "VIN1" and newest(office, "VIN2").vehicle == "VIN2"
    raw = office.answer("VIN1", ids.IMAGE, ids.KIND_METADATA, ids.TARGETS, 0)
    listed = office.images.authority.verify(raw, ids.TARGETS)
    assert listed.vehicle is None and set(listed.images) == {6, 7, 8, 9}
    assert all(entry.ecus == () for entry in listed.images.values())


def test_a_director_cannot_be_made_to_delegate():
    """R-03, V-15, E-48: such Targets are not made, so they cannot be signed."""
    key = Signer.from_seed(b"practice", "supplier").key
    to_supplier = Delegation(
        ranges=((1, 9),), roles=(Delegate(number=20, threshold=1, keys=(key,)),)
    )
    assert Targets(version=1, expires=NOW, images={}, delegations=(to_supplier,))
    with pytest.raises(ValidationError, match="does not delegate"):
        Targets(version=1, expires=NOW, images={}, delegations=(to_supplier,), vehicle="VIN1")
    with pytest.raises(ValidationError, match="does not delegate"):
        Targets(version=1, expires=NOW, images={}, number=20, vehicle="VIN1")


def test_the_inventory_knows_each_ecu_by_its_public_key(office, vehicle):
    """R-17: identifier, vehicle, key and its identifier, whether it is the Primary, hardware."""
    rows = {row.id: row for row in stored(office, Ecu)}
    assert set(rows) == {GATEWAY, BRAKE, DOOR}
    for made in vehicle.ecus:
        row = rows[made.number]
        assert (row.vehicle_id, row.hardware) == ("VIN1", made.hardware)
        assert row.public == bytes(made.key.verify_key) and row.kid == row.key.kid
        assert row.primary == (made.number == GATEWAY)
    columns = set(Ecu.__table__.columns.keys())
    assert not columns & {"seed", "private", "secret"}, "no private key has a place here"
