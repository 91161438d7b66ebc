"""Regions: an image replaces those that it names, all at once, and leaves the others untouched."""

from claims import raises, run
from slotted_ecu import Suite, digest_of
from uptane.application import Cabin
from uptane.errors import (
    BadShape,
    FlashFault,
    ImageReused,
    NoRegion,
    NotProvisioned,
    Rotten,
    RottenImage,
    TooLarge,
    Unwanted,
    WrongHash,
)
from uptane.ids import (
    BOOT_REVERTED,
    RECORD_REGIONS,
    REGION_APPLICATION,
    REGION_CALIBRATION,
    REGION_USER_DATA,
)
from uptane.image.scope import choose, parts_of
from uptane.limits import TRIAL_BOOTS_MAX
from uptane.store.boot import Installed
from uptane.store.regions import Regions
from zoned_ecu import (
    CODE_1,
    CODE_2,
    DATA_1,
    DATA_2,
    FACTORY,
    PLACES,
    USER_2,
    Entry,
    ZonedEcu,
    merged,
)

CODE = Entry(2, [(REGION_APPLICATION, CODE_2)])
PLAIN = Entry(3, [(REGION_APPLICATION, CODE_2)], False)
DATA = Entry(4, [(REGION_CALIBRATION, DATA_2)])
BOTH = Entry(5, [(REGION_APPLICATION, CODE_2), (REGION_USER_DATA, USER_2)])
ALL = Entry(
    6,
    [(REGION_APPLICATION, CODE_2), (REGION_CALIBRATION, DATA_2), (REGION_USER_DATA, USER_2)],
)


def untouched(ecu, before, regions):
    """Both places of these regions are as they were, bit for bit."""
    after = ecu.content()
    for number in regions:
        a, b, block_bytes, blocks = PLACES[number]
        for start in (a, b):
            end = start + block_bytes * blocks
            if before[start:end] != after[start:end]:
                return False
    return True


def test_the_factory_fills_regions_and_all_of_them_are_said():
    ecu = ZonedEcu()
    assert ecu.holds() == FACTORY
    assert ecu.slots.contents() == [[3, 1], [4, 1], [5, 1]]
    area, length = ecu.slots.place(REGION_APPLICATION)
    assert area.read(0, length) == CODE_1
    raises(NoRegion, ecu.slots.place, 1)


def test_an_application_reads_what_its_regions_hold_and_nothing_behind_it():
    """S-25."""
    ecu = ZonedEcu()
    cabin = Cabin(None, None, ecu.slots.place)
    assert cabin.read(REGION_CALIBRATION, 0, 4) == DATA_1[:4]
    assert cabin.read(REGION_CALIBRATION, 2558, 9) == DATA_1[2558:]
    for offset, n in ((2560, 1), (2561, 1), (3072, 4), (99999, 4), (5, 0), (5, -1)):
        assert cabin.read(REGION_CALIBRATION, offset, n) == b""
    raises(NoRegion, cabin.read, 1, 0, 1)
    raises(FlashFault, cabin.read, REGION_CALIBRATION, -1, 4)


def test_code_alone_and_data_alone_leave_the_rest_untouched():
    """S-25: not copied, not erased, not even written."""
    for entry, changed in ((CODE, CODE_2), (PLAIN, CODE_2), (DATA, DATA_2)):
        number = REGION_CALIBRATION if entry is DATA else REGION_APPLICATION
        others = [region for region in PLACES if region != number]
        ecu = ZonedEcu()
        before = ecu.content()
        ecu.installs(entry)
        assert untouched(ecu, before, others)
        assert ecu.holds() == merged({number: changed})
        assert ecu.slots.contents() == [
            [region, entry.number if region == number else 1] for region in sorted(PLACES)
        ]
        ecu.reset()
        assert ecu.holds() == merged({number: changed}) and not ecu.slots.rotten


def test_updates_of_one_region_after_another_add_up():
    """S-25, T-21."""
    ecu = ZonedEcu()
    for entry in (CODE, DATA, BOTH, ALL):
        ecu.installs(entry)
        assert ecu.slots.release() == entry.number
    assert ecu.slots.contents() == [[3, 6], [4, 6], [5, 6]]
    back = Entry(
        7, [(3, CODE_1), (4, DATA_1)]
    )  # the older content as a newer release; user data stay
    ecu.installs(back)
    assert ecu.holds() == merged({REGION_USER_DATA: USER_2})
    assert ecu.slots.contents() == [[3, 7], [4, 7], [5, 6]]


def test_parts_of_one_image_are_tried_and_go_back_together():
    """S-25, V-67."""
    ecu = ZonedEcu()
    ecu.takes(BOTH)
    assert ecu.holds() == FACTORY
    ecu.slots.start_trial()
    for _ in range(TRIAL_BOOTS_MAX):
        assert ecu.reset()[1]
        assert ecu.holds() == merged({3: CODE_2, 5: USER_2})
    assert ecu.reset() == (0, False)
    assert ecu.holds() == FACTORY and ecu.slots.boot_state() == BOOT_REVERTED
    assert ecu.slots.contents() == [[3, 1], [4, 1], [5, 1]] and ecu.slots.release() == 1


def test_a_region_that_the_ecu_does_not_have_is_refused_before_anything_is_erased():
    """S-25, E-79."""
    ecu = ZonedEcu()
    before = ecu.content()
    raises(NoRegion, choose, ecu.slots, Entry(2, [(1, b"boot"), (3, CODE_2)]))
    raises(NoRegion, choose, ecu.slots, Entry(2, [(7, b"what")]))
    raises(TooLarge, choose, ecu.slots, Entry(2, [(REGION_USER_DATA, bytes(513))]))
    raises(TooLarge, choose, ecu.slots, Entry(2, [(3, CODE_2), (4, bytes(3073))]))
    assert ecu.content() == before and ecu.holds() == FACTORY


def test_the_number_of_an_image_that_any_region_holds_is_not_used_again():
    """T-53, V-85."""
    ecu = ZonedEcu()
    ecu.installs(CODE)
    ecu.installs(DATA)
    raises(ImageReused, choose, ecu.slots, Entry(2, [(REGION_APPLICATION, CODE_1)]))
    choose(ecu.slots, CODE)


def test_what_stands_for_regions_is_read_strictly():
    """S-25, E-60."""
    assert parts_of(None, 77) == [(REGION_APPLICATION, 77)]
    assert parts_of([[3, 512], [4, 1]], 513) == [(3, 512), (4, 1)]
    for value, length in (
        ([], 0),
        ([[3, 512]], 513),
        ([[3, 512], [4, 2]], 513),
        ([[3, 511], [4, 2]], 513),
        ([[4, 512], [3, 1]], 513),
        ([[3, 512], [3, 1]], 513),
        ([[3, 0], [4, 513]], 513),
        ([[0, 513]], 513),
        ([[256, 513]], 513),
        ([[3, 513, 1]], 513),
        ([[n, 256] for n in range(1, 10)], 9 * 256),
        ({3: 513}, 513),
        (3, 513),
        ([[3, -1], [4, 514]], 513),
        ([[3, True]], 1),
    ):
        raises(BadShape, parts_of, value, length)


def test_rot_in_any_region_is_seen_before_anything_runs():
    """E-79, T-42: also in data; an update of the rotten region heals."""
    for number, entry in ((3, CODE), (4, DATA), (5, BOTH)):
        ecu = ZonedEcu()
        flash = bytearray(ecu.content())
        flash[PLACES[number][0] + 5] ^= 1
        ecu = ZonedEcu(bytes(flash))
        ecu.reset()
        assert ecu.slots.rotten == RottenImage.number
        ecu.installs(entry)
        assert not ecu.slots.rotten


def test_a_trial_whose_data_rot_is_over():
    """E-79, V-67."""
    ecu = ZonedEcu()
    ecu.takes(BOTH)
    ecu.slots.start_trial()
    flash = bytearray(ecu.content())
    flash[PLACES[REGION_USER_DATA][1]] ^= 0x10
    ecu = ZonedEcu(bytes(flash))
    assert ecu.reset() == (1, True) and ecu.slots.rotten == RottenImage.number
    assert ecu.reset() == (0, False) and not ecu.slots.rotten
    assert ecu.holds() == FACTORY


def test_the_record_of_regions_may_not_be_missing():
    """E-79."""
    ecu = ZonedEcu()
    ecu.records.commit({RECORD_REGIONS: None})
    raises(Rotten, ecu.slots.place, REGION_APPLICATION)
    empty = Regions(
        [ecu.area(3, 0), ecu.area(3, 1)], [(4, ecu.area(4, 0), ecu.area(4, 1))], ecu.records
    )
    raises(NoRegion, empty.furnish, [(5, 1, digest_of(b"x"))], 1, 1, digest_of(b"x"), 1)
    raises(TooLarge, empty.furnish, [(3, 2049, digest_of(b"x"))], 1, 1, digest_of(b"x"), 1)
    empty.provision(9, len(CODE_1), digest_of(CODE_1), 1)
    assert empty.boot() == (0, False) and empty.contents() == [[3, 9], [4, 0]]
    run(empty.check(Suite))
    assert not empty.rotten and empty.place(4)[1] == 0


def test_an_ecu_without_any_image_has_no_regions_either():
    ecu = ZonedEcu(b"\xff" * 15360)
    assert ecu.reset() == (None, False)
    raises(NotProvisioned, ecu.slots.place, REGION_APPLICATION)
    raises(NotProvisioned, choose, ecu.slots, CODE)
    assert ecu.slots.contents() == []


def test_the_same_image_for_other_regions_is_begun_anew():
    """S-25, E-79: a Director may say other regions the next day; nothing half old is staged."""
    ecu = ZonedEcu()
    one = Entry(8, [(REGION_APPLICATION, CODE_2)])
    ecu.takes(one, end=1100)
    other = Entry(8, [(REGION_CALIBRATION, CODE_2)])
    ecu.reset()
    assert ecu.takes(other) == 0
    ecu.slots.start_trial()
    assert ecu.reset() == (1, True)
    assert ecu.holds() == merged({REGION_CALIBRATION: CODE_2})
    ecu.slots.confirm()
    assert ecu.slots.contents() == [[3, 1], [4, 8], [5, 1]]


def test_during_a_trial_nothing_is_chosen_over_it():
    """S-39, V-67."""
    ecu = ZonedEcu()
    ecu.takes(CODE)
    ecu.slots.start_trial()
    ecu.reset()
    choose(ecu.slots, DATA)
    raises(Unwanted, run, ecu.slots.begin(Installed(4, DATA.length, DATA.digest, 4)))
    assert ecu.holds() == merged({REGION_APPLICATION: CODE_2})
    ecu.slots.confirm()
    assert ecu.holds() == merged({REGION_APPLICATION: CODE_2})
    ecu.installs(DATA)
    assert ecu.holds() == merged({3: CODE_2, 4: DATA_2})


def test_an_image_with_another_hash_is_given_up_in_all_its_regions():
    """V-63.7, V-66."""
    ecu = ZonedEcu()
    lie = Entry(5, [(REGION_APPLICATION, CODE_2), (REGION_USER_DATA, USER_2)])
    lie.content = lie.content[:-1] + b"!"
    raises(WrongHash, ecu.takes, lie)
    assert ecu.slots.staged() is None and ecu.reset() == (0, False) and ecu.holds() == FACTORY
    assert ecu.installs(BOTH) == 0


def test_a_delta_starts_from_what_the_region_holds():
    """S-26, S-30, E-81: not from the image that was installed last."""
    ecu = ZonedEcu()
    ecu.installs(CODE)
    ecu.installs(DATA)
    choose(ecu.slots, Entry(9, [(REGION_APPLICATION, CODE_1)]))
    assert ecu.slots.base() == CODE.digest
    assert ecu.slots.areas[ecu.slots.running()].read(0, len(CODE_2)) == CODE_2
    choose(ecu.slots, Entry(9, [(REGION_CALIBRATION, DATA_1)]))
    assert ecu.slots.base() == DATA.digest
    choose(ecu.slots, BOTH)
    assert ecu.slots.base() == b""
