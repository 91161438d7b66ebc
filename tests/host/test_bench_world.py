"""The world: one clock, events in a fixed order, chance by a seed, a trace as evidence."""

import pytest

from muptane.bench.world import ARBITRATION, HAPPENED, MS, WAKES, S, Stuck, World


def after(world, seconds):
    """A goal that is reached at that time."""
    return lambda: world.now_ns >= seconds * S


def test_time_moves_from_event_to_event():
    world = World()
    seen = []
    for ms in (30, 10, 20):
        world.at(ms * MS, lambda: seen.append(world.now_ns // MS))
    world.run(lambda: len(seen) == 3)
    assert seen == [10, 20, 30]
    assert world.now_ns == 30 * MS


def test_events_of_one_time_keep_their_order():
    """What happened, then wakes by node, then arbitration; else as they were planned."""
    world = World()
    seen = []
    for name, order, index in (
        ("arbitration", ARBITRATION, 0),
        ("wake of 2", WAKES, 2),
        ("second", HAPPENED, 0),
        ("wake of 1", WAKES, 1),
        ("third", HAPPENED, 0),
        ("wake of 1 again", WAKES, 1),
    ):
        world.at(5 * MS, lambda name=name: seen.append(name), order, index)
    world.run(lambda: len(seen) == 6)
    assert seen == ["second", "third", "wake of 1", "wake of 1 again", "wake of 2", "arbitration"]


def test_what_is_planned_for_the_past_happens_now():
    world = World()
    seen = []
    world.at(10 * MS, lambda: world.at(3 * MS, lambda: seen.append(world.now_ns)))
    world.run(lambda: bool(seen))
    assert seen == [10 * MS]


def test_a_cancelled_event_does_not_happen():
    world = World()
    seen = []
    event = world.at(10, lambda: seen.append("cancelled"))
    world.at(5, event.cancel)
    world.at(20, lambda: seen.append("kept"))
    world.run(lambda: bool(seen))
    assert seen == ["kept"]
    with pytest.raises(Stuck, match="nothing left"):
        world.run(lambda: False)


def test_a_goal_that_is_reached_already_moves_no_time():
    world = World()
    world.at(5, lambda: None)
    world.run(lambda: True)
    assert world.now_ns == 0


def test_a_world_in_which_nothing_happens_any_more_says_so():
    world = World()
    world.at(5 * MS, lambda: None)
    with pytest.raises(Stuck, match=r"nothing left to happen at 0\.005"):
        world.run(lambda: False)


def test_a_goal_out_of_reach_ends_in_time_and_loses_nothing():
    world = World()
    seen = []

    def tick():
        seen.append(world.now_ns)
        world.at(world.now_ns + S, tick)

    world.at(0, tick)
    with pytest.raises(Stuck, match=r"not done after 3\.5 virtual seconds"):
        world.run(lambda: False, limit_s=3.5)
    assert len(seen) == 4
    world.run(lambda: len(seen) == 6)
    assert seen == [n * S for n in range(6)]


def test_the_limit_counts_from_now():
    world = World()
    world.at(100 * S, lambda: None)
    world.run(after(world, 100))
    world.at(150 * S, lambda: None)
    world.run(after(world, 150), limit_s=60)


def test_an_event_may_fail_and_the_world_goes_on():
    world = World()
    seen = []

    def fail():
        raise LookupError

    world.at(1, fail)
    world.at(2, lambda: seen.append(2))
    with pytest.raises(LookupError):
        world.run(lambda: bool(seen))
    world.run(lambda: bool(seen))
    assert seen == [2]


def test_the_date_moves_with_the_clock():
    world = World(epoch_s=1000)
    assert world.seconds() == 1000
    world.at(int(2.9 * S), lambda: None)
    world.run(after(world, 2.9))
    assert world.seconds() == 1002


def test_chance_belongs_to_a_name_and_a_seed():
    def drawn(seed, name):
        return World(seed).chance(name).random()

    assert drawn(1, "bus") == drawn(1, "bus")
    assert len({drawn(seed, name) for seed in (1, 2) for name in ("bus", "brake")}) == 4


def history(*facts, time_ns=5):
    world = World()
    world.at(time_ns, lambda: [world.note(*fact) for fact in facts])
    world.at(100, lambda: None)
    world.run(lambda: world.now_ns == 100)
    return world.trace()


def test_equal_histories_have_equal_traces_and_others_do_not():
    same = history(("frame", 1, b"a"), ("wake", "brake"))
    assert same == history(("frame", 1, b"a"), ("wake", "brake"))
    others = {
        history(("wake", "brake"), ("frame", 1, b"a")),
        history(("frame", 1, b"b"), ("wake", "brake")),
        history(("frame", 1, b"a")),
        history(("frame", 1, b"a"), ("wake", "brake"), time_ns=6),
        history(),
    }
    assert same not in others
    assert len(others) == 5


def test_a_trace_may_be_asked_for_at_any_time():
    world = World()
    before = world.trace()
    assert world.trace() == before
    world.note("frame")
    assert world.trace() != before


def test_idle_time_passes_as_far_as_the_next_event():
    world = World()
    happened = []
    world.at(500, lambda: happened.append(world.now_ns))
    world.idle_until(300)
    assert world.now_ns == 300
    world.idle_until(100)  # never back
    assert world.now_ns == 300
    world.idle_until(900)
    assert (world.now_ns, happened) == (500, [])
    world.step()
    world.idle_until(900)
    assert (world.now_ns, happened) == (900, [500])
