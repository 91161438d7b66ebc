"""The budget of time that a Primary has for one Secondary in one cycle."""

from test_feeding_liars import Liar, want_of
from tester import Shelf
from uptane.errors import NoReply, SlowRetrieval
from uptane.limits import EXCHANGE_MS_MAX, PACE_WINDOW_MS, SECONDARY_MS_MAX
from uptane.uds.codes import WANTS_NOTHING

FILE = b"\x01\x00\x00\x00\x00\x03"
FLOOR = 9760  # bytes in a window, of a bus of 500 kbit/s


def asked(liar, request=b"\x3e\x00"):
    began_ms = liar.clock.now_ms
    outcome = liar.tester.run(liar.tester.client.request(request))
    return outcome, liar.clock.now_ms - began_ms


def test_all_exchanges_share_one_budget():
    """V-32, E-72, T-49: pending to the end of each exchange; then nothing is asked any more."""
    liar = Liar([None])
    liar.every(100, lambda: liar.wire.right.send(b"\x7f\x3e\x78"))
    liar.tester.client.allow(3 * EXCHANGE_MS_MAX // 2, FLOOR)
    first, first_ms = asked(liar)
    assert type(first) is NoReply and EXCHANGE_MS_MAX <= first_ms <= EXCHANGE_MS_MAX + 1000
    second, second_ms = asked(liar)
    assert type(second) is SlowRetrieval and second_ms <= EXCHANGE_MS_MAX // 2
    third, third_ms = asked(liar)
    assert type(third) is SlowRetrieval and third_ms == 0
    liar.tester.client.allow(SECONDARY_MS_MAX, FLOOR)
    assert asked(liar)[1] > 0  # the next cycle


def test_a_server_that_is_slow_every_time_uses_it_up():
    """E-72: each answer within its time, and never an end."""
    liar = Liar([b"\x7e\x00"], 400)
    liar.tester.client.allow(10_000, FLOOR)
    count = 0
    while type(asked(liar)[0]) is not SlowRetrieval:
        count += 1
    assert 20 <= count <= 26


def test_bytes_that_are_taken_at_the_floor_cost_no_budget():
    """V-32: a large image on a slow bus is no attack."""
    liar = Liar([b"\x7e\x00"])
    client = liar.tester.client
    client.allow(1000, FLOOR)
    for _ in range(20):
        liar.clock.now_ms += PACE_WINDOW_MS  # somebody else's time
        client.gave(FLOOR // 10)
        liar.pause_ms = PACE_WINDOW_MS // 25
        assert bytes(asked(liar)[0]) == b"\x7e\x00"


def test_without_a_budget_there_is_no_end():
    """V-32: the feeder of a Primary; each exchange has its own."""
    file = [want_of(FILE, 0, 0, 100, 0), b"\x74\x20\x04\x02", b"\x76\x01", b"\x77"]
    liar = Liar(file * 100 + [b"\x71\x01\x02\x01\x00"], 450)
    outcome, took_ms = liar.serve(Shelf({FILE: b"content"}))
    assert outcome == WANTS_NOTHING and took_ms > SECONDARY_MS_MAX
