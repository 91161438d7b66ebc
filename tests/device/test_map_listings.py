"""What repositories list of a map: number, length and hashes, each held to the letter."""

from claims import raises
from fleets import BRAKES, FLEET, Four, Three, Two, offered, root_record
from maker import GATEWAY
from memory import digest
from uptane import cose, errors
from uptane.ids import (
    ALG_SHA256,
    DELEGATED_LAST,
    DIRECTOR,
    IMAGE,
    KEY_IMAGES,
    KEY_MAPS,
    MAP_NUMBER,
    MAP_REPOSITORIES,
    RECORD_HIGH_WATER,
    RECORD_MAP,
    ROOT,
    TARGETS,
)
from uptane.limits import MAP_BYTES_MAX, MAPS_MAX, ROOT_BYTES_MAX
from uptane.meta.mapping import read_listings
from uptane.meta.targets import Targets
from vehicle import Full, Primary, prove, updated

BOTH = (DIRECTOR, IMAGE)
TRIO = (DIRECTOR, IMAGE, FLEET)
LATER = b"its second Root"
LOW, HIGH = bytes(32), b"\xff" * 32
MARK_OF_FLEET = RECORD_HIGH_WATER + 0x200


def listed(maps):
    """What a Targets lists if `maps` stand in it."""
    oem = Two()
    payload = oem.image.serve(TARGETS, {KEY_MAPS: maps, KEY_IMAGES: {}})
    return read_listings(Targets(payload, IMAGE))


def lists(by, number, listing):
    """A lie: these repositories list under a number what is no map, the others the map."""

    def lie(oem):
        offered(number, BOTH, TRIO)(oem)
        for other in by:
            oem.repositories[other].maps = {number: listing}
        oem.publish(3)

    return lie


def test_a_listing_is_a_number_a_length_and_hashes():
    """V-07, T-45: up to the edges, and not beyond."""
    hashes = {ALG_SHA256: LOW}
    assert listed({1: [1, hashes]}) == {1: (1, 1, hashes)}
    assert listed({0xFFFFFFFF: [MAP_BYTES_MAX, hashes]}) == {
        0xFFFFFFFF: (0xFFFFFFFF, MAP_BYTES_MAX, hashes)
    }
    assert sorted(listed({2: [1, hashes], 3: [2, hashes]})) == [2, 3]
    assert len(listed({number: [1, hashes] for number in range(1, MAPS_MAX + 1)})) == MAPS_MAX
    for bad in (
        {number: [1, hashes] for number in range(MAPS_MAX + 1)},
        {1: [1, hashes, 0]},
        {1: [MAP_BYTES_MAX + 1, hashes]},
        {1: [-1, hashes]},
    ):
        raises(errors.BadShape, listed, bad)


def test_what_is_listed_under_the_current_number_is_the_current_map():
    """T-45, T-53: a digest above and one below are both another map's."""
    for wrong in (LOW, HIGH):

        def lie(oem, wrong=wrong):
            oem.fleet.maps = {5: [10, {ALG_SHA256: wrong}]}
            oem.publish(3)

        prove(Full, lie, errors.SameVersionDiffers, Three)


def test_a_listing_that_differs_is_another_whichever_is_greater():
    """T-45, T-53: shorter and longer, among Directors and on an Image repository."""
    for by in ((FLEET,), (IMAGE,)):
        for length in (1, MAP_BYTES_MAX):
            lie = lists(by, 6, [length, {ALG_SHA256: LOW}])
            prove(Full, lie, errors.SameVersionDiffers, Three)


def test_directors_that_list_different_numbers_change_nothing():
    """T-45: whichever is the higher."""
    for first, second in ((6, 7), (7, 6)):
        oem, node = updated(Full, Three)
        oem.charter(6, BOTH)
        oem.charter(7, BOTH)
        oem.listed_by(BOTH, first)
        oem.listed_by((FLEET,), second)
        oem.publish(3)
        node.update()
        assert node.release() == 3 and node.records[RECORD_MAP] == oem.charters[5]


def test_a_map_has_the_length_and_the_digest_that_were_listed():
    """T-45, T-34: all repositories say the same of it, and it is not so."""

    def wrong(length, hash):
        def lie(oem):
            raw = oem.charter(6, BOTH)
            oem.listed_by(TRIO, 6)
            for other in TRIO:
                listing = [len(raw) + length, {ALG_SHA256: hash or digest(raw)}]
                oem.repositories[other].maps = {6: listing}
            oem.publish(3)

        return lie

    for length, hash in ((1, b""), (-1, b""), (0, LOW), (0, HIGH)):
        prove(Full, wrong(length, hash), errors.WrongHash, Three)


def test_a_map_bears_the_number_under_which_it_is_listed():
    """T-45: neither a lower nor a higher one."""
    for number in (5, 7):
        lie = offered(6, BOTH, TRIO, lies={MAP_NUMBER: number})
        prove(Full, lie, errors.VersionMismatch, Three)


def test_new_directors_and_new_image_repositories_bring_their_root():
    """T-45, V-71: each of both kinds."""
    for kind in (Full, Primary):
        oem, node = updated(kind, Two)
        offered(5, (DIRECTOR, IMAGE, FLEET, BRAKES), BOTH)(oem)
        node.update()
        for other in (FLEET, BRAKES):
            assert node.records[root_record(other)] == oem.repositories[other].files[ROOT, 1]


def test_the_root_of_a_new_repository_is_the_first_and_the_one_named():
    """T-45, E-19, V-71.1: at its cap, one byte above, a digest above and below, a second Root."""

    def found(raw, identity):
        def lie(oem):
            oem.fleet.rotate()
            identities = {number: oem.repositories[number].identity for number in TRIO}
            identities[FLEET] = identity or oem.fleet.identity
            if raw == LATER:
                oem.fleet.files[ROOT, 1] = oem.fleet.files[ROOT, 2]
                identities[FLEET] = digest(cose.read_sign(oem.fleet.files[ROOT, 2]).payload)
            elif raw:
                oem.fleet.files[ROOT, 1] = raw
            offered(5, TRIO, BOTH, lies={MAP_REPOSITORIES: identities})(oem)

        return lie

    cases = (
        (bytes(ROOT_BYTES_MAX), None, errors.BadEnvelope),
        (bytes(ROOT_BYTES_MAX + 1), None, errors.TooLong),
        (bytes(2 * ROOT_BYTES_MAX), None, errors.TooLong),
        (None, LOW, errors.WrongRepository),
        (None, HIGH, errors.WrongRepository),
        (LATER, None, errors.WrongRepository),
    )
    for raw, identity, refusal in cases:
        prove(Full, found(raw, identity), refusal, Two)


def leaving(stays):
    """Two updates by four repositories, and a map of those that stay, listed by all."""
    oem, node = updated(Full, Four)
    oem.charter(6, stays)
    oem.listed_by((DIRECTOR, IMAGE, FLEET, BRAKES), 6)
    return oem, node


def test_nothing_is_left_of_a_repository_that_leaves():
    """T-45, V-78: its last delegated role and its high-water mark included."""
    oem, node = leaving(BOTH)
    oem.direct({GATEWAY: 3})
    oem.image.maps = {}
    oem.image.publish()
    node.refresh()
    assert MARK_OF_FLEET in node.records
    last = root_record(BRAKES) + DELEGATED_LAST
    node.records[last] = oem.brakes.files[TARGETS, 0]
    oem.listed_by((IMAGE,), 6)
    oem.image.publish()
    node.refresh()
    assert node.records[RECORD_MAP] == oem.charters[6]
    assert MARK_OF_FLEET not in node.records
    assert [number for number in node.records if number >= root_record(FLEET)] == []


def test_what_a_repository_says_as_it_leaves_is_not_stored():
    """T-45, V-78: the directions that listed the new map would have left a mark."""
    oem, node = leaving(BOTH)
    oem.direct({GATEWAY: 3})
    oem.image.publish()
    node.refresh()
    assert node.records[RECORD_MAP] == oem.charters[6]
    assert MARK_OF_FLEET not in node.records


def test_a_repository_that_stays_loses_nothing():
    """T-45, V-78: its records are the neighbours of those that are deleted."""
    oem, node = leaving((DIRECTOR, IMAGE, BRAKES))
    oem.direct({GATEWAY: 3})
    oem.image.publish()
    before = {n: node.records[n] for n in node.records if n >= root_record(BRAKES)}
    assert root_record(BRAKES) in before and root_record(BRAKES) + TARGETS in before
    node.refresh()
    assert node.records[RECORD_MAP] == oem.charters[6]
    after = [number for number in node.records if number >= root_record(FLEET)]
    assert sorted(after) == sorted(before)
