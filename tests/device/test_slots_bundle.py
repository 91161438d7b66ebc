"""A trial of a bundle: counted in flash, held until somebody says how the others fared."""

from boards.unix.nor import PowerCut
from claims import raises, run
from slotted_ecu import NEW, NEW_NUMBER, OLD_NUMBER, Suite, begin, digest_of, send, staged
from uptane.errors import NothingStaged
from uptane.ids import (
    BOOT_CONFIRMED,
    BOOT_HELD,
    BOOT_REVERTED,
    BOOT_TRIAL,
    BOOT_UNDONE,
    RECORD_BUNDLE,
)
from uptane.limits import TRIAL_BOOTS_MAX
from uptane.store.boot import Installed

ALONE = (7, 0, 2)  # bundle 7, each for itself, two trials
TOGETHER = (7, 1, 1)
COMMIT, ROLLBACK = True, False


def tried(bundle):
    """An ECU that runs its new image on trial, as one of a bundle."""
    ecu = staged()
    ecu.slots.start_trial(bundle)
    assert ecu.reset() == (1, True)
    return ecu


def held():
    ecu = tried(TOGETHER)
    assert ecu.slots.hold()
    return ecu


def again(ecu, bundle):
    """Let a trial fail, and begin the next one of the same image."""
    while ecu.reset()[1]:
        pass
    run(begin(ecu))
    send(ecu)
    run(ecu.slots.finish(Suite))
    ecu.slots.start_trial(bundle)
    ecu.reset()


def test_trials_of_an_image_are_counted_for_its_bundle():
    """S-43, S-44."""
    ecu = tried(ALONE)
    assert ecu.slots.tried() == [7, NEW_NUMBER, 1]
    again(ecu, ALONE)
    assert ecu.slots.tried() == [7, NEW_NUMBER, 2]
    again(ecu, (8, 0, 2))
    assert ecu.slots.tried() == [8, NEW_NUMBER, 1]


def test_trials_without_a_bundle_are_not_counted():
    """S-44: as often as the maker directs it."""
    ecu = tried(None)
    for _ in range(2):
        assert ecu.slots.tried() == []
        again(ecu, None)


def test_only_a_bundle_that_goes_together_is_held():
    """S-45."""
    for bundle in (None, ALONE):
        ecu = tried(bundle)
        assert not ecu.slots.hold() and ecu.slots.boot_state() == BOOT_TRIAL
        ecu.slots.confirm()
        assert ecu.slots.boot_state() == BOOT_CONFIRMED
    ecu = held()
    assert ecu.slots.boot_state() == BOOT_HELD and ecu.slots.release() == 1
    assert ecu.slots.hold()


def test_what_is_held_outlasts_resets_and_not_for_ever():
    """S-45: it says so only as long as it outlasts two more."""
    ecu = held()
    for said in (BOOT_HELD, BOOT_TRIAL, BOOT_TRIAL):
        assert ecu.reset() == (1, True)
        assert ecu.slots.boot_state() == said
    assert ecu.reset() == (0, False)
    assert ecu.slots.boot_state() == BOOT_REVERTED and ecu.slots.release() == 1


def test_what_is_held_outlasts_boots_that_its_trial_has_used():
    """S-45, V-67."""
    ecu = tried(TOGETHER)
    for _ in range(TRIAL_BOOTS_MAX - 1):
        assert ecu.reset() == (1, True)
    assert ecu.slots.hold()
    for _ in range(TRIAL_BOOTS_MAX):
        assert ecu.reset() == (1, True)
    assert ecu.reset() == (0, False)


def test_a_commit_confirms_what_is_held_for_that_bundle():
    """S-45, S-39, E-23, T-21: nothing else, and the same word may come again."""
    ecu = tried(TOGETHER)
    assert not ecu.slots.settle(7, COMMIT)  # nobody has seen it healthy
    ecu.slots.hold()
    assert not ecu.slots.settle(8, COMMIT)
    assert ecu.slots.boot_state() == BOOT_HELD
    assert ecu.slots.settle(7, COMMIT)
    assert ecu.slots.boot_state() == BOOT_CONFIRMED and ecu.slots.release() == 2
    assert ecu.reset() == (1, False)
    assert ecu.slots.settle(7, COMMIT)
    assert not ecu.slots.settle(7, ROLLBACK) and ecu.reset() == (1, False)


def test_a_rollback_ends_what_is_not_confirmed_of_that_bundle():
    """S-45: on trial or held; it may come again, and a commit comes too late."""
    for ecu in (tried(TOGETHER), held()):
        assert ecu.slots.settle(8, ROLLBACK)  # nothing of that one is here
        assert ecu.slots.boot_state() in (BOOT_TRIAL, BOOT_HELD)
        assert ecu.slots.settle(7, ROLLBACK)
        assert ecu.slots.boot_state() == BOOT_UNDONE
        assert ecu.reset() == (0, False) and ecu.slots.installed().number == OLD_NUMBER
        assert ecu.slots.settle(7, ROLLBACK)
        assert not ecu.slots.settle(7, COMMIT)
        assert ecu.slots.release() == 1
        ecu.slots.reported()
        assert ecu.slots.boot_state() == BOOT_CONFIRMED


def test_a_word_has_no_part_in_a_trial_of_an_ecu_for_itself():
    """S-39: nobody on the bus ends it, or confirms it."""
    for bundle in (None, ALONE):
        ecu = tried(bundle)
        number = bundle[0] if bundle else 0
        assert not ecu.slots.settle(number, COMMIT)
        assert not ecu.slots.settle(number, ROLLBACK)
        assert ecu.slots.boot_state() == BOOT_TRIAL
        assert ecu.reset() == (1, True)


def test_what_else_is_stored_with_a_confirmation_is_never_apart_from_it():
    """S-45: a leader's decision and its own image; cut in every stroke."""
    strokes = 0
    while True:
        ecu = held()
        ecu.nor.cut_after(strokes, 3, strokes)
        try:
            ecu.slots.confirm({RECORD_BUNDLE: b"decided"})
            break
        except PowerCut:
            ecu.start()
        slot, on_trial = ecu.slots.boot()
        assert slot == 1
        assert (ecu.records.read(RECORD_BUNDLE) is None) == on_trial
        assert ecu.slots.release() == (1 if on_trial else 2)
        strokes += 1
    assert ecu.records.read(RECORD_BUNDLE) == b"decided"
    assert strokes > 10
    raises(NothingStaged, ecu.slots.confirm)


def test_every_step_of_a_bundle_survives_a_cut():
    """S-45, E-79: what boots is the old image or the new one, as the record says."""
    for act in (lambda slots: slots.hold(), lambda slots: slots.settle(7, ROLLBACK)):
        strokes = 0
        while True:
            ecu = tried(TOGETHER)
            ecu.nor.cut_after(strokes, strokes % 8, strokes)
            try:
                act(ecu.slots)
                break
            except PowerCut:
                pass
            slot, on_trial = ecu.reset()
            assert on_trial == (slot == 1) and ecu.slots.release() == 1
            if slot:
                assert ecu.image_in(1, len(NEW)) == NEW
                assert ecu.slots.hold() and ecu.slots.settle(7, COMMIT)
            strokes += 3
        assert strokes > 10


def test_the_next_image_after_a_bundle_begins_anew():
    """S-44: what was counted belongs to its image."""
    ecu = held()
    ecu.slots.settle(7, COMMIT)
    ecu.reset()
    run(ecu.slots.begin(Installed(12, len(NEW), digest_of(NEW), 3)))
    send(ecu)
    run(ecu.slots.finish(Suite))
    ecu.slots.start_trial((7, 1, 1))
    assert ecu.slots.tried() == [7, 12, 1]
