"""What may be collected, what never is, and that it goes at once or not at all."""

import hashlib

import pytest
from oem_vehicle import BRAKE, NOW, stored
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from test_oem_dispatch import NEW, NEW_NUMBER, Fleet, needs_detools
from test_oem_image_repository import HOLDERS, SIGNERS, Cut, MortalDisk

from muptane.oem import garbage
from muptane.oem.authority import DAY_S
from muptane.oem.errors import ImageNumberUsed, OemRefusal
from muptane.oem.image_repository import ImageRepository
from muptane.oem.inventory import Inventory, ManifestReceived, Parcel, RoleFile
from muptane.oem.keys import Holders, Signer
from muptane.oem.published import ImageName, RoleName, read_name
from muptane.oem.storage import DirectoryStore, MemoryStore
from uptane import ids

LATER = NOW + 200 * DAY_S
BRAKE_SPENT = f"spent.{hashlib.sha256(b'brake').hexdigest()}.7"


@pytest.fixture
def inventory():
    made = Inventory()
    yield made
    made.close()


@pytest.fixture
def store():
    """An image that came and went, four Roots, and a delegation that ended."""
    made = MemoryStore()
    repository = ImageRepository.create(made, HOLDERS, NOW)
    repository.add_image(7, b"brake", [20], 3)
    repository.publish(NOW)
    repository.withdraw_image(7)
    repository.publish(NOW)
    for name in ("a", "b", "c"):
        repository.rotate({ids.TARGETS: Holders.of(Signer.from_seed(b"rotated", name))}, NOW)
    repository.publish(NOW + 60)
    return made


def names(found):
    return [one.name for one in found if one.name]


def test_expired_metadata_goes_when_something_newer_counts(store, inventory):
    """S-20, V-50: the current files stay, expired or not, and every Root between."""
    with inventory.begin() as session:
        assert names(garbage.find(store, session, NOW)) == []
        week = garbage.find(store, session, NOW + 8 * DAY_S)
        assert names(week) == [f"{n}.snapshot.cbor" for n in range(1, 6)]
        assert week[0].why == "superseded by version 6, expired 2025-10-16"
    garbage.remove(store, inventory, LATER)
    left = ["1.root.cbor", "2.root.cbor", "3.root.cbor", "4.root.cbor", "6.snapshot.cbor"]
    assert store.names() == [*left, "6.targets.cbor", BRAKE_SPENT, "timestamp.cbor"]
    assert ImageRepository.open(store, ()).authority.root.version == 4
    assert garbage.remove(store, inventory, LATER) == []


def test_an_image_stays_as_long_as_a_file_that_has_not_expired_lists_it(store, inventory):
    """S-20: a vehicle may be in the middle of a cycle."""
    brake = BRAKE_SPENT.removeprefix("spent.")
    garbage.remove(store, inventory, NOW + 89 * DAY_S)
    assert brake in store.names() and "2.targets.cbor" in store.names()
    assert "image 7" in [one.what for one in garbage.remove(store, inventory, LATER)]
    assert store.read(brake) is None


def test_the_number_of_a_collected_image_stays_used(store, inventory):
    """V-85, T-53: nothing else may have it; the same image may come back."""
    garbage.remove(store, inventory, LATER)
    repository = ImageRepository.open(store, SIGNERS)
    with pytest.raises(ImageNumberUsed):
        repository.add_image(7, b"something else", [20], 3)
    repository.add_image(7, b"brake", [20], 3)


def test_an_ecu_that_never_reported_may_run_anything_for_its_hardware(office, vehicle):
    """R-35, S-20."""
    for number in (6, 7, 8, 9):
        office.images.withdraw_image(number)
    office.refresh()
    kept = reasons(office, vehicle)
    assert kept[7] == "ECU 2 of VIN1 has not reported a confirmed image yet, and may run it"
    office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    assert reasons(office, vehicle) == {1000: "ECU 1 of VIN1 reported that it runs it"}


def reasons(office, vehicle):
    with office.inventory.begin() as session:
        return garbage.Needs.of(session).images


def test_a_repository_that_was_tampered_with_is_left_alone(store, inventory):
    """S-20, S-19: what does not verify is evidence."""
    store.publish({"timestamp.cbor": store.read("timestamp.cbor")[:-1] + b"x"})
    before = store.names()
    with pytest.raises(OemRefusal):
        garbage.remove(store, inventory, LATER)
    assert store.names() == before


def test_what_is_not_understood_is_left_alone(store, inventory):
    """S-20: a role file that does not read, names of nobody, and a version from the future."""
    strange = {"1.targets.77.cbor": b"x", "a.b": b"", "99.snapshot.cbor": b"y", "3.map.cbor": b""}
    store.publish(strange)
    garbage.remove(store, inventory, LATER)
    assert set(strange) < set(store.names())


@needs_detools
def test_what_travelled_goes_when_it_has_arrived():
    """R-34, R-32: the Director's superseded files and ciphertexts; what the vehicle said stays,
    and the inventory is as closed as before."""
    fleet = Fleet(confidential=True)
    office, brake = fleet.office, fleet.vehicle.ecus[1]
    fleet.directed(BRAKE)
    assert [bool(row.vehicle_id) for row in stored(office, Parcel)] == [False, True]
    fleet.runs(brake, NEW_NUMBER, NEW, 2)
    assert fleet.directed() == {}
    manifests = [row.raw for row in stored(office, ManifestReceived)]
    found = garbage.remove(MemoryShelf(office), office.inventory, NOW + 2 * DAY_S)
    assert {one.what for one in found if not one.name and "delta" in one.what} == {
        f"delta to image {NEW_NUMBER}",
        f"delta to image {NEW_NUMBER} for VIN1",
    }
    assert stored(office, Parcel) == [] and len(stored(office, RoleFile)) == 3
    assert [row.raw for row in stored(office, ManifestReceived)] == manifests
    for act in ("DELETE FROM role_files", "UPDATE parcels SET image = 1", "DELETE FROM parcels"):
        with office.inventory.begin() as session, pytest.raises(IntegrityError, match="append"):
            session.execute(text("INSERT INTO parcels SELECT 1,'',20,'','',0,'','','',0"))
            session.execute(text(act))
    assert fleet.directed() == {}


class MemoryShelf(MemoryStore):
    """What an office without a folder has published."""

    def __init__(self, office):
        super().__init__()
        repository = ImageRepository.create(self, HOLDERS, NOW)
        assert repository.identity != office.images.identity


@pytest.mark.parametrize("stroke", range(0, 16))
def test_a_cut_at_any_stroke_leaves_the_store_before_or_after(tmp_path, inventory, stroke):
    """S-20, T-17, E-87."""
    folder = tmp_path / "images"
    repository = ImageRepository.create(DirectoryStore(folder), HOLDERS, NOW)
    repository.add_image(7, b"brake", [20], 3)
    repository.publish(NOW)
    repository.withdraw_image(7)
    repository.publish(LATER - 60)
    before = DirectoryStore(folder).names()
    try:
        garbage.remove(DirectoryStore(folder, MortalDisk(stroke)), inventory, LATER)
        done = True
    except Cut:
        done = False
    left = DirectoryStore(folder).names()
    after = ["1.root.cbor", "3.snapshot.cbor", "3.targets.cbor", BRAKE_SPENT, "timestamp.cbor"]
    assert left in ([after] if done else [before, after])
    ImageRepository.open(DirectoryStore(folder), SIGNERS).publish(LATER)
    assert garbage.remove(DirectoryStore(folder), inventory, LATER) == [] or not done


def test_names_are_read_as_they_are_given(store):
    """V-21, E-61."""
    found = {name: read_name(name) for name in store.names()}
    assert found["6.targets.cbor"] == RoleName(ids.TARGETS, 6)
    assert found["timestamp.cbor"] == RoleName(ids.TIMESTAMP, 0)
    digest = hashlib.sha256(b"brake").digest()
    assert ImageName(7, digest) in found.values()
    assert read_name(BRAKE_SPENT) == ImageName(7, digest, spent=True)
    assert read_name("5.targets.16.cbor") == RoleName(16, 5)
    assert str(RoleName(16, 5)) == "role 16 5" and str(RoleName(3, 5)) == "targets 5"
    for strange in ("5.targets.3.cbor", "1.timestamp.cbor", "01.root.cbor", "2.root.16.cbor",
                    "spent.7", "7", "3.map.cbor", "5.targets.256.cbor"):  # fmt: skip
        assert read_name(strange) is None
