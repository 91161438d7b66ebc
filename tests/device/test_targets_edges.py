"""The index of Targets, and what may stand in one, one beside what is right."""

from claims import raises
from maker import entry_of
from test_roles import fields_of, read
from uptane import cbor, errors
from uptane.ids import (
    DELEGATED_FIRST,
    DIRECTOR,
    ENTRY_ECUS,
    IMAGE,
    KEY_BUNDLE,
    KEY_CUSTOM,
    KEY_EXPIRES,
    KEY_IMAGES,
    KEY_MAPS,
    KEY_VEHICLE,
    TARGETS,
)
from uptane.limits import TRIALS_MAX
from uptane.meta.shape import NUMBER_MAX
from uptane.meta.targets import ARRAY, MAP, Targets, open_items


def images(numbers):
    fields = fields_of(TARGETS)
    del fields[KEY_VEHICLE]
    entry = entry_of(2, 3)
    fields[KEY_IMAGES] = dict.fromkeys(numbers, entry)
    return fields


def test_the_index_holds_every_image_and_ends_where_it_says():
    """V-09, T-48, E-48: also above 23 images, where the head grows."""
    for count in (0, 1, 23, 24, 25):
        numbers = list(range(count)) if count < 25 else list(range(24)) + [NUMBER_MAX]
        targets = read(TARGETS, images(numbers), IMAGE)
        assert targets.is_empty() is (count == 0)
        assert [n for n in numbers if targets.entry(n).number == n] == numbers
        assert targets.entry(1000) is None
    for number in (-1, NUMBER_MAX + 1):
        raises(errors.BadShape, read, TARGETS, images([number]), IMAGE)


def test_the_head_of_a_container_is_as_short_as_it_can_be():
    """V-04, T-03: kinds do not mix, and no more than 255 items are read."""
    for kind, other in ((ARRAY, MAP), (MAP, ARRAY)):
        for count in (0, 1, 23):
            assert open_items(memoryview(bytes([kind + count, 9])), kind)[0] == count
            raises(errors.BadShape, open_items, memoryview(bytes([other + count, 9])), kind)
        for count in (24, 255):
            found, rest = open_items(memoryview(bytes([kind + 24, count, 9])), kind)
            assert found == count and bytes(rest) == b"\x09"
        for count in (0, 23):
            long = memoryview(bytes([kind + 24, count, 9]))
            raises(errors.NotDeterministic, open_items, long, kind)
        for bad in (b"", bytes([kind + 24]), bytes([kind + 25, 1, 1]), bytes([kind - 1, 0, 0])):
            raises(errors.BadShape, open_items, memoryview(bad), kind)
    for head, count in ((b"\x80", 0), (b"\x98\x18", 24)):
        found, rest = open_items(memoryview(head), ARRAY)
        assert found == count and len(rest) == 0
    for head, kind in ((b"\x7f", ARRAY), (b"\x9f", MAP), (b"\x7f", MAP)):
        raises(errors.BadShape, open_items, memoryview(head), kind)


def test_a_bundle_is_one_of_three_kinds_and_the_directors():
    """S-43, S-44, S-45."""
    fields = fields_of(TARGETS)
    targets = read(TARGETS, fields, DIRECTOR)
    assert targets.bundle is None and targets.bundled == ()
    for made, found in (
        ([7, 1, 1, [2]], (7, 0, 1)),
        ([NUMBER_MAX, 2, TRIALS_MAX, [2, 3]], (NUMBER_MAX, 0, TRIALS_MAX)),
        ([1, 3, 2, [0, NUMBER_MAX]], (1, 1, 2)),
    ):
        fields[KEY_BUNDLE] = made
        targets = read(TARGETS, fields, DIRECTOR)
        assert targets.bundle == found and list(targets.bundled) == made[3]
        images_only = images([1])
        images_only[KEY_BUNDLE] = made
        raises(errors.BadShape, read, TARGETS, images_only, IMAGE)
    bad = [[7, 1], [0, 1, 1], [NUMBER_MAX + 1, 1, 1], [7, 0, 1], [7, 4, 1]]
    bad += [[7, 1, 2], [7, 1, 0], [7, 2, TRIALS_MAX + 1], [7, True, 1], [7, 3, b""]]
    bad = [made + [[2]] for made in bad] + [7, {}, None, [7, 1, 1, [2], 1], [7, 1, 1]]
    bad += [[7, 1, 1, ecus] for ecus in (2, [], [2, 2], [3, 2], [-1], [True])]
    for made in bad:
        fields[KEY_BUNDLE] = made
        raises(errors.BadShape, read, TARGETS, fields, DIRECTOR)


def test_an_ecu_stands_in_one_place():
    """V-74.7, E-49: twice in an entry, in two entries, first or last."""
    for first, second in (([2, 2], [3]), ([2], [2]), ([2, 3], [3]), ([1, 2], [0, 1])):
        fields = images([1, 2])
        for number, ecus in ((1, first), (2, second)):
            entry = dict(fields[KEY_IMAGES][number])
            entry[ENTRY_ECUS] = ecus
            fields[KEY_IMAGES][number] = entry
        raises(errors.EcuTwice, read, TARGETS, fields)


def test_nothing_stands_in_a_targets_that_has_no_name():
    """V-07, E-60: a key between or above those that are known, whatever its value would do."""
    known = (6, 7, 8, 9)
    assert min(known) > KEY_EXPIRES and max(known) < KEY_IMAGES
    values = ({}, {1: 1}, {2: 1}, "VIN-1", 1, [[], []], [7, 1, 1, [2]])
    for repository in (1, IMAGE):
        for key in known + (KEY_CUSTOM + 1, 22):
            for value in values:
                fields = fields_of(TARGETS) if repository == 1 else images([1])
                fields[key] = value
                raises(errors.BadShape, read, TARGETS, fields, repository)
        fields = fields_of(TARGETS) if repository == 1 else images([1])
        del fields[KEY_IMAGES]
        raises(errors.BadShape, read, TARGETS, fields, repository)
        for key in known:
            other = dict(fields)
            other[key] = {}
            raises(errors.BadShape, read, TARGETS, other, repository)


def test_only_the_top_level_lists_maps():
    """T-45: a supplier has no say on who has a say."""
    fields = images([1])
    assert Targets(cbor.dumps(fields), IMAGE).maps is None
    fields[KEY_MAPS] = {1: 1}
    assert Targets(cbor.dumps(fields), IMAGE).maps == {1: 1}
    fields[2], fields[3] = TARGETS, DELEGATED_FIRST
    raises(errors.BadShape, Targets, cbor.dumps(fields), IMAGE, DELEGATED_FIRST)
    del fields[KEY_MAPS]
    assert Targets(cbor.dumps(fields), IMAGE, DELEGATED_FIRST).maps is None
