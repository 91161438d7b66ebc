"""Files in and out: what matches the open want exactly passes, anything else changes nothing."""

from ecu import Ecu, ask, negative
from uptane.errors import FlashFault, TooLong, TooMuch, Unwanted, WrongFile
from uptane.ids import DIRECTOR, IMAGE, KIND_IMAGE, KIND_METADATA, KIND_REPORT, LOCAL, TARGETS
from uptane.limits import BLOCK_BYTES, UPLOAD_BYTES
from uptane.meta.wants import Want
from uptane.uds.codes import (
    NRC_GENERAL_PROGRAMMING_FAILURE,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_REQUEST_SEQUENCE_ERROR,
    NRC_TRANSFER_DATA_SUSPENDED,
    NRC_WRONG_BLOCK_SEQUENCE_COUNTER,
)

FILE = b"\x01\x00\x00\x00\x00\x03"  # the Director's Targets
PICTURE = b"\x02\x01\x00\x00\x00\x65"  # image 101
EXIT = b"\x37"


def content_of(length):
    return bytes([(i * 31 + (i >> 8)) & 0xFF for i in range(length)])


def open_request(file, size, service=0x34):
    return bytes((service, 0, 0x46)) + file + size.to_bytes(4, "big")


def block(counter, data):
    return bytes((0x36, counter & 0xFF)) + data


class Sink:
    """Takes the bytes of an image in order, as a slot does; `fault` is what it raises."""

    def __init__(self):
        self.content = b""
        self.writes = []
        self.fault = None

    def write(self, offset, data):
        if self.fault:
            raise self.fault
        assert offset == len(self.content), "only the next bytes fit"
        self.content += bytes(data)
        self.writes.append((offset, len(data)))


def programming(*wants):
    ecu = Ecu()
    ask(ecu, b"\x10\x02")
    ecu.want(*wants)
    return ecu


def file_want(cap=3000):
    return Want(DIRECTOR, KIND_METADATA, TARGETS, 2, cap)


def image_want(length):
    want = Want(IMAGE, KIND_IMAGE, 101, bytes(32), length)
    want.sink = Sink()
    return want


def offer_want(raw):
    want = Want(LOCAL, KIND_REPORT, 0, None, len(raw))
    want.offer = raw
    return want


def download(ecu, file, content, block_bytes=BLOCK_BYTES):
    """Bring a file as a good feeder would."""
    assert ask(ecu, open_request(file, len(content))) == b"\x74\x20\x04\x02"
    counter = 1
    for at in range(0, len(content), block_bytes):
        reply = ask(ecu, block(counter, content[at : at + block_bytes]))
        assert reply == bytes((0x76, counter & 0xFF))
        counter += 1
    assert ask(ecu, EXIT) == b"\x77"
    ecu.finish()


# --- what passes ------------------------------------------------------------------------------


def test_a_wanted_file_arrives_whole():
    for length in (1, 7, BLOCK_BYTES, BLOCK_BYTES + 1, 3000):
        ecu = programming(file_want())
        download(ecu, FILE, content_of(length))
        assert ecu.answers == [content_of(length)]
        assert ecu.noted == [] and ecu.cycle.want is None


def test_a_file_in_more_than_256_blocks_wraps_its_counter():
    ecu = programming(file_want())
    download(ecu, FILE, content_of(600), 2)
    assert ecu.answers == [content_of(600)]


def test_an_image_flows_into_its_sink():
    want = image_want(2500)
    ecu = programming(want)
    download(ecu, PICTURE, content_of(2500), 1000)
    assert want.sink.content == content_of(2500)
    assert want.sink.writes == [(0, 1000), (1000, 1000), (2000, 500)]
    assert ecu.answers == [True]


def test_an_image_is_taken_up_where_its_want_says():
    want = image_want(2500)
    want.sink.content = content_of(1000)
    want.offset = 1000
    ecu = programming(want)
    assert negative(ecu, open_request(PICTURE, 1501)) == NRC_REQUEST_OUT_OF_RANGE
    download(ecu, PICTURE, content_of(2500)[1000:])
    assert want.sink.content == content_of(2500) and ecu.answers == [True]


def test_one_want_after_the_other_is_served():
    ecu = programming(file_want(), image_want(10), file_want())
    download(ecu, FILE, b"one")
    download(ecu, PICTURE, b"0123456789")
    download(ecu, FILE, b"three")
    assert ecu.answers == [b"one", True, b"three"] and not ecu.cycle.running()


def test_an_offered_file_is_fetched_whole():
    for length in (1, UPLOAD_BYTES, UPLOAD_BYTES + 1, 753):
        raw = content_of(length)
        ecu = programming(offer_want(raw))
        assert ask(ecu, open_request(bytes((0, 3, 0, 0, 0, 0)), length, 0x35))[0] == 0x75
        got = b""
        counter = 1
        while len(got) < length:
            reply = ask(ecu, bytes((0x36, counter)))
            assert reply[:2] == bytes((0x76, counter)) and len(reply) <= UPLOAD_BYTES + 2
            got += reply[2:]
            counter += 1
        assert got == raw
        assert negative(ecu, bytes((0x36, counter))) == NRC_REQUEST_SEQUENCE_ERROR
        assert ask(ecu, EXIT) == b"\x77"
        assert ecu.answers == []  # taken is said by its own routine


# --- repeated blocks ----------------------------------------------------------------------------


def test_a_repeated_block_is_answered_and_written_once():
    """ISO 14229-1, 15.4: the response may have been lost."""
    for want, file in ((file_want(6), FILE), (image_want(6), PICTURE)):
        ecu = programming(want)
        ask(ecu, open_request(file, 6))
        for counter, data in ((1, b"abc"), (1, b"abc"), (1, b"abc"), (2, b"def"), (2, b"def")):
            assert ask(ecu, block(counter, data)) == bytes((0x76, counter))
        assert ask(ecu, EXIT) == b"\x77"
        ecu.finish()
        taken = want.sink.content if want.sink else ecu.answers[0]
        assert taken == b"abcdef"


def test_a_repeated_request_gives_the_same_block_again():
    raw = content_of(600)
    ecu = programming(offer_want(raw))
    ask(ecu, open_request(bytes((0, 3, 0, 0, 0, 0)), 600, 0x35))
    first = ask(ecu, b"\x36\x01")
    assert ask(ecu, b"\x36\x01") == first
    assert ask(ecu, b"\x36\x02")[2:] == raw[256:512]
    assert ask(ecu, b"\x36\x03")[2:] == raw[512:]
    assert ask(ecu, b"\x36\x03")[2:] == raw[512:]
    assert ask(ecu, EXIT) == b"\x77"


def test_the_first_block_cannot_be_a_repetition():
    """Not even in the second transfer, when the first one was an upload."""
    ecu = programming(offer_want(b"abc"))
    ask(ecu, open_request(bytes((0, 3, 0, 0, 0, 0)), 3, 0x35))
    assert negative(ecu, b"\x36\x00") == NRC_WRONG_BLOCK_SEQUENCE_COUNTER
    assert ask(ecu, b"\x36\x01") == b"\x76\x01abc"
    ask(ecu, open_request(bytes((0, 3, 0, 0, 0, 0)), 3, 0x35))
    assert negative(ecu, b"\x36\x00") == NRC_WRONG_BLOCK_SEQUENCE_COUNTER
    ecu.want(file_want())
    ask(ecu, open_request(FILE, 3))
    assert negative(ecu, block(0, b"abc")) == NRC_WRONG_BLOCK_SEQUENCE_COUNTER
    assert ask(ecu, block(1, b"abc")) == b"\x76\x01"


def test_a_wrong_block_counter_is_refused_and_changes_nothing():
    ecu = programming(file_want())
    ask(ecu, open_request(FILE, 9))
    ask(ecu, block(1, b"abc"))
    for counter in (0, 3, 255):
        assert negative(ecu, block(counter, b"xyz")) == NRC_WRONG_BLOCK_SEQUENCE_COUNTER
    ask(ecu, block(2, b"def"))
    assert negative(ecu, block(4, b"ghi")) == NRC_WRONG_BLOCK_SEQUENCE_COUNTER
    ask(ecu, block(3, b"ghi"))
    ask(ecu, EXIT)
    ecu.finish()
    assert ecu.answers == [b"abcdefghi"]


# --- what nobody wanted -----------------------------------------------------------------------


def refused(ecu, request, refusal, code=NRC_REQUEST_OUT_OF_RANGE):
    """Claim that a request is refused, as code and as number, and that the want stays open."""
    want = ecu.cycle.want
    ecu.noted.clear()
    assert negative(ecu, request) == code
    assert ecu.noted == [refusal.number]
    assert ecu.cycle.want is want and ecu.answers == []


def test_bytes_that_nobody_wants_are_refused():
    """E-77: plain UDS cannot push anything in."""
    ecu = programming()
    refused(ecu, open_request(FILE, 10), Unwanted)
    refused(ecu, open_request(PICTURE, 10), Unwanted)
    refused(ecu, open_request(FILE, 10, 0x35), Unwanted)
    refused(ecu, block(1, b"abc"), Unwanted, NRC_REQUEST_SEQUENCE_ERROR)
    assert negative(ecu, EXIT) == NRC_REQUEST_SEQUENCE_ERROR
    ecu.want(file_want())
    download(ecu, FILE, b"good")
    assert ecu.answers == [b"good"]


def test_another_file_than_the_wanted_one_is_refused():
    ecu = programming(file_want())
    for other in (
        b"\x02\x00\x00\x00\x00\x03",  # of the other repository
        b"\x01\x01\x00\x00\x00\x03",  # of another kind
        b"\x01\x00\x00\x00\x00\x02",  # of another role
        b"\x01\x00\x01\x00\x00\x03",
        b"\x00\x03\x00\x00\x00\x00",
    ):
        refused(ecu, open_request(other, 10), WrongFile)
    download(ecu, FILE, b"good")
    assert ecu.answers == [b"good"]


def test_more_bytes_than_the_want_allows_are_refused_before_they_come():
    """V-61, E-19, E-20."""
    ecu = programming(file_want(100))
    for size in (101, 0xFFFFFFFF, 0):
        refused(ecu, open_request(FILE, size), TooLong)
    download(ecu, FILE, content_of(100))
    assert ecu.answers == [content_of(100)]


def test_more_bytes_than_announced_are_refused():
    """V-64: in one block, in a later one, and after the last."""
    for blocks in ((b"abcdef",), (b"abc", b"def"), (b"abcde", b"f"), (b"abc", b"")):
        ecu = programming(file_want())
        ask(ecu, open_request(FILE, 5))
        for i in range(len(blocks) - 1):
            assert ask(ecu, block(i + 1, blocks[i]))[0] == 0x76
        last = block(len(blocks), blocks[-1])
        refused(ecu, last, TooMuch, NRC_TRANSFER_DATA_SUSPENDED)
        refused(ecu, block(len(blocks) + 1, b"x"), Unwanted, NRC_REQUEST_SEQUENCE_ERROR)
        assert negative(ecu, EXIT) == NRC_REQUEST_SEQUENCE_ERROR
        download(ecu, FILE, b"good!")
        assert ecu.answers == [b"good!"]


def test_too_much_of_an_image_never_reaches_the_sink():
    want = image_want(5)
    ecu = programming(want)
    ask(ecu, open_request(PICTURE, 5))
    ask(ecu, block(1, b"abc"))
    refused(ecu, block(2, b"def"), TooMuch, NRC_TRANSFER_DATA_SUSPENDED)
    assert want.sink.content == b"abc" and want.offset == 3
    refused(ecu, open_request(PICTURE, 5), TooLong)
    download(ecu, PICTURE, b"de")
    assert want.sink.content == b"abcde" and ecu.answers == [True]


def test_an_unfinished_transfer_is_no_file():
    ecu = programming(file_want())
    ask(ecu, open_request(FILE, 6))
    assert negative(ecu, EXIT) == NRC_REQUEST_SEQUENCE_ERROR
    ask(ecu, block(1, b"abc"))
    assert negative(ecu, EXIT) == NRC_REQUEST_SEQUENCE_ERROR
    assert ecu.answers == []
    ask(ecu, block(2, b"def"))
    assert ask(ecu, EXIT) == b"\x77"


def test_a_transfer_may_begin_anew():
    """A feeder that lost its way opens again; an image goes on where it stands."""
    ecu = programming(file_want())
    ask(ecu, open_request(FILE, 6))
    ask(ecu, block(1, b"abc"))
    download(ecu, FILE, b"again")
    assert ecu.answers == [b"again"]
    want = image_want(6)
    ecu = programming(want)
    ask(ecu, open_request(PICTURE, 6))
    ask(ecu, block(1, b"abc"))
    assert ask(ecu, b"\x31\x01\x02\x01")[-2:] == b"\x03\x06"  # offset 3, cap 6
    download(ecu, PICTURE, b"def")
    assert want.sink.content == b"abcdef" and ecu.answers == [True]


def test_a_refused_opening_leaves_the_open_transfer_alone():
    ecu = programming(file_want())
    ask(ecu, open_request(FILE, 6))
    ask(ecu, block(1, b"abc"))
    refused(ecu, open_request(PICTURE, 6), WrongFile)
    refused(ecu, open_request(FILE, 9999), TooLong)
    refused(ecu, open_request(FILE, 6, 0x35), Unwanted)
    ask(ecu, block(2, b"def"))
    ask(ecu, EXIT)
    ecu.finish()
    assert ecu.answers == [b"abcdef"]


def test_an_answered_want_takes_no_more_bytes():
    """A feeder that says absent in the middle of a transfer cannot go on with it."""
    ecu = programming(file_want(), file_want())
    ask(ecu, open_request(FILE, 6))
    ask(ecu, block(1, b"abc"))
    ask(ecu, b"\x31\x01\x02\x02" + FILE + b"\x00")
    ecu.finish()
    assert ecu.answers == [None]
    assert negative(ecu, block(2, b"def")) == NRC_REQUEST_SEQUENCE_ERROR
    assert negative(ecu, EXIT) == NRC_REQUEST_SEQUENCE_ERROR
    assert ecu.answers == [None]
    download(ecu, FILE, b"new")
    assert ecu.answers == [None, b"new"]


def test_what_is_offered_cannot_be_overwritten_and_what_is_wanted_cannot_be_read():
    ecu = programming(offer_want(b"abc"))
    refused(ecu, open_request(bytes((0, 3, 0, 0, 0, 0)), 3, 0x34), Unwanted)
    ecu = programming(file_want())
    refused(ecu, open_request(FILE, 3, 0x35), Unwanted)


def test_a_sink_that_refuses_ends_the_transfer_with_its_number():
    want = image_want(6)
    ecu = programming(want)
    ask(ecu, open_request(PICTURE, 6))
    want.sink.fault = FlashFault
    refused(ecu, block(1, b"abc"), FlashFault, NRC_GENERAL_PROGRAMMING_FAILURE)
    refused(ecu, block(2, b"abc"), Unwanted, NRC_REQUEST_SEQUENCE_ERROR)
    assert want.offset == 0
    want.sink.fault = None
    download(ecu, PICTURE, b"abcdef")
    assert want.sink.content == b"abcdef"


def test_requests_of_the_wrong_form_are_refused():
    ecu = programming(file_want())
    good = open_request(FILE, 10)
    for request in (good[:2], good[:12], good + b"\x00"):
        assert negative(ecu, request) == NRC_INCORRECT_LENGTH
    for position, value in ((1, 0x10), (1, 0x01), (2, 0x44), (2, 0x64)):
        request = bytearray(good)
        request[position] = value
        assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE
    assert negative(ecu, b"\x34") == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x36") == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x37\x00") == NRC_INCORRECT_LENGTH
    assert ecu.noted == [] and ecu.answers == []
    download(ecu, FILE, b"good")
