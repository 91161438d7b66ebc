"""The STM32F4 flash driver against the registers of the part (boards/unix/parts)."""

from boards.unix.parts.stm32f4_flash import CR, KEYR, LOCK, Stm32f4Flash
from claims import raises
from uptane.errors import FlashFault
from uptane.port.flash_stm32 import SECTORS_1M, SECTORS_2M, FlashStm32

RECORDS = 0x08008000  # sector 2
WORDS = b"numeric file ids"


def driver(sectors=SECTORS_1M):
    part = Stm32f4Flash(sectors)
    return part, FlashStm32(part, part.memory, sectors)


def test_what_was_programmed_reads_back():
    _, flash = driver()
    flash.program(RECORDS + 16, WORDS)
    into = bytearray(20)
    flash.read_into(RECORDS + 12, into)
    assert bytes(into) == b"\xff\xff\xff\xff" + WORDS


def test_an_erased_sector_reads_as_ones_and_its_neighbours_stay():
    part, flash = driver()
    for address in (RECORDS - 4, RECORDS, RECORDS + 0x3FFC, RECORDS + 0x4000):
        flash.program(address, b"\x00\x01\x02\x03")
    flash.erase(RECORDS)
    assert part.memory(RECORDS, 4) == b"\xff\xff\xff\xff"
    assert part.memory(RECORDS + 0x3FFC, 4) == b"\xff\xff\xff\xff"
    assert part.memory(RECORDS - 4, 4) == b"\x00\x01\x02\x03"
    assert part.memory(RECORDS + 0x4000, 4) == b"\x00\x01\x02\x03"


def test_an_erase_is_seen_although_the_old_content_was_cached():
    part, flash = driver()
    flash.program(RECORDS, WORDS)
    assert part.memory(RECORDS, 16) == WORDS
    flash.erase(RECORDS)
    into = bytearray(16)
    flash.read_into(RECORDS, into)
    assert bytes(into) == b"\xff" * 16


def test_the_second_bank_has_its_own_sector_numbers():
    part, flash = driver(SECTORS_2M)
    flash.program(0x08100000, WORDS)
    flash.program(0x08000000, WORDS)
    flash.erase(0x08100000)
    assert part.memory(0x08100000, 16) == b"\xff" * 16
    assert part.memory(0x08000000, 16) == WORDS


def test_only_the_start_of_a_sector_can_be_erased():
    part, flash = driver()
    for address in (RECORDS + 4, 0x08000000 - 0x4000, 0x08100000):
        assert raises(FlashFault, flash.erase, address)
    assert part.erases == 0


def test_half_words_are_refused():
    part, flash = driver()
    assert raises(FlashFault, flash.program, RECORDS + 2, WORDS)
    assert raises(FlashFault, flash.program, RECORDS, b"odd")
    assert part.programs == 0


def test_the_controller_is_locked_again_after_every_operation():
    part, flash = driver()
    flash.program(RECORDS, WORDS)
    assert part[CR] == LOCK
    flash.erase(RECORDS)
    assert part[CR] == LOCK
    part.protected = [2]
    assert raises(FlashFault, flash.erase, RECORDS)
    assert part[CR] == LOCK


def test_a_protected_sector_is_a_fault_and_the_next_operation_works():
    part, flash = driver()
    part.protected = [2]
    assert raises(FlashFault, flash.program, RECORDS, WORDS)
    flash.program(RECORDS + 0x4000, WORDS)
    assert part.memory(RECORDS + 0x4000, 16) == WORDS


def test_an_error_flag_left_by_others_does_not_stop_us():
    part, flash = driver()
    part[KEYR] = 0x45670123
    part[KEYR] = 0xCDEF89AB
    part[RECORDS] = 0  # no PG: a programming sequence error
    flash.program(RECORDS, WORDS)
    assert part.memory(RECORDS, 16) == WORDS


def test_a_stuck_word_is_found_by_reading_back():
    part, flash = driver()
    part.stuck = [RECORDS + 8]
    assert raises(FlashFault, flash.program, RECORDS, WORDS)


def test_programming_over_old_content_is_found_by_reading_back():
    _, flash = driver()
    flash.program(RECORDS, b"\x0f\xff\xff\xff")
    assert raises(FlashFault, flash.program, RECORDS, b"\xf0\xff\xff\xff")


def test_words_that_stay_erased_cost_no_programming():
    part, flash = driver()
    flash.program(RECORDS, b"\xff" * 60 + b"\x00" * 4)
    assert part.programs == 1


def test_a_memoryview_is_programmed_like_bytes():
    part, flash = driver()
    flash.program(RECORDS, memoryview(b"....numeric file ids")[4:])
    assert part.memory(RECORDS, 16) == WORDS
