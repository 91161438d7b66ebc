"""Partial verification: Director Root and Targets, and where its promise ends."""

from claims import raises
from maker import BRAKE, DOOR, GATEWAY, NOW, VEHICLE, Oem, number_of, seed_of
from memory import digest
from uptane import cbor, errors
from uptane.ids import (
    ALG_SHA256,
    DIRECTOR,
    ENTRY_ECUS,
    ENTRY_HASHES,
    ENTRY_MATCH,
    KEY_ACKNOWLEDGED,
    KEY_DELEGATIONS,
    KEY_IMAGES,
    KEY_VEHICLE,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    RECORD_HIGH_WATER,
    RECORD_METADATA,
    ROOT,
    TARGETS,
)
from uptane.limits import RELEASE_STEP_MAX
from vehicle import Partial, installs, prove, updated

NEXT = number_of(DOOR, 3)
STORED = RECORD_METADATA + TARGETS


def altered(change):
    """A lie of whoever holds the Director's Targets key."""

    def lie(oem):
        oem.director.alter[TARGETS] = change
        oem.publish(3)

    return lie


def edit_entry(key, value):
    def change(fields):
        fields[KEY_IMAGES][NEXT][key] = value

    return altered(change)


def test_an_update_needs_the_next_root_and_the_latest_targets_only():
    """V-51, V-70, T-13"""
    oem, node = updated(Partial)
    assert node.wants == [(DIRECTOR, ROOT, 2), (DIRECTOR, TARGETS, 0)]
    assert node.records[STORED] == oem.director.files[TARGETS, 0]
    assert node.refresh().new == []


def test_an_update_that_was_decided_but_not_installed_is_decided_again():
    """T-17"""
    oem, node = updated(Partial)
    oem.publish(3)
    assert node.refresh().entry(DOOR).release == 3
    assert node.refresh().entry(DOOR).release == 3


def test_acknowledgements_reach_the_ecu_even_without_an_image_for_it():
    """E-76"""
    oem, node = updated(Partial)
    oem.director.alter[TARGETS] = lambda fields: fields.update({KEY_ACKNOWLEDGED: {DOOR: 7}})
    oem.direct({GATEWAY: 3})
    decision = node.refresh()
    assert decision.refusal is errors.NoImage and decision.acknowledged == 7


def test_no_entry_for_me_keeps_the_previous_targets_and_raises_the_mark():
    """V-63.2, V-60, T-19: what the mark has seen cannot be rolled back, nor varied."""
    oem, node = updated(Partial)
    previous = node.records[STORED]
    oem.publish(3)
    oem.director.serve(TARGETS, {KEY_IMAGES: {}, KEY_VEHICLE: VEHICLE})
    assert node.refresh().refusal is errors.NoImage
    assert node.records[STORED] == previous
    assert cbor.loads(node.records[RECORD_HIGH_WATER])[0] == 4
    before = dict(node.records)
    oem.director.files[TARGETS, 0] = oem.director.history[TARGETS, 3]
    raises(errors.Rollback, node.refresh)
    oem.director.versions[TARGETS] = 3
    oem.publish(4)
    raises(errors.SameVersionDiffers, node.refresh)
    assert node.records == before
    oem.publish(5)
    assert node.update().new == [DOOR]
    assert RECORD_HIGH_WATER not in node.records


def test_the_mark_falls_with_the_key_that_raised_it():
    """T-12, T-19"""
    oem, node = updated(Partial)
    oem.director.versions[TARGETS] = 0x7FFFFF00
    oem.direct({GATEWAY: 3})
    node.refresh()
    oem.director.versions[TARGETS] = 4
    oem.publish(5)
    raises(errors.Rollback, node.refresh)
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, 1)]
    oem.director.rotate()
    oem.publish(6)
    node.update()
    assert node.release() == 6


def test_old_targets_are_a_rollback():
    """V-74.4, E-12, E-71"""

    def lie(oem):
        oem.director.files[TARGETS, 0] = oem.director.history[TARGETS, 1]

    prove(Partial, lie, errors.Rollback)


def test_the_same_version_with_another_payload_is_refused():
    """E-15, T-09"""

    def lie(oem):
        oem.director.versions[TARGETS] -= 1
        oem.publish(3)

    prove(Partial, lie, errors.SameVersionDiffers)


def test_fast_forwarded_targets_are_forgotten_with_their_key():
    """E-16, T-12"""
    oem, node = updated(Partial)
    oem.director.versions[TARGETS] = 0x7FFFFFFE
    oem.publish(3)
    node.update()
    oem.director.versions[TARGETS] = 3
    oem.publish(4)
    raises(errors.Rollback, node.refresh)
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, 1)]
    oem.director.rotate()
    oem.publish(5)
    node.update()
    assert node.release() == 5


def test_endless_targets_are_cut_at_their_cap():
    """V-74.1, E-19"""

    def lie(oem):
        oem.publish(3)
        oem.director.files[TARGETS, 0] += bytes(4096)

    prove(Partial, lie, errors.TooLong)


def test_expired_targets_are_refused():
    """V-74.5, E-53, E-04"""

    def lie(oem):
        oem.director.expires[TARGETS] = NOW
        oem.publish(3)

    prove(Partial, lie, errors.Expired)


def test_withheld_targets_end_the_cycle():
    """E-02"""

    def lie(oem):
        del oem.director.files[TARGETS, 0]

    prove(Partial, lie, errors.Withheld)


def test_a_stolen_targets_key_installs_what_it_likes():
    """E-32, E-34: the limit of partial verification; the full one refuses (test_full_lies)."""
    evil = {ALG_SHA256: digest(b"evil")}
    node = installs(Partial, edit_entry(ENTRY_HASHES, evil))
    assert node.installed[DOOR].digest == digest(b"evil")


def test_even_a_stolen_key_lowers_no_release_counter():
    """E-14, V-63.5, T-21"""
    prove(Partial, lambda oem: oem.direct({DOOR: 1}), errors.ReleaseRollback)


def test_a_stolen_key_does_not_use_up_the_release_counters():
    """E-16, T-21: they never go back, so the maker has to be able to go beyond."""
    match = {MATCH_HARDWARE: [30], MATCH_RELEASE: 2 + RELEASE_STEP_MAX + 1}
    prove(Partial, edit_entry(ENTRY_MATCH, match), errors.ReleaseTooFar)
    match[MATCH_RELEASE] -= 1
    installs(Partial, edit_entry(ENTRY_MATCH, match))


def test_hardware_that_is_not_mine_is_refused():
    """V-63.3, V-86, E-33: as far as the Director tells the truth about it."""
    match = {MATCH_HARDWARE: [10], MATCH_RELEASE: 3}
    prove(Partial, edit_entry(ENTRY_MATCH, match), errors.WrongHardware)


def test_an_image_number_names_one_image_for_ever():
    """T-53"""

    def change(fields):
        fields[KEY_IMAGES][number_of(DOOR, 2)][ENTRY_HASHES] = {ALG_SHA256: digest(b"new")}

    def lie(oem):
        oem.director.alter[TARGETS] = change
        oem.publish(2)

    prove(Partial, lie, errors.ImageReused)


def test_an_unknown_hash_is_refused():
    """E-54, T-34"""
    hashes = {ALG_SHA256: digest(b"good"), -44: bytes(64)}
    prove(Partial, edit_entry(ENTRY_HASHES, hashes), errors.UnknownHash)


def test_the_director_may_not_delegate():
    """E-48"""
    change = altered(lambda fields: fields.update({KEY_DELEGATIONS: [1]}))
    prove(Partial, change, errors.DirectorDelegates)


def test_no_ecu_is_directed_twice():
    """E-49: even one that is not me."""
    prove(Partial, edit_entry(ENTRY_ECUS, [BRAKE, DOOR]), errors.EcuTwice)


def test_directions_for_another_vehicle_are_refused_and_leave_no_mark():
    """V-80, E-51, E-52, T-18"""

    def empty(oem):
        oem.director.vehicle = "VIN-2"
        oem.direct({})

    def lie(oem):
        oem.director.vehicle = "VIN-2"
        oem.publish(3)

    prove(Partial, empty, errors.WrongVehicle)
    prove(Partial, lie, errors.WrongVehicle)


def test_a_revoked_targets_key_signs_nothing_more():
    """E-39, T-13: because the partial ECU follows the Root."""
    oem, node = updated(Partial)
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, 1)]
    oem.director.rotate()
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS)]
    oem.publish(3)
    raises(errors.BelowThreshold, node.refresh)
    assert node.records[RECORD_METADATA + ROOT] == oem.director.files[ROOT, 2]
    assert STORED not in node.records
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, 1)]
    oem.publish(4)
    node.update()
    assert node.release() == 4


def test_a_new_install_needs_a_time_of_this_cycle():
    """T-28, E-05"""
    oem, node = updated(Partial)
    node.fresh = False
    assert node.refresh().new == []
    oem.publish(3)
    before = dict(node.records)
    raises(errors.NoFreshTime, node.refresh)
    assert node.records == before


def test_a_first_image_needs_no_previous_one():
    """V-22: provisioned with a Root alone."""
    oem = Oem()
    oem.publish(1)
    node = Partial(oem)
    assert node.update().new == [DOOR]
