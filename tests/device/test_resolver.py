"""Resolving delegations: where an image is looked for, in which order, and where that ends."""

from claims import raises
from maker import BRAKE, DOOR, GATEWAY, Oem, number_of
from suppliers import (
    BRAKES,
    HINGES,
    HONEST,
    LOCKS,
    OTHER,
    PANEL,
    Supplied,
    Supplier,
    finds,
    planted,
    to,
    with_keys,
)
from uptane import errors
from uptane.ids import IMAGE, RECORD_METADATA, SNAPSHOT, TARGETS, TIMESTAMP
from uptane.limits import DELEGATION_DEPTH_MAX, DELEGATION_VISITS_MAX
from vehicle import Full, Primary, updated

RECORD = RECORD_METADATA + 0x100
N = number_of(BRAKE, 3)


# --- the honest path -------------------------------------------------------------------------


def test_a_supplier_speaks_for_its_images_and_its_file_is_kept():
    """V-15, V-75.10.1, V-76: a Secondary asks for its own path only (V-50)."""
    oem, node = updated(Full, Supplied)
    assert node.wants[-1] == (IMAGE, BRAKES, 2) and (IMAGE, LOCKS, 2) not in node.wants
    assert node.records[RECORD + BRAKES] == oem.image.files[BRAKES, 2]
    assert RECORD + LOCKS not in node.records


def test_the_primary_resolves_for_every_ecu():
    """V-50, V-77: so it has each file that a Secondary's path needs, to relay."""
    oem, node = updated(Primary, Supplied)
    assert [node.installed[ecu].release for ecu in (GATEWAY, BRAKE, DOOR)] == [2, 2, 2]
    for role in (BRAKES, LOCKS, HINGES) + PANEL:
        assert node.records[RECORD + role] == oem.image.files[role, 2]


def test_a_stored_delegated_file_is_used_again_while_the_snapshot_names_it():
    """V-75.8, T-15"""
    oem, node = updated(Full, Supplied)
    oem.publish(3)
    node.refresh()  # not installed
    assert node.refresh().entry(BRAKE).release == 3
    assert (IMAGE, BRAKES, 3) not in node.wants
    node.records.pop(RECORD + BRAKES)
    assert node.refresh().new == [BRAKE]
    assert node.wants[-1] == (IMAGE, BRAKES, 3)


def test_a_file_is_fetched_and_verified_once_in_a_cycle():
    """V-88: though two images need it."""
    oem = Oem()
    oem.direct({BRAKE: 1, DOOR: 1})
    oem.image.suppliers[BRAKES] = Supplier(BRAKES, oem.image.images)
    oem.image.images, oem.image.delegations = {}, with_keys(to(BRAKES))
    oem.image.publish()
    node = Primary(oem)
    assert node.update().new == [BRAKE, DOOR]
    assert len([want for want in node.wants if want == (IMAGE, BRAKES, 1)]) == 1


# --- where it looks --------------------------------------------------------------------------


def test_the_top_level_comes_before_every_delegation():
    """V-76.2"""
    assert finds({3: (HONEST, to(20)), 20: (OTHER,)}) == (True, [])


def test_the_first_delegation_that_lists_the_image_wins():
    """V-17, V-76.4, E-58: whatever a later one says; and in pre-order."""
    assert finds({3: ({}, to(20), to(21)), 20: (HONEST,), 21: (OTHER,)}) == (True, [20])
    raises(
        errors.ImagesDiffer,
        planted({3: ({}, to(20), to(21)), 20: (OTHER,), 21: (HONEST,)}).refresh,
    )
    nested = {3: ({}, to(20), to(21)), 20: ({}, to(22)), 22: (HONEST,), 21: (OTHER,)}
    assert finds(nested) == (True, [20, 22])


def test_a_delegation_that_lists_nothing_is_followed_by_the_next():
    """V-17, V-76.5, V-76.4.3, E-56: an empty file is no fault."""
    assert finds({3: ({}, to(20), to(21)), 20: ({},), 21: (HONEST,)}) == (True, [20, 21])
    assert finds({3: ({}, to(20)), 20: ({},)}) == (False, [20])


def test_a_delegation_for_other_numbers_does_not_apply():
    """V-63.4, V-76.4.1, T-26, E-38: a supplier that lists the image all the same is not asked."""
    for ranges in ([(0, N - 1)], [(N + 1, N + 9)], [(0, 0), (N + 1, 0xFFFFFFFF)]):
        assert finds({3: ({}, to(20, *ranges)), 20: (HONEST,)}) == (False, [])
    for ranges in ([(N, N)], [(0, 5), (N - 1, N)], [(N, N + 1), (N + 2, N + 3)]):
        assert finds({3: ({}, to(20, *ranges)), 20: (HONEST,)}) == (True, [20])


def test_a_delegation_for_other_hardware_does_not_apply():
    """V-76.4.1, T-20, E-38: it has to cover all hardware that the image is for."""
    tree = {3: ({}, to(20, hardware=[30])), 20: (HONEST,)}
    assert finds(tree) == (False, [])
    assert finds({3: ({}, to(20, hardware=[20, 30])), 20: (HONEST,)}) == (True, [20])
    assert finds({3: ({}, to(20, hardware=[20])), 20: (HONEST,)}, [20, 30]) == (False, [])


def test_nobody_hands_on_more_than_he_has():
    """E-38: ranges and hardware of every delegation on the way count."""
    narrow = {3: ({}, to(20, (0, N - 1))), 20: ({}, to(21)), 21: (HONEST,)}
    assert finds(narrow) == (False, [])
    narrow = {3: ({}, to(20)), 20: ({}, to(21, (0, N - 1))), 21: (HONEST,)}
    assert finds(narrow) == (False, [20])
    narrow = {3: ({}, to(20, hardware=[30])), 20: ({}, to(21)), 21: (HONEST,)}
    assert finds(narrow) == (False, [])


# --- where it ends ---------------------------------------------------------------------------


def test_a_terminating_delegation_ends_the_search():
    """V-17, V-76.3, E-58: for all that comes after it, also above."""
    tree = {3: ({}, to(20, terminating=True), to(21)), 20: ({},), 21: (HONEST,)}
    assert finds(tree) == (False, [20])
    tree = {
        3: ({}, to(20), to(21)),
        20: ({}, to(22, terminating=True)),
        22: ({},),
        21: (HONEST,),
    }
    assert finds(tree) == (False, [20, 22])
    tree = {3: ({}, to(20, terminating=True), to(21)), 20: (HONEST,), 21: (OTHER,)}
    assert finds(tree) == (True, [20])


def test_a_terminating_delegation_for_other_images_ends_nothing():
    """V-76.4.1"""
    tree = {3: ({}, to(20, (0, 5), terminating=True), to(21)), 20: ({},), 21: (HONEST,)}
    assert finds(tree) == (True, [21])


def test_a_terminating_role_has_no_delegations_of_its_own():
    """T-24: as the Standard says, not as TUF does."""
    tree = {3: ({}, to(20, terminating=True)), 20: ({}, to(21)), 21: (HONEST,)}
    assert finds(tree) == (False, [20])


def test_a_loop_ends():
    """E-57, T-23: no file is searched twice."""
    tree = {3: ({}, to(20), to(22)), 20: ({}, to(21)), 21: ({}, to(20), to(21)), 22: (HONEST,)}
    assert finds(tree) == (True, [20, 21, 22])
    assert finds({3: ({}, to(20)), 20: ({}, to(20))}) == (False, [20])


def test_depth_is_bounded():
    """E-57, T-23"""

    def chain(length):
        tree = {3: ({}, to(20)), 20 + length - 1: (HONEST,)}
        for role in range(20, 20 + length - 1):
            tree[role] = ({}, to(role + 1))
        return tree

    assert finds(chain(DELEGATION_DEPTH_MAX))[0]
    raises(errors.TooLong, planted(chain(DELEGATION_DEPTH_MAX + 1)).refresh)


def test_the_number_of_files_is_bounded():
    """E-57, T-23"""

    def fan(count):
        tree = {3: ({}, to(20), to(40)), 40: ({},)}
        roles = range(21, 21 + count)
        tree[20] = ({},) + tuple([to(role) for role in roles[:8]])
        tree[40] = ({},) + tuple([to(role) for role in roles[8:]]) if count > 8 else ({},)
        for role in roles:
            tree[role] = ({},)
        tree[roles[-1]] = (HONEST,)
        return tree

    assert finds(fan(DELEGATION_VISITS_MAX - 2))[0]
    raises(errors.TooLong, planted(fan(DELEGATION_VISITS_MAX - 1)).refresh)


def test_the_bytes_of_a_cycle_are_bounded():
    """E-57, T-23"""
    filler = dict.fromkeys(range(1000, 1055), HONEST[N])
    tree = {3: ({},) + tuple([to(role) for role in range(20, 26)])}
    for role in range(20, 26):
        tree[role] = (filler,)
    raises(errors.TooLong, planted(tree).refresh)


# --- several roles ---------------------------------------------------------------------------


def test_as_many_roles_as_stated_have_to_agree():
    """V-17, V-77, V-77.2, V-77.2.1, V-77.2.3, V-76.4.2, T-25, E-59"""
    for agreement, found in ((1, True), (2, True), (3, False)):
        tree = {3: ({}, to(PANEL, agreement=agreement)), 30: ({},), 31: (HONEST,), 32: (HONEST,)}
        assert finds(tree) == (found, [30, 31, 32])


def test_too_few_that_agree_are_nobody():
    """V-77.2.4, E-59: then the next delegation is asked, if this one does not terminate."""
    for terminating in (False, True):
        panel = to(PANEL, agreement=2, terminating=terminating)
        tree = {3: ({}, panel, to(20)), 30: (HONEST,), 31: (OTHER,), 32: ({},), 20: (HONEST,)}
        asked = [30, 31, 32] + ([] if terminating else [20])
        assert finds(tree) == (not terminating, asked)


def test_of_two_answers_the_earliest_role_is_right():
    """V-77.2.2, E-59: among those that enough roles give."""
    tree = {3: ({}, to(PANEL, agreement=1)), 30: (HONEST,), 31: (OTHER,), 32: (OTHER,)}
    assert finds(tree)[0]
    tree = {3: ({}, to(PANEL, agreement=2)), 30: (HONEST,), 31: (OTHER,), 32: (OTHER,)}
    raises(errors.ImagesDiffer, planted(tree).refresh)


def test_each_of_several_roles_is_asked_for_itself():
    """V-77.1: two of them may hand on to the same role, and one may end its own search."""
    tree = {
        3: ({}, to((30, 31))),
        30: ({}, to(20)),
        31: ({}, to(21, terminating=True), to(22)),
        20: (HONEST,),
        21: (HONEST,),
        22: (OTHER,),
    }
    assert finds(tree)[0]
    tree[31] = ({}, to(20))
    assert finds(tree) == (True, [30, 20, 31])
    tree = {3: ({}, to((30, 31), agreement=1)), 30: ({}, to(21, terminating=True)), 21: ({},)}
    tree[31] = (HONEST,)
    assert finds(tree) == (True, [30, 21, 31])


# --- keeping and forgetting ------------------------------------------------------------------


def test_a_dropped_supplier_stays_listed_until_keys_are_rotated():
    """R-43, T-40"""
    oem, node = updated(Full, Supplied)
    oem.publish(3)
    del oem.image.suppliers[HINGES]
    oem.image.publish()
    raises(errors.RoleDropped, node.refresh)
    for role in (TIMESTAMP, SNAPSHOT):
        oem.image.keys[role] = [bytes([role]) * 32]
    oem.image.rotate()
    del oem.image.suppliers[BRAKES]
    oem.image.images = dict(HONEST)
    oem.image.publish()
    node.update()
    assert node.release() == 3 and RECORD + BRAKES not in node.records
    assert RECORD + TARGETS in node.records
