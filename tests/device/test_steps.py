"""V-71 to V-75 step by step: whoever breaks a step and all later ones is refused by that step.

So every step is taken, and in the Standard's order: of many faults in one file the first counts.
"""

from claims import raises
from maker import BRAKE, NOW, number_of, seed_of
from uptane import errors
from uptane.ids import (
    ALG_SHA256,
    DIRECTOR,
    ENTRY_ECUS,
    IMAGE,
    KEY_CUSTOM,
    KEY_DELEGATIONS,
    KEY_EXPIRES,
    KEY_IMAGES,
    KEY_SNAPSHOT,
    KEY_VERSION,
    KEY_VERSIONS,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from vehicle import Full, Partial, Primary, prove, updated

STRANGER = b"\xee" * 32


def padded(count):
    return lambda fields: fields.update({KEY_CUSTOM: {1: bytes(count)}})


def old(fields):
    fields[KEY_VERSION] = 1


def expired(fields):
    fields[KEY_EXPIRES] = NOW


def broken(number, role, changes, before=None):
    """A lie: the next file of a role with all of these changes; STRANGER among them signs it.
    `before(repository)` prepares the others."""

    def lie(oem):
        repository = oem.repositories[number]

        def change(fields):
            for one in changes:
                if one is not STRANGER:
                    one(fields)

        repository.alter[role] = change
        if STRANGER in changes:
            repository.keys[role] = [STRANGER]
        if before is not None:
            before(repository)
        if role == ROOT:
            repository.rotate()
        oem.publish(3)
        if role == SNAPSHOT:
            repository.versions[role] = 3  # whatever it said of itself

    return lie


def each_step(kinds, number, role, steps, before=None):
    """`steps`: [(change, refusal), ...] in the Standard's order."""
    for at in range(len(steps)):
        changes = [change for change, _ in steps[at:]]
        for kind in kinds:
            prove(kind, broken(number, role, changes, before), steps[at][1])


def test_a_root_is_checked_in_order():
    """V-71.2.2, V-71.2.3, V-71.2.4: the cap, both thresholds, the version."""
    steps = ((padded(2048), errors.TooLong), (STRANGER, errors.BelowThreshold))
    each_step((Full, Partial), DIRECTOR, ROOT, steps + ((old, errors.Rollback),))
    each_step((Full,), IMAGE, ROOT, steps + ((old, errors.Rollback),))

    def skipping(fields):
        fields[KEY_VERSION] = 3

    each_step((Full,), IMAGE, ROOT, steps + ((skipping, errors.RootSkipped),))


def test_roots_are_taken_until_there_is_none():
    """V-71.1, V-71.2.1, V-71.2.2, V-71.2.5, V-71.2.6, V-71.3: from the stored one on, each by the
    one before; the expiry of the last alone counts, after the loop."""
    for number in (DIRECTOR, IMAGE):
        oem, node = updated(Full)
        repository = oem.repositories[number]
        for _ in range(2):
            repository.expires[ROOT] = NOW
            repository.rotate()
        oem.publish(3)
        raises(errors.Expired, node.refresh)
        asked = [detail for other, role, detail in node.wants if (other, role) == (number, ROOT)]
        assert asked == [2, 3, 4]
        raises(errors.Expired, node.refresh)
        asked = [detail for other, role, detail in node.wants if (other, role) == (number, ROOT)]
        assert asked == [4]


def test_a_timestamp_is_checked_in_order():
    """V-72.1, V-72.2, V-72.3, V-72.4: the cap, the threshold, the version, the expiry."""
    steps = (
        (padded(512), errors.TooLong),
        (STRANGER, errors.BelowThreshold),
        (old, errors.Rollback),
        (expired, errors.Expired),
    )
    each_step((Full, Primary), DIRECTOR, TIMESTAMP, steps)
    each_step((Full,), IMAGE, TIMESTAMP, steps)


def test_a_snapshot_is_checked_in_order():
    """V-73.1, V-73.2, V-73.3, V-73.4, V-73.7: the cap, hash and version by the Timestamp, the
    threshold, the version, the expiry."""

    def other_hash(fields):
        fields[KEY_SNAPSHOT][2] = {ALG_SHA256: bytes(32)}

    def renamed(repository):
        repository.alter[TIMESTAMP] = other_hash

    def renumbered(repository):
        repository.versions[SNAPSHOT] = 0

    def aged(fields):
        old(fields)
        expired(fields)

    last = ((STRANGER, errors.BelowThreshold), (aged, errors.Rollback))
    for number in (DIRECTOR, IMAGE):
        each_step((Full,), number, SNAPSHOT, ((padded(1024), errors.TooLong),) + last, renumbered)
        mixed = ((lambda fields: None, errors.SnapshotMismatch),)
        lie = broken(number, SNAPSHOT, [change for change, _ in mixed + last], renamed)
        prove(Full, lie, errors.SnapshotMismatch)


def test_a_snapshot_of_other_targets_is_refused_before_its_expiry():
    """V-73.5, V-73.6, V-73.7: a lower version and a dropped role, before the expiry."""

    def lowered(fields):
        fields[KEY_VERSIONS][TARGETS] = 1

    def dropped(fields):
        del fields[KEY_VERSIONS][16]

    for number in (DIRECTOR, IMAGE):
        each_step(
            (Full,), number, SNAPSHOT, ((lowered, errors.Rollback), (expired, errors.Expired))
        )
        steps = ((dropped, errors.RoleDropped), (expired, errors.Expired))
        each_step((Full,), number, SNAPSHOT, steps)


def delegating(fields):
    fields[KEY_DELEGATIONS] = [1]


def doubled(fields):
    fields[KEY_IMAGES][number_of(BRAKE, 3)][ENTRY_ECUS] = [BRAKE, BRAKE]


def strange(fields):
    fields[KEY_IMAGES][number_of(BRAKE, 3)][ENTRY_ECUS] = [BRAKE, 77]


def test_targets_of_a_director_are_checked_in_order():
    """V-74.1, V-74.3, V-74.5, V-74.6, V-74.7, V-74.8: the cap, the threshold, the expiry, no
    delegation, no ECU twice, no ECU of others."""
    first = (
        (padded(4096), errors.TooLong),
        (STRANGER, errors.BelowThreshold),
        (expired, errors.Expired),
    )
    each_step(
        (Full, Partial), DIRECTOR, TARGETS, first + ((delegating, errors.DirectorDelegates),)
    )
    each_step((Full, Partial), DIRECTOR, TARGETS, first + ((doubled, errors.EcuTwice),))
    each_step((Primary,), DIRECTOR, TARGETS, first + ((strange, errors.UnknownEcu),))
    each_step((Full,), IMAGE, TARGETS, first)


def test_old_targets_are_refused_before_their_expiry():
    """V-74.3, V-74.4, V-74.5: by its own floor where no Snapshot speaks, before the expiry."""
    steps = (
        (STRANGER, errors.BelowThreshold),
        (old, errors.Rollback),
        (expired, errors.Expired),
    )
    each_step((Partial,), DIRECTOR, TARGETS, steps)
    for number in (DIRECTOR, IMAGE):
        oem, node = updated(Full)
        repository = oem.repositories[number]
        for role in (TIMESTAMP, SNAPSHOT):  # with their keys the Snapshot is forgotten
            repository.keys[role] = [seed_of(number, role, 1)]
        repository.rotate()
        repository.versions[TARGETS] = 0
        oem.publish(3)
        raises(errors.Rollback, node.refresh)


def test_targets_that_the_snapshot_does_not_name_are_refused_first():
    """V-74.2: before anything else of it is looked at."""

    def misnamed(repository):
        repository.alter[SNAPSHOT] = lambda fields: fields[KEY_VERSIONS].update({TARGETS: 9})

    for number in (DIRECTOR, IMAGE):

        def lie(oem, number=number):
            broken(number, TARGETS, [STRANGER, expired], misnamed)(oem)
            repository = oem.repositories[number]
            repository.files[TARGETS, 9] = repository.files[TARGETS, 0]

        prove(Full, lie, errors.VersionMismatch)
