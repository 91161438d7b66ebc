"""Requests of a transfer, and an ECU that wants or offers something. Not a test file."""

from ecu import Ecu, ask
from uptane.ids import DIRECTOR, IMAGE, KIND_IMAGE, KIND_METADATA, KIND_REPORT, LOCAL, TARGETS
from uptane.limits import BLOCK_BYTES
from uptane.meta.wants import Want

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


def programming(*wants, two_blocks=True):
    ecu = Ecu(two_blocks)
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
