"""The tester on the bus: requests in virtual time, at the speed of the wire, and bounded waits."""

import pytest

from muptane.bench.can.bus import Bus
from muptane.bench.can.frames import Frame, frame_bits
from muptane.bench.station import Station
from muptane.bench.world import MS, S, Stuck, World
from uptane.errors import Negative, NoReply
from uptane.limits import P2_MS, P2_STAR_MS
from uptane.link.isotp import Channel
from uptane.uds.client import TRANSPORT_MS

BITRATE = 500_000
LINK = (0x7E0, 0x7E8)


class Responder:
    """An ECU that answers each request with what `answers(request)` says: [(ms after the request
    or the response before, response), ...]."""

    def __init__(self, world, bus, answers, link=LINK):
        self.world = world
        self.answers = answers
        self.channel = Channel(4095)
        self.requests = []
        self.deaf = False
        self._id = link[1]
        self._port = bus.port("ecu", 3)
        self._port.filters = [(link[0], 0x7FF)]
        self._port.on_frame = self._arrived
        self._port.on_sent = lambda frame: self._pump()
        bus.filters_changed()

    def _arrived(self, frame):
        if self.deaf:
            return
        self.channel.feed(memoryview(frame.data), 0)
        if self.channel.message is not None:
            request = bytes(self.channel.message)
            self.requests.append(request)
            self.channel.taken()
            at_ns = self.world.now_ns
            for after_ms, response in self.answers(request):
                at_ns += int(after_ms * MS)
                self.world.at(at_ns, lambda response=response: self._respond(response))
        self._pump()

    def _respond(self, response):
        self.channel.send(response)
        self._pump()

    def _pump(self):
        frame = self.channel.frame(0)
        while frame is not None and self._port.send(Frame(self._id, bytes(frame))):
            self.channel.sent(0)
            frame = self.channel.frame(0)


class Bench:
    def __init__(self, answers):
        self.world = World()
        self.bus = Bus(self.world, BITRATE)
        self.ecu = Responder(self.world, self.bus, answers)
        self.station = Station(self.world, self.bus, "tester", LINK)
        self.bits = 0
        self.bus.listeners.append(self._hear)

    def _hear(self, now_ns, sender, frame):
        self.bits += frame_bits(frame.id, frame.data)

    def now_ms(self):
        return self.world.now_ns / MS


def echo(request):
    """Positive, with the request's own bytes behind it."""
    return [(0, bytes((request[0] + 0x40,)) + request[1:])]


def test_a_request_is_answered_in_the_time_of_its_frames():
    bench = Bench(echo)
    assert bench.station.request(b"\x3e\x00") == b"\x7e\x00"
    assert bench.world.now_ns == bench.bits * S // BITRATE
    assert bench.station.request(b"\x22\xf1\x90") == b"\x62\xf1\x90"


@pytest.mark.parametrize("length", [7, 8, 100, 1026, 4095])
def test_long_messages_go_both_ways_at_the_speed_of_the_wire(length):
    """S-37: not one bit of the bus is idle between two frames but for the flow control."""
    bench = Bench(echo)
    request = bytes((0x36,)) + bytes(number % 251 for number in range(length - 1))
    assert bench.station.request(request) == bytes((0x76,)) + request[1:]
    assert bench.ecu.requests == [request]
    assert bench.bits * S // BITRATE >= 0.999 * bench.world.now_ns


def test_identifiers_are_read():
    bench = Bench(lambda request: [(5, b"\x62" + request[1:] + b"value")])
    assert bench.station.read(0xF18C) == b"value"
    assert bench.ecu.requests == [b"\x22\xf1\x8c"]


def test_a_negative_response_is_raised_with_its_code():
    bench = Bench(lambda request: [(0, bytes((0x7F, request[0], 0x31)))])
    with pytest.raises(Negative) as refused:
        bench.station.request(b"\x22\x00\x00")
    assert refused.value.args == (0x31,)


def test_silence_is_given_up_after_p2():
    bench = Bench(lambda request: [])
    for _ in range(2):
        before_ms = bench.now_ms()
        with pytest.raises(NoReply):
            bench.station.request(b"\x3e\x00")
        assert 0 <= bench.now_ms() - before_ms - P2_MS - TRANSPORT_MS < 3
    bench.ecu.answers = echo
    assert bench.station.request(b"\x3e\x00") == b"\x7e\x00"


def test_pending_carries_over_p2_star_each_time():
    pending = b"\x7f\x31\x78"
    waits = [(P2_MS, pending), (P2_STAR_MS, pending), (P2_STAR_MS, b"\x71\x01\x02\x01")]
    bench = Bench(lambda request: waits)
    assert bench.station.request(b"\x31\x01\x02\x01") == b"\x71\x01\x02\x01"
    assert bench.now_ms() > 2 * P2_STAR_MS
    bench = Bench(lambda request: waits[:2])
    with pytest.raises(NoReply):
        bench.station.request(b"\x31\x01\x02\x01")


def test_an_ecu_that_takes_no_long_message_is_given_up():
    bench = Bench(echo)
    bench.ecu.deaf = True
    with pytest.raises(NoReply):
        bench.station.request(bytes(100))
    assert bench.now_ms() < 2000
    bench.ecu.deaf = False
    assert bench.station.request(b"\x36" + bytes(99)) == b"\x76" + bytes(99)


def test_a_response_that_breaks_off_is_given_up():
    bench = Bench(lambda request: [])

    def half(request):
        for data in (b"\x10\x20\x62abcde", b"\x21fghijkl"):
            bench.ecu._port.send(Frame(LINK[1], data))
        return []

    bench.ecu.answers = half
    with pytest.raises(NoReply):
        bench.station.request(b"\x22\xf1\x90")
    bench.ecu.answers = echo
    assert bench.station.request(b"\x3e\x00") == b"\x7e\x00"


def test_a_late_answer_is_not_taken_for_the_next_one():
    bench = Bench(lambda request: [(2000, b"\x62\xf1\x90late")])
    with pytest.raises(NoReply):
        bench.station.request(b"\x22\xf1\x90")
    bench.ecu.answers = lambda request: [(0, b"\x7e\x00")]
    bench.world.at(bench.world.now_ns + 3 * S, lambda: None)
    end_ns = bench.world.now_ns + 3 * S
    bench.world.run(lambda: bench.world.now_ns >= end_ns)
    assert bench.station.request(b"\x3e\x00") == b"\x7e\x00"


def test_a_run_that_takes_too_long_is_stuck():
    bench = Bench(lambda request: [])

    def patient():
        while True:
            yield bench.station.clock.ticks_ms() + 1000

    with pytest.raises(Stuck):
        bench.station.run(patient(), limit_s=5)


def test_stations_run_beside_each_other():
    bench = Bench(echo)
    links = [(0x7E1, 0x7E9), (0x7E2, 0x7EA)]
    ended = []
    for link in links:
        Responder(bench.world, bench.bus, echo, link)
        station = Station(bench.world, bench.bus, "other", link)
        station.start(station.client.request(b"\x36" + bytes(200)), ended.append)
    assert bench.station.request(b"\x36" + bytes(300)) == b"\x76" + bytes(300)
    bench.world.run(lambda: len(ended) == 2)
    assert [bytes(reply) for reply in ended] == [b"\x76" + bytes(200)] * 2
    assert bench.bits * S // BITRATE >= 0.999 * bench.world.now_ns


def test_whoever_started_a_task_is_handed_its_refusal():
    bench = Bench(lambda request: [])
    ended = []
    bench.station.start(bench.station.client.request(b"\x3e\x00"), ended.append)
    bench.world.run(lambda: bool(ended))
    assert isinstance(ended[0], NoReply)


def test_a_station_hears_its_own_ecu_only():
    bench = Bench(lambda request: [(20, b"\x7e\x00")])
    stranger = bench.bus.port("stranger", 3)
    bench.world.at(5 * MS, lambda: stranger.send(Frame(0x7E9, b"\x02\x7e\x01")))
    bench.world.at(6 * MS, lambda: stranger.send(Frame(0x7E8 | 1 << 31, b"\x02\x7e\x02")))
    assert bench.station.request(b"\x3e\x00") == b"\x7e\x00"
    assert bench.now_ms() > 20


def test_a_station_that_waits_for_nothing_keeps_out_of_the_talk_of_others():
    """The Primary's request, on the identifiers of a tester that has asked something before."""
    bench = Bench(lambda request: [(0, b"\x62\xf1\x90" + bytes(30))])
    bench.station.request(b"\x22\xf1\x90")
    other = Station(bench.world, bench.bus, "primary", LINK)
    senders = []
    bench.bus.listeners.append(lambda now_ns, sender, frame: senders.append(sender))
    assert len(other.request(b"\x22\xf1\x90")) == 33
    assert set(senders) == {"primary", "ecu"}
