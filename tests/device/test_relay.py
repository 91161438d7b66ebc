"""What a Primary hands to a Secondary: metadata that it holds, and no other record of its own."""

from claims import run
from fleets import FLEET, Three
from memory import SUITE, digest
from suppliers import BRAKES, Supplied
from uptane.ids import (
    DIRECTOR,
    IMAGE,
    KIND_MAP,
    KIND_METADATA,
    LOCAL,
    RECORD_HIGH_WATER,
    RECORD_IDENTITY,
    RECORD_METADATA,
    ROOT,
    TARGETS,
)
from uptane.limits import REPOSITORIES_MAX
from uptane.shelf import Shelf
from vehicle import Primary, updated


class Records:
    """What is in flash."""

    def __init__(self, values):
        self.values = values

    def read(self, number):
        return self.values.get(number)


class Still:
    """A Primary as far as its shelf looks at one."""

    suite = SUITE

    def __init__(self, node):
        self.values = dict(node.records)
        self.values[RECORD_IDENTITY] = b"the seed is in here"
        self.records = Records(self.values)

    def hands_out(self, repository, number, version=0):
        file = bytes((repository, KIND_METADATA)) + number.to_bytes(4, "big")
        return self.hands_over(file, version)

    def hands_over(self, file, detail, upwards=None):
        """What comes of a file; `upwards`: what the Primary gets if it has to want it itself."""
        found = Shelf(self, None).find(file, detail, 0)
        if upwards is None:
            found = run(found)
        else:
            self.want = next(found)
            found = last(found, upwards)
        if found is None:
            return None
        raw = bytearray(found.length)
        found.read_into(memoryview(raw), 0)
        return bytes(raw)


def last(generator, answer):
    """What a generator returns after one more answer."""
    try:
        generator.send(answer)
    except StopIteration as end:
        return end.value
    raise AssertionError("it wants more")


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
    assert ecu.hands_out(REPOSITORIES_MAX + 1, TARGETS) is None
    assert ecu.hands_out(IMAGE, RECORD_HIGH_WATER) is None  # a mark of repository 3 may be there
    assert ecu.hands_out(DIRECTOR, 0xFFFFFFFF) is None


def test_a_primary_relays_every_repository_of_its_map_and_the_map():
    """V-50, T-45"""
    oem, node = updated(Primary, Three)
    ecu = Still(node)
    assert ecu.hands_out(FLEET, TARGETS) == oem.fleet.files[TARGETS, 2]
    raw = oem.charters[5]
    file = bytes((IMAGE, KIND_MAP)) + (5).to_bytes(4, "big")
    assert ecu.hands_over(file, digest(raw)) == raw


def test_a_primary_asks_for_what_a_secondary_behind_it_needs():
    """T-38, T-45: a Root that it no longer holds, another map, a repository that left its map."""
    oem, node = updated(Primary, Three)
    ecu = Still(node)
    oem.fleet.rotate()
    ecu.values[RECORD_METADATA + 0x200] = oem.fleet.files[ROOT, 2]
    file = bytes((FLEET, KIND_METADATA)) + bytes(4)
    assert ecu.hands_over(file, 1, upwards=b"Root 1") == b"Root 1"
    assert (ecu.want.repository, ecu.want.number, ecu.want.detail) == (FLEET, ROOT, 1)
    assert ecu.hands_over(file, 2) == oem.fleet.files[ROOT, 2]
    assert ecu.hands_over(file, 3) is None
    file = bytes((IMAGE, KIND_MAP)) + (7).to_bytes(4, "big")
    assert ecu.hands_over(file, bytes(32), upwards=b"a map") == b"a map"
    assert (ecu.want.kind, ecu.want.number, ecu.want.detail) == (KIND_MAP, 7, bytes(32))
    file = bytes((FLEET + 1, KIND_METADATA)) + (3).to_bytes(4, "big")
    assert ecu.hands_over(file, 9, upwards=b"Targets") == b"Targets"
    assert (ecu.want.repository, ecu.want.number, ecu.want.detail) == (FLEET + 1, TARGETS, 9)


def test_a_version_that_is_none_is_wanted_of_nobody():
    """V-50: True is 1 to one interpreter and not to the other; no Root has a version below 0."""
    oem, node = updated(Primary, Supplied)
    ecu = Still(node)
    assert ecu.hands_out(DIRECTOR, ROOT, 1) == oem.director.files[ROOT, 1]
    for version in (True, -1, 2, b"", None):
        assert ecu.hands_out(DIRECTOR, ROOT, version) is None
