"""A delta applied where the old image lies, with the power gone at every stroke of flash."""

from boards.unix.nor import TEARS, PowerCut
from one_slot import Memory, Recording
from vectors.deltas import SHIFTED, TIGHT, WIDE


def test_the_power_may_go_at_any_stroke() -> None:
    """S-29, E-79: every stroke torn in every way, each time from the start; what was saved last
    goes on to the new image."""
    for made in (SHIFTED, TIGHT, WIDE):
        strokes = 0
        while True:
            tear = strokes % TEARS
            memory = Memory(made)
            memory.nor.cut_after(strokes, tear, strokes)
            try:
                memory.give(memory.work())
                break
            except PowerCut:
                pass
            memory.give(memory.boot(), 100)
            assert memory.content(len(memory.new)) == memory.new, (strokes, tear)
            strokes += 1
        assert strokes > 40


def test_the_power_may_go_while_a_record_is_saved() -> None:
    """S-29, E-79: the records of the device, every third stroke of flash."""
    strokes = 0
    while True:
        memory = Recording(SHIFTED)
        memory.nor.cut_after(strokes, strokes % TEARS, strokes)
        try:
            memory.give(memory.work())
            break
        except PowerCut:
            pass
        memory.give(memory.boot())
        assert memory.content(len(memory.new)) == memory.new, strokes
        strokes += 3
    assert strokes > 100


def test_the_power_may_go_again_and_again() -> None:
    """S-29, E-79: every few strokes, also while what was cut is made again."""
    for made in (SHIFTED, TIGHT, WIDE):
        for every in (12, 13, 14):
            memory = Memory(made)
            cuts = 0
            while cuts < 200:
                work = memory.boot()
                memory.nor.cut_after(every, cuts % TEARS, cuts)
                try:
                    memory.give(work)
                    break
                except PowerCut:
                    cuts += 1
            assert memory.content(len(memory.new)) == memory.new
            assert cuts > 2


def test_the_power_may_go_after_the_last_stroke() -> None:
    """S-29, E-79: before anybody noted that all is done."""
    memory = Memory(SHIFTED)
    memory.give(memory.work())
    memory.give(memory.boot())
    assert memory.content(len(memory.new)) == memory.new
