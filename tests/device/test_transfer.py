"""Files in and out: what matches the open want passes whole, a repeated block once."""

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
from uptane.limits import BLOCK_BYTES, UPLOAD_BYTES
from uptane.uds.codes import (
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_REQUEST_SEQUENCE_ERROR,
    NRC_WRONG_BLOCK_SEQUENCE_COUNTER,
)

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
    """A slice at a time, whether there is room for a second block or not."""
    for two_blocks in (False, True):
        want = image_want(1400)
        ecu = programming(want, two_blocks=two_blocks)
        download(ecu, PICTURE, content_of(1400), 600)
        assert want.sink.content == content_of(1400)
        parts = [(0, 256), (256, 256), (512, 88), (600, 256), (856, 256), (1112, 88), (1200, 200)]
        assert want.sink.writes == parts and ecu.answers == [True]


def test_with_room_for_two_a_block_is_written_while_the_next_one_comes():
    """It is answered before a byte of it is written; without that room, after the last one."""
    for two_blocks, early in ((False, 300), (True, 0)):
        want = image_want(600)
        ecu = programming(want, two_blocks=two_blocks)
        ask(ecu, open_request(PICTURE, 600))
        ecu.wire.left.send(block(1, content_of(300)))
        while ecu.wire.left.message is None:
            ecu.wire.settle()
            ecu.server.step(ecu.clock.now_ms)
            ecu.wire.settle()
            if ecu.wire.left.message is None:
                ecu.services.transfer.step()
        assert len(want.sink.content) == want.offset == early
        ecu.wire.left.taken()
        assert ask(ecu, block(2, content_of(600)[300:])) == b"\x76\x02"
        assert ask(ecu, EXIT) == b"\x77"
        assert want.sink.content == content_of(600) and want.offset == 600


def test_who_asks_what_is_wanted_hears_of_what_is_written():
    """S-30: while the last block is being written, the want has not moved past it."""
    want = image_want(600)
    ecu = programming(want)
    ask(ecu, open_request(PICTURE, 600))
    for request in (b"\x31\x01\x02\x01", open_request(PICTURE, 100)):
        at = want.offset
        ecu.wire.left.send(block(1, content_of(600)[at : at + 300]))
        while ecu.wire.left.message is None:
            ecu.wire.settle()
            ecu.server.step(ecu.clock.now_ms)
        ecu.wire.left.taken()
        assert want.offset == at
        ask(ecu, request)
        assert want.offset == at + 300
        ask(ecu, open_request(PICTURE, 300))


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
