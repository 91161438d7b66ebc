"""A supplier's key in wrong hands: how far it reaches; and what another policy would choose."""

from claims import raises
from maker import BRAKE, number_of
from memory import digest
from suppliers import (
    BRAKES,
    HONEST,
    OTHER,
    Supplied,
    altered,
    entry,
    fresh,
    planted,
    refused,
    to,
)
from uptane import errors
from uptane.ids import (
    ALG_SHA256,
    DELEGATION_HARDWARE,
    DELEGATION_RANGES,
    ENTRY_HASHES,
    ENTRY_MATCH,
    KEY_DELEGATIONS,
    KEY_IMAGES,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    RECORD_METADATA,
    TARGETS,
)
from uptane.meta import policy
from vehicle import Full, Primary, installs

RECORD = RECORD_METADATA + 0x100
NEXT = number_of(BRAKE, 3)


# --- E-37, E-38: whose key is stolen ------------------------------------------------------------


def test_a_stolen_supplier_key_does_not_reach_beyond_its_range():
    """E-37, E-38: it lists the door's image, too; nobody asks it."""

    def lie(oem):
        oem.image.alter[BRAKES] = lambda fields: fields[KEY_IMAGES].update(
            {301: entry(says=b"evil"), 303: entry(says=b"evil")}
        )
        oem.publish(3)

    node = installs(Primary, lie, Supplied)
    assert node.installed[3].digest == digest(b"image 303")


def test_a_stolen_supplier_key_alone_is_contradicted_by_the_director():
    """E-37, E-55"""
    evil = {ALG_SHA256: digest(b"evil")}

    def change(fields):
        listed = dict(fields[KEY_IMAGES][NEXT])
        listed[ENTRY_HASHES] = evil
        fields[KEY_IMAGES][NEXT] = listed

    refused(altered(BRAKES, change), errors.ImagesDiffer)


def test_a_stolen_supplier_key_with_the_directors_succeeds_within_its_range():
    """E-37: the edge of the promise."""
    evil = {ALG_SHA256: digest(b"evil")}

    def change(fields):
        listed = dict(fields[KEY_IMAGES][NEXT])
        listed[ENTRY_HASHES] = evil
        fields[KEY_IMAGES][NEXT] = listed

    def lie(oem):
        oem.director.alter[TARGETS] = oem.image.alter[BRAKES] = change
        oem.publish(3)

    assert installs(Full, lie, Supplied).installed[BRAKE].digest == digest(b"evil")


def test_a_supplier_with_the_director_does_not_reach_other_hardware():
    """E-38, V-76.4.1: the image would be for the door's hardware, too."""
    match = {MATCH_HARDWARE: [20, 30], MATCH_RELEASE: 3}

    def change(fields):
        listed = dict(fields[KEY_IMAGES][NEXT])
        listed[ENTRY_MATCH] = match
        fields[KEY_IMAGES][NEXT] = listed

    def lie(oem):
        oem.director.alter[TARGETS] = oem.image.alter[BRAKES] = change
        oem.publish(3)

    refused(lie, errors.NotOnImageRepository)


def test_a_delegation_that_is_withdrawn_ends_what_the_supplier_may_say():
    """E-37, R-43"""

    def narrowed(key, value):
        def change(fields):
            fresh(fields)[KEY_DELEGATIONS][1][0][key] = value

        return altered(TARGETS, change)

    refused(narrowed(DELEGATION_RANGES, [[200, 202]]), errors.NotOnImageRepository)
    refused(narrowed(DELEGATION_HARDWARE, [21]), errors.NotOnImageRepository)


# --- the policy ---------------------------------------------------------------------------------


class Other(Full):
    """A full ECU with a record of its own."""

    def __init__(self, oem):
        super().__init__(oem)
        self.policy = policy.Policy()


def test_another_record_may_pass_over_a_bad_file():
    """T-22"""
    tree = {3: ({}, to(20), to(21)), 20: (OTHER,), 21: (HONEST,)}
    node = planted(tree, Other)
    del node.oem.image.files[20, 1]
    raises(errors.Withheld, node.refresh)
    node.policy.t22_bad_delegation = policy.PASSED_OVER
    assert node.refresh().new == [BRAKE]


def test_another_record_may_search_below_a_terminating_role():
    """T-24"""
    tree = {3: ({}, to(20, terminating=True), to(22)), 20: ({}, to(21)), 21: (HONEST,)}
    node = planted(tree, Other)
    raises(errors.NotOnImageRepository, node.refresh)
    node.policy.t24_terminating = policy.AFTER_ITS_OWN
    assert node.refresh().new == [BRAKE]
    tree.update({21: ({},), 22: (HONEST,)})
    node = planted(tree, Other)
    node.policy.t24_terminating = policy.AFTER_ITS_OWN
    raises(errors.NotOnImageRepository, node.refresh)
