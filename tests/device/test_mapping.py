"""The map: how it is read, and which repositories it names for an image."""

from claims import raises
from fleets import ALL, FLEET, OF_BRAKES, Two
from uptane import errors
from uptane.ids import (
    DIRECTOR,
    IMAGE,
    KEY_FORMAT,
    KEY_TYPE,
    MAP_MAPPINGS,
    MAP_NUMBER,
    MAP_REPOSITORIES,
    TARGETS,
    TYPE_MAP,
)
from uptane.limits import MAP_BYTES_MAX
from uptane.meta.mapping import Map

TRIO = (DIRECTOR, IMAGE, FLEET)


# --- reading ---------------------------------------------------------------------------------


def test_the_built_in_map_is_the_director_and_the_image_repository():
    """V-20, T-45: nothing has to be provisioned for the basic case."""
    built_in = Map(b"d" * 32, b"i" * 32, None)
    assert built_in.number == 0
    assert built_in.repositories == {DIRECTOR: b"d" * 32, IMAGE: b"i" * 32}
    for image in (0, 0xFFFFFFFF):
        assert built_in.agreeing(image, DIRECTOR) == [DIRECTOR]
        assert built_in.agreeing(image, 0) == [IMAGE]


def test_the_first_mapping_that_holds_an_image_decides():
    """V-20, T-46, T-26: ranges include their ends."""
    oem = Two()
    mappings = [[OF_BRAKES, [1, 2, 4]], [[[0, 350], [400, 500]], [1, 2, 3]]]
    raw = oem.charter(5, (1, 2, 3, 4), mappings)
    made = Map(oem.director.identity, oem.image.identity, raw)
    assert made.number == 5 and made.of_kind(DIRECTOR) == [1, 3] and made.of_kind(0) == [2, 4]
    for image in (200, 299):
        assert made.agreeing(image, DIRECTOR) == [1] and made.agreeing(image, 0) == [2, 4]
    for image in (0, 199, 300, 350, 400, 500):
        assert made.agreeing(image, DIRECTOR) == [1, 3] and made.agreeing(image, 0) == [2]
    for image in (351, 399, 501, 0xFFFFFFFF):
        raises(errors.NotOnImageRepository, made.agreeing, image, 0)


def test_another_map_is_not_read():
    """V-07, E-60: a Director and an Image repository at the least; no unknown key."""
    oem = Two()
    identity = oem.fleet.identity
    own = {1: oem.director.identity, 2: oem.image.identity}
    cases = (
        ({KEY_FORMAT: 2}, errors.WrongFormat),
        ({KEY_FORMAT: 0}, errors.WrongFormat),
        ({KEY_FORMAT: -1}, errors.BadShape),
        ({KEY_TYPE: TARGETS}, errors.WrongType),
        ({KEY_TYPE: 0}, errors.WrongType),
        ({KEY_TYPE: TYPE_MAP + 1}, errors.WrongType),
        ({KEY_TYPE: -1}, errors.BadShape),
        ({MAP_NUMBER: 0}, errors.BadShape),
        ({MAP_REPOSITORIES: {1: identity, 2: oem.image.identity}}, errors.WrongRepository),
        ({MAP_REPOSITORIES: {1: oem.director.identity, 3: identity}}, errors.WrongRepository),
        ({MAP_REPOSITORIES: {1: own[1], 2: own[2], 7: identity}}, errors.BadShape),
        ({MAP_REPOSITORIES: {0: identity, 1: own[1], 2: own[2]}}, errors.BadShape),
        ({MAP_REPOSITORIES: {1: own[1], 2: own[2], 3: b"short"}}, errors.BadShape),
        ({MAP_MAPPINGS: []}, errors.BadShape),
        ({MAP_MAPPINGS: [[ALL, [1, 2]]] * 17}, errors.BadShape),
        ({MAP_MAPPINGS: [[ALL, [1, 3]]]}, errors.BadShape),
        ({MAP_MAPPINGS: [[ALL, [2]]]}, errors.BadShape),
        ({MAP_MAPPINGS: [[ALL, [1, 2, 4]]]}, errors.BadShape),
        ({MAP_MAPPINGS: [[ALL, [2, 1]]]}, errors.BadShape),
        ({MAP_MAPPINGS: [[ALL, [1, 2, 2]]]}, errors.BadShape),
        ({MAP_MAPPINGS: [[ALL]]}, errors.BadShape),
        ({MAP_MAPPINGS: [[[[5, 4]], [1, 2]]]}, errors.BadShape),
        ({MAP_MAPPINGS: [[[], [1, 2]]]}, errors.BadShape),
        ({MAP_MAPPINGS: [[ALL, [1, 2], True]]}, errors.BadShape),
        ({9: 1}, errors.BadShape),
    )
    for lies, refusal in cases:
        raw = oem.charter(5, TRIO, lies=lies)
        raises(refusal, Map, oem.director.identity, oem.image.identity, raw)
    long = oem.charter(5, TRIO) + bytes(MAP_BYTES_MAX)
    raises(errors.TooLong, Map, own[1], own[2], long[: MAP_BYTES_MAX + 1])
    raises(errors.TrailingBytes, Map, own[1], own[2], long[:MAP_BYTES_MAX])
    raises(errors.TrailingBytes, Map, own[1], own[2], oem.charter(5, TRIO) + b"\0")


def test_the_least_number_of_a_map_is_one():
    """T-45: nought is the built-in one."""
    oem = Two()
    raw = oem.charter(1, TRIO)
    assert Map(oem.director.identity, oem.image.identity, raw).number == 1
