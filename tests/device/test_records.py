"""Records: what is committed is read, and cuts leave the older values.

What rot does is in test_records_rot; the exhaustive cuts and the model are in
tests/host/test_store_model.py.
"""

from boards.unix.nor import PowerCut
from claims import raises
from flashed import BLOCK, ROOT_RECORD, TARGETS_RECORD, UNIT, flash, flip, mounted, tail
from uptane.errors import NoSpace
from uptane.ids import RECORD_COUNTER, RECORD_IDENTITY, RECORD_TIME
from uptane.store.area import Area
from uptane.store.log import Log


def test_a_value_is_read_as_it_was_committed_before_and_after_a_reset():
    """S-52."""
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
