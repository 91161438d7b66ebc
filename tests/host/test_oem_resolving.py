"""Images that need and conflict with each other: which go together, and in which order."""

import itertools
import random

import pytest

from muptane.oem.demands import Demand, Piece, clash, lacking
from muptane.oem.errors import Unsolvable
from muptane.oem.resolving import Place, resolve
from muptane.oem.staging import Standing, check_reachable, held_back

BRAKE, DOOR, GATEWAY = 20, 30, 10  # hardware, and here the ECU's id too


def needs(hardware, lowest, highest=1000):
    return Demand(kind="needs", hardware=hardware, lowest=lowest, highest=highest)


def conflicts(hardware, lowest=0, highest=1000):
    return Demand(kind="conflicts", hardware=hardware, lowest=lowest, highest=highest)


def piece(hardware, release, *demands, ecu=None):
    return Piece(ecu or hardware, hardware, 10 * hardware + release, release, demands)


def test_a_demand_says_itself_in_words():
    assert str(needs(30, 2)) == "needs release 2 to 1000 on hardware 30"
    assert str(Demand(kind="needs", hardware=30, lowest=2)) == (
        "needs release 2 or later on hardware 30"
    )
    assert str(conflicts(30, 4, 4)) == "conflicts with release 4 on hardware 30"
    assert (
        str(Demand(kind="conflicts", hardware=30)) == "conflicts with any release on hardware 30"
    )
    with pytest.raises(ValueError, match="no release is from 3 to 2"):
        needs(30, 3, 2)


def test_what_is_not_wanted_stays_if_it_can():
    """R-14."""
    places = [
        Place(BRAKE, (piece(BRAKE, 1), piece(BRAKE, 2)), piece(BRAKE, 2)),
        Place(DOOR, (piece(DOOR, 1), piece(DOOR, 2))),
    ]
    assert resolve(places) == {BRAKE: piece(BRAKE, 2), DOOR: piece(DOOR, 1)}


def test_what_a_wish_needs_comes_with_it_in_the_lowest_release_that_goes():
    """R-14."""
    wanted = piece(BRAKE, 2, needs(DOOR, 2))
    places = [
        Place(BRAKE, (piece(BRAKE, 1), wanted), wanted),
        Place(DOOR, (piece(DOOR, 1), piece(DOOR, 2), piece(DOOR, 3))),
        Place(GATEWAY, (piece(GATEWAY, 1),)),
    ]
    assert resolve(places)[DOOR] == piece(DOOR, 2)


def test_what_is_needed_may_need_something_itself_and_be_passed_over_for_it():
    """R-14: release 2 of the door does not go with the gateway, so it is release 3."""
    wanted = piece(BRAKE, 2, needs(DOOR, 2))
    places = [
        Place(BRAKE, (piece(BRAKE, 1), wanted), wanted),
        Place(DOOR, (piece(DOOR, 1), piece(DOOR, 2, conflicts(GATEWAY)), piece(DOOR, 3))),
        Place(GATEWAY, (piece(GATEWAY, 1),)),
    ]
    assert resolve(places)[DOOR] == piece(DOOR, 3)


def test_every_ecu_with_that_hardware_has_to_have_it():
    wanted = piece(BRAKE, 2, needs(DOOR, 2))
    left, right = (tuple(piece(DOOR, release, ecu=ecu) for release in (1, 2)) for ecu in (31, 32))
    places = [Place(BRAKE, (wanted,), wanted), Place(31, left), Place(32, right)]
    assert [resolve(places)[ecu].release for ecu in (31, 32)] == [2, 2]


def test_an_unsolvable_wish_names_the_images_that_conflict():
    """R-14, R-35."""
    wanted = piece(BRAKE, 2, needs(DOOR, 2))
    places = [Place(BRAKE, (wanted,), wanted), Place(DOOR, (piece(DOOR, 1),))]
    with pytest.raises(Unsolvable) as caught:
        resolve(places)
    assert str(caught.value) == (
        "image 202 on ECU 20 needs release 2 to 1000 on hardware 30,"
        " and image 301 on ECU 30 is of release 1"
    )
    with pytest.raises(Unsolvable, match="and the vehicle has none"):
        resolve(places[:1])
    both = [
        Place(BRAKE, (), piece(BRAKE, 2, conflicts(DOOR, 2))),
        Place(DOOR, (), piece(DOOR, 2)),
    ]
    with pytest.raises(Unsolvable, match=r"image 202 on ECU 20 conflicts .* image 302 on ECU 30"):
        resolve(both)


def small_vehicle(seed):
    """Three ECUs with up to three images each that ask for this and that."""
    source = random.Random(seed)

    def made(hardware, release):
        demands = []
        for other in (GATEWAY, BRAKE, DOOR):
            if other != hardware and source.random() < 0.45:
                low = source.randrange(1, 4)
                high = source.randrange(low, 4)
                demands.append(source.choice((needs, conflicts))(other, low, high))
        return piece(hardware, release, *demands)

    pieces = {
        hardware: tuple(made(hardware, release) for release in (1, 2, 3))
        for hardware in (GATEWAY, BRAKE, DOOR)
    }
    wanted = source.choice((GATEWAY, BRAKE, DOOR))
    return [
        Place(hardware, found, source.choice(found) if hardware == wanted else None)
        for hardware, found in pieces.items()
    ]


def goes(pieces):
    return all(clash(one, other) is None for one, other in itertools.combinations(pieces, 2))


@pytest.mark.parametrize("seed", range(150))
def test_the_solver_finds_what_trying_everything_finds(seed):
    """R-14: an answer if there is one, and none that does not go."""
    places = small_vehicle(seed)
    choices = [place.candidates if place.wanted is None else (place.wanted,) for place in places]
    answers = [chosen for chosen in itertools.product(*choices) if goes(chosen)]
    try:
        found = resolve(places)
    except Unsolvable as refusal:
        assert answers == []
        assert "image" in str(refusal)
        return
    assert tuple(found[place.ecu] for place in places) in answers


# --- stages -----------------------------------------------------------------------------------


def test_what_could_meet_an_older_image_waits_for_a_report():
    """R-35: the door may run either, until it has reported the new one."""
    old, new = piece(DOOR, 1), piece(DOOR, 2)
    brake = piece(BRAKE, 2, needs(DOOR, 2))
    door = Standing(DOOR, (old,), new)
    waits = held_back([Standing(BRAKE, (piece(BRAKE, 1),), brake), door])
    assert list(waits) == [BRAKE]
    assert "image 301 on ECU 30 is of release 1" in waits[BRAKE]
    for possible in ((old, new), (new, old)):  # sent, not confirmed
        door = Standing(DOOR, possible, new)
        assert list(held_back([Standing(BRAKE, (piece(BRAKE, 1),), brake), door])) == [BRAKE]
    door = Standing(DOOR, (new,), new)
    assert held_back([Standing(BRAKE, (piece(BRAKE, 1),), brake), door]) == {}


def test_of_two_that_conflict_neither_goes():
    brake, door = piece(BRAKE, 2, conflicts(DOOR, 2)), piece(DOOR, 2)
    vehicle = [
        Standing(BRAKE, (piece(BRAKE, 1),), brake),
        Standing(DOOR, (piece(DOOR, 1),), door),
    ]
    assert set(held_back(vehicle)) == {BRAKE, DOOR}


def test_a_bundle_that_goes_together_is_held_against_the_others_alone():
    """S-45."""
    brake, door = piece(BRAKE, 2, needs(DOOR, 2)), piece(DOOR, 2, needs(BRAKE, 2))
    together = [
        Standing(BRAKE, (piece(BRAKE, 1),), brake, True),
        Standing(DOOR, (piece(DOOR, 1),), door, True),
    ]
    assert held_back(together) == {}
    picky = piece(GATEWAY, 1, conflicts(DOOR, 2))
    waits = held_back([*together, Standing(GATEWAY, (picky,), None)])
    assert set(waits) == {BRAKE, DOOR} and "as a whole" in waits[BRAKE]


def test_a_goal_that_no_order_reaches_is_refused_in_words():
    """R-35."""
    now = {BRAKE: piece(BRAKE, 1), DOOR: piece(DOOR, 1)}
    check_reachable(now, {BRAKE: piece(BRAKE, 2, needs(DOOR, 2)), DOOR: piece(DOOR, 2)})
    goal = {BRAKE: piece(BRAKE, 2, needs(DOOR, 2)), DOOR: piece(DOOR, 2, needs(BRAKE, 2))}
    with pytest.raises(Unsolvable, match="want them as a bundle together: image 202 on ECU 20"):
        check_reachable(now, goal)


@pytest.mark.parametrize("seed", range(150))
def test_however_a_vehicle_installs_its_stages_it_never_runs_what_conflicts(seed):
    """R-14, R-35: ECUs install what went to them sooner, later or never, and report so."""
    source = random.Random(seed)
    places = small_vehicle(seed)
    starts = [
        chosen for chosen in itertools.product(*(p.candidates for p in places)) if goes(chosen)
    ]
    if not starts:
        return
    runs = {one.ecu: one for one in source.choice(starts)}
    possible = {ecu: {one} for ecu, one in runs.items()}
    for _ in range(12):
        vehicle = [
            Standing(p.ecu, tuple(sorted(possible[p.ecu])), source.choice((None, *p.candidates)))
            for p in places
        ]
        waits = held_back(vehicle)
        for one in vehicle:
            if one.goes is not None and one.ecu not in waits:
                possible[one.ecu].add(one.goes)
        for ecu in source.sample(sorted(runs), 3):
            runs[ecu] = source.choice(sorted(possible[ecu]))
            assert goes(runs.values())
        for ecu in runs:
            if source.random() < 0.5:
                possible[ecu] = {runs[ecu]}  # it reported, after everything that went to it


def test_what_a_vehicle_has_not_is_lacking():
    needy = piece(BRAKE, 2, needs(DOOR, 1))
    assert lacking(needy, [(BRAKE, BRAKE)]) is not None
    assert lacking(needy, [(BRAKE, BRAKE), (DOOR, DOOR)]) is None
