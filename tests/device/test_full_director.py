"""Full verification: what a compromised Director cannot do, and what both repositories can."""

from maker import BRAKE, DOOR, number_of
from memory import digest
from uptane import errors
from uptane.ids import (
    ALG_SHA256,
    ENTRY_CUSTOM,
    ENTRY_ECUS,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    KEY_DELEGATIONS,
    KEY_IMAGES,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    TARGETS,
)
from uptane.meta.decision import Installed
from vehicle import Full, Primary, installs, prove, updated

NEXT = number_of(BRAKE, 3)


def altered(role, change, director=True):
    """A lie: whoever holds the keys of one repository changes a role of the next publication."""

    def lie(oem):
        repository = oem.director if director else oem.image
        repository.alter[role] = change
        oem.publish(3)

    return lie


def edit_entry(key, value, director=True):
    """A lie about one field of the brake's next image, told by one repository."""

    def change(fields):
        fields[KEY_IMAGES][NEXT][key] = value

    return altered(TARGETS, change, director)


def test_evil_content_under_a_good_name_differs_between_repositories():
    """V-75.10.2a, E-32, E-55"""
    evil = {ALG_SHA256: digest(b"evil")}
    prove(Full, edit_entry(ENTRY_HASHES, evil), errors.ImagesDiffer)
    prove(Full, edit_entry(ENTRY_HASHES, evil, director=False), errors.ImagesDiffer)
    prove(Full, edit_entry(ENTRY_LENGTH, 5), errors.ImagesDiffer)


def test_must_match_data_has_to_match():
    """V-11, E-55, T-04, V-75.10.2b"""
    match = {MATCH_HARDWARE: [20], MATCH_RELEASE: 4}
    prove(Full, edit_entry(ENTRY_MATCH, match), errors.ImagesDiffer)
    match = {MATCH_HARDWARE: [20, 30], MATCH_RELEASE: 3}
    prove(Full, edit_entry(ENTRY_MATCH, match), errors.ImagesDiffer)


def test_what_is_beside_the_match_data_may_differ():
    """T-47, V-11: `custom` is nobody's promise, and no repository's need repeat the other's."""

    def lie(oem):
        edit_entry(ENTRY_CUSTOM, {1: "for the workshop"})(oem)

    assert installs(Full, lie).release() == 3


def test_both_repositories_together_succeed():
    """E-36: outside the model; the edge of the promise."""

    def lie(oem):
        evil = {ALG_SHA256: digest(b"evil")}
        oem.image.alter[TARGETS] = lambda fields: fields[KEY_IMAGES][NEXT].update(
            {ENTRY_HASHES: evil}
        )
        edit_entry(ENTRY_HASHES, evil)(oem)

    assert installs(Full, lie).installed[BRAKE].digest == digest(b"evil")


def test_an_image_for_other_hardware_is_refused():
    """E-33: genuine, but meant for the door."""

    def change(fields):
        door = fields[KEY_IMAGES][number_of(DOOR, 3)]
        brake = fields[KEY_IMAGES][NEXT]
        door[ENTRY_ECUS], brake[ENTRY_ECUS] = brake[ENTRY_ECUS], door[ENTRY_ECUS]

    prove(Full, altered(TARGETS, change), errors.WrongHardware)


def test_an_image_that_the_image_repository_does_not_list_is_refused():
    """E-34"""

    def change(fields):
        fields[KEY_IMAGES][NEXT + 50] = fields[KEY_IMAGES].pop(NEXT)

    prove(Full, altered(TARGETS, change), errors.NotOnImageRepository)


def test_an_older_release_that_is_still_listed_is_refused():
    """S-09, E-14, V-75.10.2c, T-21"""
    prove(Full, lambda oem: oem.direct({BRAKE: 1}), errors.ReleaseRollback)


def test_a_primary_does_not_judge_an_image_by_what_a_secondary_says_of_itself():
    """T-21, E-72: the report is nobody's proof yet; the Secondary's own counter holds it."""
    oem, gateway = updated(Primary)
    for release in (1, 0xFFFFFFFF):
        gateway.installed[BRAKE] = Installed(99, b"what it says", release)
        oem.publish(release=3 if release == 1 else 4)
        decision = gateway.refresh()
        assert BRAKE in decision.new and decision.entry(BRAKE).digest != b"what it says"


def test_an_image_number_names_one_image_for_ever():
    """T-53, V-85: even if both repositories agree on the new content."""

    def change(fields):
        fields[KEY_IMAGES][number_of(BRAKE, 2)][ENTRY_HASHES] = {ALG_SHA256: digest(b"new")}

    def lie(oem):
        oem.director.alter[TARGETS] = oem.image.alter[TARGETS] = change
        oem.publish(2)

    prove(Full, lie, errors.ImageReused)


def test_an_unknown_hash_of_an_image_is_refused():
    """E-54, T-34"""

    def change(fields):
        fields[KEY_IMAGES][NEXT][ENTRY_HASHES][-44] = bytes(64)

    def lie(oem):
        oem.director.alter[TARGETS] = oem.image.alter[TARGETS] = change
        oem.publish(3)

    prove(Full, lie, errors.UnknownHash)


def test_the_director_may_not_delegate():
    """E-48, V-74.6"""

    def change(fields):
        fields[KEY_DELEGATIONS] = [1]

    prove(Full, altered(TARGETS, change), errors.DirectorDelegates)
    prove(Full, altered(TARGETS, change, director=False), errors.BadShape)


def test_no_ecu_is_directed_twice():
    """E-49, V-74.7: in two entries, or twice in one."""
    prove(Full, edit_entry(ENTRY_ECUS, [BRAKE, DOOR]), errors.EcuTwice)
    prove(Full, edit_entry(ENTRY_ECUS, [BRAKE, BRAKE]), errors.EcuTwice)


def test_the_primary_knows_its_ecus():
    """E-50, V-74.8: registered, whether or not they answer (T-36)."""
    prove(Primary, edit_entry(ENTRY_ECUS, [BRAKE, 77]), errors.UnknownEcu)
    assert installs(Full, edit_entry(ENTRY_ECUS, [BRAKE, 77])).release() == 3


def test_directions_for_another_vehicle_are_refused():
    """V-80, E-51, E-52, T-18: with or without images; its higher versions are not kept."""

    def lie(oem):
        oem.director.vehicle = "VIN-2"
        oem.publish(3)

    def empty(oem):
        oem.director.vehicle = "VIN-2"
        oem.direct({})

    def nameless(oem):
        oem.director.vehicle = None
        oem.publish(3)

    for kind in (Full, Primary):
        prove(kind, lie, errors.WrongVehicle)
        prove(kind, empty, errors.WrongVehicle)
        prove(kind, nameless, errors.WrongVehicle)


def test_one_bad_image_refuses_the_bundle():
    """T-35: at the Primary; the brake's image is good."""

    def change(fields):
        fields[KEY_IMAGES][number_of(DOOR, 3)][ENTRY_LENGTH] += 1

    prove(Primary, altered(TARGETS, change), errors.ImagesDiffer)
