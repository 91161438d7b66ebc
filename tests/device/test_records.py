"""Records: what is committed is read, cuts leave the older values, rot is refused.

The exhaustive cuts and the model are in tests/host/test_store_model.py.
"""

import io

from boards.unix.nor import Geometry, Nor, PowerCut
from claims import raises
from uptane.errors import FlashFault, NoSpace, Rotten
from uptane.ids import RECORD_COUNTER, RECORD_IDENTITY, RECORD_METADATA, RECORD_TIME
from uptane.store.area import Area
from uptane.store.log import Log
from uptane.store.records import Records

ROOT_RECORD = RECORD_METADATA
TARGETS_RECORD = RECORD_METADATA + 3
BLOCK = 4096
UNIT = 4


class Worn(Nor):
    """The blocks in `worn` keep a cleared bit when they are erased."""

    worn = ()

    def erase(self, address):
        super().erase(address)
        if address in self.worn:
            self.poke(address + 77, b"\xfe")


def flash(blocks: int = 2) -> Nor:
    return Worn(io.BytesIO(), Geometry([(0, BLOCK, blocks, 900)], UNIT, 16), lambda us: None)


def mounted(nor: Nor, blocks: int = 2) -> Records:
    records = Records(Area(nor, 0, BLOCK, blocks, UNIT))
    records.mount()
    return records


def flip(nor: Nor, address: int, bits: int = 1) -> None:
    """Rot: change stored bits behind everybody's back."""
    byte = bytearray(1)
    nor.peek(address, byte)
    byte[0] ^= bits
    nor.poke(address, byte)


def content(nor: Nor) -> bytes:
    image = bytearray(nor.geometry.end)
    nor.peek(0, image)
    return bytes(image)


def places(nor: Nor, value: bytes) -> "list[int]":
    """Where a value lies in flash."""
    image = content(nor)
    return [at for at in range(len(image)) if image[at : at + len(value)] == value]


def tail(nor: Nor) -> int:
    """The end of what was written to the first bank."""
    image = content(nor)
    return max([at for at in range(BLOCK - 16) if image[at] != 0xFF]) + 1


def test_a_value_is_read_as_it_was_committed_before_and_after_a_reset():
    nor = flash()
    records = mounted(nor)
    assert records.read(RECORD_TIME) is None and records.numbers() == []
    records.commit({RECORD_TIME: b"noon", TARGETS_RECORD: bytes(1000), RECORD_COUNTER: b""})
    for view in (records, mounted(nor)):
        assert view.read(RECORD_TIME) == b"noon"
        assert view.read(TARGETS_RECORD) == bytes(1000)
        assert view.read(RECORD_COUNTER) == b""
        assert view.numbers() == [RECORD_COUNTER, RECORD_TIME, TARGETS_RECORD]


def test_a_deleted_value_is_gone_and_stays_gone_after_moving_house():
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_TIME: b"noon", TARGETS_RECORD: b"x"})
    records.commit({RECORD_TIME: None})
    for _ in range(100):  # several times through both banks
        records.commit({TARGETS_RECORD: bytes(200)})
    assert records.read(RECORD_TIME) is None
    assert mounted(nor).numbers() == [TARGETS_RECORD]


def test_mounting_a_clean_log_writes_nothing():
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_TIME: b"noon"})
    records.commit({RECORD_TIME: b"one"})
    strokes = nor.strokes
    mounted(nor)
    assert nor.strokes == strokes


def test_blocks_wear_evenly():
    """E-89: commits go round all blocks, whatever their number."""
    for blocks in (2, 3, 4, 5):
        nor = flash(blocks)
        records = mounted(nor, blocks)
        for i in range(300):
            records.commit({RECORD_COUNTER: bytes([i % 256] * 40)})
        used = nor.erased[: blocks // 2 * (blocks // (blocks // 2))]
        assert max(used) - min(used) <= 1 and min(used) > 0


def test_what_can_never_fit_is_refused_and_nothing_is_touched():
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_TIME: b"noon"})
    strokes = nor.strokes
    raises(NoSpace, records.commit, {TARGETS_RECORD: bytes(BLOCK)})
    raises(NoSpace, records.commit, {ROOT_RECORD: bytes(BLOCK // 2)})  # lives twice
    assert nor.strokes == strokes and records.read(RECORD_TIME) == b"noon"
    records.commit({TARGETS_RECORD: bytes(BLOCK - 300)})


def test_a_cut_in_a_commit_leaves_the_older_values_or_all_of_the_new():
    """E-79, E-87, T-17, on one geometry and one kind of tear; the host does the rest."""
    for strokes in range(200):
        nor = flash()
        records = mounted(nor)
        records.commit({RECORD_TIME: b"old time", TARGETS_RECORD: b"old targets"})
        nor.cut_after(strokes, 2, strokes)
        try:
            records.commit({RECORD_TIME: b"new time", TARGETS_RECORD: bytes(100)})
        except PowerCut:
            nor.power_on()
        else:
            assert strokes > 40
            return
        records = mounted(nor)
        found = (records.read(RECORD_TIME), records.read(TARGETS_RECORD))
        assert found in ((b"old time", b"old targets"), (b"new time", bytes(100)))
        records.commit({RECORD_TIME: b"newer"})
        assert mounted(nor).read(RECORD_TIME) == b"newer"


def test_what_a_cut_left_is_out_of_the_way_after_the_next_mount():
    """A torn commit whose flash rots as well would look like one that was complete."""
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_COUNTER: b"1"})
    end = tail(nor)
    nor.cut_after(6, 1, 0)  # the intent is complete, the first copy is not
    raises(PowerCut, records.commit, {RECORD_COUNTER: b"2"})
    nor.power_on()
    mounted(nor)
    assert nor.erased == [1, 1]
    for address in range(end, end + 200):
        flip(nor, address)
    assert mounted(nor).read(RECORD_COUNTER) == b"1"
    strokes = nor.strokes
    mounted(nor)
    assert nor.strokes == strokes


def test_any_flipped_bit_costs_nothing_that_cannot_be_fetched_again():
    """Rot of one bit: a value is right or refused, never an older one; identity, keys, counters
    and Root are always right."""
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_IDENTITY: b"who", ROOT_RECORD: b"root 1", TARGETS_RECORD: b"targets 1"})
    records.commit({RECORD_COUNTER: b"2", TARGETS_RECORD: b"targets 2"})
    records.commit({ROOT_RECORD: b"root 2"})
    image = content(nor)
    refused = 0
    for address in range(tail(nor) + 40):
        nor.poke(0, image)
        flip(nor, address, 1 << address % 8)
        for _ in range(2):  # as found, and once more after what mount() may have written
            records = mounted(nor)
            assert records.read(RECORD_IDENTITY) == b"who"
            assert records.read(ROOT_RECORD) == b"root 2"
            assert records.read(RECORD_COUNTER) == b"2"
            try:
                assert records.read(TARGETS_RECORD) == b"targets 2"
            except Rotten:
                refused += 1
    assert refused == 2 * (9 + 4)  # the bytes of the value and its CRC


def test_rot_in_one_copy_is_healed_by_the_next_mount():
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_IDENTITY: b"who I am"})
    one, two = places(nor, b"who I am")
    flip(nor, one)
    assert records.read(RECORD_IDENTITY) == b"who I am"  # from the twin
    mounted(nor)
    _, one, two = places(nor, b"who I am")  # moved house: two good ones in the second bank
    assert BLOCK < one < two
    flip(nor, two)
    assert mounted(nor).read(RECORD_IDENTITY) == b"who I am"


def test_rot_found_by_reading_is_healed_by_the_next_commit():
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_IDENTITY: b"who I am"})
    flip(nor, places(nor, b"who I am")[0])
    records.read(RECORD_IDENTITY)
    records.commit({RECORD_COUNTER: b"1"})
    flip(nor, places(nor, b"who I am")[-1])  # the twin this time
    assert records.read(RECORD_IDENTITY) == b"who I am"


def test_a_rotten_value_stays_refused_through_a_move_until_it_is_written_anew():
    nor = flash()
    records = mounted(nor)
    records.commit({TARGETS_RECORD: b"targets", RECORD_TIME: b"noon"})
    flip(nor, places(nor, b"targets")[0])
    for _ in range(60):
        records.commit({RECORD_TIME: bytes(60)})
    assert max(nor.erased) > 1
    raises(Rotten, records.read, TARGETS_RECORD)
    records = mounted(nor)
    raises(Rotten, records.read, TARGETS_RECORD)
    records.commit({TARGETS_RECORD: b"fetched again"})
    assert mounted(nor).read(TARGETS_RECORD) == b"fetched again"


def test_when_both_copies_of_a_commit_are_gone_every_number_is_refused():
    """Falling back to the older bank, or to the commit before, is right after a cut and wrong
    after rot: a release counter would go down."""
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_COUNTER: b"one", RECORD_TIME: b"noon"})
    records.commit({RECORD_COUNTER: b"two"})
    for place in places(nor, b"two"):
        flip(nor, place)
    for _ in range(2):
        records = mounted(nor)
        raises(Rotten, records.read, RECORD_COUNTER)
        raises(Rotten, records.read, RECORD_TIME)
    records.commit({RECORD_COUNTER: b"3"})
    for view in (records, mounted(nor)):
        assert view.read(RECORD_COUNTER) == b"3"
        raises(Rotten, view.read, RECORD_TIME)


def test_when_the_newest_bank_is_gone_the_older_one_is_not_believed():
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_COUNTER: b"1"})
    while nor.erased[1] == 0:
        records.commit({RECORD_COUNTER: b"2"})
    for address in range(BLOCK, BLOCK + 200):
        flip(nor, address, 0x10)
    records = mounted(nor)
    raises(Rotten, records.read, RECORD_COUNTER)
    nor.erase(BLOCK)  # gone without a trace
    raises(Rotten, mounted(nor).read, RECORD_COUNTER)


def test_the_mark_of_an_older_bank_is_made_up_for_after_a_cut():
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_COUNTER: b"one"})
    flip(nor, tail(nor) + 20)  # so the next commit moves house
    image = content(nor)
    strokes = nor.strokes
    records.commit({RECORD_COUNTER: b"two"})
    strokes = nor.strokes - strokes
    nor.poke(0, image)
    records = mounted(nor)
    nor.cut_after(strokes - 4, 0, 0)  # the mark is the last 16 bytes
    raises(PowerCut, records.commit, {RECORD_COUNTER: b"two"})
    nor.power_on()
    assert mounted(nor).read(RECORD_COUNTER) == b"two"
    nor.erase(BLOCK)
    raises(Rotten, mounted(nor).read, RECORD_COUNTER)


def test_a_bad_place_sends_a_commit_to_the_next_bank():
    nor = flash()
    nor.worn = (0,)
    records = mounted(nor)
    raises(FlashFault, records.commit, {RECORD_COUNTER: b"0"})  # the first bank is the worn one
    nor.worn = ()
    records.commit({RECORD_COUNTER: b"1"})
    first_bank = nor.erased[0]
    flip(nor, tail(nor) + 100)
    records.commit({RECORD_COUNTER: b"2"})
    records.commit({RECORD_COUNTER: bytes(100)})  # would lie on the flipped bit
    assert nor.erased == [first_bank, 1]
    assert mounted(nor).read(RECORD_COUNTER) == bytes(100)


class Stuck(Nor):
    """A cell that looks erased until it is programmed."""

    stuck = -1

    def poke(self, address, data):
        data = bytearray(data)
        if address <= self.stuck < address + len(data) and data[self.stuck - address] != 0xFF:
            data[self.stuck - address] ^= 0x80
        super().poke(address, data)


def test_a_program_that_does_not_take_sends_a_commit_to_the_next_bank():
    nor = Stuck(io.BytesIO(), Geometry([(0, BLOCK, 2, 900)], UNIT, 16), lambda us: None)
    records = mounted(nor)
    records.commit({RECORD_COUNTER: b"1"})
    nor.stuck = tail(nor) + 16  # in the next intent or the copy after it
    records.commit({RECORD_COUNTER: b"2"})
    assert nor.erased == [1, 1]
    assert mounted(nor).read(RECORD_COUNTER) == b"2"


def test_a_worn_bank_does_not_keep_a_hurt_one_from_being_mounted():
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_COUNTER: b"1"})
    nor.cut_after(3, 2, 1)
    raises(PowerCut, records.commit, {RECORD_COUNTER: b"2"})
    nor.power_on()
    nor.worn = (BLOCK,)
    records = mounted(nor)
    assert records.read(RECORD_COUNTER) == b"1"
    raises(FlashFault, records.commit, {RECORD_COUNTER: b"3"})
    assert records.read(RECORD_COUNTER) == b"1"
    nor.worn = ()
    records.commit({RECORD_COUNTER: b"3"})
    assert mounted(nor).read(RECORD_COUNTER) == b"3"


def test_nothing_is_believed_that_an_area_held_before_it_was_provisioned():
    nor = flash()
    nor.program(0, bytes(range(256)) * 8)
    records = mounted(nor)
    assert records.numbers() == [] and records.read(RECORD_IDENTITY) is None
    records.commit({RECORD_IDENTITY: b"who"})
    assert mounted(nor).read(RECORD_IDENTITY) == b"who"


def test_the_bytes_in_flash_are_those_of_docs_flash_md():
    nor = flash()
    mounted(nor).commit({0x0004: b"\x2a", 0x0103: b"abc"})
    head = bytes([0xB5, 0, 2, 0, 1, 0, 0, 0, 3, 0, 1, 0])  # 3 grains a copy, 1 grain of body
    entries = bytes([4, 0, 0, 0xFF, 1, 0, 0, 0]) + bytes([3, 1, 0, 0xFF, 3, 0, 0, 0])
    raw = bytearray(2 + 7 * 16)
    nor.peek(0, raw)
    assert raw[:12] == head
    for copy in (16, 64):
        assert raw[copy : copy + 12] == head
        assert raw[copy + 12 : copy + 28] == entries
        assert raw[copy + 28 : copy + 29] == b"\x2a"
        assert raw[copy + 33 : copy + 44] == b"\xff" * 11
    assert raw[112:] == b"ab"
    assert Log(Area(nor, 0, BLOCK, 2, UNIT)).sound(0, 16)
