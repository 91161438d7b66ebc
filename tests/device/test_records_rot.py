"""Records: rot is healed or refused, never believed, and a bad place is stepped over.

The exhaustive cuts and the model are in tests/host/test_store_model.py.
"""

import io

from boards.unix.ailments import WEAK_EVERY, of
from boards.unix.nor import Geometry, Nor, PowerCut
from claims import raises
from flashed import (
    BLOCK,
    ROOT_RECORD,
    TARGETS_RECORD,
    UNIT,
    content,
    flash,
    flip,
    mounted,
    places,
    tail,
)
from uptane.errors import FlashFault, Rotten
from uptane.ids import RECORD_COUNTER, RECORD_IDENTITY, RECORD_TIME


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


def test_the_mark_of_an_older_bank_is_made_up_for_after_a_cut_or_counts_torn():
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_COUNTER: b"one"})
    flip(nor, tail(nor) + 20)  # so the next commit moves house
    image = content(nor)
    strokes = nor.strokes
    records.commit({RECORD_COUNTER: b"two"})
    strokes = nor.strokes - strokes
    for unit, tear in ((4, 0), (3, 0), (2, 2), (1, 5)):  # the mark is the last 16 bytes
        nor.poke(0, image)
        records = mounted(nor)
        nor.cut_after(strokes - unit, tear, 0)
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


def test_what_is_committed_after_a_move_that_failed_is_not_lost():
    """V-88, E-79: whichever stroke of the move was not done. The bank that it left half written
    may be whole enough to be believed, so nothing may be appended to the older one."""
    nor = flash()
    records = mounted(nor)
    while not nor.erased[1] or nor.erased[0] < 2:
        full = content(nor)
        records.commit({TARGETS_RECORD: bytes(300)})
    failed = 0
    for stroke in range(164):  # the erase, intent, body, both copies, the mark
        nor.poke(0, full)
        records = mounted(nor)
        count = [0]

        def lie(address, size, erasing, count=count, stroke=stroke):
            count[0] += 1
            if count[0] == stroke + 1:
                nor.ailments = of([["lie", address, size, 0]])

        nor.before = lie
        try:
            records.commit({TARGETS_RECORD: bytes(299)})
        except FlashFault:
            failed += 1
        nor.before = None
        records.commit({RECORD_TIME: b"noon"})
        assert mounted(nor).read(RECORD_TIME) == b"noon"
    assert failed > 90


def unsteady(content: bytes, changes: "dict[int, bytes]"):
    """That commit, once for each stroke that has an unsteady cell if it is of that ailment, and
    a few seeds: (a part that ails from the stroke on, was the commit refused?)."""
    strokes = []
    nor = flash()
    nor.poke(0, content)
    records = mounted(nor)
    nor.before = lambda address, size, erasing: strokes.append((address, size))
    records.commit(changes)
    for place, (start, length) in enumerate(strokes):
        if -start % WEAK_EVERY >= length:
            continue
        for seed in range(8):
            nor = flash()
            nor.poke(0, content)
            records = mounted(nor)

            def before(address, size, erasing, nor=nor, case=(place, seed)):
                if nor.strokes == case[0]:
                    nor.ailments = of([["unsteady", address, size, case[1]]])
                    nor.ailments[0].young = True

            nor.before = before
            try:
                records.commit(changes)
            except FlashFault:
                yield nor, True
            else:
                yield nor, False


def test_cells_that_read_differently_each_time_are_never_believed():
    """V-88, E-79: what was checked is what is used, so no number appears, none is lost and none
    has another value; whatever stroke they are of, at every reset again."""
    nor = flash()
    before = {RECORD_IDENTITY: b"who", RECORD_TIME: b"noon", ROOT_RECORD: bytes(150)}
    mounted(nor).commit(before)
    tried = 0
    for ailing, _ in unsteady(content(nor), {ROOT_RECORD: bytes(151), RECORD_COUNTER: b"2"}):
        tried += 1
        for _ in range(3):
            records = mounted(ailing)
            assert records.read(RECORD_IDENTITY) == b"who"
            assert records.read(RECORD_TIME) == b"noon"
            assert records.read(RECORD_COUNTER) == b"2"
            assert records.read(ROOT_RECORD) == bytes(151)
            assert len(records.numbers()) == 4
    assert tried >= 40


def test_nothing_is_appended_beside_a_bank_that_may_read_whole_next_time():
    """V-88, E-79: a move failed in a cell that reads differently each time."""
    nor = flash()
    records = mounted(nor)
    records.commit({RECORD_IDENTITY: b"who", ROOT_RECORD: bytes(300)})
    records.commit({ROOT_RECORD: bytes(1500)})
    refused = 0
    for ailing, failed in unsteady(content(nor), {ROOT_RECORD: bytes(200)}):
        refused += failed
        for _ in range(9):  # what reads differently while it is copied is refused, too
            try:
                mounted(ailing).commit({RECORD_COUNTER: b"3"})
                break
            except FlashFault:
                pass
        for _ in range(3):
            assert mounted(ailing).read(RECORD_COUNTER) == b"3"
    assert refused >= 20
