"""A/B slots: an image goes whole into the slot that is not running, whatever interrupts it."""

from claims import raises, run
from slotted_ecu import (
    BLOCK,
    NEW,
    NEW_NUMBER,
    OLD,
    OLD_NUMBER,
    SLOT_B,
    SLOT_BLOCKS,
    Ecu,
    Suite,
    begin,
    digest_of,
    on_trial,
    provisioned,
    send,
    staged,
)
from uptane.errors import (
    FlashFault,
    NothingStaged,
    TooLarge,
    TooMuch,
    Unwanted,
    WrongHash,
    WrongLength,
)
from uptane.ids import BOOT_CONFIRMED, BOOT_TRIAL
from uptane.store.boot import Installed


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
    run(ecu.slots.begin(Installed(12, len(OLD), digest_of(OLD), 2)))
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
    raises(
        TooLarge, run, ecu.slots.begin(Installed(11, SLOT_BLOCKS * BLOCK + 1, digest_of(NEW), 2))
    )
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
    """V-63.7, V-66."""
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
