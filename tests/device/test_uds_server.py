"""The UDS server: in time, one request at a time, and whole responses (S-37)."""

from uptane.errors import FrameLost
from uptane.limits import P2_MS, P2_STAR_MS
from uptane.link.isotp import Channel
from uptane.uds.codes import (
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_RESPONSE_PENDING,
    NRC_SERVICE_NOT_SUPPORTED,
)
from uptane.uds.server import ANYWHERE, IN_DEFAULT, Nrc, Server
from wire import Clock, Wire

SLOW = 0xBA


class Served:
    """One service without sub-functions, in every session."""

    state = IN_DEFAULT

    def __init__(self, handler):
        self.handler = handler
        self.tables = ((self, ((SLOW, "handler", ANYWHERE | 1, ()),)),)


def server_of(wire, handler):
    return Server((wire.right,), Served(handler), bytearray(64))


def slow_server(slices, slice_ms, fault=None):
    """A wire to a server whose only service takes that many slices of that many ms."""
    clock = Clock(1000)
    wire = Wire(Channel(64), Channel(64), clock)

    def work(request, out):
        for _ in range(slices):
            clock.now_ms += slice_ms
            yield
        if fault:
            raise Nrc(fault)
        out[1:3] = b"ok"
        return 3

    return wire, server_of(wire, work)


def serve(wire, server):
    """Run the server's loop until it has nothing to do; return [(ms, response), ...]."""
    heard = []
    wire.settle()
    server.step(wire.clock.now_ms)
    while True:
        wire.settle()
        if wire.left.message is not None:
            heard.append((wire.clock.now_ms, bytes(wire.left.message)))
            wire.left.taken()
        if not server.busy():
            return heard
        server.step(wire.clock.now_ms)


# --- in time --------------------------------------------------------------------------------


def test_a_quick_service_answers_without_pending():
    wire, server = slow_server(2, 10)
    wire.left.send(bytes((SLOW,)))
    assert [raw for _, raw in serve(wire, server)] == [b"\xfaok"]


def test_a_slow_service_says_pending_within_p2_and_then_within_p2_star():
    wire, server = slow_server(800, 20)
    wire.left.send(bytes((SLOW,)))
    heard = serve(wire, server)
    assert [raw for _, raw in heard[:-1]] == [bytes((0x7F, SLOW, NRC_RESPONSE_PENDING))] * 4
    assert heard[-1][1] == b"\xfaok"
    times = [1000] + [ms for ms, _ in heard]
    assert times[1] - times[0] <= P2_MS
    assert all([after - before <= P2_STAR_MS for before, after in zip(times[1:], times[2:])])


def test_a_refusal_after_pending_is_the_final_response():
    wire, server = slow_server(10, 20, NRC_REQUEST_OUT_OF_RANGE)
    wire.left.send(bytes((SLOW,)))
    answers = [raw for _, raw in serve(wire, server)]
    assert answers == [b"\x7f\xba\x78", bytes((0x7F, SLOW, NRC_REQUEST_OUT_OF_RANGE))]
    assert not server.busy()


def test_a_service_that_does_not_exist_is_refused():
    wire, server = slow_server(1, 1)
    for service in (0x00, 0x27, 0x2E, 0x38, 0x7F, 0xFF):
        wire.left.send(bytes((service, 1, 2, 3)))
        assert [raw for _, raw in serve(wire, server)] == [
            bytes((0x7F, service, NRC_SERVICE_NOT_SUPPORTED))
        ]


def test_a_request_during_another_one_is_not_heard():
    wire, server = slow_server(3, 1)
    wire.left.send(bytes((SLOW,)))
    wire.settle()
    server.step(wire.clock.now_ms)
    wire.left.send(b"\x01")
    wire.settle()
    assert [raw for _, raw in serve(wire, server)] == [b"\xfaok"]


def long_server(wire):
    """A server that answers with as many bytes as the second byte of a request says."""

    def work(request, out):
        out[1 : request[1]] = bytes([request[2]]) * (request[1] - 1)
        return request[1]
        yield

    return server_of(wire, work)


def test_a_request_waits_until_the_response_before_it_has_left():
    """Both are made in one buffer."""
    wire = Wire(Channel(64), Channel(64))
    server = long_server(wire)
    wire.left.send(bytes((SLOW, 40, 0xAA)))
    wire.settle()
    server.step(0)
    first = bytes(wire.right.frame(0))
    wire.right.sent(0)
    wire.feed(wire.right, bytes((3, SLOW, 3, 0xBB)))  # an impatient tester
    server.step(0)
    assert not server.busy()  # the loop may sleep: what it waits for is a frame
    wire.feed(wire.left, first)
    wire.settle()
    assert wire.left.message == b"\xfa" + b"\xaa" * 39
    assert server.busy()  # the loop may not sleep now
    wire.left.taken()
    assert serve(wire, server)[0][1] == b"\xfa\xbb\xbb"


def test_a_response_that_nobody_takes_does_not_stop_the_server():
    wire = Wire(Channel(64), Channel(64))
    server = long_server(wire)
    wire.left.send(bytes((SLOW, 40, 0xAA)))
    wire.settle()
    server.step(0)
    wire.fate = lambda sender, frame: [frame] if sender == "left" else []
    wire.run()
    assert len(wire.refusals) == 1 and wire.refusals != [FrameLost]
    wire.fate = lambda sender, frame: [frame]
    wire.left.send(bytes((SLOW, 3, 0xCC)))
    assert serve(wire, server)[0][1] == b"\xfa\xcc\xcc"
