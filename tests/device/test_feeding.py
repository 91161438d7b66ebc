"""Feeding: all that a cycle wants, between client and server over two channels (V-42, S-37)."""

from ecu import Ecu
from tester import REPORT, Diagnostic, Shelf
from uptane.errors import Negative, NoReply, PeerRefused, Refusal, Rollback
from uptane.ids import (
    DIRECTOR,
    IMAGE,
    KIND_IMAGE,
    KIND_METADATA,
    KIND_REPORT,
    KIND_TIME,
    LOCAL,
    ROOT,
    TARGETS,
)
from uptane.limits import P2_STAR_MS
from uptane.meta.wants import Want
from uptane.uds.codes import WANTS_INSTALL, WANTS_NOTHING


class Car:
    """A tester and an honest ECU."""

    def __init__(self):
        self.ecu = Ecu()
        self.tester = Diagnostic(self.ecu.wire, self.ecu.loop)

    def feed(self, shelf, *wants):
        """Open the session, let the ECU's cycle want these, and serve them."""
        feeding = self.tester.feeding(shelf)
        begun = self.tester.run(feeding.begin())
        assert begun is None or bytes(begun) == b"", begun
        self.ecu.want(*wants)
        return self.tester.run(feeding.serve(self.ecu.clock))


def content_of(length):
    return bytes([(i * 13 + (i >> 8)) & 0xFF for i in range(length)])


class Sink:
    def __init__(self):
        self.content = b""

    def write(self, offset, data):
        assert offset == len(self.content)
        self.content += bytes(data)


def wants_of_a_secondary(report, image):
    """Report, time, a Root that is absent, Targets, an image."""
    offered = Want(LOCAL, KIND_REPORT, 0, None, len(report))
    offered.offer = report
    picture = Want(IMAGE, KIND_IMAGE, 300, bytes(32), len(image))
    picture.sink = Sink()
    return [
        offered,
        Want(DIRECTOR, KIND_TIME, 0, [b"nonce--8"], 512),
        Want(DIRECTOR, KIND_METADATA, ROOT, 2, 2048),
        Want(DIRECTOR, KIND_METADATA, TARGETS, 0, 4096),
        picture,
    ]


# --- an honest server ---------------------------------------------------------------------------


def test_all_wants_of_a_cycle_are_served():
    car = Car()
    report, image = content_of(300), content_of(3000)
    time, targets = b"the time", content_of(700)
    wants = wants_of_a_secondary(report, image)
    shelf = Shelf(
        {
            b"\x01\x04\x00\x00\x00\x00": time,
            b"\x01\x00\x00\x00\x00\x03": targets,
            b"\x02\x01\x00\x00\x01\x2c": image,
        }
    )
    assert car.feed(shelf, *wants) == WANTS_NOTHING
    assert car.ecu.answers == [True, time, None, targets, True]
    assert wants[-1].sink.content == image
    assert shelf.taken == [(REPORT, report)]
    assert shelf.asked == [
        (b"\x01\x04\x00\x00\x00\x00", [b"nonce--8"], 0),
        (b"\x01\x00\x00\x00\x00\x00", 2, 0),
        (b"\x01\x00\x00\x00\x00\x03", 0, 0),
        (b"\x02\x01\x00\x00\x01\x2c", bytes(32), 0),
    ]
    assert car.ecu.noted == []


def test_an_image_is_brought_from_its_offset_on():
    car = Car()
    image = content_of(2000)
    want = wants_of_a_secondary(b"r", image)[-1]
    want.sink.content = image[:512]
    want.offset = 512
    shelf = Shelf({b"\x02\x01\x00\x00\x01\x2c": image})
    assert car.feed(shelf, want) == WANTS_NOTHING
    assert want.sink.content == image and shelf.asked[0][2] == 512


def test_the_end_says_whether_there_is_something_to_install():
    car = Car()
    car.ecu.has_staged = True
    assert car.feed(Shelf({})) == WANTS_INSTALL


def test_a_cycle_that_refuses_tells_its_number():
    car = Car()
    feeding = car.tester.feeding(Shelf({}))
    car.tester.run(feeding.begin())
    car.ecu.refuse(Rollback)
    refusal = car.tester.run(feeding.serve(car.ecu.clock))
    assert isinstance(refusal, PeerRefused) and refusal.args == (Rollback.number,)


def test_a_server_that_computes_is_waited_for():
    """responsePending carries a client over minutes of computing."""
    car = Car()
    feeding = car.tester.feeding(Shelf({}))
    car.tester.run(feeding.begin())
    car.ecu.work(slices=3000, slice_ms=20)
    assert car.tester.run(feeding.serve(car.ecu.clock)) == WANTS_NOTHING
    pending = [raw for raw in car.ecu.wire.frames("right") if raw[1:4] == b"\x7f\x31\x78"]
    assert len(pending) == 60_000 // (P2_STAR_MS - 100) + 1


def test_a_server_that_sleeps_is_asked_again():
    car = Car()
    feeding = car.tester.feeding(Shelf({}))
    car.tester.run(feeding.begin())
    began_ms = car.ecu.clock.now_ms
    car.ecu.sleep(began_ms + 1000)
    assert car.tester.run(feeding.serve(car.ecu.clock)) == WANTS_NOTHING
    assert 1000 <= car.ecu.clock.now_ms - began_ms <= 1400


def test_a_file_that_is_too_long_for_the_want_is_refused_to_the_feeder():
    car = Car()
    shelf = Shelf({b"\x01\x00\x00\x00\x00\x03": content_of(4097)})
    refusal = car.feed(shelf, Want(DIRECTOR, KIND_METADATA, TARGETS, 0, 4096))
    assert isinstance(refusal, Negative) and refusal.args == (0x31,)
    assert car.ecu.answers == [] and car.ecu.cycle.want is not None
    shelf.files = {b"\x01\x00\x00\x00\x00\x03": b"good"}
    assert car.tester.run(car.tester.feeding(shelf).serve(car.ecu.clock)) == WANTS_NOTHING
    assert car.ecu.answers == [b"good"]


def test_lost_frames_end_a_feeding_and_the_next_one_goes_on():
    """Every eleventh frame is lost: each attempt brings the image a little further (V-35)."""
    car = Car()
    image = content_of(4000)
    want = wants_of_a_secondary(b"r", image)[-1]
    shelf = Shelf({b"\x02\x01\x00\x00\x01\x2c": image})
    count = [0]

    def lossy(sender, frame):
        count[0] += 1
        return [] if count[0] % 400 == 0 else [frame]

    car.ecu.wire.fate = lossy
    outcome = car.feed(shelf, want)
    attempts = 1
    while isinstance(outcome, Refusal):
        assert type(outcome) in (NoReply, Negative) and attempts < 10
        feeding = car.tester.feeding(shelf)
        outcome = car.tester.run(feeding.serve(car.ecu.clock))
        attempts += 1
    assert attempts > 1 and outcome == WANTS_NOTHING and want.sink.content == image
