"""A Primary that spreads a file: to whom, how far, and what it does without a bus (V-87)."""

from claims import raises
from uptane import cbor
from uptane.errors import BadShape, NoReply, SlowRetrieval
from uptane.limits import BLOCK_BYTES, EXCHANGE_MS_MAX, WANTS_MAX
from uptane.link.broadcast import Air
from uptane.serving import CHECK_BLOCKS, Cast, Part, Table, attempt, is_image, serve
from uptane.uds.feeding import Held, Wanted
from wire import Clock

IMAGE_FILE = b"\x02\x01\x00\x00\x00\x65"
TARGETS_FILE = b"\x01\x00\x00\x00\x00\x03"


def wanted(file, offset=0, cap=100_000):
    return Wanted(cbor.dumps([file, bytes(32), offset, cap, 0]))


class Room:
    """As much of a Primary as serving sees."""

    def __init__(self, air=None):
        self.clock = Clock(1000)
        self.block = bytearray(BLOCK_BYTES + 2)
        self.air = air
        self.noted = []

    def note(self, number):
        self.noted.append(number)


class Guest:
    """A Secondary: what it says to RID_LISTEN, in order, and what it was brought."""

    def __init__(self, *places, block_ms=3):
        self.places = list(places)
        self.block_ms = block_ms
        self.records = []
        self.brought = []
        self.gave_bytes = 0
        self.want = wanted(IMAGE_FILE)
        self.alone = self.done = False
        self.heard = 0
        self.feeding = self.peer = self.client = self
        self.counted = 0

    def count(self):
        self.counted += 1
        if self.counted > WANTS_MAX:
            raise SlowRetrieval

    def gave(self, count):
        self.gave_bytes += count

    def routine(self, number, record):
        self.records.append(bytes(record))
        place = self.places.pop(0)
        if isinstance(place, type):
            raise place
        if isinstance(place, bytes):
            return memoryview(place)
        return memoryview(place.to_bytes(4, "big") + self.block_ms.to_bytes(2, "big"))
        yield

    def download(self, want, found, length):
        buffer = bytearray(length)
        found.read_into(memoryview(buffer), 0)
        self.brought.append(bytes(buffer))
        return
        yield

    def ask(self, clock):
        return
        yield


def run(room, work, air=None):
    """Let it go on; the bus takes a frame of `air` each millisecond. Returns the frames."""
    frames = []
    for until_ms in work:
        room.clock.now_ms = max(room.clock.now_ms, until_ms)
        frame = None if air is None else air.frame(0)
        while frame is not None:
            frames.append(bytes(frame))
            air.sent(0)
            frame = air.frame(0)
    return frames


def cast_of(room, content, *guests):
    cast = Cast(room, Air(8), guests[0].want, Held(content))
    run(room, cast.enrol(list(guests)))
    return cast


def test_each_is_told_what_comes_and_who_can_not_is_alone():
    room = Room()
    guests = Guest(0), Guest(NoReply), Guest(0)
    cast = cast_of(room, bytes(5000), *guests)
    assert cast.tables == [guests[0], guests[2]] and guests[1].alone
    assert guests[1].want is not None and guests[0].want is None
    record = guests[0].records[0]
    assert record == b"\x01\x34\x00\x46" + IMAGE_FILE + (5000).to_bytes(4, "big")


def test_who_wants_for_ever_is_not_told_for_ever():
    """V-32, E-72: each broadcast is one of the wants that a Secondary has in a cycle."""
    room = Room()
    guest = Guest(*[0] * (WANTS_MAX + 1))
    for _ in range(WANTS_MAX):
        assert cast_of(room, bytes(100), guest).tables == [guest]
        guest.want = wanted(IMAGE_FILE)
    assert cast_of(room, bytes(100), guest).tables == [] and guest.alone


def test_blocks_follow_at_the_pace_of_the_slowest():
    room = Room()
    guests = Guest(0, block_ms=30), Guest(0, block_ms=80)
    cast = cast_of(room, bytes(range(256)) * 8, *guests)
    began_ms = room.clock.now_ms
    frames = run(room, cast.send(), cast._air)
    assert frames[0] == b"\x00\x01\x00\x00\x00\x00\x04\x00" and len(frames) == 1 + 147
    assert cast.at == BLOCK_BYTES and room.clock.now_ms - began_ms >= 80


def test_who_lacks_something_is_brought_it_and_credited_what_it_has():
    room = Room()
    content = bytes(range(256)) * 16
    behind, even = Guest(0, 1024, 2048), Guest(0, 2048)
    cast = cast_of(room, content, behind, even)
    for _ in range(2):
        run(room, cast.send(), cast._air)
    run(room, cast.check())
    assert behind.brought == [content[1024:2048]] and even.brought == []
    assert behind.gave_bytes == 1024 and even.gave_bytes == 2048
    assert behind.records[-1][-4:] == (len(content) - 2048).to_bytes(4, "big")
    assert cast.tables == [behind, even]


def test_a_place_that_can_not_be_is_refused_and_ends_its_turn():
    """E-72."""
    room = Room()
    for place in (1025, 5000, b"", b"\x00\x00\x00\x00\x00", bytes(7)):
        liar, even = Guest(0, place), Guest(0, 1024)
        cast = cast_of(room, bytes(4096), liar, even)
        run(room, cast.send(), cast._air)
        room.noted.clear()
        run(room, cast.check())
        assert room.noted == [BadShape.number] and cast.tables == [even] and liar.done


def test_a_bus_that_is_gone_ends_the_broadcast():
    """V-32: within the time of one exchange."""
    room = Room()
    cast = cast_of(room, bytes(4096), Guest(0))
    began_ms = room.clock.now_ms
    run(room, cast.send())  # nobody takes a frame
    assert cast.tables == [] and cast._air.idle()
    assert room.clock.now_ms - began_ms <= EXCHANGE_MS_MAX + 1


def test_a_part_of_what_was_found_begins_where_it_is_said():
    part = Part(Held(bytes(range(100)), 10), 20)
    buffer = bytearray(5)
    part.read_into(memoryview(buffer), 1)
    assert part.length == 70 and buffer == bytes(range(31, 36))


class Wishing:
    def __init__(self, want, alone=False):
        self.want = want
        self.alone = alone


def test_only_the_same_want_is_shared():
    first = Wishing(wanted(IMAGE_FILE))
    assert Table.wants_like(first, Wishing(wanted(IMAGE_FILE)))
    for other in (
        Wishing(wanted(IMAGE_FILE, 1)),
        Wishing(wanted(IMAGE_FILE, 0, 99)),
        Wishing(wanted(TARGETS_FILE)),
        Wishing(None),
        Wishing(wanted(IMAGE_FILE), True),
    ):
        assert not Table.wants_like(first, other) and not Table.wants_like(other, first)
    assert is_image(first.want) and not is_image(wanted(TARGETS_FILE)) and not is_image(None)
    assert CHECK_BLOCKS > 1 and list(serve(Room(), [], None)) == []


def test_what_one_does_wrong_costs_it_its_turn():
    room = Room()
    guest = Guest()

    def wrong():
        raise NoReply
        yield

    run(room, attempt(room, guest, wrong()))
    assert guest.done and guest.want is None and room.noted == [NoReply.number]
    raises(NoReply, next, wrong())
