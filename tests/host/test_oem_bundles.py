"""Bundles at the office: who may be in one, when it is directed, and what ECUs say of it."""

import pytest
from grammar import conforms
from oem_vehicle import BRAKE, DOOR, GATEWAY, newest
from pydantic import ValidationError

from muptane.oem import bundles
from muptane.oem.errors import (
    Malformed,
    ReleaseDowngrade,
    UnknownEcu,
    UnknownImage,
    UnknownVehicle,
    WrongHardware,
)
from muptane.oem.targets import Bundle, entry_of
from uptane import ids
from uptane.limits import TRIALS_MAX

BOTH = {BRAKE: 7, DOOR: 8}
TOGETHER = ids.BUNDLE_TOGETHER


def direct(office, vehicle):
    """The vehicle's next manifest, and what it is answered by."""
    decision = office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    return decision, newest(office, "VIN1")


def runs(ecu, image, boot=ids.BOOT_CONFIRMED, tried=()):
    """Let an ECU report an image of ours."""
    content = {7: b"brake 2", 8: b"door 2", 9: b"for both"}[image]
    entry = entry_of(content, [20], 2)
    ecu.image, ecu.length, ecu.release = image, entry.length, 2
    ecu.sha256 = entry.hashes[ids.ALG_SHA256]
    ecu.boot, ecu.tried = boot, list(tried)


def states(office):
    return {one.ecu: (one.state, one.trials) for one in office.bundle_results("VIN1")}


@pytest.mark.parametrize(
    ("kind", "trials"),
    [(ids.BUNDLE_REPORTED, 1), (ids.BUNDLE_RETRIED, 3), (TOGETHER, 1), (TOGETHER, TRIALS_MAX)],
)
def test_a_bundle_is_chosen_when_images_are_assigned(office, vehicle, kind, trials):
    """S-43, S-44, S-45: and signed in the vehicle's directions."""
    assert office.assign_bundle("VIN1", BOTH, kind, trials) == 1
    decision, targets = direct(office, vehicle)
    assert decision.directions == BOTH
    assert targets.bundle == Bundle(number=1, kind=kind, trials=trials, ecus=(BRAKE, DOOR))
    assert office.assign_bundle("VIN1", BOTH, kind, trials) == 2
    assert direct(office, vehicle)[1].bundle.number == 2


def test_directions_without_a_bundle_are_as_ever(office, vehicle):
    """S-44: nothing is said of trials."""
    office.assign("VIN1", BRAKE, 7)
    assert direct(office, vehicle)[1].bundle is None
    assert office.bundle_results("VIN1") == ()


def test_a_bundle_that_names_an_ecu_of_another_vehicle_is_refused(office, vehicle):
    """T-36, R-11: with the numbers of the ECUs, and nothing is wanted that was not before."""
    with pytest.raises(UnknownEcu, match="names ECU 98, 99, which vehicle VIN1 has not"):
        office.assign_bundle("VIN1", {**BOTH, 99: 7, 98: 8}, TOGETHER)
    decision, targets = direct(office, vehicle)
    assert decision.directions == {} and targets.bundle is None
    assert office.bundle_results("VIN1") == ()


def test_a_bundle_that_no_vehicle_could_take_is_refused(office, vehicle):
    """S-43, R-41, V-86."""
    runs(vehicle.ecus[1], 7)
    direct(office, vehicle)
    for arguments, refusal in (
        (("VIN9", BOTH), UnknownVehicle),
        (("VIN1", {}), Malformed),
        (("VIN1", {BRAKE: 99}), UnknownImage),
        (("VIN1", {BRAKE: 8}), WrongHardware),
        (("VIN1", {BRAKE: 6}), ReleaseDowngrade),
        (("VIN1", BOTH, 0), Malformed),
        (("VIN1", BOTH, 4), Malformed),
        (("VIN1", BOTH, ids.BUNDLE_REPORTED, 2), Malformed),
        (("VIN1", BOTH, ids.BUNDLE_RETRIED, 0), Malformed),
        (("VIN1", BOTH, ids.BUNDLE_RETRIED, TRIALS_MAX + 1), Malformed),
    ):
        with pytest.raises(refusal):
            office.assign_bundle(*arguments)
    assert office.bundle_results("VIN1") == ()
    for number, ecus in ((0, (1,)), (1, ()), (1, (2, 1)), (1, (2, 2))):
        with pytest.raises(ValidationError):
            Bundle(number=number, kind=1, trials=1, ecus=ecus)


def test_what_goes_together_is_directed_as_a_whole_or_not_at_all(office, vehicle):
    """S-45, E-06, R-41: one ECU turns out to run something newer."""
    office.assign_bundle("VIN1", BOTH, TOGETHER)
    runs(vehicle.ecus[1], 9)
    vehicle.ecus[1].release = 3
    decision, targets = direct(office, vehicle)
    assert decision.directions == {} and targets.bundle is None
    assert [(ecu, image) for ecu, image, _ in decision.withheld] == [(BRAKE, 7), (DOOR, 8)]
    assert "as a whole" in office.director.oddities()[-1][2]
    office.assign_bundle("VIN1", BOTH | {BRAKE: 9}, ids.BUNDLE_RETRIED, 2)
    assert direct(office, vehicle)[0].directions == {BRAKE: 9, DOOR: 8}
    vehicle.ecus[2].release = 9
    targets = direct(office, vehicle)[1]
    assert targets.bundle.ecus == (BRAKE,)  # the other kinds go as far as they can
    vehicle.ecus[1].release = 9
    assert direct(office, vehicle)[1].bundle is None


def test_one_bundle_at_a_time(office, vehicle):
    """S-45: a newer one for other ECUs holds back what has to go together, until it is asked for
    anew; what is wanted beside a bundle is no part of it."""
    office.assign("VIN1", DOOR, 8)
    office.assign_bundle("VIN1", {BRAKE: 7}, TOGETHER)
    decision, targets = direct(office, vehicle)
    assert decision.directions == BOTH and targets.bundle.ecus == (BRAKE,)
    office.assign_bundle("VIN1", {DOOR: 8}, TOGETHER)
    decision, targets = direct(office, vehicle)
    assert decision.directions == {DOOR: 8} and targets.bundle.ecus == (DOOR,)


def test_a_later_wish_takes_the_place_of_what_goes_together(office, vehicle):
    """S-45: the rest of an overtaken bundle is directed only where it runs."""
    office.assign("VIN1", DOOR, 8)
    office.assign_bundle("VIN1", {BRAKE: 7, DOOR: 8}, TOGETHER)
    office.assign("VIN1", DOOR, 8)
    decision, targets = direct(office, vehicle)
    assert decision.directions == {DOOR: 8} and targets.bundle is None
    runs(vehicle.ecus[1], 7)
    assert direct(office, vehicle)[0].directions == BOTH
    office.assign_bundle("VIN1", BOTH, ids.BUNDLE_RETRIED, 2)
    office.assign("VIN1", DOOR, 8)
    decision, targets = direct(office, vehicle)
    assert decision.directions == BOTH and targets.bundle is None


def test_what_came_of_a_bundle_is_read_in_the_reports(office, vehicle):
    """S-43, S-45, R-34: for each ECU by itself."""
    _, brake, door = vehicle.ecus
    office.assign_bundle("VIN1", BOTH, TOGETHER, 2)
    assert states(office) == dict.fromkeys(BOTH, (bundles.WAITING, 0))
    runs(brake, 7, ids.BOOT_HELD, [1, 7, 1])
    runs(door, 8, ids.BOOT_TRIAL, [1, 8, 1])
    direct(office, vehicle)
    assert states(office) == {BRAKE: (bundles.HELD, 1), DOOR: (bundles.ON_TRIAL, 1)}
    brake.image, door.image = 1000, 1000
    brake.boot, door.boot = ids.BOOT_UNDONE, ids.BOOT_REVERTED
    direct(office, vehicle)
    brake.boot = door.boot = ids.BOOT_CONFIRMED  # acknowledged
    direct(office, vehicle)
    assert states(office) == {BRAKE: (bundles.UNDONE, 1), DOOR: (bundles.FAILED, 1)}
    runs(brake, 7, tried=[1, 7, 2])
    runs(door, 8, tried=[1, 8, 2])
    direct(office, vehicle)
    assert states(office) == dict.fromkeys(BOTH, (bundles.INSTALLED, 2))
    conforms("report-file", brake.report(office.director.identity))


def test_a_vehicle_that_is_mixed_is_named(office, vehicle):
    """S-45, E-06, E-23: with the ECUs and their images, for people to look at."""
    _, brake, door = vehicle.ecus
    for kind, said in ((ids.BUNDLE_RETRIED, 0), (TOGETHER, 1)):
        number = office.assign_bundle("VIN1", BOTH, kind, 1)
        runs(brake, 7, tried=[number, 7, 1])
        door.boot, door.tried = ids.BOOT_UNDONE, [number, 8, 1]
        direct(office, vehicle)
        found = [why for _, _, why in office.director.oddities() if "is broken" in why]
        assert len(found) == said
    expected = "bundle 2 is broken: ECU 2 image 7 confirmed, ECU 3 image 8 went back"
    assert found == [expected]


def test_a_report_of_a_bundle_is_read_strictly(office, vehicle):
    """V-44."""
    identity = office.director.identity
    gateway = vehicle.ecus[0]
    for tried in ([], [1, 2], [0, 7, 1], [1, 7, 0], [1, 7, 256], [1, -1, 1], 7, [1, 7, 1, 1]):
        reports = [gateway.report(identity, {10: tried})]
        reports += [ecu.report(identity) for ecu in vehicle.ecus[1:]]
        with pytest.raises(Malformed):
            office.accept_manifest("VIN1", vehicle.manifest(identity, reports))
    assert gateway.number == GATEWAY
