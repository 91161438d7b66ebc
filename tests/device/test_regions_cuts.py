"""Regions, with the power gone at every stroke of flash, and writes of any length."""

from boards.unix.nor import TEARS, PowerCut
from claims import raises
from uptane.errors import FlashFault
from uptane.ids import REGION_APPLICATION, REGION_CALIBRATION, REGION_USER_DATA
from uptane.store.span import Span
from zoned_ecu import CODE_2, DATA_2, FACTORY, USER_2, Entry, ZonedEcu, merged

ALL = Entry(
    6,
    [(REGION_APPLICATION, CODE_2), (REGION_CALIBRATION, DATA_2), (REGION_USER_DATA, USER_2)],
)
AFTER = merged({REGION_APPLICATION: CODE_2, REGION_CALIBRATION: DATA_2, REGION_USER_DATA: USER_2})


def test_the_power_may_go_at_any_stroke():
    """E-79, S-25, V-67: all the regions are the old ones or all the new ones, never a mixture."""
    factory = ZonedEcu().content()
    resumed = 0
    strokes = 0
    while True:
        ecu = ZonedEcu(factory)
        ecu.reset()
        ecu.nor.cut_after(strokes, strokes % TEARS, strokes)
        try:
            ecu.installs(ALL)
            break
        except PowerCut:
            pass
        _, on_trial = ecu.reset()
        held = ecu.holds()
        assert held == (AFTER if ecu.slots.contents()[0][1] == 6 else FACTORY), strokes
        assert not ecu.slots.rotten
        if on_trial:
            ecu.slots.confirm()
        elif held == FACTORY:
            resumed += ecu.installs(ALL) > 0
        ecu.reset()
        assert ecu.holds() == AFTER and ecu.slots.release() == 6, strokes
        strokes += 1
    assert strokes > 300 and resumed > 50, (strokes, resumed)


def test_writes_of_any_length_end_up_the_same():
    for step in (1, 7, 255, 256, 1025, 5000):
        ecu = ZonedEcu()
        ecu.takes(ALL, step)
        ecu.slots.start_trial()
        ecu.reset()
        assert ecu.holds() == AFTER and not ecu.slots.rotten


def test_a_span_has_no_byte_but_those_of_its_areas():
    """E-79."""
    ecu = ZonedEcu()
    parts = [(ecu.area(REGION_APPLICATION, 1), 512), (ecu.area(REGION_USER_DATA, 1), 300)]
    span = Span(parts)
    assert span.size == 812 and span.program_bytes == 8
    span.program(504, b"AAAAAAAABBBBBBBB")
    assert parts[0][0].read(504, 16) == b"AAAAAAAA" + b"\xff" * 8
    assert parts[1][0].read(0, 8) == b"BBBBBBBB"
    held = bytearray(16)
    span.read_into(504, held)
    assert held == b"AAAAAAAABBBBBBBB"
    raises(FlashFault, span.program, 1016, b"CCCCCCCCDDDDDDDD")
    raises(FlashFault, span.read_into, 812 + 212, bytearray(8))
