"""Delegations as they stand in a file: what is read, and that nothing else is."""

from claims import raises
from maker import LATER, entry_of, kid_of
from memory import SUITE
from suppliers import key_of, to, with_keys
from uptane import cbor, errors
from uptane.ids import (
    DELEGATION_AGREEMENT,
    DELEGATION_HARDWARE,
    DELEGATION_RANGES,
    DELEGATION_ROLES,
    DELEGATION_TERMINATING,
    FORMAT,
    IMAGE,
    KEY_DELEGATIONS,
    KEY_EXPIRES,
    KEY_FORMAT,
    KEY_IMAGES,
    KEY_NUMBER,
    KEY_TYPE,
    KEY_VERSION,
    TARGETS,
)
from uptane.limits import DELEGATED_ROLES_MAX, DELEGATIONS_MAX, KEYS_MAX, RANGES_MAX
from uptane.meta.delegation import Delegations
from uptane.meta.targets import Entry, Targets

KID = kid_of(key_of(20))


def read(value, role=20):
    fields = {KEY_FORMAT: FORMAT, KEY_TYPE: TARGETS, KEY_NUMBER: role, KEY_VERSION: 1}
    fields[KEY_EXPIRES] = LATER
    fields[KEY_IMAGES] = {}
    if value is not None:
        fields[KEY_DELEGATIONS] = value
    return Delegations(SUITE, Targets(cbor.dumps(fields), IMAGE, role))


def changed(key, value):
    made = to((20, 21), (5, 9), (11, 11), hardware=[20, 30])
    delegations = with_keys(to(20), made)
    if value is None:
        del made[key]
    else:
        made[key] = value
    return delegations


def refuses(refusal, *values):
    for value in values:
        raises(refusal, read, value)


def test_delegations_are_read_one_at_a_time():
    """V-15, V-16, V-17, T-25"""
    several = to((21, 20), (5, 9), (11, 11), hardware=[20, 30], terminating=True, agreement=1)
    delegations = read(with_keys(to(20), several))
    assert len(delegations) == 2
    first, second = delegations.at(0), delegations.at(1)
    assert (first.terminating, first.agreement, len(first.roles)) == (False, 1, 1)
    role, (threshold, keys) = first.roles[0]
    assert (role, threshold, list(keys)) == (20, 1, [KID])
    assert (second.terminating, second.agreement) == (True, 1)
    assert [role for role, _ in second.roles] == [21, 20]
    assert len(read(None)) == 0
    raises(errors.BadShape, read(None).at, 0)


def test_a_delegation_covers_numbers_and_hardware():
    """V-76.4.1, T-20, T-26"""
    covering = read(changed(DELEGATION_TERMINATING, True)).at(1)

    def covers(number, hardware):
        made = entry_of(2, 3)
        made[3][1] = hardware
        return covering.covers(Entry(number, made, False))

    assert [number for number in range(14) if covers(number, [20])] == [5, 6, 7, 8, 9, 11]
    assert covers(5, [20, 30]) and covers(5, [30]) and not covers(5, [20, 31])
    made = Entry(0xFFFFFFFF, entry_of(2, 3), False)
    assert read(with_keys(to(20))).at(0).covers(made) and not covering.covers(made)


def test_only_the_grammar_is_read():
    """V-16, E-60"""
    good = with_keys(to(20))
    refuses(errors.BadShape, 1, [], good[:1], good + [1], [good[0], []], [good[0], {}], {1: 2})
    refuses(errors.BadShape, [[], good[1]], [good[0], [1]], [good[0], good[1] * 17])
    for key in (DELEGATION_RANGES, DELEGATION_ROLES, DELEGATION_AGREEMENT):
        refuses(errors.BadShape, changed(key, None), changed(key, []), changed(key, "1"))
    refuses(errors.BadShape, changed(6, 1), changed(DELEGATION_TERMINATING, False))
    refuses(errors.BadShape, changed(DELEGATION_TERMINATING, 1))
    refuses(
        errors.BadShape, changed(DELEGATION_HARDWARE, []), changed(DELEGATION_HARDWARE, [2, 2])
    )
    for ranges in (
        [[2, 1]],
        [[1]],
        [[1, 2, 3]],
        [[5, 6], [6, 7]],
        [[5, 7], [7, 8]],
        [[5, 6], [1, 2]],
        [[-1, 2]],
    ):
        refuses(errors.BadShape, changed(DELEGATION_RANGES, ranges))
    many = [[2 * n, 2 * n] for n in range(RANGES_MAX + 1)]
    refuses(errors.BadShape, changed(DELEGATION_RANGES, many))
    assert len(read(changed(DELEGATION_RANGES, many[1:]))) == 2
    assert len(read([good[0], good[1] * DELEGATIONS_MAX])) == DELEGATIONS_MAX


def test_a_delegation_is_to_delegated_roles_each_once():
    """V-16: 16 to 255, because a role's number is the low byte of its record's."""
    for role in (3, 15, 256, -1, "20", True):
        refuses(errors.BadShape, changed(DELEGATION_ROLES, [[20, 1, [KID]], [role, 1, [KID]]]))
    refuses(errors.BadShape, changed(DELEGATION_ROLES, [[20, 1, [KID]], [20, 1, [KID]]]))
    for role in ([21, 1], [21, 1, [KID], 1]):
        refuses(errors.BadShape, changed(DELEGATION_ROLES, [[20, 1, [KID]], role]))
    many = [[role, 1, [KID]] for role in range(16, 17 + DELEGATED_ROLES_MAX)]
    refuses(errors.BadShape, changed(DELEGATION_ROLES, many))
    edge = changed(DELEGATION_ROLES, [[16, 1, [KID]], [255, 1, [KID]]])
    assert [role for role, _ in read(edge).at(1).roles] == [16, 255]


def test_keys_and_thresholds_of_roles_are_those_of_a_root():
    """E-42, E-43, E-45, T-27"""
    refuses(errors.BadKey, changed(DELEGATION_ROLES, [[20, 1, [KID]], [21, 1, [bytes(8)]]]))
    for threshold in (0, 2):
        wrong = [[20, 1, [KID]], [21, threshold, [KID]]]
        refuses(errors.BadThreshold, changed(DELEGATION_ROLES, wrong))
    refuses(errors.BadShape, changed(DELEGATION_ROLES, [[20, 1, [KID]], [21, 1, [KID, KID]]]))
    refuses(errors.BadShape, changed(DELEGATION_ROLES, [[20, 1, [KID]], [21, "1", [KID]]]))
    keys, listed = with_keys(to(20))
    refuses(errors.BadKey, [keys + keys[-1:], listed], [keys[::-1] if keys[1:] else [1], listed])
    refuses(errors.BadShape, [keys * KEYS_MAX, listed])


def test_several_roles_state_how_many_agree():
    """T-25, E-42"""
    refuses(errors.BadThreshold, changed(DELEGATION_AGREEMENT, 0))
    refuses(errors.BadThreshold, changed(DELEGATION_AGREEMENT, 3))
    refuses(errors.BadShape, changed(DELEGATION_AGREEMENT, -1))
    alone = to(20)
    alone[DELEGATION_AGREEMENT] = 1
    refuses(errors.BadShape, with_keys(alone))
