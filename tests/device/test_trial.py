"""From a verified image to a confirmed one: what an ECU tries, for how long, and what it notes."""

from slotted_ecu import NEW_NUMBER, staged
from uptane.errors import (
    BundleBroken,
    BundleUndone,
    Expired,
    NothingStaged,
    TrialFailed,
    TrialsSpent,
)
from uptane.ids import BOOT_CONFIRMED, BOOT_HELD, BOOT_TRIAL
from uptane.limits import HELD_MS_MAX, PROMISE_MS
from uptane.trial import Trial

TOGETHER = (7, 1, 1)
NOW_S = 1000


class Directions:
    """What a cycle decided."""

    def __init__(self, bundle):
        self.bundle = bundle
        self.expires = NOW_S + 1


class Listed:
    number = NEW_NUMBER


class Proband:
    """An ECU whose trials go by the clock of a test."""

    def __init__(self, bundle=TOGETHER):
        self.ecu = staged()
        self.bundle = bundle
        self.noted = []
        self.boot()

    def boot(self):
        self.ecu.start()
        self.trial = Trial(self.ecu.slots, self.noted.append)
        self.trial.directed(Directions(self.bundle))

    def install(self):
        assert self.trial.choose(NOW_S)
        self.trial.begin()
        self.boot()
        assert self.trial.on and self.trial.slot == 1
        return self


def test_a_trial_of_its_own_is_confirmed_once_it_is_steady():
    """V-67, S-44."""
    for bundle in (None, (7, 0, 2)):
        one = Proband(bundle).install()
        assert not one.trial.watch(False, 0) and one.trial.on
        assert not one.trial.watch(True, 10) and not one.trial.on
        assert one.trial.boot_state(10) == BOOT_CONFIRMED and one.noted == []


def test_a_trial_of_a_bundle_is_held_and_goes_back_when_nobody_comes():
    """S-45: in doubt old, and the report says that it was not its fault."""
    one = Proband().install()
    assert not one.trial.watch(True, 10) and one.trial.held()
    assert one.trial.due_ms(20) == 10 + HELD_MS_MAX
    assert not one.trial.watch(False, 9 + HELD_MS_MAX)  # whether it is steady matters no more
    assert one.trial.watch(True, 10 + HELD_MS_MAX)
    one.boot()
    assert not one.trial.on and one.trial.slot == 0
    assert one.noted == [BundleUndone.number]


def test_an_ecu_says_that_it_holds_only_while_it_will_wait():
    """S-45: whoever hears it may count on PROMISE_MS."""
    one = Proband().install()
    one.trial.watch(True, 10)
    last = 10 + HELD_MS_MAX - PROMISE_MS
    assert one.trial.boot_state(last) == BOOT_HELD
    assert one.trial.boot_state(last + 1) == BOOT_TRIAL
    one.boot()
    assert one.trial.boot_state(0) == BOOT_HELD and not one.trial.held()
    assert one.trial.due_ms(20) == 20


def test_a_commit_confirms_and_comes_too_late_after_that_time():
    """S-45, E-06: the ECU names the bundle as broken itself."""
    one = Proband().install()
    assert not one.trial.settle(7, True)
    one.trial.watch(True, 10)
    assert not one.trial.settle(8, True) and one.noted == [NothingStaged.number] * 2
    assert one.trial.settle(7, True) and not one.trial.on
    assert not one.trial.watch(True, 10 + HELD_MS_MAX)
    one = Proband().install()
    one.trial.watch(True, 10)
    one.trial.give_up()
    one.boot()
    assert not one.trial.settle(7, True)
    assert one.noted == [BundleUndone.number, BundleBroken.number]


def test_a_rollback_wants_a_reset_only_of_what_it_ended():
    """S-45, S-39."""
    one = Proband().install()
    assert one.trial.settle(8, False) and not one.trial.watch(False, 0)
    assert one.trial.settle(7, False) and one.trial.watch(False, 0)
    one.boot()
    assert one.trial.settle(7, False) and not one.trial.watch(False, 0)


def test_an_image_is_wanted_as_long_as_its_bundle_allows_trials():
    """S-43: refused before anything is erased."""
    one = Proband((7, 0, 1))
    listed = Listed()
    assert one.trial.wanted(listed) is listed and one.trial.wanted(None) is None
    one.install()
    while one.trial.on:
        one.boot()
    assert one.noted == [TrialFailed.number]
    assert one.trial.wanted(listed) is None and one.noted[1:] == [TrialsSpent.number]
    one.trial.directed(Directions((8, 0, 1)))
    assert one.trial.wanted(listed) is listed


def test_trials_are_counted_for_one_image_of_one_bundle():
    """S-44."""
    one = Proband((7, 0, 2)).install()
    while one.trial.on:
        one.boot()
    listed, other = Listed(), Listed()
    other.number = NEW_NUMBER + 1
    for bundle, left in (((7, 0, 2), True), ((7, 0, 1), False), ((8, 0, 1), True), (None, True)):
        one.trial.directed(Directions(bundle))
        assert (one.trial.wanted(listed) is listed) == left
        assert one.trial.wanted(other) is other


def test_nothing_is_tried_by_directions_that_have_expired():
    """T-42."""
    one = Proband()
    assert not one.trial.choose(NOW_S + 1)
    assert one.noted == [Expired.number]
    one.trial.begin()
    one.boot()
    assert not one.trial.on
