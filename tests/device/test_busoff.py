"""Who is off the bus comes back, and pauses longer each time that it goes off again."""

from uptane.busoff import BusOff
from uptane.limits import BUS_OFF_MS, BUS_OFF_MS_MAX


class Controller:
    """It comes back at once when it is told; `restarts` says when."""

    now_ms = 0
    off = False

    def __init__(self):
        self.restarts = []

    def state(self):
        return 4 if self.off else 1

    def restart(self):
        self.off = False
        self.restarts.append(self.now_ms)


def lived(until_ms, off_at):
    """What a controller did that is off at those times, if nothing brought it back before."""
    can = Controller()
    bus_off = BusOff(can)
    while can.now_ms < until_ms:
        can.off = can.off or off_at(can.now_ms)
        bus_off.tend(can.now_ms)
        can.now_ms += 10
    return can.restarts


def test_bus_off_ends_at_once():
    assert lived(1000, lambda now_ms: now_ms == 500) == [500]


def test_who_goes_off_again_and_again_pauses_longer_each_time():
    restarts = lived(60_000, lambda now_ms: True)
    pauses = [later - earlier for earlier, later in zip(restarts, restarts[1:])]
    assert pauses[:5] == [BUS_OFF_MS, 500, 1000, BUS_OFF_MS_MAX, BUS_OFF_MS_MAX]
    assert set(pauses[3:]) == {BUS_OFF_MS_MAX}


def test_a_pause_on_the_bus_makes_the_next_one_short_again():
    troubles = lived(20_000, lambda now_ms: now_ms < 1000 or 10_000 <= now_ms < 10_300)
    assert troubles == [0, 250, 750, 1750, 10_000, 10_250, 10_750]


def test_it_wants_to_be_asked_when_a_pause_is_over():
    can = Controller()
    bus_off = BusOff(can)
    bus_off.tend(0)
    assert bus_off.due_ms is None
    can.off = True
    bus_off.tend(7)
    assert bus_off.due_ms == 7 + BUS_OFF_MS
    bus_off.tend(7 + BUS_OFF_MS)
    assert bus_off.due_ms is None
