"""The cycle: work, wants, commits and waits, and what ends it (V-35, V-36, T-17)."""

from uptane.crypto.suite import nothing
from uptane.cycle import Cycle
from uptane.errors import NoSpace, Rollback, Withheld
from uptane.ids import DIRECTOR, KIND_METADATA, ROOT
from uptane.meta.wants import Commit, Want
from uptane.pace import Pace
from wire import Clock


class Store:
    """Records that remember; `fault` is what a commit raises."""

    def __init__(self):
        self.values = {}
        self.fault = None

    def commit(self, changes):
        if self.fault:
            raise self.fault
        self.values.update(changes)


class Driven:
    """A cycle with its store, its clock and the refusals it told."""

    def __init__(self):
        self.store = Store()
        self.clock = Clock(100)
        self.told = []
        self.cycle = Cycle(self.store, self.clock, self.told.append, nothing, Pace(500_000, 5000))

    def begin(self, task):
        self.cycle.begin(task)
        return self.cycle


def root_want(version=1):
    return Want(DIRECTOR, KIND_METADATA, ROOT, version, 2048)


def test_a_cycle_computes_slice_by_slice_to_its_end():
    done = []

    def task():
        for i in range(3):
            done.append(i)
            yield

    cycle = Driven().begin(task())
    for expected in ([0], [0, 1], [0, 1, 2]):
        assert cycle.computing()
        cycle.step()
        assert done == expected and cycle.running()
    cycle.step()
    assert not cycle.running() and not cycle.computing() and cycle.refusal == 0
    cycle.step()  # nothing happens
    assert done == [0, 1, 2]


def test_a_want_stays_open_until_it_is_answered():
    got = []

    def task():
        for version in (1, 2, 3):
            got.append((yield root_want(version)))
        yield

    cycle = Driven().begin(task())
    for version, answer in ((1, b"one"), (2, None), (3, True)):
        cycle.step()
        assert cycle.want.detail == version
        assert cycle.running() and not cycle.computing()
        cycle.step()
        cycle.step()
        assert cycle.want.detail == version
        cycle.answer(answer)
        assert cycle.want is None and cycle.computing()
    cycle.step()
    assert got == [b"one", None, True]


def test_an_answer_is_given_once():
    got = []

    def task():
        got.append((yield root_want()))
        got.append((yield))
        got.append((yield root_want()))

    cycle = Driven().begin(task())
    cycle.step()
    cycle.answer(b"raw")
    for _ in range(3):
        cycle.step()
    assert got == [b"raw", None] and cycle.want is not None


def test_a_commit_is_stored_before_the_cycle_goes_on():
    driven = Driven()
    seen = []

    def task():
        yield Commit({1: b"a", 2: b"b"})
        seen.append(dict(driven.store.values))
        yield Commit({2: None})
        seen.append(dict(driven.store.values))

    cycle = driven.begin(task())
    for _ in range(3):
        cycle.step()
    assert seen == [{1: b"a", 2: b"b"}, {1: b"a", 2: None}]
    assert not cycle.running() and driven.told == []


def test_a_refusal_ends_the_cycle_and_its_number_is_kept():
    """V-36: until the next cycle begins, and told at once for the next report."""
    driven = Driven()

    def task():
        raw = yield root_want()
        if raw is None:
            raise Withheld
        raise Rollback

    cycle = driven.begin(task())
    cycle.step()
    cycle.answer(b"an old file")
    cycle.step()
    assert not cycle.running() and cycle.want is None
    assert cycle.refusal == Rollback.number and driven.told == [Rollback.number]
    driven.begin(task())
    assert cycle.refusal == 0
    cycle.step()
    cycle.answer(None)
    cycle.step()
    assert driven.told == [Rollback.number, Withheld.number]


def test_a_store_that_cannot_commit_ends_the_cycle():
    """V-35: and the next cycle may store again."""
    driven = Driven()
    driven.store.fault = NoSpace
    ended = []

    def task():
        try:
            yield Commit({1: b"a"})
            ended.append("went on")
        finally:
            ended.append("closed")

    cycle = driven.begin(task())
    cycle.step()
    assert not cycle.running() and not cycle.computing()
    assert cycle.refusal == NoSpace.number and driven.told == [NoSpace.number]
    assert ended == ["closed"] and driven.store.values == {}
    driven.store.fault = None
    driven.begin(task())
    cycle.step()
    cycle.step()
    assert driven.store.values == {1: b"a"} and cycle.refusal == 0


def test_a_cycle_sleeps_until_its_time_or_until_a_frame_comes():
    driven = Driven()
    woken = []

    def task():
        yield 150
        woken.append(driven.clock.now_ms)
        yield 200
        woken.append(driven.clock.now_ms)

    cycle = driven.begin(task())
    cycle.step()
    assert cycle.until_ms == 150 and cycle.running() and not cycle.computing()
    cycle.step()
    assert woken == []
    driven.clock.now_ms = 150
    assert cycle.computing()
    cycle.step()
    assert woken == [150]
    cycle.until_ms = 0  # what the loop does when a frame has come
    assert cycle.computing()
    cycle.step()
    assert woken == [150, 150] and not cycle.running()


def test_a_new_cycle_drops_the_old_one_whole():
    driven = Driven()
    ended = []

    def task(name):
        try:
            yield root_want()
            yield Commit({1: name})
        finally:
            ended.append(name)

    cycle = driven.begin(task(b"old"))
    cycle.step()
    assert cycle.want is not None
    driven.begin(task(b"new"))
    assert ended == [b"old"] and cycle.want is None and driven.told == []
    cycle.step()
    cycle.answer(b"raw")
    cycle.step()
    assert driven.store.values == {1: b"new"}
    cycle.stop()
    assert not cycle.running() and ended == [b"old", b"new"]
    cycle.stop()  # again: nothing happens


def test_an_answer_for_a_dropped_cycle_does_not_reach_the_next():
    driven = Driven()
    got = []

    def task():
        got.append((yield root_want()))

    cycle = driven.begin(task())
    cycle.step()
    cycle.answer(b"late")
    driven.begin(task())
    cycle.step()
    assert got == [] and cycle.want is not None
