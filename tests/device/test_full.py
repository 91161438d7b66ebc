"""Full verification: what a Secondary or Primary that sees both repositories refuses, and takes."""

from claims import raises
from maker import (
    BRAKE,
    DOOR,
    GATEWAY,
    NOW,
    Oem,
    digest,
    number_of,
    seed_of,
)
from uptane import cbor, errors
from uptane.ids import (
    ALG_SHA256,
    DIRECTOR,
    ENTRY_ECUS,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    IMAGE,
    KEY_DELEGATIONS,
    KEY_IMAGES,
    KEY_SNAPSHOT,
    KEY_TYPE,
    KEY_VERSIONS,
    MATCH_HARDWARE,
    MATCH_RELEASE,
    RECORD_HIGH_WATER,
    RECORD_METADATA,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from vehicle import Full, Primary, installs, prove, updated

NEXT = number_of(BRAKE, 3)


def altered(role, change, director=True):
    """A lie: whoever holds the keys of one repository changes a role of the next publication."""

    def lie(oem):
        repository = oem.director if director else oem.image
        repository.alter[role] = change
        oem.publish(3)

    return lie


def replayed(role, director=True):
    """A lie: the next publication, with a file of the previous one in its midst."""

    def lie(oem):
        repository = oem.director if director else oem.image
        oem.publish(3)
        version = repository.versions[role]
        repository.files[role, version] = repository.files[role, 0] = repository.history[role, 1]

    return lie


def expired(role, director=True):
    def lie(oem):
        repository = oem.director if director else oem.image
        repository.expires[role] = NOW
        oem.publish(3)

    return lie


def edit_entry(key, value, director=True):
    """A lie about one field of the brake's next image, told by one repository."""

    def change(fields):
        fields[KEY_IMAGES][NEXT][key] = value

    return altered(TARGETS, change, director)


# --- the honest path ------------------------------------------------------------------------------


def test_an_update_is_decided_and_everything_is_stored_at_once():
    """V-75"""
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
    """V-75.6, T-16"""
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
    """V-60, T-19"""
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


# --- rollback, freeze, mix and match ----------------------------------------------------------------


def test_an_old_timestamp_is_a_rollback():
    """E-08"""
    prove(Full, replayed(TIMESTAMP), errors.Rollback)
    prove(Full, replayed(TIMESTAMP, director=False), errors.Rollback)


def test_an_old_snapshot_is_not_the_one_the_timestamp_names():
    """E-09, E-24"""
    prove(Full, replayed(SNAPSHOT), errors.SnapshotMismatch)


def test_a_snapshot_may_not_lower_a_version():
    """E-10"""

    def change(fields):
        fields[KEY_VERSIONS][TARGETS] = 1

    prove(Full, altered(SNAPSHOT, change), errors.Rollback)


def test_a_snapshot_may_not_drop_a_role():
    """E-11: neither the top-level Targets nor a delegated one."""

    def drop(role):
        def change(fields):
            del fields[KEY_VERSIONS][role]

        return change

    prove(Full, altered(SNAPSHOT, drop(TARGETS)), errors.RoleDropped)
    prove(Full, altered(SNAPSHOT, drop(16), director=False), errors.RoleDropped)


def test_a_first_snapshot_without_targets_names_no_version():
    """E-24, T-41"""
    oem = Oem()
    oem.director.alter[SNAPSHOT] = lambda fields: fields[KEY_VERSIONS].pop(TARGETS) and None
    oem.publish(1)
    raises(errors.VersionMismatch, Full(oem).refresh)


def test_old_targets_are_not_the_ones_the_snapshot_names():
    """E-12, E-24"""
    prove(Full, replayed(TARGETS), errors.VersionMismatch)
    prove(Full, replayed(TARGETS, director=False), errors.VersionMismatch)


def test_the_same_version_with_another_payload_is_refused():
    """E-15, T-09: whoever holds the key of the role."""

    def again(role):
        def lie(oem):
            for other in (TIMESTAMP, SNAPSHOT, TARGETS):
                oem.director.versions[other] -= other == role
            oem.publish(3)

        return lie

    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        prove(Full, again(role), errors.SameVersionDiffers)


def test_an_expired_file_is_refused_whatever_its_role():
    """E-53, E-04, T-29: the moment of expiry is too late."""
    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        prove(Full, expired(role), errors.Expired)
        prove(Full, expired(role, director=False), errors.Expired)


def test_a_withheld_file_ends_the_cycle():
    """E-02"""

    def withhold(role):
        def lie(oem):
            oem.publish(3)
            del oem.director.files[role, 0 if role == TIMESTAMP else 3]

        return lie

    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        prove(Full, withhold(role), errors.Withheld)


def test_endless_metadata_is_cut_at_its_cap():
    """E-19"""

    def pad(role):
        def lie(oem):
            oem.publish(3)
            oem.director.files[role, oem.director.versions[role]] += bytes(4096)
            oem.director.files[role, 0] += bytes(4096)

        return lie

    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        prove(Full, pad(role), errors.TooLong)


def test_a_wrong_or_unknown_hash_of_the_snapshot_is_refused():
    """E-54, T-34: every hash listed must be known and match."""

    def wrong(fields):
        fields[KEY_SNAPSHOT][2] = {ALG_SHA256: bytes(32)}

    def unknown(fields):
        fields[KEY_SNAPSHOT][2][-44] = bytes(64)

    def length(fields):
        fields[KEY_SNAPSHOT][1] += 1

    prove(Full, altered(TIMESTAMP, wrong), errors.SnapshotMismatch)
    prove(Full, altered(TIMESTAMP, length), errors.SnapshotMismatch)
    prove(Full, altered(TIMESTAMP, unknown), errors.UnknownHash)


# --- a compromised Director ---------------------------------------------------------------------------


def test_evil_content_under_a_good_name_differs_between_repositories():
    """E-32, E-55"""
    evil = {ALG_SHA256: digest(b"evil")}
    prove(Full, edit_entry(ENTRY_HASHES, evil), errors.ImagesDiffer)
    prove(Full, edit_entry(ENTRY_HASHES, evil, director=False), errors.ImagesDiffer)
    prove(Full, edit_entry(ENTRY_LENGTH, 5), errors.ImagesDiffer)


def test_must_match_data_has_to_match():
    """E-55, T-04, V-75.10.2b"""
    match = {MATCH_HARDWARE: [20], MATCH_RELEASE: 4}
    prove(Full, edit_entry(ENTRY_MATCH, match), errors.ImagesDiffer)
    match = {MATCH_HARDWARE: [20, 30], MATCH_RELEASE: 3}
    prove(Full, edit_entry(ENTRY_MATCH, match), errors.ImagesDiffer)


def test_both_repositories_together_succeed():
    """E-36: outside the model; the edge of the promise."""

    def lie(oem):
        evil = {ALG_SHA256: digest(b"evil")}
        oem.image.alter[TARGETS] = lambda fields: fields[KEY_IMAGES][NEXT].update(
            {ENTRY_HASHES: evil}
        )
        edit_entry(ENTRY_HASHES, evil)(oem)

    assert installs(Full, lie).installed[BRAKE].digest == digest(b"evil")


def test_an_image_for_other_hardware_is_refused():
    """E-33: genuine, but meant for the door."""

    def change(fields):
        door = fields[KEY_IMAGES][number_of(DOOR, 3)]
        brake = fields[KEY_IMAGES][NEXT]
        door[ENTRY_ECUS], brake[ENTRY_ECUS] = brake[ENTRY_ECUS], door[ENTRY_ECUS]

    prove(Full, altered(TARGETS, change), errors.WrongHardware)


def test_an_image_that_the_image_repository_does_not_list_is_refused():
    """E-34"""

    def change(fields):
        fields[KEY_IMAGES][NEXT + 50] = fields[KEY_IMAGES].pop(NEXT)

    prove(Full, altered(TARGETS, change), errors.NotOnImageRepository)


def test_an_older_release_that_is_still_listed_is_refused():
    """E-14, V-75.10.2c, T-21"""
    prove(Full, lambda oem: oem.direct({BRAKE: 1}), errors.ReleaseRollback)
    prove(Primary, lambda oem: oem.direct({GATEWAY: 2, BRAKE: 1}), errors.ReleaseRollback)


def test_an_image_number_names_one_image_for_ever():
    """T-53, V-85: even if both repositories agree on the new content."""

    def change(fields):
        fields[KEY_IMAGES][number_of(BRAKE, 2)][ENTRY_HASHES] = {ALG_SHA256: digest(b"new")}

    def lie(oem):
        oem.director.alter[TARGETS] = oem.image.alter[TARGETS] = change
        oem.publish(2)

    prove(Full, lie, errors.ImageReused)


def test_an_unknown_hash_of_an_image_is_refused():
    """E-54, T-34"""

    def change(fields):
        fields[KEY_IMAGES][NEXT][ENTRY_HASHES][-44] = bytes(64)

    def lie(oem):
        oem.director.alter[TARGETS] = oem.image.alter[TARGETS] = change
        oem.publish(3)

    prove(Full, lie, errors.UnknownHash)


def test_the_director_may_not_delegate_and_the_image_repository_not_yet():
    """E-48, V-74.6"""

    def change(fields):
        fields[KEY_DELEGATIONS] = [1]

    prove(Full, altered(TARGETS, change), errors.DirectorDelegates)
    prove(Full, altered(TARGETS, change, director=False), errors.Unsupported)


def test_no_ecu_is_directed_twice():
    """E-49, V-74.7: in two entries, or twice in one."""
    prove(Full, edit_entry(ENTRY_ECUS, [BRAKE, DOOR]), errors.EcuTwice)
    prove(Full, edit_entry(ENTRY_ECUS, [BRAKE, BRAKE]), errors.EcuTwice)


def test_the_primary_knows_its_ecus():
    """E-50, V-74.8: registered, whether or not they answer (T-36)."""
    prove(Primary, edit_entry(ENTRY_ECUS, [BRAKE, 77]), errors.UnknownEcu)
    assert installs(Full, edit_entry(ENTRY_ECUS, [BRAKE, 77])).release() == 3


def test_directions_for_another_vehicle_are_refused():
    """E-51, E-52, T-18: with or without images; its higher versions are not kept."""

    def lie(oem):
        oem.director.vehicle = "VIN-2"
        oem.publish(3)

    def empty(oem):
        oem.director.vehicle = "VIN-2"
        oem.direct({})

    def nameless(oem):
        oem.director.vehicle = None
        oem.publish(3)

    for kind in (Full, Primary):
        prove(kind, lie, errors.WrongVehicle)
        prove(kind, empty, errors.WrongVehicle)
        prove(kind, nameless, errors.WrongVehicle)


def test_one_bad_image_refuses_the_bundle():
    """T-35: at the Primary; the brake's image is good."""

    def change(fields):
        fields[KEY_IMAGES][number_of(DOOR, 3)][ENTRY_LENGTH] += 1

    prove(Primary, altered(TARGETS, change), errors.ImagesDiffer)


# --- time, keys, stored files -----------------------------------------------------------------------


def test_a_new_install_needs_a_time_of_this_cycle():
    """T-28, E-05: but nothing new needs none."""
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
    oem, node = updated(Full)
    oem.director.expires[SNAPSHOT] = NOW + 1
    oem.publish(3)
    node.update()
    node.ticks_ms = 2000
    raises(errors.Expired, node.refresh)
    assert (DIRECTOR, SNAPSHOT, 3) in node.wants
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
    oem.director.versions = {role: 0x7FFFFFF0 for role in oem.director.versions}
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
    """T-12, T-21"""
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


def test_a_key_of_one_repository_signs_nothing_on_the_other():
    """V-78"""

    def lie(oem):
        oem.image.keys[TARGETS] = oem.director.keys[TARGETS]
        oem.publish(3)

    prove(Full, lie, errors.BelowThreshold)


def test_a_file_of_one_role_is_none_of_another():
    """E-46: relabelled by whoever holds the key, or presented as it is."""

    def relabelled(fields):
        fields[KEY_TYPE] = TIMESTAMP

    def swapped(oem):
        oem.publish(3)
        oem.director.files[TARGETS, 3] = oem.director.files[SNAPSHOT, 3]

    prove(Full, altered(TARGETS, relabelled), errors.WrongType)
    prove(Full, swapped, errors.WrongType)

