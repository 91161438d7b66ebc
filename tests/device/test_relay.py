"""What a Primary hands to a Secondary: metadata that it holds, and no other record of its own."""

from claims import run
from maker import SUITE
from suppliers import BRAKES, Supplied
from uptane.ids import (
    DIRECTOR,
    IMAGE,
    KIND_METADATA,
    LOCAL,
    RECORD_HIGH_WATER,
    RECORD_IDENTITY,
    ROOT,
    TARGETS,
)
from uptane.primary import Shelf
from uptane.trust import Trust
from vehicle import Primary, updated


class Still:
    """A board whose time stands; an identity; records; an ECU with its Trust."""

    suite = SUITE

    def __init__(self, node):
        self.clock = self
        self.records = dict(node.records)
        self.records[RECORD_IDENTITY] = b"the seed is in here"
        self.director = node.oem.director.identity
        self.image = node.oem.image.identity
        self.trust = Trust(self, self, self, None)

    def ticks_ms(self):
        return 0

    def random(self, count):
        return bytes(count)

    def read(self, number):
        return self.records.get(number)

    def hands_out(self, repository, number, version=0):
        file = bytes((repository, KIND_METADATA)) + number.to_bytes(4, "big")
        found = run(Shelf(self, None).find(file, version, 0))
        if found is None:
            return None
        raw = bytearray(found.length)
        found.read_into(memoryview(raw), 0)
        return bytes(raw)


def test_a_primary_relays_delegated_files():
    """V-50: each that it resolved for its Secondaries."""
    oem, node = updated(Primary, Supplied)
    ecu = Still(node)
    assert ecu.hands_out(IMAGE, BRAKES) == oem.image.files[BRAKES, 2]
    assert ecu.hands_out(DIRECTOR, TARGETS) == oem.director.files[TARGETS, 2]
    assert ecu.hands_out(IMAGE, 200) is None


def test_no_other_record_is_reached_by_a_file_number():
    """S-39: not the identity with its seed, whatever a Secondary asks for."""
    oem, node = updated(Primary, Supplied)
    ecu = Still(node)
    for number in range(1, RECORD_HIGH_WATER + 1):
        assert ecu.hands_out(LOCAL, number) is None
    assert ecu.hands_out(DIRECTOR, 0x100 + TARGETS) is None
    assert ecu.hands_out(IMAGE + 1, TARGETS) is None
    assert ecu.hands_out(DIRECTOR, 0xFFFFFFFF) is None


def test_a_version_that_is_none_is_wanted_of_nobody():
    """V-50: True is 1 to one interpreter and not to the other; no Root has a version below 0."""
    oem, node = updated(Primary, Supplied)
    ecu = Still(node)
    assert ecu.hands_out(DIRECTOR, ROOT, 1) == oem.director.files[ROOT, 1]
    for version in (True, -1, 2, b"", None):
        assert ecu.hands_out(DIRECTOR, ROOT, version) is None
