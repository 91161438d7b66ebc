"""Full verification as a whole: what stops it early, and what a cycle that fails leaves behind."""

from claims import raises
from maker import BRAKE, DOOR, NOW, Oem, seed_of
from uptane import errors
from uptane.ids import (
    DIRECTOR,
    IMAGE,
    RECORD_METADATA,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from vehicle import Full, Partial, updated

STRANGER = b"\xee" * 32


def test_full_verification_goes_repository_by_repository():
    """V-75.2, V-75.3, V-75.4, V-75.5, V-75.6, V-75.7, V-75.8, V-75.9: of faults everywhere the
    first counts."""
    places = [(number, role) for number in (DIRECTOR, IMAGE) for role in (ROOT, 1, 2, 3)]
    for at in range(len(places)):
        oem, node = updated(Full)
        for number, role in places[at:]:
            oem.repositories[number].keys[role] = [STRANGER]
        for number, role in places[at:]:
            if role == ROOT:
                oem.repositories[number].rotate([STRANGER])
        oem.publish(3)
        before = dict(node.records)
        raises(errors.BelowThreshold, node.refresh)
        assert node.wants[-1][:2] == places[at]
        assert node.records == before


def test_the_step_that_stops_early_hides_no_image_root():
    """E-86, V-75.8, T-15: the Image repository's Snapshot did not change; its stored Targets has
    expired, or its key was revoked meanwhile, and is not believed."""
    for change in ("expiry", "key"):
        oem, node = updated(Full)
        oem.image.expires[TARGETS] = NOW + 2
        oem.publish(3)
        node.refresh()  # stored, not installed
        oem.direct({BRAKE: 3, DOOR: 3})
        if change == "expiry":
            node.ticks_ms = 2000
            raises(errors.Expired, node.refresh)
        else:
            oem.image.keys[TARGETS] = [seed_of(IMAGE, TARGETS, 1)]
            oem.image.rotate()
            raises(errors.BelowThreshold, node.refresh)
            assert RECORD_METADATA + 0x100 + TARGETS not in node.records
        assert (IMAGE, TARGETS, 3) in node.wants


def test_the_step_that_stops_early_hides_no_expired_directions():
    """E-86, V-75.4: whoever keeps serving the same Timestamp freezes until it expires, no more."""
    oem, node = updated(Full)
    oem.director.expires.update({TIMESTAMP: NOW + 60, SNAPSHOT: NOW + 30, TARGETS: NOW + 10})
    oem.publish(3)
    node.update()
    for seconds, refusal in ((9, None), (10, errors.Expired), (60, errors.Expired)):
        node.ticks_ms = 1000 * seconds
        if refusal is None:
            assert node.refresh().new == []
        else:
            raises(refusal, node.refresh)


def test_a_file_that_fails_leaves_none_of_its_cycle_behind():
    """E-87, T-17, V-75: the files before it were good; without it there are no news, and the next
    cycle begins where this one did."""
    for number, role in ((DIRECTOR, SNAPSHOT), (DIRECTOR, TARGETS), (IMAGE, 1), (IMAGE, 3)):
        oem, node = updated(Full)
        before = dict(node.records)
        oem.publish(3)
        repository = oem.repositories[number]
        version = 0 if role == TIMESTAMP else repository.versions[role]
        kept = repository.files.pop((role, version))
        raises(errors.Withheld, node.refresh)
        assert node.records == before
        repository.files[role, version] = kept
        node.update()
        assert node.release() == 3
        assert (DIRECTOR, SNAPSHOT, 3) in node.wants and (DIRECTOR, TARGETS, 3) in node.wants


def test_a_partial_ecu_stores_nothing_of_a_cycle_that_fails():
    """E-87, V-70, V-70.1, V-70.2: nor of one without a fresh time."""
    oem, node = updated(Partial)
    before = dict(node.records)
    oem.publish(3)
    node.fresh = False
    raises(errors.NoFreshTime, node.refresh)
    assert node.records == before
    assert node.wants == [(DIRECTOR, ROOT, 2), (DIRECTOR, TARGETS, 0)]
    node.fresh = True
    node.update()
    assert node.release() == 3


def test_an_ecu_that_was_never_fed_checks_everything():
    """V-75.4, V-75.8: nothing is stored that a Snapshot could be compared with."""
    oem = Oem()
    oem.publish(1)
    node = Full(oem)
    assert node.update().new == [BRAKE]
    roles = [(number, role) for number, role, _ in node.wants]
    assert roles == [(number, role) for number in (DIRECTOR, IMAGE) for role in (ROOT, 1, 2, 3)]
