"""A/B slots: what runs is never erased, what is tried is counted, what is confirmed stays."""

from boards.unix.nor import PowerCut
from claims import raises, run
from slotted_ecu import (
    NEW,
    NEW_NUMBER,
    OLD,
    OLD_NUMBER,
    SLOT_A,
    SLOT_B,
    Suite,
    begin,
    digest_of,
    on_trial,
    provisioned,
    send,
    staged,
)
from uptane.errors import FlashFault, NothingStaged, Rotten, RottenImage, Unwanted
from uptane.ids import (
    BOOT_CONFIRMED,
    BOOT_REVERTED,
    BOOT_UNDONE,
    RECORD_BOOT,
    RECORD_RELEASE,
)
from uptane.limits import TRIAL_BOOTS_MAX
from uptane.store.boot import STAGED, TRIAL, Installed, State, choose
from uptane.store.slots import Slots


def test_nothing_staged_cannot_be_tried_or_confirmed():
    ecu = provisioned()
    raises(NothingStaged, ecu.slots.start_trial)
    raises(NothingStaged, ecu.slots.confirm)
    ecu = staged()
    raises(NothingStaged, ecu.slots.confirm)
    ecu.slots.start_trial()
    raises(NothingStaged, ecu.slots.confirm)  # it has not run yet
    raises(Unwanted, run, begin(ecu, OLD))  # nor may it be replaced any more
    assert ecu.reset() == (1, True)


def test_a_trial_that_is_never_confirmed_is_gone_after_its_boots():
    ecu = staged()
    ecu.slots.start_trial()
    for _ in range(TRIAL_BOOTS_MAX):
        assert ecu.reset() == (1, True)
    assert ecu.reset() == (0, False)
    assert ecu.slots.boot_state() == BOOT_REVERTED and ecu.slots.release() == 1
    assert ecu.reset() == (0, False)
    assert ecu.slots.boot_state() == BOOT_REVERTED  # until it was reported
    ecu.slots.reported()
    assert ecu.slots.boot_state() == BOOT_CONFIRMED
    assert ecu.slots.installed().number == OLD_NUMBER


def test_revert_acts_on_an_unconfirmed_trial_and_on_nothing_else():
    ecu = provisioned()
    assert not ecu.slots.revert() and ecu.reset() == (0, False)
    ecu = on_trial()
    assert ecu.slots.revert() and ecu.reset() == (0, False)
    assert ecu.slots.boot_state() == BOOT_UNDONE
    ecu = on_trial()
    ecu.slots.confirm()
    assert not ecu.slots.revert() and ecu.reset() == (1, False)


def test_what_is_running_is_never_erased():
    """T-32, V-35."""
    ecu = on_trial()
    raises(Unwanted, run, begin(ecu, OLD))
    ecu.slots.revert()  # still running from there until the reset
    assert ecu.slots.installed().number == NEW_NUMBER
    raises(Unwanted, run, begin(ecu, OLD))
    assert ecu.image_in(1, len(NEW)) == NEW
    assert ecu.reset() == (0, False)
    run(begin(ecu, OLD))


def test_a_release_counter_never_goes_down():
    """T-21: whatever was confirmed, and even when the factory writes again."""
    ecu = provisioned()
    run(begin(ecu, NEW, 9))
    send(ecu)
    run(ecu.slots.finish(Suite))
    ecu.slots.start_trial()
    ecu.reset()
    ecu.slots.confirm()
    run(ecu.slots.begin(Installed(12, len(OLD), digest_of(OLD), 3)))
    send(ecu, OLD)
    run(ecu.slots.finish(Suite))
    ecu.slots.start_trial()
    ecu.reset()
    ecu.slots.confirm()
    assert ecu.slots.release() == 9
    ecu.slots.provision(1, len(OLD), digest_of(OLD), 1)
    assert ecu.slots.release() == 9


def test_a_trial_that_cannot_be_counted_is_not_run():
    ecu = staged()
    ecu.slots.start_trial()
    ecu.start()

    class Full:
        """Records of a worn-out part: they can be read, and nothing more."""

        def read(self, number):
            return ecu.records.read(number)

        def commit(self, changes):
            raise FlashFault

    assert Slots(ecu.slots.areas, Full()).boot() == (0, False)


def test_the_boot_decision_is_a_function_of_the_boot_record():
    state = State(None)
    assert choose(state) is None
    state.slot = 1
    for phase in range(TRIAL):
        state.phase = phase
        assert choose(state) == 1
    state.phase = TRIAL
    assert choose(state) == 0
    state.boots = TRIAL_BOOTS_MAX
    assert choose(state) == 1


def test_a_boot_record_of_another_format_is_refused():
    raises(Rotten, State, b"")
    raw = State(None).packed()
    assert State(raw).slot is None and State(raw).phase < STAGED
    raises(Rotten, State, b"\x01" + raw[1:])


def test_an_install_survives_a_cut_anywhere():
    """E-79, one tear of each place; the host test does them all. Old or new runs, the confirmed
    one is intact, the release counter fits it, and the update can be done again."""
    strokes = 0
    while True:
        ecu = provisioned()
        ecu.nor.cut_after(strokes, strokes % 8, strokes)
        try:
            run(begin(ecu))
            send(ecu, step=512)
            run(ecu.slots.finish(Suite))
            ecu.slots.start_trial()
            ecu.reset()
            ecu.slots.confirm()
            break
        except PowerCut:
            pass
        ecu.start()
        slot, on_trial = ecu.slots.boot()
        image = NEW if slot else OLD
        assert ecu.image_in(slot, len(image)) == image
        assert ecu.slots.release() == (2 if slot and not on_trial else 1)
        if on_trial:
            ecu.slots.confirm()
        elif slot == 0:
            run(begin(ecu))
            send(ecu)
            run(ecu.slots.finish(Suite))
            ecu.slots.start_trial()
            assert ecu.reset() == (1, True)
            ecu.slots.confirm()
        assert ecu.reset() == (1, False) and ecu.slots.release() == 2
        strokes += 7
    assert strokes > 300


def test_the_two_records_of_a_confirm_are_never_apart():
    """T-21: cut in every stroke of the confirm."""
    strokes = 0
    while True:
        ecu = on_trial()
        ecu.nor.cut_after(strokes, 2, strokes)
        try:
            ecu.slots.confirm()
            return
        except PowerCut:
            ecu.start()
        counter = ecu.records.read(RECORD_RELEASE)[0]
        assert counter == (2 if State(ecu.records.read(RECORD_BOOT)).slot else 1)
        strokes += 1


def test_an_image_that_rotted_in_its_slot_is_seen_at_boot():
    """E-79: any bit of it, confirmed or on trial; the rest of the slot means nothing."""
    for ecu, slot, image in ((provisioned(), 0, OLD), (on_trial(), 1, NEW)):
        run(ecu.slots.check(Suite))
        assert ecu.slots.rotten == 0
        at = SLOT_B if slot else SLOT_A
        for bit in range(0, 8 * len(image), 1001):
            flip(ecu, at + bit // 8, 1 << bit % 8)
            run(ecu.slots.check(Suite))
            assert ecu.slots.rotten == RottenImage.number
            flip(ecu, at + bit // 8, 1 << bit % 8)
            ecu.slots.rotten = 0
        flip(ecu, at + len(image), 1)
        flip(ecu, (SLOT_A if slot else SLOT_B), 1)
        run(ecu.slots.check(Suite))
        assert ecu.slots.rotten == 0
        assert ecu.slots.boot_state() == (BOOT_REVERTED if slot else BOOT_CONFIRMED)
        assert ecu.reset() == (0, False)


def flip(ecu, address, bits):
    cell = bytearray(1)
    ecu.nor.peek(address, cell)
    cell[0] ^= bits
    ecu.nor.poke(address, cell)
