"""What images ask of their vehicles: solved for a wish, heeded at each manifest."""

import pytest
from oem_vehicle import BRAKE, DOOR, GATEWAY, NOW, Vehicle, newest, stored

from muptane.oem.demands import Demand
from muptane.oem.errors import (
    AlreadyWanted,
    Malformed,
    UnknownEcu,
    UnknownImage,
    Unsolvable,
    WrongHardware,
)
from muptane.oem.inventory import Assignment
from muptane.oem.office import Office
from uptane import ids

HARDWARE = {GATEWAY: 10, BRAKE: 20, DOOR: 30}


@pytest.fixture
def office():
    """With no image yet."""
    made = Office.create(lambda: NOW, seed=b"asking")
    yield made
    made.close()


def needs(hardware, lowest):
    return Demand(kind="needs", hardware=hardware, lowest=lowest)


def conflicts(hardware, lowest, highest=1000):
    return Demand(kind="conflicts", hardware=hardware, lowest=lowest, highest=highest)


def release(office, ecu, number, *demands):
    """Release `number` of an ECU's hardware, as image 10 * hardware + number."""
    image = 10 * HARDWARE[ecu] + number
    office.release_image(image, b"image %d" % image, [HARDWARE[ecu]], number)
    office.demand(image, demands)
    return image


def tell(office, vehicle):
    """The vehicle reports; what it is directed to, and what is held back."""
    raw = vehicle.manifest(office.director.identity)
    decision = office.accept_manifest(vehicle.vin, raw)
    return dict(decision.directions), {ecu: why for ecu, _, why in decision.withheld}


def installed(vehicle, ecu, image, number):
    one = vehicle.ecus[ecu - 1]
    one.image, one.release = image, number


def test_what_an_image_needs_is_wanted_with_it_and_goes_first(office, vehicle):
    """R-14, R-35, S-14: each step waits for the report of the one before."""
    door = release(office, DOOR, 2)
    brake = release(office, BRAKE, 2, needs(30, 2))
    tell(office, vehicle)
    assert office.want("VIN1", {BRAKE: brake}) == {BRAKE: brake, DOOR: door}
    directions, held = tell(office, vehicle)
    assert directions == {DOOR: door}
    assert held[BRAKE] == (
        "image 202 on ECU 2 needs release 2 or later on hardware 30, and image 1000 on ECU 3 is of"
        " release 1, which it may run: it has to report first"
    )
    assert newest(office, "VIN1").images.keys() == {door}
    assert held[BRAKE] in [sentence for _, _, sentence in office.director.oddities()]
    assert tell(office, vehicle)[0] == {DOOR: door}  # sent, and not confirmed
    installed(vehicle, DOOR, door, 2)
    assert tell(office, vehicle) == ({BRAKE: brake, DOOR: door}, {})


def test_an_image_on_trial_may_still_be_the_one_before(office, vehicle):
    """R-35."""
    door, brake = release(office, DOOR, 2), release(office, BRAKE, 2, needs(30, 2))
    tell(office, vehicle)
    office.want("VIN1", {BRAKE: brake})
    tell(office, vehicle)
    installed(vehicle, DOOR, door, 2)
    vehicle.ecus[2].boot = ids.BOOT_TRIAL
    assert BRAKE in tell(office, vehicle)[1]
    vehicle.ecus[2].boot = ids.BOOT_CONFIRMED
    assert tell(office, vehicle)[1] == {}


def test_what_was_sent_may_still_be_installed_after_a_change_of_mind(office, vehicle):
    """R-35: the door was sent release 2, which conflicts; a wish for release 3 takes it back only
    when a report says so."""
    door = release(office, DOOR, 2, conflicts(20, 2))
    newer = release(office, DOOR, 3)
    brake = release(office, BRAKE, 2)
    tell(office, vehicle)
    office.assign("VIN1", DOOR, door)
    assert tell(office, vehicle)[0] == {DOOR: door}
    office.assign("VIN1", DOOR, newer)
    office.assign("VIN1", BRAKE, brake)
    directions, held = tell(office, vehicle)
    assert directions == {DOOR: newer} and "image 302 on ECU 3 conflicts" in held[BRAKE]
    installed(vehicle, DOOR, newer, 3)
    assert tell(office, vehicle) == ({BRAKE: brake, DOOR: newer}, {})


def test_a_vehicle_that_never_reported_may_run_anything(office, vehicle):
    """R-35: wait for a manifest."""
    release(office, DOOR, 1)
    release(office, DOOR, 2)
    brake = release(office, BRAKE, 2, needs(30, 2))
    office.assign("VIN1", BRAKE, brake)
    assert office.director.welcome("VIN1", office.now()).directions == {}
    assert newest(office, "VIN1").images == {}


def test_an_unsolvable_wish_is_refused_in_words_and_nothing_is_wanted(office, vehicle):
    """R-14, R-35."""
    brake = release(office, BRAKE, 2, needs(30, 2))
    tell(office, vehicle)
    with pytest.raises(Unsolvable, match=r"image 202 on ECU 2 needs .* image 1000 on ECU 3"):
        office.want("VIN1", {BRAKE: brake})
    assert stored(office, Assignment) == []
    release(office, DOOR, 2, conflicts(20, 2))
    with pytest.raises(Unsolvable, match=r"image 302 on ECU 3 conflicts|of release 1"):
        office.want("VIN1", {BRAKE: brake})


def test_what_was_wanted_before_and_is_not_there_yet_stays_wanted(office, vehicle):
    door = release(office, DOOR, 2, conflicts(20, 2))
    brake = release(office, BRAKE, 2)
    tell(office, vehicle)
    office.want("VIN1", {DOOR: door})
    with pytest.raises(Unsolvable, match=r"image 302 on ECU 3 conflicts"):
        office.want("VIN1", {BRAKE: brake})
    other = release(office, DOOR, 3)
    assert office.want("VIN1", {BRAKE: brake, DOOR: other}) == {BRAKE: brake, DOOR: other}


def test_of_two_wishes_that_conflict_neither_goes(office, vehicle):
    """R-46: who wants by `assign` is not asked, so the Director is; ECUs check nothing of it."""
    door, brake = release(office, DOOR, 2, conflicts(20, 2)), release(office, BRAKE, 2)
    office.assign("VIN1", DOOR, door)
    office.assign("VIN1", BRAKE, brake)
    directions, held = tell(office, vehicle)
    assert directions == {} and set(held) == {BRAKE, DOOR}


def test_images_that_need_each_other_go_as_a_bundle_together(office, vehicle):
    """S-45."""
    door, brake = release(office, DOOR, 2, needs(20, 2)), release(office, BRAKE, 2, needs(30, 2))
    tell(office, vehicle)
    with pytest.raises(Unsolvable, match="want them as a bundle together"):
        office.want("VIN1", {BRAKE: brake})
    office.assign_bundle("VIN1", {BRAKE: brake, DOOR: door})
    assert tell(office, vehicle) == ({BRAKE: brake, DOOR: door}, {})


def test_a_bundle_together_waits_as_a_whole(office, vehicle):
    """S-45, R-35."""
    gateway = release(office, GATEWAY, 2)
    door, brake = release(office, DOOR, 2, needs(10, 2)), release(office, BRAKE, 2)
    tell(office, vehicle)
    office.assign_bundle("VIN1", {BRAKE: brake, DOOR: door})
    assert set(tell(office, vehicle)[1]) == {BRAKE, DOOR}
    office.assign("VIN1", GATEWAY, gateway)
    assert tell(office, vehicle)[0] == {GATEWAY: gateway}
    installed(vehicle, GATEWAY, gateway, 2)
    assert tell(office, vehicle)[0] == {GATEWAY: gateway, BRAKE: brake, DOOR: door}


def test_what_an_image_asks_is_said_once_and_before_it_is_wanted(office, vehicle):
    """S-14, R-32."""
    door = release(office, DOOR, 2, needs(20, 1))
    office.demand(door, (needs(20, 1),))  # the same again
    with pytest.raises(AlreadyWanted):
        office.demand(door, (needs(20, 2),))
    plain = release(office, BRAKE, 2)
    office.assign("VIN1", BRAKE, plain)
    with pytest.raises(AlreadyWanted):
        office.demand(plain, (needs(30, 1),))
    with pytest.raises(UnknownImage):
        office.demand(999, ())
    with pytest.raises(Malformed):
        office.demand(release(office, GATEWAY, 2), [needs(20, number) for number in range(65)])


def test_a_wish_is_checked_like_an_assignment(office, vehicle):
    door = release(office, DOOR, 2)
    with pytest.raises(UnknownEcu):
        office.want("VIN1", {9: door})
    with pytest.raises(UnknownImage):
        office.want("VIN1", {DOOR: 999})
    with pytest.raises(WrongHardware):
        office.want("VIN1", {BRAKE: door})
    assert stored(office, Assignment) == []


def test_another_vehicle_is_not_concerned(office, vehicle):
    other = Vehicle("VIN2", first=11)
    office.register_vehicle(other.vin, other.new())
    door, brake = release(office, DOOR, 2), release(office, BRAKE, 2, needs(30, 2))
    for one in (vehicle, other):
        tell(office, one)
    office.want("VIN1", {BRAKE: brake})
    assert tell(office, other)[0] == {}
    office.want("VIN2", {12: brake})
    assert tell(office, other)[0] == {13: door}
