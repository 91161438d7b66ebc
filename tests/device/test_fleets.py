"""Several repositories: all that the map names for an image agree, or nothing is installed."""

from claims import raises
from fleets import ALL, BRAKES, FLEET, Four, Three, root_record
from maker import BRAKE, DOOR, GATEWAY, NOW, entry_of, number_of, seed_of
from memory import digest
from uptane import cbor, errors
from uptane.ids import (
    ALG_SHA256,
    DIRECTOR,
    ENTRY_ECUS,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    IMAGE,
    KEY_DELEGATIONS,
    KEY_IMAGES,
    KEY_VEHICLE,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    RECORD_HIGH_WATER,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from vehicle import Full, Partial, Primary, prove, updated

NEXT = number_of(BRAKE, 3)
MARK_OF_FLEET = RECORD_HIGH_WATER + 0x200


def told_by(repository, change, role=TARGETS):
    """A lie: whoever holds the keys of one repository changes a role of its next publication."""

    def lie(oem):
        oem.repositories[repository].alter[role] = change
        oem.publish(3)

    return lie


def edited(key, value):
    def change(fields):
        fields[KEY_IMAGES][NEXT][key] = value

    return change


# --- agreement -------------------------------------------------------------------------------


def test_three_repositories_that_agree_direct_an_update():
    """V-20, V-75, S-47: each Director is verified by its own Root, chain, versions and expiry."""
    oem, node = updated(Full, Three)
    assert node.wants == [
        (DIRECTOR, ROOT, 2),
        (DIRECTOR, TIMESTAMP, 0),
        (DIRECTOR, SNAPSHOT, 2),
        (DIRECTOR, TARGETS, 2),
        (FLEET, ROOT, 2),
        (FLEET, TIMESTAMP, 0),
        (FLEET, SNAPSHOT, 2),
        (FLEET, TARGETS, 2),
        (IMAGE, ROOT, 2),
        (IMAGE, TIMESTAMP, 0),
        (IMAGE, SNAPSHOT, 2),
        (IMAGE, TARGETS, 2),
    ]
    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        assert node.records[root_record(FLEET) + role] == oem.fleet.files[role, 0]
    assert node.refresh().new == []
    assert node.wants == [
        (DIRECTOR, ROOT, 2),
        (DIRECTOR, TIMESTAMP, 0),
        (FLEET, ROOT, 2),
        (FLEET, TIMESTAMP, 0),
    ]


def test_a_primary_of_a_fleet_decides_for_every_ecu():
    """S-47, V-47"""
    oem, node = updated(Primary, Three)
    oem.direct({GATEWAY: 2, BRAKE: 3, DOOR: 3})
    oem.image.publish()
    decision = node.update()
    assert decision.new == [BRAKE, DOOR]
    assert sorted(decision.entries) == [GATEWAY, BRAKE, DOOR]


def test_one_director_alone_directs_nothing():
    """E-83, S-47, E-22: another hash, length or release, another image, one ECU left out."""
    lies = (
        edited(ENTRY_HASHES, {ALG_SHA256: digest(b"evil")}),
        edited(ENTRY_LENGTH, 5),
        edited(ENTRY_MATCH, {MATCH_HARDWARE: [20], MATCH_RELEASE: 4}),
        lambda fields: fields[KEY_IMAGES].pop(NEXT) and None,
    )
    for director in (DIRECTOR, FLEET):
        for kind in (Full, Primary):
            for lie in lies:
                prove(kind, told_by(director, lie), errors.DirectorsDiffer, Three)


def test_an_older_image_of_one_director_is_no_mix():
    """E-22, E-83: it is genuine, listed and even installed; the others want the new one."""

    def mixed(fields):
        del fields[KEY_IMAGES][NEXT]
        fields[KEY_IMAGES][number_of(BRAKE, 2)] = entry_of(BRAKE, 2)
        fields[KEY_IMAGES][number_of(BRAKE, 2)][ENTRY_ECUS] = [BRAKE]

    for kind in (Full, Primary):
        prove(kind, told_by(FLEET, mixed), errors.DirectorsDiffer, Three)
        prove(kind, told_by(DIRECTOR, mixed), errors.DirectorsDiffer, Three)


def test_all_directors_together_still_need_the_image_repository():
    """E-83, V-75.10"""

    def lie(oem):
        evil = edited(ENTRY_HASHES, {ALG_SHA256: digest(b"evil")})
        oem.director.alter[TARGETS] = oem.fleet.alter[TARGETS] = evil
        oem.publish(3)

    prove(Full, lie, errors.ImagesDiffer, Three)
    prove(Primary, lie, errors.ImagesDiffer, Three)


def test_directors_are_compared_by_what_concerns_the_ecu():
    """S-47: not file by file; a Secondary leaves the entries of others to the Primary."""
    oem, node = updated(Full, Three)
    oem.fleet.alter[TARGETS] = lambda fields: fields[KEY_IMAGES].pop(number_of(DOOR, 3)) and None
    oem.publish(3)
    node.update()
    assert node.release() == 3


def test_a_partial_ecu_follows_the_one_director_of_its_identity():
    """S-46, S-47, E-83: the edge of the promise; the fleet's Director is not asked."""
    oem, node = updated(Partial, Three)
    oem.fleet.alter[TARGETS] = lambda fields: fields[KEY_IMAGES].pop(number_of(DOOR, 3)) and None
    oem.publish(3)
    node.update()
    assert node.release() == 3
    assert [repository for repository, _, _ in node.wants] == [DIRECTOR] * 2


# --- every check of a Director holds for each of them ------------------------------------------


def test_a_second_director_is_a_director():
    """V-74.6, V-74.7, V-74.8, V-78, T-18"""

    def strange(fields):
        fields[KEY_IMAGES][NEXT][ENTRY_ECUS] = [BRAKE, 77]

    def twice(fields):
        fields[KEY_IMAGES][NEXT][ENTRY_ECUS] = [BRAKE, DOOR]

    def delegating(fields):
        fields[KEY_DELEGATIONS] = [1]

    def astray(fields):
        fields[KEY_VEHICLE] = "VIN-2"

    def borrowed(oem):
        oem.fleet.keys[TARGETS] = oem.director.keys[TARGETS]
        oem.publish(3)

    prove(Primary, told_by(FLEET, strange), errors.UnknownEcu, Three)
    prove(Full, told_by(FLEET, twice), errors.EcuTwice, Three)
    prove(Full, told_by(FLEET, delegating), errors.DirectorDelegates, Three)
    prove(Full, told_by(FLEET, astray), errors.WrongVehicle, Three)
    prove(Full, borrowed, errors.BelowThreshold, Three)


def test_a_second_director_cannot_be_rolled_back_frozen_or_withheld():
    """E-08, E-04, E-02, V-72.3, V-72.4"""

    def replayed(oem):
        oem.publish(3)
        oem.fleet.files[TIMESTAMP, 0] = oem.fleet.history[TIMESTAMP, 1]

    def frozen(oem):
        oem.fleet.expires[TIMESTAMP] = NOW
        oem.publish(3)

    def withheld(oem):
        oem.publish(3)
        del oem.fleet.files[TIMESTAMP, 0]

    prove(Full, replayed, errors.Rollback, Three)
    prove(Full, frozen, errors.Expired, Three)
    prove(Full, withheld, errors.Withheld, Three)


def test_the_directions_last_as_long_as_the_shortest():
    """T-42"""
    oem, node = updated(Full, Three)
    oem.fleet.expires[TARGETS] = NOW + 60
    oem.publish(3)
    assert node.refresh().expires == NOW + 60


def test_each_director_has_a_high_water_mark():
    """V-60, T-19: one for each, and none is taken for another's."""
    oem, node = updated(Full, Three)
    kept = node.records[root_record(FLEET) + TARGETS]
    oem.direct({GATEWAY: 3})
    assert node.refresh().refusal is errors.NoImage
    assert node.records[root_record(FLEET) + TARGETS] == kept
    assert cbor.loads(node.records[MARK_OF_FLEET])[0] == 3
    assert cbor.loads(node.records[RECORD_HIGH_WATER])[0] == 3
    assert cbor.loads(node.records[MARK_OF_FLEET]) != cbor.loads(node.records[RECORD_HIGH_WATER])
    oem.fleet.versions.update({TARGETS: 2})
    oem.direct({GATEWAY: 4})
    raises(errors.SameVersionDiffers, node.refresh)
    oem.publish(5)
    node.update()
    assert node.release() == 5 and MARK_OF_FLEET not in node.records


def test_a_rotation_of_a_second_directors_keys_drops_what_they_signed():
    """V-71.4, T-12, T-31: and leaves the clock alone, which is the first Director's."""
    oem, node = updated(Full, Three)
    oem.direct({GATEWAY: 3})
    node.refresh()
    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        oem.fleet.keys[role] = [seed_of(FLEET, role, 1)]
    oem.fleet.rotate()
    oem.publish(4)
    node.update()
    assert node.release() == 4 and MARK_OF_FLEET not in node.records
    assert node.clock().now(0) == NOW


# --- several Image repositories ----------------------------------------------------------------


def test_an_image_needs_every_image_repository_of_its_mapping():
    """V-20, V-78, T-46: the brake's needs two, and the fleet; the door's neither."""
    oem, node = updated(Primary, Four)
    oem.fleet.alter[TARGETS] = lambda fields: fields[KEY_IMAGES].pop(number_of(DOOR, 3)) and None
    oem.publish(3)
    assert node.update().new == [GATEWAY, BRAKE, DOOR]
    assert (BRAKES, TARGETS, 3) in node.wants
    evil = edited(ENTRY_HASHES, {ALG_SHA256: digest(b"evil")})
    absent = lambda fields: fields[KEY_IMAGES].pop(NEXT) and None  # noqa: E731
    for kind in (Full, Primary):
        prove(kind, told_by(BRAKES, evil), errors.ImagesDiffer, Four)
        prove(kind, told_by(BRAKES, absent), errors.NotOnImageRepository, Four)
        prove(kind, told_by(IMAGE, evil), errors.ImagesDiffer, Four)


def test_a_repository_that_has_no_say_is_not_asked():
    """V-20: an Image repository that is away holds up its own images alone."""
    oem, node = updated(Primary, Four)
    oem.direct({GATEWAY: 3, DOOR: 3})
    oem.image.publish()
    oem.brakes.files.clear()
    assert node.update().new == [GATEWAY, DOOR]
    oem.publish(4)
    oem.brakes.files.clear()
    raises(errors.Withheld, node.refresh)


def test_a_disagreement_is_not_passed_on_to_a_later_mapping():
    """T-46: both mappings cover the brake's images; the second would have been content."""
    prove(Full, told_by(FLEET, edited(ENTRY_LENGTH, 5)), errors.DirectorsDiffer, Four)
    prove(Full, told_by(BRAKES, edited(ENTRY_LENGTH, 5)), errors.ImagesDiffer, Four)


def test_an_image_that_no_mapping_covers_is_refused():
    """V-20"""

    class Narrow(Three):
        def __init__(self):
            super().__init__()
            ranges = [[0, NEXT - 1], [NEXT + 1, ALL[0][1]]]
            repositories = (DIRECTOR, IMAGE, FLEET)
            mappings = [[ranges, list(repositories)]]
            self.provision(self.charter(5, repositories, mappings), FLEET)

    prove(Full, lambda oem: oem.publish(3), errors.NotOnImageRepository, Narrow)
    prove(Primary, lambda oem: oem.publish(3), errors.NotOnImageRepository, Narrow)
