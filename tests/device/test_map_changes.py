"""A change of the map: only if every repository of the current one lists the same new one."""

from claims import raises
from fleets import BRAKES, FLEET, Three, Two, offered, root_record
from maker import BRAKE, DOOR, GATEWAY, VEHICLE, Repository, number_of, seed_of
from memory import digest
from uptane import cbor, errors
from uptane.ids import (
    ALG_SHA256,
    DIRECTOR,
    IMAGE,
    KEY_IMAGES,
    KEY_MAPS,
    MAP_NUMBER,
    MAP_REPOSITORIES,
    RECORD_MAP,
    ROOT,
    TARGETS,
    TIMESTAMP,
)
from uptane.limits import MAPS_MAX
from vehicle import Full, Primary, prove, updated

BOTH = (DIRECTOR, IMAGE)
TRIO = (DIRECTOR, IMAGE, FLEET)


def test_a_fleet_comes_in_and_goes_out_again():
    """V-20, T-45, S-47: an update by two, the map, an update by three, the map back."""
    for kind in (Full, Primary):
        oem, node = updated(kind, Two)
        offered(5, TRIO, BOTH)(oem)
        node.update()  # by the old map, and the new one comes with it
        assert node.release() == 3
        assert node.wants[-2:] == [(IMAGE, 5, digest(oem.charters[5])), (FLEET, ROOT, 1)]
        assert node.records[RECORD_MAP] == oem.charters[5]
        assert node.records[root_record(FLEET)] == oem.fleet.files[ROOT, 1]
        oem.listed_by(TRIO, 5)
        oem.publish(4)
        node.update()
        assert node.release() == 4 and (FLEET, TARGETS, 4) in node.wants
        assert (IMAGE, 5, digest(oem.charters[5])) not in node.wants
        offered(6, BOTH, TRIO)(oem)
        oem.publish(5)
        node.update()
        assert node.release() == 5 and node.records[RECORD_MAP] == oem.charters[6]
        assert [number for number in node.records if root_record(FLEET) <= number] == []
        oem.publish(6)
        node.update()
        assert node.release() == 6
        assert FLEET not in [repository for repository, _, _ in node.wants]


def test_a_map_alone_is_news():
    """T-45: there is nothing to install for this ECU."""
    oem, node = updated(Full, Two)
    offered(5, TRIO, BOTH)(oem)
    oem.direct({GATEWAY: 3, BRAKE: 2, DOOR: 3})
    oem.image.publish()
    assert node.refresh().new == []
    assert node.records[RECORD_MAP] == oem.charters[5]


def test_a_new_repository_is_followed_from_its_first_root():
    """V-71, T-45: whose keys are long gone; the identity is that of Root 1 for ever."""
    oem, node = updated(Full, Two)
    for role in (ROOT, TARGETS, TIMESTAMP):
        old = oem.fleet.keys[ROOT]
        oem.fleet.keys[role] = [seed_of(FLEET, role, 1)]
        oem.fleet.rotate(old + [seed for seed in oem.fleet.keys[ROOT] if seed not in old])
    offered(5, TRIO, BOTH)(oem)
    node.update()
    oem.publish(4)
    node.update()
    assert node.release() == 4 and node.records[root_record(FLEET)] == oem.fleet.files[ROOT, 4]


def test_a_map_that_not_all_repositories_list_is_not_taken():
    """T-45, E-84: the cycle goes on by the current map."""
    for by in ((DIRECTOR,), (IMAGE,), (FLEET,), (DIRECTOR, FLEET), (IMAGE, FLEET), BOTH):
        oem, node = updated(Full, Three)
        offered(6, BOTH, by)(oem)
        node.update()
        assert node.release() == 3 and node.records[RECORD_MAP] == oem.charters[5]
        offered(6, BOTH, TRIO)(oem)
        oem.publish(4)
        node.update()
        assert node.release() == 4 and node.records[RECORD_MAP] == oem.charters[6]


def test_different_maps_of_two_directors_are_not_taken():
    """T-45"""
    oem, node = updated(Full, Three)
    oem.charter(6, BOTH)
    oem.charter(7, BOTH)
    oem.listed_by(TRIO, 6)
    oem.listed_by((FLEET,), 7)
    oem.publish(3)
    node.update()
    assert node.release() == 3 and node.records[RECORD_MAP] == oem.charters[5]


def test_one_number_names_one_map():
    """T-45, T-53: whoever lists another under a number that is taken is refused."""

    def current(oem):
        oem.listed_by((FLEET,), 5, b"another")
        oem.publish(3)

    def split(by):
        def lie(oem):
            offered(6, BOTH, TRIO)(oem)
            oem.listed_by(by, 6, b"another")
            oem.publish(3)

        return lie

    for lie in (current, split((FLEET,)), split((IMAGE,))):
        prove(Full, lie, errors.SameVersionDiffers, Three)
        prove(Primary, lie, errors.SameVersionDiffers, Three)


def test_an_older_map_is_a_rollback():
    """T-45, E-84: even if all repositories list it; those of the built-in map, none."""
    prove(Full, offered(4, BOTH, TRIO), errors.Rollback, Three)
    prove(Full, offered(4, BOTH, (FLEET,)), errors.Rollback, Three)
    prove(Primary, offered(4, BOTH, (DIRECTOR,)), errors.Rollback, Three)


def test_a_new_repository_that_is_not_the_one_named_is_refused():
    """T-45, E-84, V-22: before the map is stored, or the vehicle would be stuck with it."""

    def another(oem):
        identities = {number: oem.repositories[number].identity for number in TRIO}
        identities[FLEET] = oem.brakes.identity
        offered(5, TRIO, BOTH, lies={MAP_REPOSITORIES: identities})(oem)

    def later(oem):
        oem.fleet.rotate()
        offered(5, TRIO, BOTH)(oem)
        oem.fleet.files[ROOT, 1] = oem.fleet.files[ROOT, 2]

    def absent(oem):
        offered(5, TRIO, BOTH)(oem)
        del oem.fleet.files[ROOT, 1]

    cases = (
        (another, errors.WrongRepository),
        (later, errors.WrongRepository),
        (absent, errors.Withheld),
    )
    for kind in (Full, Primary):
        for lie, refusal in cases:
            prove(kind, lie, refusal, Two)


def test_a_map_that_is_not_what_was_listed_is_refused():
    """T-45, T-34: whoever carries it changes it, cuts it or keeps it; or it lies of itself."""

    def carried(change):
        def lie(oem):
            offered(5, TRIO, BOTH)(oem)
            oem.charters[5] = change(oem.charters[5])

        return lie

    prove(Full, carried(lambda raw: raw[:-1] + b"\0"), errors.WrongHash, Two)
    prove(Full, carried(lambda raw: raw[:-1]), errors.WrongHash, Two)
    prove(Full, carried(lambda raw: None), errors.Withheld, Two)
    prove(Full, offered(5, TRIO, BOTH, lies={MAP_NUMBER: 6}), errors.VersionMismatch, Two)
    prove(Full, offered(5, TRIO, BOTH, lies={9: 9}), errors.BadShape, Two)

    def unknown(oem):
        offered(5, TRIO, BOTH)(oem)
        for number in BOTH:
            oem.repositories[number].maps[5][1][-44] = bytes(64)
        oem.publish(3)

    prove(Full, unknown, errors.UnknownHash, Two)


def test_what_lists_maps_keeps_to_the_grammar():
    """V-07, E-60: a Director lists one map, others some; a delegated file none."""

    def listing(maps):
        def change(fields):
            fields[KEY_MAPS] = maps

        return change

    def told_by(repository, maps):
        def lie(oem):
            oem.repositories[repository].alter[TARGETS] = listing(maps)
            oem.publish(3)

        return lie

    sound = [9, {ALG_SHA256: bytes(32)}]
    many = dict.fromkeys(range(1, MAPS_MAX + 2), sound)
    for maps in ({}, [1], {0: sound}, {1: [0, sound[1]]}, {1: [9]}, {1: [9, {}]}, many):
        prove(Full, told_by(DIRECTOR, maps), errors.BadShape, Two)
        prove(Full, told_by(IMAGE, maps), errors.BadShape, Two)
    prove(Full, told_by(DIRECTOR, {1: sound, 2: sound}), errors.BadShape, Two)


def test_a_map_needs_a_time_of_this_cycle():
    """T-28, E-05: it waits for one, as an image does."""
    oem, node = updated(Full, Two)
    offered(5, TRIO, BOTH)(oem)
    oem.direct({GATEWAY: 3, BRAKE: 2})
    oem.image.publish()
    node.fresh = False
    node.refresh()
    assert RECORD_MAP not in node.records
    node.fresh = True
    node.refresh()
    assert node.records[RECORD_MAP] == oem.charters[5]


def test_a_repository_that_returns_under_a_number_is_no_old_friend():
    """T-45, V-78: nothing of the one that left is believed of the one that comes."""
    oem, node = updated(Full, Three)
    old, new = oem.fleet, Repository(BRAKES)
    new.number, new.vehicle = FLEET, VEHICLE
    oem.repositories[FLEET] = new
    oem.charter(6, TRIO)
    oem.repositories[FLEET] = old
    oem.listed_by(TRIO, 6)
    oem.publish(3)
    old.files[ROOT, 1] = new.files[ROOT, 1]  # the ECU asks for it as it does for the other's
    node.update()
    assert node.release() == 3
    left = [number for number in node.records if number >= root_record(FLEET)]
    assert left == [root_record(FLEET)]
    assert node.records[root_record(FLEET)] == new.files[ROOT, 1]
    oem.repositories[FLEET] = oem.fleet = new
    oem.publish(4)
    node.update()
    assert node.release() == 4


def test_the_image_that_comes_with_a_map_goes_by_the_old_one():
    """V-75: the new repository has no say yet, and no old one has lost its own."""
    oem, node = updated(Full, Three)
    offered(6, BOTH, TRIO)(oem)
    lie = {ALG_SHA256: digest(b"evil")}
    oem.fleet.alter[TARGETS] = lambda fields: fields[KEY_IMAGES][number_of(BRAKE, 4)].update(
        {2: lie}
    )
    oem.publish(4)
    before = dict(node.records)
    raises(errors.DirectorsDiffer, node.refresh)
    assert node.records == before


def test_the_map_in_flash_is_held_against_the_identities():
    """V-22, E-84"""
    oem, node = updated(Full, Three)
    other = Two()
    other.director.identity = bytes(32)
    node.records[RECORD_MAP] = other.charter(5, TRIO)
    raises(errors.WrongRepository, node.refresh)
    node.records[RECORD_MAP] = cbor.dumps([])
    raises(errors.BadShape, node.refresh)
