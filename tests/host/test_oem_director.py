"""The Director: what it directs, what it withholds, and what the OEM may tell it."""

import pytest
import sqlalchemy.exc
from grammar import conforms
from oem_vehicle import BRAKE, DOOR, NOW, Vehicle, newest, stored
from sqlalchemy import text

from muptane.oem.director import Director
from muptane.oem.errors import (
    AlreadyRegistered,
    BadKey,
    BadVehicle,
    ImageNumberUsed,
    NoSigner,
    ReleaseDowngrade,
    ReleaseLeap,
    UnknownEcu,
    UnknownImage,
    UnknownVehicle,
    WrongHardware,
)
from muptane.oem.inventory import Assignment, DecisionMade, ManifestReceived
from muptane.oem.metadata import Snapshot, Timestamp
from muptane.oem.targets import Targets
from uptane import ids
from uptane.limits import RELEASE_STEP_MAX


def test_a_new_vehicle_gets_empty_targets_that_name_it(office, vehicle):
    """V-10, V-22, T-18."""
    targets = newest(office, "VIN1")
    assert (targets.version, targets.vehicle, targets.images) == (1, "VIN1", {})


def test_a_manifest_is_answered_by_fresh_directions_for_this_vehicle(office, vehicle):
    """R-09, S-48, R-15, R-16, R-34, T-48, T-51."""
    other = Vehicle("VIN2", first=11)
    office.register_vehicle(other.vin, other.new())
    office.assign("VIN1", BRAKE, 9)
    office.assign("VIN1", DOOR, 9)
    assert newest(office, "VIN1").images == {}  # nothing before a manifest
    raw = vehicle.manifest(office.director.identity)
    decision = office.accept_manifest("VIN1", raw)
    assert decision.directions == {BRAKE: 9, DOOR: 9} and not decision.withheld
    targets = newest(office, "VIN1")
    assert (targets.version, targets.vehicle, list(targets.images)) == (2, "VIN1", [9])
    assert targets.images[9].ecus == (BRAKE, DOOR)
    snapshot, timestamp = newest(office, "VIN1", 2), newest(office, "VIN1", 1)
    assert isinstance(snapshot, Snapshot) and snapshot.versions == {3: 2}
    assert isinstance(timestamp, Timestamp)
    assert (timestamp.snapshot, timestamp.length) == (2, len(snapshot.payload()))
    assert newest(office, "VIN2").version == 1
    kept = stored(office, DecisionMade)[-1]
    assert kept.directions == [[BRAKE, 9], [DOOR, 9]] and kept.targets_version == 2
    assert stored(office, ManifestReceived)[-1].raw == raw


def test_directions_stay_listed_when_they_are_installed(office, vehicle):
    office.assign("VIN1", BRAKE, 7)
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    brake = vehicle.ecus[1]
    brake.image, brake.release = 7, 2
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    targets = newest(office, "VIN1")
    assert targets.version == 3 and targets.images[7].ecus == (BRAKE,)


def test_old_versions_can_still_be_read_and_foreign_ones_cannot(office, vehicle):
    """R-07."""
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    read = office.director.read
    assert read("VIN1", ids.TARGETS, 1) not in (None, read("VIN1", ids.TARGETS, 2))
    assert read("VIN1", ids.TARGETS, 0) == read("VIN1", ids.TARGETS, 2)
    assert read("VIN1", ids.TARGETS, 3) is None
    assert read("VIN9", ids.TARGETS, 0) is None
    assert read("VIN1", ids.ROOT, 2) is None
    assert read("VIN1", 16, 0) is None


def test_attacks_are_acknowledged_by_the_counter_of_their_report(office, vehicle):
    """E-76."""
    vehicle.ecus[2].attacks = [21, 35]
    decision = office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    assert decision.acknowledged == {DOOR: 1}
    assert newest(office, "VIN1").acknowledged == {DOOR: 1}
    assert "ECU 3 refused: 21, 35" in office.director.oddities()[-1][2]
    vehicle.ecus[2].attacks = []
    assert not office.accept_manifest(
        "VIN1", vehicle.manifest(office.director.identity)
    ).acknowledged


def test_an_image_for_other_hardware_is_not_directed(office, vehicle):
    """V-86, E-33: refused when assigned, and withheld if it got into the inventory."""
    with pytest.raises(WrongHardware):
        office.assign("VIN1", DOOR, 7)
    with office.inventory.begin() as session:
        session.add(Assignment(ecu_id=DOOR, image=7, made_s=NOW))
        session.commit()
    decision = office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    assert decision.directions == {} and decision.withheld[0][:2] == (DOOR, 7)
    assert "hardware 30" in office.director.oddities()[-1][2]


def test_a_release_that_its_ecu_would_refuse_is_not_directed(office, vehicle):
    """E-16: release counters never go back, so no step may use them up."""
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    office.release_image(20, b"brake far", [20], 1 + RELEASE_STEP_MAX + 1)
    with pytest.raises(ReleaseLeap, match=f"count up by {RELEASE_STEP_MAX} at most"):
        office.assign("VIN1", BRAKE, 20)
    office.release_image(21, b"brake near", [20], 1 + RELEASE_STEP_MAX)
    office.assign("VIN1", BRAKE, 21)


def test_a_lower_release_is_not_directed(office, vehicle):
    """R-41, E-14."""
    office.assign("VIN1", BRAKE, 6)  # nothing is known yet of what it runs
    decision = office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    assert decision.directions == {} and decision.withheld[0][:2] == (BRAKE, 6)
    with pytest.raises(ReleaseDowngrade):
        office.assign("VIN1", BRAKE, 6)
    office.assign("VIN1", BRAKE, 7)
    decision = office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    assert decision.directions == {BRAKE: 7}


def test_assignments_of_what_does_not_exist_are_refused(office, vehicle):
    for arguments, refusal in (
        (("VIN9", BRAKE, 7), UnknownVehicle),
        (("VIN1", 99, 7), UnknownEcu),
        (("VIN1", BRAKE, 99), UnknownImage),
    ):
        with pytest.raises(refusal):
            office.assign(*arguments)


def test_what_is_odd_but_allowed_is_recorded(office, vehicle):
    """R-34: a clock ahead, a reverted trial, an image of our number that is not ours (T-53)."""
    vehicle.ecus[0].time = NOW + 10_000
    vehicle.ecus[1].image, vehicle.ecus[1].release = 7, 2
    vehicle.ecus[2].boot = ids.BOOT_REVERTED
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    sentences = [sentence for _, _, sentence in office.director.oddities()]
    assert any("10000 s ahead" in sentence for sentence in sentences)
    assert any("image 7 that is not ours" in sentence for sentence in sentences)
    assert any("ECU 3 went back" in sentence for sentence in sentences)


def test_an_ecu_id_or_a_key_is_registered_once(office, vehicle):
    """E-75, V-24."""
    again = Vehicle("VIN2", first=1)
    with pytest.raises(AlreadyRegistered):
        office.register_vehicle("VIN2", again.new())
    thief = [ecu.model_copy(update={"ecu": ecu.ecu + 50}) for ecu in vehicle.new()]
    with pytest.raises(AlreadyRegistered):
        office.register_vehicle("VIN2", thief)
    with pytest.raises(AlreadyRegistered):
        office.register_vehicle("VIN1", Vehicle("VIN1", first=21).new())
    with pytest.raises(UnknownVehicle):
        office.assign("VIN2", 51, 7)
    fresh = Vehicle("VIN2", first=21)
    office.register_vehicle("VIN2", fresh.new())
    office.accept_manifest("VIN2", fresh.manifest(office.director.identity))


def test_a_vehicle_that_could_not_be_updated_is_not_registered(office):
    """V-03."""
    ecus = Vehicle().new()
    for bad in (ecus[1:], [ecus[0], ecus[0].model_copy(update={"ecu": 9})]):
        with pytest.raises(BadVehicle):
            office.register_vehicle("VIN1", bad)
    for vin in ("", "V" * 33, "VÄN", "V\n"):
        with pytest.raises(BadVehicle):
            office.register_vehicle(vin, ecus)
    with pytest.raises(BadKey):
        weak = ecus[1].model_copy(update={"public": bytes(32)})
        office.register_vehicle("VIN1", [ecus[0], weak])


def test_an_image_number_names_one_release(office):
    """S-51, V-85."""
    office.release_image(7, b"brake 2", [20], 2)
    for content, hardware, release in ((b"other", [20], 2), (b"brake 2", [21], 2)):
        with pytest.raises(ImageNumberUsed):
            office.release_image(7, content, hardware, release)


@pytest.mark.parametrize("act", ["UPDATE manifests SET raw = x'00'", "DELETE FROM reports"])
def test_the_inventory_only_grows(office, vehicle, act):
    """R-32, E-90."""
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    with (
        office.inventory.begin() as session,
        pytest.raises(sqlalchemy.exc.IntegrityError, match="append only"),
    ):
        session.execute(text(act))


def test_keys_rotate_and_every_vehicle_is_directed_anew(office, vehicle):
    """R-39, R-63, V-71: each role in turn, the time source too."""
    office.assign("VIN1", BRAKE, 7)
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    for count, role in enumerate((ids.ROOT, ids.TARGETS, ids.TIMESTAMP, ids.SNAPSHOT, ids.TIME)):
        old = office.director.authority.holders[role]
        office.rotate(ids.DIRECTOR, role)
        root = office.director.authority.root
        assert root.version == count + 2
        assert root.holders(role).keys != old.keys
        conforms("role-file", office.director.read("VIN1", ids.ROOT, count + 2))
        targets = newest(office, "VIN1")
        assert isinstance(targets, Targets)
        assert (targets.version, list(targets.images)) == (count + 3, [7])
    assert office.time_server.signer.key == root.holders(ids.TIME).keys[0]
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))


def test_a_director_that_cannot_sign_changes_nothing(office, vehicle):
    """Receiving, deciding and issuing are one transaction."""
    signers = [
        signer
        for role, held in office.director.authority.holders.items()
        for signer in held.signers
        if role != ids.TIMESTAMP  # the last of the three that is signed
    ]
    crippled = Director.open(office.inventory, signers)
    raw = vehicle.manifest(office.director.identity)
    before = newest(office, "VIN1")
    with pytest.raises(NoSigner):
        crippled.receive_manifest("VIN1", raw, NOW)
    assert newest(office, "VIN1") == before and stored(office, ManifestReceived) == []
    assert len(stored(office, DecisionMade)) == 1
    office.accept_manifest("VIN1", raw)
