"""An ECU that takes from the broadcast what its open want wants, and nothing else (V-87, E-77)."""

from downloads import (
    EXIT,
    FILE,
    PICTURE,
    block,
    content_of,
    download,
    file_want,
    image_want,
    open_request,
)
from ecu import Ecu, ask, negative
from test_broadcast import feed
from uptane.errors import FlashFault, TooLong, Unwanted, WrongFile
from uptane.link.broadcast import Air
from uptane.uds.codes import (
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
)

LISTEN = b"\x31\x01\x02\x06"


def hearing(*wants):
    ecu = Ecu(two_blocks=False, heard=Air(8))
    ask(ecu, b"\x10\x02")
    ecu.want(*wants)
    return ecu


def listen(ecu, file, size, tag=1):
    """Let it listen; returns (bytes that are there, ms for a block)."""
    reply = ask(ecu, LISTEN + bytes((tag,)) + open_request(file, size))
    assert reply[:4] == b"\x71\x01\x02\x06" and len(reply) == 10, reply
    return int.from_bytes(reply[4:8], "big"), int.from_bytes(reply[8:], "big")


def spread(ecu, offset, data, tag=1):
    """Put a block on the air, and let the ECU work."""
    air = Air(8)
    air.spread(tag, offset, data, len(data))
    while not air.idle():
        feed(ecu.heard, [bytes(air.frame(0))], ecu.clock.now_ms)
        air.sent(0)
    while ecu.services.transfer.writing():
        ecu.clock.now_ms += 1
        ecu.services.transfer.step()
    ecu.finish()


def test_an_image_is_taken_block_by_block():
    want = image_want(600)
    ecu = hearing(want)
    assert listen(ecu, PICTURE, 600) == (0, 50)
    spread(ecu, 0, content_of(600)[:300])
    assert want.offset == 300 and ecu.answers == []
    there, block_ms = listen(ecu, PICTURE, 600)
    assert there == 300 and 1 < block_ms < 10, "asked again it says how far it is, and measured"
    spread(ecu, 300, content_of(600)[300:])
    assert want.sink.content == content_of(600) and ecu.answers == [True]
    assert ecu.heard.tag == 0 and ecu.noted == []


def test_a_small_file_is_gathered_in_memory():
    ecu = hearing(file_want(), file_want())
    assert listen(ecu, FILE, 1500) == (0, 0)
    spread(ecu, 0, content_of(1500)[:1024])
    assert listen(ecu, FILE, 1500) == (1024, 0)
    spread(ecu, 1024, content_of(1500)[1024:])
    assert ecu.answers == [content_of(1500)]
    spread(ecu, 0, content_of(1500)[:1024])
    assert ecu.answers == [content_of(1500)], "the next want listens to nothing"


def test_a_block_that_is_not_the_next_one_is_left_alone():
    want = image_want(900)
    ecu = hearing(want)
    listen(ecu, PICTURE, 900)
    for offset, length in ((300, 300), (1, 300), (0, 901)):
        spread(ecu, offset, content_of(length))
    assert want.sink.writes == []
    spread(ecu, 0, content_of(900)[:300])
    for offset in (0, 600, 0xFFFFFFFF):
        spread(ecu, offset, content_of(300))
    assert listen(ecu, PICTURE, 900)[0] == want.offset == 300
    assert want.sink.content == content_of(900)[:300]


def test_what_it_missed_is_brought_by_a_download_and_it_listens_on():
    want = image_want(900)
    ecu = hearing(want, want)  # the cycle wants the rest
    listen(ecu, PICTURE, 900)
    spread(ecu, 0, content_of(900)[:300])
    spread(ecu, 600, content_of(900)[600:])
    assert listen(ecu, PICTURE, 900)[0] == 300
    download(ecu, PICTURE, content_of(900)[300:600])
    assert ecu.answers == [True] and want.offset == 600
    assert listen(ecu, PICTURE, 300)[0] == 600
    spread(ecu, 600, content_of(900)[600:])
    assert want.sink.content == content_of(900) and ecu.answers == [True, True]


def test_an_image_is_taken_up_where_its_want_says():
    """V-64, S-26."""
    want = image_want(900)
    want.offset = 300
    want.sink.content = content_of(300)
    ecu = hearing(want)
    assert listen(ecu, PICTURE, 600)[0] == 300
    spread(ecu, 300, content_of(900)[300:])
    assert want.sink.content == content_of(900) and ecu.answers == [True]


def test_only_what_is_wanted_is_listened_to():
    """E-77."""
    ecu = hearing()
    request = LISTEN + b"\x01" + open_request(PICTURE, 10)
    assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE and ecu.noted == [Unwanted.number]
    ecu = hearing(image_want(10))
    for file, size, refusal in ((FILE, 10, WrongFile), (PICTURE, 11, TooLong)):
        ecu.noted.clear()
        request = LISTEN + b"\x01" + open_request(file, size)
        assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE and ecu.noted == [refusal.number]
    good = open_request(PICTURE, 10)
    for record in (b"", b"\x01", b"\x01" + good[:12], b"\x01" + good + b"\x00"):
        assert negative(ecu, LISTEN + record) == NRC_INCORRECT_LENGTH
    for record in (
        b"\x00" + good,
        b"\x01\x35" + good[1:],
        b"\x01" + good[:2] + b"\x44" + good[3:],
    ):
        assert negative(ecu, LISTEN + record) == NRC_REQUEST_OUT_OF_RANGE
    assert ecu.noted == [TooLong.number] and ecu.heard.tag == 0


def test_who_listens_takes_no_blocks_of_a_download():
    want = image_want(600)
    ecu = hearing(want)
    listen(ecu, PICTURE, 600)
    assert negative(ecu, block(1, b"abc")) == 0x24 and negative(ecu, EXIT) == 0x24
    assert want.sink.writes == []


def test_a_sink_that_refuses_ends_the_listening_and_is_noted():
    want = image_want(600)
    ecu = hearing(want)
    listen(ecu, PICTURE, 600)
    want.sink.fault = FlashFault
    spread(ecu, 0, content_of(600)[:300])
    assert ecu.noted == [FlashFault.number] and ecu.heard.tag == 0 and want.offset == 0


def test_a_cycle_that_ended_is_no_listener():
    want = image_want(600)
    ecu = hearing(want)
    listen(ecu, PICTURE, 600)
    ecu.cycle.stop()
    spread(ecu, 0, content_of(600)[:300])
    assert want.sink.writes == [] and ecu.heard.tag == 0


def test_who_has_no_ear_has_no_such_routine():
    ecu = Ecu()
    ask(ecu, b"\x10\x02")
    ecu.want(image_want(10))
    request = LISTEN + b"\x01" + open_request(PICTURE, 10)
    assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE and ecu.noted == []

    ecu = Ecu(heard=Air(8))
    assert negative(ecu, request) == NRC_REQUEST_OUT_OF_RANGE, "outside the programming session"
