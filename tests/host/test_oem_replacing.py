"""An ECU is replaced: the new one counts, the old one does not, and nothing is forgotten."""

import pytest
from databases import server, url
from oem_vehicle import BRAKE, DOOR, GATEWAY, NOW, Ecu, Vehicle, newest, refuses, stored

from muptane.oem.errors import (
    AlreadyRegistered,
    AlreadyReplaced,
    BadVehicle,
    NotThePrimary,
    UnknownEcu,
    UnknownVehicle,
)
from muptane.oem.inventory import Ecu as EcuRow
from muptane.oem.inventory import ManifestReceived, Replacement, ReportReceived
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.replacing import history_of
from uptane import ids

__all__ = ["server", "url"]

SPARE = 42


@pytest.fixture
def office(url):
    """On both databases."""
    made = Office.create(lambda: NOW, Premises(database=url), seed=b"replacing")
    made.release_image(7, b"brake 2", [20], 2)
    made.release_image(9, b"for both", [20, 30], 3)
    yield made
    made.close()


def send(office, vehicle):
    return office.accept_manifest(vehicle.vin, vehicle.manifest(office.director.identity))


def spare(number=SPARE, hardware=20, verification=ids.FULL):
    return Ecu(number, hardware, verification)


def test_the_new_ecu_counts_and_the_old_one_does_not(office, vehicle):
    """R-42, R-12: the old one's reports are refused in the place of the new one's, and beside."""
    office.assign("VIN1", BRAKE, 7)
    send(office, vehicle)
    old, new = vehicle.ecus[1], spare()
    office.replace_ecu("VIN1", BRAKE, new.new())
    assert newest(office, "VIN1").images[7].ecus == (SPARE,)  # directed anew, without the old one
    with pytest.raises(UnknownEcu):
        send(office, vehicle)
    vehicle.ecus[1] = new
    identity = office.director.identity
    both = [*vehicle.reports(identity), old.report(identity)]
    refuses(office, vehicle, UnknownEcu, vehicle.manifest(identity, both))
    decision = send(office, vehicle)
    assert decision.directions == {SPARE: 7}
    assert newest(office, "VIN1").images[7].ecus == (SPARE,)


def test_what_was_is_kept(office, vehicle):
    """R-42, R-17, E-90: the row of the old one, its reports, and who took its place when."""
    send(office, vehicle)
    office.replace_ecu("VIN1", BRAKE, spare().new())
    office.replace_ecu("VIN1", SPARE, spare(43).new())
    assert {row.id for row in stored(office, EcuRow)} == {GATEWAY, BRAKE, DOOR, SPARE, 43}
    assert [row.counter for row in stored(office, ReportReceived) if row.ecu_id == BRAKE] == [1]
    found = [(row.ecu_id, row.successor_id, row.made_s) for row in stored(office, Replacement)]
    assert sorted(found) == [(BRAKE, SPARE, NOW), (SPARE, 43, NOW)]
    assert history_of(office.inventory, 43) == (SPARE, BRAKE)
    assert history_of(office.inventory, DOOR) == ()


def test_a_new_primary_is_counted_anew_and_the_old_one_is_not_heard(office, vehicle):
    """R-13, R-42, E-73: its first message counts as 1, however far the old one had come."""
    for _ in range(3):
        send(office, vehicle)
    office.replace_ecu("VIN1", GATEWAY, spare(41, 10, ids.PRIMARY).new())
    with pytest.raises(NotThePrimary):
        send(office, vehicle)
    vehicle.ecus[0], vehicle.counter = Ecu(41, 10, ids.PRIMARY), 0
    send(office, vehicle)
    kept = [(row.primary_id, row.counter) for row in stored(office, ManifestReceived)]
    assert sorted(kept) == [(GATEWAY, 1), (GATEWAY, 2), (GATEWAY, 3), (41, 1)]


def test_a_wish_that_does_not_fit_the_new_one_is_not_taken_over(office, vehicle):
    """V-86: the spare part has other hardware."""
    office.assign("VIN1", BRAKE, 7)
    send(office, vehicle)
    office.replace_ecu("VIN1", BRAKE, spare(hardware=21).new())
    vehicle.ecus[1] = spare(hardware=21)
    assert send(office, vehicle).directions == {}


def test_a_bundle_is_overtaken_when_an_ecu_of_it_is_replaced(office, vehicle):
    """S-45, E-06: what had to go together goes to nobody any more."""
    office.assign_bundle("VIN1", {BRAKE: 7, DOOR: 9})
    assert send(office, vehicle).directions == {BRAKE: 7, DOOR: 9}
    office.replace_ecu("VIN1", BRAKE, spare().new())
    vehicle.ecus[1] = spare()
    assert send(office, vehicle).directions == {}
    office.assign_bundle("VIN1", {SPARE: 7, DOOR: 9})
    assert send(office, vehicle).directions == {SPARE: 7, DOOR: 9}


def test_a_replacement_that_cannot_be_changes_nothing(office, vehicle):
    """R-42, E-75, V-24: a known id or key, another vehicle, a Primary for a Secondary."""
    other = Vehicle("VIN2", first=11)
    office.register_vehicle(other.vin, other.new())
    new = spare().new()
    stolen = new.model_copy(update={"public": vehicle.ecus[2].new().public})
    for arguments, refusal in (
        (("VIN9", BRAKE, new), UnknownVehicle),
        (("VIN2", BRAKE, new), UnknownEcu),
        (("VIN1", 99, new), UnknownEcu),
        (("VIN1", BRAKE, vehicle.ecus[1].new()), AlreadyRegistered),
        (("VIN1", BRAKE, other.ecus[1].new()), AlreadyRegistered),
        (("VIN1", BRAKE, stolen), AlreadyRegistered),
        (("VIN1", BRAKE, spare(verification=ids.PRIMARY).new()), BadVehicle),
        (("VIN1", GATEWAY, new), BadVehicle),
    ):
        with pytest.raises(refusal):
            office.replace_ecu(*arguments)
    assert stored(office, Replacement) == [] and len(stored(office, EcuRow)) == 6
    send(office, vehicle)
    office.replace_ecu("VIN1", BRAKE, new)
    with pytest.raises(AlreadyReplaced, match="42 took the place"):
        office.replace_ecu("VIN1", BRAKE, spare(43).new())
    with pytest.raises(AlreadyRegistered):  # the old one does not come back under its old name
        office.replace_ecu("VIN1", SPARE, vehicle.ecus[1].new())
