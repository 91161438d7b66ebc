"""A client among others: what it does not wait for is not its business (S-37)."""

from claims import raises
from talk import message_of
from uptane.errors import NoReply
from uptane.link.isotp import Channel
from uptane.uds.client import Client
from wire import Clock, Wire

REQUEST = b"\x22\xf1\x90"


def asked(client, wire, reply):
    """Let it ask; the other side answers `reply`, or None: nothing."""
    exchange = client.request(REQUEST)
    next(exchange)
    wire.settle()
    assert wire.right.message == REQUEST
    wire.right.taken()
    if reply is not None:
        wire.right.send(reply)
        wire.settle()
    try:
        while True:
            until_ms = next(exchange)
            assert until_ms > wire.clock.now_ms
            wire.clock.now_ms = until_ms
    except StopIteration as end:
        return bytes(end.value)


def quiet(wire):
    """An answer to somebody else passes, and this side says nothing to it."""
    before = len(wire.frames("left"))
    for _ in range(3):
        wire.feed(wire.left, b"\x10\x14" + bytes(6))
        wire.clock.now_ms += 600
        wire.poll()
        wire.settle()
    wire.feed(wire.left, b"\x03\x62\xf1\x90")
    assert len(wire.frames("left")) == before and wire.left.due_ms() is None


def test_a_client_that_waits_for_nothing_keeps_out_of_the_talk_of_others():
    wire = Wire(Channel(200), Channel(200), Clock(5))
    client = Client(wire.left, wire.clock)
    quiet(wire)
    for length in (4, 100):
        reply = b"\x62" + message_of(length)
        assert asked(client, wire, reply) == reply
        quiet(wire)
        assert bytes(wire.left.message) == reply  # valid until the next request
    raises(NoReply, asked, client, wire, None)
    quiet(wire)
    assert asked(client, wire, b"\x62\x01") == b"\x62\x01"
