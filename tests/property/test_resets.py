"""The named resets, each by itself: which new Root makes an ECU forget what, and that it forgets
nothing else. The release counter is in none of them.
"""

from hypothesis import given
from hypothesis import strategies as st

from maker import BRAKE, DOOR, GATEWAY, seed_of
from tests.property import reading
from tests.property.makers import ONLINE, Maker
from tests.property.nodes import nodes_of
from tests.property.profile import single
from uptane.ids import DIRECTOR, IMAGE, ROOT, SNAPSHOT, TARGETS, TIME, TIMESTAMP

FULL = (BRAKE, GATEWAY)
ALL = (DOOR, *FULL)


def current(ecu, director_targets=(1, 1)):
    """A maker and an ECU that took two updates, the Director's Targets by (keys, threshold)."""
    oem = Maker()
    count, threshold = director_targets
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, 50 + n) for n in range(count)]
    oem.director.thresholds[TARGETS] = threshold
    oem.director.renew()
    node = nodes_of(oem)[ecu]
    for _ in range(2):
        oem.campaign()
        cycle(node)
    assert node.counter == 2
    return oem, node


def cycle(node, withheld=()):
    """An honest cycle, except that files of `withheld` roles are said to be absent."""
    node.hear(node.oem.attest([node.ask()], node.oem.now))
    decision = node.judged_cycle(
        lambda want: None if want.number in withheld else node.oem.answer(want)
    )
    if decision is not None:
        node.confirm(decision)


def steps_only(node):
    """A cycle of which nothing but the steps of the Director's Root succeeds. Return the numbers
    of the records that it deleted.
    """
    before = set(node.records)
    cycle(node, ONLINE)
    assert node.records[reading.record_of(DIRECTOR, ROOT)] == node.oem.director.files[ROOT, 0]
    assert node.records.keys() <= before
    return before - set(node.records)


@single
@given(st.sampled_from(FULL), st.sets(st.sampled_from((TIMESTAMP, SNAPSHOT, ROOT)), min_size=1))
def test_new_keys_of_timestamp_or_snapshot_delete_both(ecu, roles) -> None:
    """V-71.4, T-12: of that repository; new keys of Root itself delete nothing."""
    oem, node = current(ecu)
    oem.replace(DIRECTOR, sorted(roles))
    both = {reading.record_of(DIRECTOR, role) for role in (TIMESTAMP, SNAPSHOT)}
    assert steps_only(node) == (both if roles - {ROOT} else set())
    assert node.counter == 2


@single
@given(st.sampled_from(FULL), st.sampled_from((TIMESTAMP, SNAPSHOT, TARGETS)))
def test_the_image_repository_resets_its_own_files_only(ecu, role) -> None:
    """V-71.4, T-12"""
    oem, node = current(ecu)
    before = set(node.records)
    oem.replace(IMAGE, [role])
    oem.campaign()

    def answer(want):
        hidden = want.repository == IMAGE and want.number != ROOT
        return None if hidden else oem.answer(want)

    node.hear(oem.attest([node.ask()], oem.now))
    assert node.judged_cycle(answer) is None
    fallen = (TARGETS,) if role == TARGETS else (TIMESTAMP, SNAPSHOT)
    assert before - set(node.records) == {reading.record_of(IMAGE, other) for other in fallen}


@single
@given(
    st.sampled_from(ALL),
    st.sampled_from(((1, 1), (2, 1), (2, 2), (3, 2), (3, 3))),
    st.sets(st.integers(0, 2)),
    st.integers(1, 3),
    st.booleans(),
)
def test_targets_and_the_mark_fall_if_their_threshold_is_no_longer_met(
    ecu, held, kept, threshold, marked
) -> None:
    """T-12, T-19, V-71.4: of those who signed, too few may sign now; else both stay."""
    oem, node = current(ecu, held)
    if marked:
        oem.campaign((GATEWAY,))
        cycle(node)
    assert (reading.FIRST_MARK in node.records) == (marked and ecu != GATEWAY)
    signed = held[1]  # an ECU keeps the first signatures that make up the threshold
    old = oem.director.keys[TARGETS]
    kept = [n for n in sorted(kept) if n < len(old)]
    fresh = [seed_of(DIRECTOR, TARGETS, 60 + n) for n in range(3)]
    oem.director.keys[TARGETS] = [old[n] for n in kept] + fresh
    oem.director.thresholds[TARGETS] = threshold
    oem.director.renew()
    falls = len([n for n in kept if n < signed]) < threshold
    known = {reading.record_of(DIRECTOR, TARGETS), reading.FIRST_MARK} & set(node.records)
    assert steps_only(node) == (known if falls else set())


@single
@given(st.sampled_from(ALL), st.booleans(), st.integers(0, 100_000))
def test_the_clock_falls_with_its_key_alone_and_is_set_by_the_next_cycle(
    ecu, stays, seconds
) -> None:
    """V-82, V-81, T-31: a second time key beside the first resets nothing."""
    oem, node = current(ecu)
    oem.now += seconds
    node.wait(seconds)
    if stays:
        oem.add(DIRECTOR, TIME, 1)
    else:
        oem.replace(DIRECTOR, [TIME])
    assert steps_only(node) == (set() if stays else {reading.CLOCK})
    assert node.now() == (oem.now if stays else seconds)  # zero, and the ticks since
    oem.campaign()
    cycle(node)
    assert node.now() == oem.now and node.counter == 3


@single
@given(
    st.sampled_from(ALL),
    st.lists(st.tuples(st.sampled_from((DIRECTOR, IMAGE)), st.sets(st.sampled_from(ONLINE)))),
    st.booleans(),
)
def test_no_change_of_keys_lowers_the_release_counter(ecu, changes, time) -> None:
    """T-21, R-41, T-12"""
    oem, node = current(ecu)
    for number, roles in changes:
        oem.replace(number, sorted(roles) + ([TIME] if time and number == DIRECTOR else []))
    oem.campaign(release=1)
    for _ in range(2):
        cycle(node)
    assert node.counter == 2 and node.release() == 2
    oem.campaign(release=2)
    oem.campaign(release=4)
    cycle(node)
    assert node.counter == 4
