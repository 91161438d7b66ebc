"""Bounds, alignment and read-back of an area, and the physics of the flash it stands on."""

import io

from boards.unix.nor import TEARS, Geometry, Nor, PowerCut, StrictFlash
from claims import raises
from uptane.errors import FlashFault
from uptane.store.area import Area

BASE = 0x08010000
BLOCK = 4096
UNIT = 4


def part() -> Nor:
    """Two small blocks, then two large ones, as in the STM32F4."""
    regions = [(BASE, BLOCK, 2, 900), (BASE + 2 * BLOCK, 2 * BLOCK, 2, 1800)]
    nor = Nor(io.BytesIO(), Geometry(regions, UNIT, 16), lambda us: None)
    return nor


def area_of(nor: Nor) -> Area:
    return Area(nor, BASE, BLOCK, 2, UNIT)


class Stuck(Nor):
    """One cell of the part always reads 0."""

    stuck = -1

    def read_into(self, address, buffer):
        super().read_into(address, buffer)
        if address <= self.stuck < address + len(buffer):
            buffer[self.stuck - address] &= 0xFE


class Charged:
    def __init__(self):
        self.us = 0

    def __call__(self, us):
        self.us += us


def test_what_is_programmed_reads_back_and_the_rest_stays_blank():
    area = area_of(part())
    area.program(8, b"12345678")
    assert area.read(6, 12) == b"\xff\xff12345678\xff\xff"
    assert area.blank(16, area.size - 16) and not area.blank(0, area.size)


def test_an_area_refuses_what_reaches_beyond_it():
    area = area_of(part())
    raises(FlashFault, area.read, area.size - 3, 4)
    raises(FlashFault, area.read, -1, 4)
    raises(FlashFault, area.read_into, area.size, bytearray(1))
    raises(FlashFault, area.program, area.size, b"1234")
    raises(FlashFault, area.blank, area.size, 1)
    raises(FlashFault, area.erase, 2)
    raises(FlashFault, area.erase, -1)


def test_an_area_refuses_a_program_that_misses_the_unit():
    area = area_of(part())
    raises(FlashFault, area.program, 2, b"1234")
    raises(FlashFault, area.program, 0, b"12345")


def test_a_cell_that_does_not_hold_its_bit_is_a_flash_fault():
    regions = [(BASE, BLOCK, 2, 900)]
    nor = Stuck(io.BytesIO(), Geometry(regions, UNIT, 16), lambda us: None)
    area = area_of(nor)
    nor.stuck = BASE + 9
    raises(FlashFault, area.program, 8, b"\xff\xff\xff\xff")
    raises(FlashFault, area.erase, 0)
    area.program(16, b"1234")


def test_an_erase_clears_its_block_alone():
    nor = part()
    area = area_of(nor)
    area.program(0, b"1234")
    area.program(BLOCK, b"5678")
    area.erase(0)
    assert area.blank(0, BLOCK) and area.read(BLOCK, 4) == b"5678"
    assert nor.erased == [1, 0, 0, 0]


def test_the_model_is_stricter_than_silicon():
    nor = part()
    nor.program(BASE, b"1234")
    raises(StrictFlash, nor.program, BASE, b"1234")
    raises(StrictFlash, nor.program, BASE + 6, b"1234")
    raises(StrictFlash, nor.program, BASE - 4, b"1234")
    raises(StrictFlash, nor.read_into, nor.geometry.end, bytearray(1))
    raises(StrictFlash, nor.erase, BASE + 4)
    raises(StrictFlash, nor.erase, BASE + 3 * BLOCK)  # inside a large block


def test_every_stroke_is_counted_and_takes_its_time():
    charged = Charged()
    nor = Nor(io.BytesIO(), Geometry([(0, BLOCK, 1, 900)], 4, 16), charged)
    nor.program(0, bytes(40))
    nor.erase(0)
    assert nor.strokes == 11 and charged.us == 10 * 16 + 900
    paged = Nor(io.BytesIO(), Geometry([(0, BLOCK, 1, 900)], 1, 700, 256), charged)
    paged.program(250, bytes(300))
    assert paged.strokes == 3  # up to 256, up to 512, the rest


def test_a_power_cut_tears_its_stroke_and_nothing_works_until_power_is_back():
    seen = []
    for tear in range(TEARS):
        nor = part()
        nor.cut_after(1, tear, 7)
        raises(PowerCut, nor.program, BASE, b"\x00\x00\x00\x00\x0f\x0f\x0f\x0f\x00\x00\x00\x00")
        raises(PowerCut, nor.read_into, BASE, bytearray(1))
        nor.power_on()
        held = bytearray(12)
        nor.read_into(BASE, held)
        assert held[:4] == bytes(4) and held[8:] == b"\xff" * 4
        for byte in held[4:8]:
            assert byte & 0x0F == 0x0F  # bits that were not to be cleared never are
        seen.append(bytes(held[4:8]))
    assert seen[0] == b"\xff" * 4 and seen[1] == b"\x0f" * 4
    assert len(set(seen)) >= 6


def test_a_torn_erase_may_leave_a_block_that_reads_differently_each_time():
    unsteady = 0
    for tear in range(TEARS):
        nor = part()
        nor.program(BASE, bytes(64))
        nor.cut_after(0, tear, 3)
        raises(PowerCut, nor.erase, BASE)
        nor.power_on()
        first, second = bytearray(BLOCK), bytearray(BLOCK)
        nor.read_into(BASE, first)
        nor.read_into(BASE, second)
        unsteady += first != second
        nor.erase(BASE)
        nor.read_into(BASE, first)
        assert first == b"\xff" * BLOCK
    assert unsteady >= 2


def test_a_part_keeps_its_content_when_it_is_opened_again():
    store = io.BytesIO()
    geometry = Geometry([(BASE, BLOCK, 2, 900)], UNIT, 16)
    Nor(store, geometry, lambda us: None).program(BASE + 100, b"kept")
    assert area_of(Nor(store, geometry, lambda us: None)).read(100, 4) == b"kept"
