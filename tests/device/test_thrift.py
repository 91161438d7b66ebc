"""Cycles and resets on request are not had faster than flash should be written."""

from uptane.limits import CYCLE_MS, CYCLES_MAX, LIFE_MS_MIN
from uptane.thrift import Thrift

BORN_MS = 123_456


def test_after_so_many_cycles_there_is_one_each_time() -> None:
    """E-89: however often somebody asks."""
    thrift = Thrift(BORN_MS)
    begun = [ms for ms in range(BORN_MS, BORN_MS + 10 * CYCLE_MS, 50) if thrift.may_begin(ms)]
    assert begun[:CYCLES_MAX] == [BORN_MS + 50 * i for i in range(CYCLES_MAX)]
    assert begun[CYCLES_MAX:] == [BORN_MS + i * CYCLE_MS for i in range(1, 10)]


def test_what_was_not_used_is_there_later_and_no_more() -> None:
    """E-89: an honest vehicle, which begins one a minute, is never refused."""
    thrift = Thrift(BORN_MS)
    for minute in range(100):
        assert thrift.may_begin(BORN_MS + minute * 60_000)
    later = BORN_MS + 1000 * 60_000
    assert [thrift.may_begin(later) for _ in range(CYCLES_MAX + 1)].count(True) == CYCLES_MAX
    assert thrift.may_begin(later + CYCLE_MS)


def test_a_reset_is_not_had_right_after_another() -> None:
    """E-89: it would begin the count anew."""
    thrift = Thrift(BORN_MS)
    assert not thrift.may_reset(BORN_MS + LIFE_MS_MIN - 1)
    assert thrift.may_reset(BORN_MS + LIFE_MS_MIN)
