"""Full verification: files that are old, expired, too long, spliced or taken for others."""

from claims import raises
from maker import (
    NOW,
    Oem,
)
from uptane import errors
from uptane.ids import (
    ALG_SHA256,
    KEY_SNAPSHOT,
    KEY_TYPE,
    KEY_VERSIONS,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from vehicle import Full, prove


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


def test_an_old_timestamp_is_a_rollback():
    """V-72.3, E-08"""
    prove(Full, replayed(TIMESTAMP), errors.Rollback)
    prove(Full, replayed(TIMESTAMP, director=False), errors.Rollback)


def test_an_old_snapshot_is_not_the_one_the_timestamp_names():
    """V-73.2, E-09, E-24"""
    prove(Full, replayed(SNAPSHOT), errors.SnapshotMismatch)


def test_a_snapshot_may_not_be_older_than_the_stored_one():
    """V-73.4: though a newer Timestamp names it and all the right keys signed it."""

    def lie(oem):
        oem.director.versions[SNAPSHOT] -= 2
        oem.publish(3)
        oem.director.versions[SNAPSHOT] += 2

    prove(Full, lie, errors.Rollback)


def test_a_snapshot_may_not_lower_a_version():
    """V-73.5, E-10: neither of the top-level Targets nor of a delegated one."""

    def lower(role, version):
        return lambda fields: fields[KEY_VERSIONS].update({role: version})

    prove(Full, altered(SNAPSHOT, lower(TARGETS, 1)), errors.Rollback)
    prove(Full, altered(SNAPSHOT, lower(16, 6), director=False), errors.Rollback)


def test_a_snapshot_may_not_drop_a_role():
    """V-73.6, E-11: neither the top-level Targets nor a delegated one."""

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
    """V-74.2, E-12, E-24"""
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
    """V-72.4, V-73.7, V-74.5, E-53, E-04, T-29: the moment of expiry is too late."""
    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        prove(Full, expired(role), errors.Expired)
        prove(Full, expired(role, director=False), errors.Expired)


def test_a_withheld_file_ends_the_cycle():
    """T-39, E-02"""

    def withhold(role):
        def lie(oem):
            oem.publish(3)
            del oem.director.files[role, 0 if role == TIMESTAMP else 3]

        return lie

    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        prove(Full, withhold(role), errors.Withheld)


def test_endless_metadata_is_cut_at_its_cap():
    """V-72.1, V-73.1, V-74.1, E-19"""

    def pad(role):
        def lie(oem):
            oem.publish(3)
            oem.director.files[role, oem.director.versions[role]] += bytes(4096)
            oem.director.files[role, 0] += bytes(4096)

        return lie

    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        prove(Full, pad(role), errors.TooLong)


def test_a_wrong_or_unknown_hash_of_the_snapshot_is_refused():
    """V-73.2, E-54, T-34: every hash listed must be known and match."""

    def wrong(fields):
        fields[KEY_SNAPSHOT][2] = {ALG_SHA256: bytes(32)}

    def unknown(fields):
        fields[KEY_SNAPSHOT][2][-44] = bytes(64)

    def length(fields):
        fields[KEY_SNAPSHOT][1] += 1

    prove(Full, altered(TIMESTAMP, wrong), errors.SnapshotMismatch)
    prove(Full, altered(TIMESTAMP, length), errors.SnapshotMismatch)
    prove(Full, altered(TIMESTAMP, unknown), errors.UnknownHash)


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
