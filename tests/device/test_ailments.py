"""What can be wrong with a flash part: worn and stuck cells, lies, cells that read otherwise."""

import io

from boards.unix.ailments import WEAK_EVERY, of
from boards.unix.nor import TEARS, Geometry, Nor, PowerCut
from claims import raises
from uptane.errors import FlashFault
from uptane.store.area import Area

BLOCK = 256
BLOCKS = 4


def part(*told) -> Nor:
    nor = Nor(io.BytesIO(), Geometry([(0, BLOCK, BLOCKS, 9)], 4, 1, 64), lambda us: None)
    nor.ailments = of(told)
    return nor


def area_of(nor: Nor) -> Area:
    return Area(nor, 0, BLOCK, BLOCKS, 4)


def test_a_torn_erase_never_reaches_the_next_block():
    """E-79: blocks smaller than the model's own chunk, too."""
    for tear in range(TEARS):
        area = area_of(part())
        area.program(0, bytes(range(256)) * BLOCKS)
        nor = area._flash
        nor.cut_after(0, tear, 5)
        raises(PowerCut, area.erase, 1)
        nor.power_on()
        assert area.read(0, BLOCK) == bytes(range(256))
        assert area.read(2 * BLOCK, 2 * BLOCK) == bytes(range(256)) * 2


def test_a_stuck_block_neither_erases_nor_programs_and_its_owner_notices():
    """E-79"""
    area = area_of(part(["stuck", BLOCK, BLOCK, 0]))
    raises(FlashFault, area.program, BLOCK, bytes(8))
    area.program(0, bytes(8))
    area.erase(0)
    nor = area._flash
    nor.ailments = []
    area.program(BLOCK, bytes(8))
    nor.ailments = of([["stuck", BLOCK, BLOCK, 0]])
    raises(FlashFault, area.erase, 1)
    assert area.read(BLOCK, 8) == bytes(8)


def test_a_worn_block_keeps_some_cells():
    """E-79"""
    area = area_of(part(["worn", 0, BLOCK, 0]))
    raises(FlashFault, area.program, 0, bytes(128))
    held = area.read(0, 128)
    assert [at for at in range(128) if held[at]] == [0, WEAK_EVERY, 2 * WEAK_EVERY]
    area.erase(0)  # what was programmed goes, what was not is blank
    area.program(4, bytes(8))


def test_a_lie_is_told_once():
    """E-79: of an erase, and of a program."""
    area = area_of(part())
    area.program(0, bytes(8))
    area._flash.ailments = of([["lie", 0, BLOCK, 0]])
    raises(FlashFault, area.erase, 0)
    area.erase(0)
    area._flash.ailments = of([["lie", 0, BLOCK, 0]])
    raises(FlashFault, area.program, 0, bytes(8))
    area.program(0, bytes(8))


def test_unsteady_cells_read_differently_until_they_are_erased():
    """E-79"""
    area = area_of(part())
    area.program(0, bytes(BLOCK))
    area._flash.ailments = of([["unsteady", 0, BLOCK, 3]])
    assert len({area.read(0, BLOCK) for _ in range(9)}) > 2
    area.erase(0)
    area.program(0, bytes(BLOCK))
    assert {area.read(0, BLOCK) for _ in range(9)} == {bytes(BLOCK)}


def test_an_ailing_part_is_programmed_onto_what_is_there():
    """E-79: its owner was lied to; on a sound part it is a bug of ours."""
    nor = part(["lie", 0, BLOCK, 0])
    nor.program(BLOCK, b"\xf0\xf0\xf0\xf0")
    nor.program(BLOCK, b"\x0f\xff\x0f\xff")
    held = bytearray(4)
    nor.read_into(BLOCK, held)
    assert held == b"\x00\xf0\x00\xf0"


def test_whoever_asks_is_told_of_each_stroke_before_it_is_done():
    nor = part()
    told = []
    nor.before = lambda *what: told.append(what + (nor.strokes,))
    nor.program(32, bytes(96))
    nor.erase(BLOCK)
    assert told == [(32, 32, False, 0), (64, 64, False, 1), (BLOCK, BLOCK, True, 2)]
