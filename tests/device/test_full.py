"""Full verification: what an ECU that sees both repositories stores and decides."""

from claims import raises
from maker import (
    BRAKE,
    DOOR,
    GATEWAY,
    NOW,
    seed_of,
)
from uptane import cbor, errors
from uptane.ids import (
    DIRECTOR,
    IMAGE,
    RECORD_HIGH_WATER,
    RECORD_METADATA,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from vehicle import Full, Primary, updated

# --- the honest path -------------------------------------------------------------------------


def test_an_update_is_decided_and_everything_is_stored_at_once():
    """V-75, V-75.2, V-75.3, V-75.5, V-75.7, V-75.9, V-75.10"""
    oem, node = updated(Full)
    assert node.wants == [
        (DIRECTOR, ROOT, 2),
        (DIRECTOR, TIMESTAMP, 0),
        (DIRECTOR, SNAPSHOT, 2),
        (DIRECTOR, TARGETS, 2),
        (IMAGE, ROOT, 2),
        (IMAGE, TIMESTAMP, 0),
        (IMAGE, SNAPSHOT, 2),
        (IMAGE, TARGETS, 2),
    ]
    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        assert node.records[RECORD_METADATA + role] == oem.director.files[role, 0]
        assert node.records[RECORD_METADATA + 0x100 + role] == oem.image.files[role, 0]


def test_no_news_ends_the_cycle_after_the_timestamp():
    """V-75.4"""
    oem, node = updated(Full)
    decision = node.refresh()
    assert node.wants == [(DIRECTOR, ROOT, 2), (DIRECTOR, TIMESTAMP, 0)]
    assert decision.new == [] and decision.entry(BRAKE) is None


def test_no_news_does_not_hide_an_update_that_was_not_installed():
    """T-17, E-87: the cycle before was cut short after its Commit."""
    oem, node = updated(Full)
    oem.publish(3)
    node.refresh()
    decision = node.refresh()
    assert decision.entry(BRAKE).release == 3
    assert (DIRECTOR, TARGETS, 3) not in node.wants and (IMAGE, TARGETS, 3) not in node.wants
    assert (IMAGE, TIMESTAMP, 0) in node.wants


def test_nothing_new_for_me_stores_the_news_and_leaves_the_image_repository_alone():
    """V-51, V-75.6, T-16"""
    oem, node = updated(Full)
    oem.direct({GATEWAY: 3, BRAKE: 2})
    assert node.refresh().new == []
    assert (IMAGE, ROOT, 2) not in node.wants
    assert node.records[RECORD_METADATA + TARGETS] == oem.director.files[TARGETS, 3]


def test_an_unchanged_image_snapshot_saves_its_targets():
    """V-75.8"""
    oem, node = updated(Full)
    oem.publish(3)
    node.refresh()  # not installed
    oem.direct({BRAKE: 3, DOOR: 3})
    assert node.refresh().entry(BRAKE).release == 3
    assert (IMAGE, TIMESTAMP, 0) in node.wants and (IMAGE, SNAPSHOT, 3) not in node.wants


def test_no_entry_for_me_keeps_the_previous_targets_and_raises_the_mark():
    """V-63.2, V-60, T-19"""
    oem, node = updated(Full)
    previous = node.records[RECORD_METADATA + TARGETS]
    oem.direct({GATEWAY: 3})
    decision = node.refresh()
    assert decision.refusal is errors.NoImage and decision.new == []
    assert node.records[RECORD_METADATA + TARGETS] == previous
    assert node.records[RECORD_METADATA + SNAPSHOT] == oem.director.files[SNAPSHOT, 3]
    assert cbor.loads(node.records[RECORD_HIGH_WATER])[0] == 3
    assert node.refresh().refusal is errors.NoImage
    oem.publish(4)
    node.update()
    assert node.release() == 4 and RECORD_HIGH_WATER not in node.records


def test_the_primary_decides_for_every_ecu_of_the_vehicle():
    """V-47, V-75.10"""
    oem, node = updated(Primary)
    oem.direct({GATEWAY: 2, BRAKE: 3, DOOR: 3})
    oem.image.publish()
    decision = node.update()
    assert decision.new == [BRAKE, DOOR] and decision.entry(GATEWAY) is None
    assert sorted(decision.entries) == [GATEWAY, BRAKE, DOOR]
    oem.director.images = {}
    oem.director.publish()
    assert node.refresh().entries == {}


# --- time, keys, stored files ----------------------------------------------------------------


def test_a_new_install_needs_a_time_of_this_cycle():
    """V-75.1, T-28, E-05: but nothing new needs none."""
    oem, node = updated(Full)
    node.fresh = False
    assert node.refresh().new == []
    oem.publish(3)
    before = dict(node.records)
    raises(errors.NoFreshTime, node.refresh)
    assert node.records == before
    node.fresh = True
    assert node.refresh().new == [BRAKE]


def test_a_stored_file_that_expired_is_not_believed_but_still_counts_against_rollback():
    """T-15, T-42, E-86"""
    for role in (SNAPSHOT, TARGETS):
        oem, node = updated(Full)
        oem.director.expires[role] = NOW + 2
        oem.publish(3)
        node.update()
        node.ticks_ms = 1999
        assert node.refresh().new == []
        node.ticks_ms = 2000
        raises(errors.Expired, node.refresh)
        assert (DIRECTOR, role, 3) in node.wants
        oem.director.files[TIMESTAMP, 0] = oem.director.history[TIMESTAMP, 2]
        raises(errors.Rollback, node.refresh)


def test_stored_files_of_a_revoked_key_are_dropped_with_the_root_step():
    """T-12, T-15, E-39, V-71.4: then the revoked key signs nothing more."""
    oem, node = updated(Full)
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, 1)]
    oem.director.rotate()
    del oem.director.files[TIMESTAMP, 0]
    raises(errors.Withheld, node.refresh)
    assert node.records[RECORD_METADATA + ROOT] == oem.director.files[ROOT, 2]
    assert RECORD_METADATA + TARGETS not in node.records
    assert RECORD_METADATA + TIMESTAMP in node.records
    before = dict(node.records)
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS)]
    oem.publish(3)
    raises(errors.BelowThreshold, node.refresh)
    assert node.records == before
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, 1)]
    oem.publish(4)
    node.update()
    assert node.release() == 4


def test_fast_forwarded_versions_are_forgotten_with_the_key_that_signed_them():
    """E-16, T-12: Timestamp and Snapshot fall together, Targets with its own key."""
    oem, node = updated(Full)
    oem.director.versions = dict.fromkeys(oem.director.versions, 2147483632)
    oem.director.versions[ROOT] = 1
    oem.publish(3)
    node.update()
    oem.director.versions.update({TIMESTAMP: 2, SNAPSHOT: 2, TARGETS: 2})
    oem.publish(4)
    raises(errors.Rollback, node.refresh)
    oem.director.keys[TIMESTAMP] = [seed_of(DIRECTOR, TIMESTAMP, 1)]
    oem.director.rotate()
    oem.publish(5)
    raises(errors.Rollback, node.refresh)
    assert RECORD_METADATA + SNAPSHOT not in node.records
    assert RECORD_METADATA + TARGETS in node.records
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, 1)]
    oem.director.rotate()
    oem.publish(6)
    node.update()
    assert node.release() == 6


def test_release_counters_survive_every_change_of_keys():
    """R-41, T-12, T-21"""
    oem, node = updated(Full)
    for repository in (oem.director, oem.image):
        for role in (TIMESTAMP, SNAPSHOT, TARGETS):
            repository.keys[role] = [seed_of(repository.number, role, 1)]
        repository.rotate()
    oem.publish(1)
    raises(errors.ReleaseRollback, node.refresh)


def test_an_image_root_that_was_revoked_is_noticed_before_its_files_are_believed():
    """V-78, E-39"""
    oem, node = updated(Full)
    oem.image.keys[TARGETS] = [seed_of(IMAGE, TARGETS, 1)]
    oem.image.rotate()
    oem.image.keys[TARGETS] = [seed_of(IMAGE, TARGETS)]
    oem.publish(3)
    raises(errors.BelowThreshold, node.refresh)
    oem.image.keys[TARGETS] = [seed_of(IMAGE, TARGETS, 1)]
    oem.publish(4)
    node.update()
    assert node.release() == 4
