"""A/B slots: what runs is never erased, what is tried is counted, what is confirmed stays."""

import hashlib
import io

from boards.unix.nor import Geometry, Nor, PowerCut
from claims import raises, run
from uptane.errors import (
    FlashFault,
    NothingStaged,
    Rotten,
    TooLarge,
    TooMuch,
    Unwanted,
    WrongHash,
    WrongLength,
)
from uptane.ids import BOOT_CONFIRMED, BOOT_REVERTED, BOOT_TRIAL, RECORD_BOOT, RECORD_RELEASE
from uptane.limits import TRIAL_BOOTS_MAX
from uptane.store.area import Area
from uptane.store.boot import STAGED, TRIAL, State, choose
from uptane.store.records import Records
from uptane.store.slots import Slots

BLOCK = 1024
UNIT = 8
RECORDS = 0
SLOT_A = 4 * BLOCK
SLOT_B = 8 * BLOCK
SLOT_BLOCKS = 4

OLD = b"old image " * 200
NEW = bytes([i * 7 & 0xFF for i in range(2501)])
OLD_NUMBER, NEW_NUMBER = 10, 11


class Suite:
    sha256 = staticmethod(hashlib.sha256)


def digest_of(image: bytes) -> bytes:
    return hashlib.sha256(image).digest()


class Stuck(Nor):
    """A cell that cannot be cleared."""

    stuck = -1

    def poke(self, address, data):
        data = bytearray(data)
        if address <= self.stuck < address + len(data):
            data[self.stuck - address] = 0xFF
        super().poke(address, data)


class Ecu:
    """A part, and what a reset makes of its content."""

    def __init__(self):
        self.nor = Stuck(io.BytesIO(), Geometry([(0, BLOCK, 12, 900)], UNIT, 16), lambda us: None)
        self.start()

    def start(self):
        self.nor.power_on()
        self.records = Records(Area(self.nor, RECORDS, BLOCK, 4, UNIT))
        self.records.mount()
        areas = [Area(self.nor, at, BLOCK, SLOT_BLOCKS, UNIT) for at in (SLOT_A, SLOT_B)]
        self.slots = Slots(areas, self.records)

    def reset(self):
        self.start()
        return self.slots.boot()

    def image_in(self, slot, n):
        return self.slots.areas[slot].read(0, n)


def provisioned() -> Ecu:
    ecu = Ecu()
    padded = OLD + b"\xff" * (-len(OLD) % UNIT)
    ecu.slots.areas[0].program(0, padded)
    ecu.slots.provision(OLD_NUMBER, len(OLD), digest_of(OLD), 1)
    assert ecu.reset() == (0, False)
    return ecu


def begin(ecu, image=NEW, release=2):
    return ecu.slots.begin(NEW_NUMBER, len(image), digest_of(image), release)


def send(ecu, image=NEW, end=None, step=100):
    at = ecu.slots.resume_offset()
    end = len(image) if end is None else end
    while at < end:
        ecu.slots.write(at, image[at : min(at + step, end)])
        at += len(image[at : min(at + step, end)])


def staged() -> Ecu:
    ecu = provisioned()
    run(begin(ecu))
    send(ecu)
    run(ecu.slots.finish(Suite))
    return ecu


def on_trial() -> Ecu:
    ecu = staged()
    ecu.slots.start_trial()
    assert ecu.reset() == (1, True)
    return ecu


def test_an_ecu_without_any_image_says_so():
    ecu = Ecu()
    assert ecu.reset() == (None, False)
    assert ecu.slots.installed() is None and ecu.slots.running() is None
    assert ecu.slots.release() == 0 and ecu.slots.boot_state() == BOOT_CONFIRMED


def test_the_provisioned_image_runs_confirmed():
    ecu = provisioned()
    installed = ecu.slots.installed()
    assert (installed.number, installed.length, installed.release) == (OLD_NUMBER, len(OLD), 1)
    assert installed.digest == digest_of(OLD) and ecu.slots.release() == 1
    raises(TooLarge, ecu.slots.provision, 1, SLOT_BLOCKS * BLOCK + 1, digest_of(OLD), 1)


def test_an_update_goes_from_begin_to_confirmed():
    """V-64, V-66, V-67, T-21."""
    ecu = provisioned()
    run(begin(ecu))
    send(ecu)
    run(ecu.slots.finish(Suite))
    assert ecu.slots.staged().number == NEW_NUMBER
    assert ecu.reset() == (0, False)  # staged is not tried by itself
    ecu.slots.start_trial()
    assert ecu.slots.installed().number == OLD_NUMBER and ecu.slots.boot_state() == BOOT_CONFIRMED
    assert ecu.reset() == (1, True)
    assert ecu.slots.installed().number == NEW_NUMBER and ecu.slots.boot_state() == BOOT_TRIAL
    assert ecu.slots.release() == 1
    ecu.slots.confirm()
    assert ecu.slots.release() == 2 and ecu.slots.boot_state() == BOOT_CONFIRMED
    for _ in range(5):
        assert ecu.reset() == (1, False)
    assert ecu.image_in(1, len(NEW)) == NEW and ecu.image_in(0, len(OLD)) == OLD


def test_the_next_update_goes_to_the_slot_that_is_not_running():
    ecu = on_trial()
    ecu.slots.confirm()
    run(ecu.slots.begin(12, len(OLD), digest_of(OLD), 2))
    assert ecu.image_in(1, len(NEW)) == NEW
    assert ecu.slots.areas[0].blank(0, len(OLD))
    send(ecu, OLD)
    run(ecu.slots.finish(Suite))
    ecu.slots.start_trial()
    assert ecu.reset() == (0, True)
    ecu.slots.confirm()  # an equal release counter is allowed
    assert ecu.slots.release() == 2 and ecu.reset() == (0, False)


def test_writes_of_any_length_end_up_the_same():
    for step in (1, 7, 8, 9, 1000, 5000):
        ecu = provisioned()
        run(begin(ecu))
        send(ecu, step=step)
        run(ecu.slots.finish(Suite))
        assert ecu.image_in(1, len(NEW) + 3) == NEW + b"\xff" * 3


def test_an_image_larger_than_the_slot_is_refused_before_anything_is_erased():
    ecu = provisioned()
    strokes = ecu.nor.strokes
    raises(TooLarge, run, ecu.slots.begin(11, SLOT_BLOCKS * BLOCK + 1, digest_of(NEW), 2))
    assert ecu.nor.strokes == strokes


def test_only_the_next_bytes_of_what_was_begun_are_taken():
    ecu = provisioned()
    raises(Unwanted, ecu.slots.resume_offset)
    raises(Unwanted, ecu.slots.write, 0, NEW[:8])
    raises(NothingStaged, run, ecu.slots.finish(Suite))
    run(begin(ecu))
    raises(Unwanted, ecu.slots.write, 8, NEW[8:16])
    ecu.slots.write(0, NEW[:8])
    raises(Unwanted, ecu.slots.write, 0, NEW[:8])
    raises(TooMuch, ecu.slots.write, 8, NEW[8:] + b"x")
    ecu.slots.write(8, NEW[8:])
    raises(TooMuch, ecu.slots.write, len(NEW), b"x")
    run(ecu.slots.finish(Suite))


def test_a_short_image_is_refused_and_can_be_completed():
    """E-21."""
    ecu = provisioned()
    run(begin(ecu))
    send(ecu, end=2000)
    raises(WrongLength, run, ecu.slots.finish(Suite))
    send(ecu)
    run(ecu.slots.finish(Suite))


def test_an_image_with_another_hash_is_given_up():
    ecu = provisioned()
    run(begin(ecu))
    send(ecu, NEW[:100] + b"!" + NEW[101:])
    raises(WrongHash, run, ecu.slots.finish(Suite))
    raises(NothingStaged, ecu.slots.start_trial)
    assert ecu.reset() == (0, False)
    run(begin(ecu))
    assert ecu.slots.resume_offset() == 0
    send(ecu)
    run(ecu.slots.finish(Suite))


def test_what_is_hashed_is_what_lies_in_flash():
    """E-78: the bytes that flew by were good; those in the slot are not."""
    ecu = provisioned()
    run(begin(ecu))
    send(ecu)
    ecu.nor.poke(SLOT_B + 500, b"\x00")
    raises(WrongHash, run, ecu.slots.finish(Suite))


def test_long_work_yields_often():
    ecu = provisioned()
    assert len(list(begin(ecu))) == 3  # one a block
    send(ecu)
    assert len(list(ecu.slots.finish(Suite))) == 1  # one every 4 KB


def test_a_transfer_goes_on_at_the_block_where_a_reset_left_it():
    ecu = provisioned()
    run(begin(ecu))
    send(ecu, end=2100)
    ecu.reset()
    erased = list(ecu.nor.erased)
    run(begin(ecu))
    assert ecu.slots.resume_offset() == 2 * BLOCK
    assert sum(ecu.nor.erased) == sum(erased) + 1
    send(ecu)
    run(ecu.slots.finish(Suite))


def test_a_staged_image_needs_no_second_transfer():
    ecu = staged()
    ecu.reset()
    run(begin(ecu))
    assert ecu.slots.resume_offset() == len(NEW)
    run(ecu.slots.finish(Suite))
    ecu.slots.start_trial()


def test_another_image_replaces_what_was_being_written():
    ecu = provisioned()
    run(begin(ecu))
    send(ecu, end=2100)
    other = NEW[::1] + b"!"
    run(begin(ecu, other))
    assert ecu.slots.resume_offset() == 0 and ecu.slots.areas[1].blank(0, 3 * BLOCK)
    send(ecu, other)
    run(ecu.slots.finish(Suite))


def test_what_was_staged_is_not_once_its_erasing_began():
    ecu = staged()
    begin(ecu, OLD, 2).send(None)
    ecu.reset()
    assert ecu.slots.staged() is None
    raises(NothingStaged, ecu.slots.start_trial)
    run(begin(ecu, OLD))  # and what was half erased is erased again
    assert ecu.slots.resume_offset() == 0 and ecu.slots.areas[1].blank(0, len(OLD))


def test_a_write_that_failed_goes_on_after_begin():
    ecu = provisioned()
    run(begin(ecu))
    send(ecu, end=2080)
    raises(Unwanted, ecu.slots.write, 2088, NEW[2088:])
    ecu.nor.stuck = SLOT_B + 2089
    raises(FlashFault, ecu.slots.write, 2080, NEW[2080:])
    ecu.nor.stuck = -1
    raises(Unwanted, ecu.slots.write, 2080, NEW[2080:])
    run(begin(ecu))
    assert ecu.slots.resume_offset() == 2 * BLOCK
    send(ecu)
    run(ecu.slots.finish(Suite))


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
    assert ecu.slots.boot_state() == BOOT_REVERTED
    ecu = on_trial()
    ecu.slots.confirm()
    assert not ecu.slots.revert() and ecu.reset() == (1, False)


def test_what_is_running_is_never_erased():
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
    run(ecu.slots.begin(12, len(OLD), digest_of(OLD), 3))
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
    raises(Rotten, State, b"\x02" + raw[1:])


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
