"""Feeding a server that is silent, stalls or lies: it costs a bounded wait and a number (V-32)."""

from tester import REPORT, TICK_MS, Diagnostic, Shelf
from uptane import cbor
from uptane.errors import BadShape, Negative, NoReply, Refusal, SlowRetrieval, TooLong
from uptane.limits import (
    EXCHANGE_MS_MAX,
    LATER_MS_MAX,
    P2_MS,
    P2_STAR_MS,
    REPORT_BYTES_MAX,
    WANTS_MAX,
)
from uptane.link.isotp import Channel
from uptane.uds.client import TRANSPORT_MS
from uptane.uds.codes import WANTS_NOTHING
from uptane.uds.feeding import of_a_primary
from wire import Clock, Wire


class Liar:
    """A server that answers each request with the next of its answers, the last one for ever."""

    def __init__(self, answers, pause_ms=0):
        self.clock = Clock(1000)
        self.wire = Wire(Channel(512), Channel(1100), self.clock)
        self.answers = answers
        self.pause_ms = pause_ms
        self.tester = Diagnostic(self.wire, self.loop)

    def loop(self):
        self.wire.settle()
        right = self.wire.right
        if right.message is None or not right.idle():
            return False
        right.taken()
        self.clock.now_ms += self.pause_ms
        answer = self.answers[0]
        if len(self.answers) > 1:
            self.answers = self.answers[1:]
        if answer is not None:
            right.send(answer)
        return True

    def every(self, period_ms, act):
        """From now on do nothing but `act`, once in each period."""
        due_ms = [self.clock.now_ms + period_ms]

        def loop():
            self.wire.settle()
            if self.clock.now_ms >= due_ms[0]:
                due_ms[0] += period_ms
                act()
            return False

        self.tester.other = loop

    def serve(self, shelf=None):
        """What a feeder says of it, and how long that took (ms)."""
        began_ms = self.clock.now_ms
        feeding = self.tester.feeding(shelf or Shelf({}))
        return self.tester.run(feeding.serve(self.clock)), self.clock.now_ms - began_ms


def wants(record):
    return b"\x71\x01\x02\x01" + record


def want_of(*fields):
    return wants(b"\x01" + cbor.dumps(list(fields)))


def test_silence_ends_the_wait():
    refusal, took_ms = Liar([None]).serve()
    assert isinstance(refusal, NoReply) and took_ms <= 50 + TRANSPORT_MS + 10


def test_a_client_is_as_patient_as_the_server_announced():
    """In the programming session a flash may stall it; whoever was silent gets less time."""
    liar = Liar([b"\x50\x02\x0b\xb8\x01\xf4", None])

    def ask(request):
        began_ms = liar.clock.now_ms
        outcome = liar.tester.run(liar.tester.client.request(request))
        return outcome, liar.clock.now_ms - began_ms

    assert bytes(ask(b"\x10\x02")[0])[:2] == b"\x50\x02"
    for p2_ms in (3000, P2_MS):
        refusal, took_ms = ask(b"\x3e\x00")
        assert isinstance(refusal, NoReply)
        assert p2_ms + TRANSPORT_MS <= took_ms <= p2_ms + TRANSPORT_MS + 2 * TICK_MS
    liar.answers = [b"\x50\x02\xff\xff\x01\xf4", None]
    ask(b"\x10\x02")
    assert ask(b"\x3e\x00")[1] <= P2_STAR_MS + TRANSPORT_MS + 2 * TICK_MS


def test_a_server_that_is_pending_for_ever_is_given_up():
    """V-32: a Secondary cannot hold up its Primary, however it stalls."""
    liar = Liar([None])
    liar.every(100, lambda: liar.wire.right.send(b"\x7f\x31\x78"))
    refusal, took_ms = liar.serve()
    assert isinstance(refusal, NoReply)
    assert EXCHANGE_MS_MAX <= took_ms <= EXCHANGE_MS_MAX + 1000


def test_a_response_that_never_ends_is_given_up():
    liar = Liar([None])
    first = b"\x11\x00" + wants(b"\x00\x00")
    liar.every(300, lambda: liar.wire.feed(liar.wire.left, first))
    refusal, took_ms = liar.serve()
    assert isinstance(refusal, NoReply) and took_ms <= EXCHANGE_MS_MAX + 2000


def test_a_request_that_is_never_taken_is_given_up():
    liar = Liar([None])
    liar.wire.fate = lambda sender, frame: []
    liar.every(900, lambda: liar.wire.feed(liar.wire.left, b"\x30\x01\x7f"))
    task = liar.tester.client.request(bytes(1026))
    refusal = liar.tester.run(task)
    assert isinstance(refusal, NoReply) and liar.clock.now_ms <= EXCHANGE_MS_MAX + 5000
    assert liar.wire.left.idle()


def test_a_server_that_says_later_for_ever_is_given_up():
    for record in (b"\x02\xff\xff", b"\x02\x00\x64", b"\x02\x00\x00"):
        refusal, took_ms = Liar([wants(record)], 2).serve()
        assert isinstance(refusal, SlowRetrieval) and took_ms <= 2 * LATER_MS_MAX


def test_a_server_that_never_has_enough_is_given_up():
    absent = b"\x71\x01\x02\x02"
    question = want_of(b"\x01\x00\x00\x00\x00\x00", 2, 0, 2048, 0)
    liar = Liar([question, absent] * (WANTS_MAX + 2))
    shelf = Shelf({})
    refusal, _ = liar.serve(shelf)
    assert isinstance(refusal, SlowRetrieval) and len(shelf.asked) == WANTS_MAX


def test_answers_that_make_no_sense_are_refused():
    """A Secondary that lies is refused with a number; it does not take its Primary down."""
    file = b"\x01\x00\x00\x00\x00\x00"
    for answer in (
        b"\x71", b"\x71\x01", b"\x71\x01\x02", b"\x71\x01\x02\x02", b"\x71\x02\x02\x01\x00",
        wants(b""), wants(b"\x05"), wants(b"\xff"), wants(b"\x02"), wants(b"\x02\x00"),
        wants(b"\x03"), wants(b"\x03\x01\x02"), wants(b"\x01"), wants(b"\x01\xff"),
        wants(b"\x01\x84\x41"), want_of(), want_of(file, 0, 0, 1), want_of(file, 0, 0, 1, 0, 1, 1),
        want_of(file, 0, 0, 1, 0, 0), want_of(file, 0, 0, 1, 0, -1),
        want_of(file, 0, 0, 1, 0, b"1"),
        want_of(file[:5], 0, 0, 1, 0), want_of(b"", 0, 0, 1, 0), want_of(7, 0, 0, 1, 0),
        want_of(file, 0, "0", 1, 0), want_of(file, 0, 0, b"1", 0),
        want_of(file, 0, 0, 1, 256), want_of(file, 0, 0, 1, -1), want_of(file, 0, 0, 1, None),
        wants(b"\x01" + b"\x9f" * 9),
        wants(b"\x01" + b"\x81" * 40),
    ):  # fmt: skip
        shelf = Shelf({})
        refusal, _ = Liar([answer]).serve(shelf)
        assert isinstance(refusal, Refusal), (answer, refusal)
        assert 1 <= refusal.number <= 9, (answer, refusal)
        assert shelf.asked == [] and shelf.taken == []


def test_a_response_to_something_else_is_not_believed():
    for answer in (b"\x7e\x00", b"\x7f\x22\x31", b"\x7f\x31", b"\x7f", b"\x00"):
        refusal, _ = Liar([answer]).serve()
        assert isinstance(refusal, NoReply), (answer, refusal)


def test_a_server_that_takes_no_bytes_at_a_time_is_refused():
    file = b"\x01\x00\x00\x00\x00\x03"
    for reply in (b"\x74", b"\x74\x20", b"\x74\x20\x00\x02", b"\x74\x20\x00\x00", b"\x74\x10\x20"):
        refusal, _ = Liar([want_of(file, 0, 0, 100, 0), reply]).serve(Shelf({file: b"content"}))
        assert type(refusal) is BadShape, (reply, refusal)


def test_what_a_server_offers_is_bounded():
    """A Primary takes a report of a Secondary, not whatever fits into its heap."""
    for length in (REPORT_BYTES_MAX + 1, 100_000, 1 << 31):
        shelf = Shelf({})
        refusal, _ = Liar([want_of(REPORT, None, 0, length, 0)]).serve(shelf)
        assert type(refusal) is TooLong and shelf.taken == []
    for offset, length in ((0, 0), (0, -1), (-5, 100), (True, 100), (0, False)):
        refusal, _ = Liar([want_of(REPORT, None, offset, length, 0)]).serve()
        assert type(refusal) is BadShape
    assert of_a_primary().upload_bytes > 16 * REPORT_BYTES_MAX


def test_an_offered_file_of_another_length_is_refused():
    ask = want_of(REPORT, None, 0, 5, 0)
    for blocks in (
        [b"\x76\x01"],
        [b"\x76\x01abcdef"],
        [b"\x76\x01abc", b"\x76\x02def"],
        [b"\x76\x02abcde"],
        [b"\x76"],
    ):
        shelf = Shelf({})
        refusal, _ = Liar([ask, b"\x75\x20\x04\x02"] + blocks).serve(shelf)
        assert type(refusal) is BadShape and shelf.taken == [], blocks
    shelf = Shelf({})
    good = [ask, b"\x75\x20\x04\x02", b"\x76\x01abc", b"\x76\x02de", b"\x77", b"\x71\x01\x02\x02"]
    assert Liar(good + [wants(b"\x00")]).serve(shelf)[0] == WANTS_NOTHING
    assert shelf.taken == [(REPORT, b"abcde")]


def test_a_negative_response_ends_the_feeding_with_its_code():
    refusal, _ = Liar([b"\x7f\x31\x22"]).serve()
    assert type(refusal) is Negative and refusal.args == (0x22,)
