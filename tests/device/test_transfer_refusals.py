"""Bytes that nobody wanted: refused with code and number, changing nothing (E-77, V-61)."""

from downloads import (
    EXIT,
    FILE,
    PICTURE,
    block,
    content_of,
    download,
    file_want,
    image_want,
    offer_want,
    open_request,
    programming,
)
from ecu import ask, negative
from uptane.algorithms import FORM_DELTA, FORM_ENCRYPTED
from uptane.errors import EncryptionDiffers, FlashFault, TooLong, TooMuch, Unwanted, WrongFile
from uptane.uds.codes import (
    NRC_GENERAL_PROGRAMMING_FAILURE,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_REQUEST_SEQUENCE_ERROR,
    NRC_TRANSFER_DATA_SUSPENDED,
)


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
    assert ask(ecu, b"\x31\x01\x02\x01")[-3:] == b"\x03\x06\x00"  # offset 3, cap 6
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
    for two_blocks in (False, True):
        want = image_want(6)
        ecu = programming(want, two_blocks=two_blocks)
        ask(ecu, open_request(PICTURE, 6))
        want.sink.fault = FlashFault
        if two_blocks:  # it came; that it could not be written, whoever goes on hears
            assert ask(ecu, block(1, b"abc")) == b"\x76\x01" and ecu.noted == [FlashFault.number]
        else:
            refused(ecu, block(1, b"abc"), FlashFault, NRC_GENERAL_PROGRAMMING_FAILURE)
        for request in (block(2, b"abc"), block(1, b"abc"), EXIT):
            assert negative(ecu, request) == NRC_GENERAL_PROGRAMMING_FAILURE
        assert want.offset == 0 and ecu.noted == [FlashFault.number]
        want.sink.fault = None
        download(ecu, PICTURE, b"abcdef")
        assert want.sink.content == b"abcdef"


def test_what_nobody_wants_any_more_is_not_written():
    """E-78, V-32: a cycle that ended while a block was being written."""
    want = image_want(600)
    ecu = programming(want)
    ask(ecu, open_request(PICTURE, 600))
    ecu.wire.left.send(block(1, content_of(600)))
    while ecu.wire.left.message is None:
        ecu.wire.settle()
        ecu.server.step(ecu.clock.now_ms)
    ecu.wire.left.taken()
    ecu.services.transfer.step()
    ecu.cycle.stop()
    ecu.listen()
    assert want.sink.writes == [(0, 256)] and not ecu.services.transfer.writing()


def test_requests_of_the_wrong_form_are_refused():
    ecu = programming(file_want())
    good = open_request(FILE, 10)
    for request in (good[:2], good[:12], good + b"\x00"):
        assert negative(ecu, request) == NRC_INCORRECT_LENGTH
    for position, value in ((2, 0x44), (2, 0x64)):
        request = bytearray(good)
        request[position] = value
        assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE
    assert negative(ecu, b"\x34") == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x36") == NRC_INCORRECT_LENGTH
    assert negative(ecu, b"\x37\x00") == NRC_INCORRECT_LENGTH
    assert ecu.noted == [] and ecu.answers == []
    download(ecu, FILE, b"good")


def test_a_file_in_another_form_than_was_wanted_is_refused():
    """E-80, V-13: plain for encrypted, or a delta for the image, before its first byte."""
    for form in (0, FORM_ENCRYPTED, FORM_DELTA, FORM_DELTA | FORM_ENCRYPTED):
        want = image_want(6)
        want.form = form
        ecu = programming(want)
        request = bytearray(open_request(PICTURE, 6))
        for other in range(256):
            request[1] = other
            if other != form:
                refused(ecu, bytes(request), EncryptionDiffers)
        request[1] = form
        ask(ecu, bytes(request))
        ask(ecu, block(1, b"abcdef"))
        assert want.sink.content == b"abcdef"
