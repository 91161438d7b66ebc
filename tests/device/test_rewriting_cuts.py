"""An ECU without a spare slot, with the power gone at every stroke of flash."""

from boards.unix.nor import TEARS, PowerCut
from lone_taker import NEW, OLD, PLACE_BYTES, LoneTaker, confirmed, ways
from uptane.errors import Overwritten
from uptane.ids import BOOT_REVERTED


def test_the_power_may_go_at_any_stroke() -> None:
    """E-79, S-29, V-58, T-32: each way, torn in eight ways by turns; the ECU knows what it has,
    and goes on to the new image."""
    for name, entry, raw in ways():
        strokes = resumed = 0
        while True:
            taker = LoneTaker()
            taker.nor.cut_after(strokes, strokes % TEARS, strokes)
            try:
                taker.takes(entry, raw)
                break
            except PowerCut:
                pass
            taker.start()
            assert taker.runs(OLD) or taker.slots.rotten == Overwritten.number, (name, strokes)
            resumed += taker.takes(entry, raw) > 0
            confirmed(taker)
            assert taker.runs(NEW), (name, strokes)
            strokes += 3
        assert strokes > 20 and (resumed or "delta" not in name), (name, strokes)


def test_the_power_may_go_while_the_old_image_comes_back() -> None:
    """E-79, V-58, V-67: after a failed trial, at any stroke; with or without what was stored."""
    name, entry, raw = ways()[1]
    failed = LoneTaker()
    failed.takes(entry, raw)
    failed.slots.start_trial()
    while True:
        failed.start()
        if not failed.on_trial:
            break
    assert failed.slots.rotten == Overwritten.number and failed.slots.lost()
    flash = bytearray(PLACE_BYTES + 3 * 4096)
    failed.nor.peek(0, flash)
    strokes = 0
    while True:
        taker = LoneTaker()
        taker.nor.poke(0, bytes(flash))
        taker.start()
        taker.nor.cut_after(strokes, strokes % TEARS, strokes)
        try:
            taker.goes_back()
            break
        except PowerCut:
            pass
        taker.start()
        if not taker.runs(OLD):
            assert taker.slots.lost()
            taker.goes_back()
        taker.start()
        assert taker.runs(OLD) and not taker.slots.lost(), strokes
        strokes += 2
    assert strokes > 30
    taker.start()
    assert taker.runs(OLD) and taker.slots.boot_state() == BOOT_REVERTED
