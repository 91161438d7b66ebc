"""The trusted set at its edges: what lies one beside what is right."""

from claims import raises
from maker import NOW, VEHICLE, Oem, seed_of
from memory import SUITE
from uptane import cbor, errors
from uptane.ids import (
    DIRECTOR,
    IMAGE,
    KEY_IMAGES,
    KEY_SNAPSHOT,
    KEY_VEHICLE,
    RECORD_HIGH_WATER,
    RECORD_METADATA,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from uptane.limits import ENVELOPE_BYTES_MAX, METADATA_BYTES_MAX
from uptane.meta import targets
from uptane.meta.files import Files
from uptane.meta.policy import DEVICE, Policy
from uptane.meta.trusted import Trusted
from vehicle import Full, Partial, prove, updated


def test_the_first_root_is_exactly_the_one_of_the_identity():
    """V-22, V-71.1: neither an identity above its digest nor one below."""
    oem = Oem()
    records = {RECORD_METADATA + ROOT: oem.director.files[ROOT, 1]}
    files = Files(SUITE, targets, DEVICE, DIRECTOR, records.get)
    for identity in (bytes(32), b"\xff" * 32):
        raises(errors.NotProvisioned, Trusted, files, identity)


def test_a_root_of_long_ago_is_a_rollback():
    """V-71.2.4, E-13: however far behind it is."""
    oem, node = updated(Partial)
    for _ in range(3):
        oem.director.rotate()
    node.refresh()
    for version in (1, 2, 3, 4):
        before = dict(node.records)
        oem.director.files[ROOT, 5] = oem.director.history[ROOT, version]
        raises(errors.Rollback, node.refresh)
        assert node.records == before


def test_keys_that_change_drop_what_they_signed_whatever_else_is_stored():
    """V-71.4, T-12: a partial ECU holds Targets and nothing of the roles before it."""
    oem, node = updated(Partial)
    for role in (TIMESTAMP, SNAPSHOT, TARGETS):
        oem.director.keys[role] = [seed_of(DIRECTOR, role, 1)]
    oem.director.rotate()
    oem.director.files.pop((TARGETS, 0))
    raises(errors.Withheld, node.refresh)
    assert RECORD_METADATA + TARGETS not in node.records


def test_a_mark_stays_as_long_as_its_signers_make_up_the_threshold():
    """V-71.4, T-12, T-19: exactly as many, more, and one too few."""
    seeds = [seed_of(DIRECTOR, TARGETS, generation) for generation in range(3)]

    def marked():
        oem, node = updated(Partial)
        oem.director.keys[TARGETS] = seeds[:2]
        oem.director.thresholds[TARGETS] = 2
        oem.director.rotate()
        oem.direct({1: 3})
        assert node.refresh().refusal is errors.NoImage
        return oem, node

    def after(threshold, keys):
        oem, node = marked()
        assert RECORD_HIGH_WATER in node.records
        oem.director.keys[TARGETS] = keys
        oem.director.thresholds[TARGETS] = threshold
        oem.director.rotate()
        oem.director.files.pop((TARGETS, 0))
        raises(errors.Withheld, node.refresh)
        return RECORD_HIGH_WATER in node.records

    assert after(2, seeds)
    assert after(1, seeds)
    assert after(1, seeds[:1])
    assert not after(2, seeds[1:])
    assert not after(3, seeds)


def test_a_snapshot_has_the_length_and_the_version_that_were_named():
    """V-73.2, E-16: with the right digest; one more and one less."""

    def named(version, length):
        def change(fields):
            fields[KEY_SNAPSHOT][0] += version
            fields[KEY_SNAPSHOT][1] += length

        def lie(oem):
            oem.director.alter[TIMESTAMP] = change
            oem.publish(3)
            raw = oem.director.files[SNAPSHOT, 0]
            oem.director.files[SNAPSHOT, oem.director.versions[SNAPSHOT] + version] = raw

        return lie

    for version, length in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        prove(Full, named(version, length), errors.SnapshotMismatch)


def test_a_snapshot_may_come_with_signatures_around_it():
    """V-73.1, E-19: the length that was named, and room for an envelope, up to the role's cap."""
    policy = Policy()
    policy.t52_bytes_max = (512, 512, 4096, 512)

    def cap(length):
        oem, node = updated(Full)

        def change(fields):
            fields[KEY_SNAPSHOT][1] = length

        oem.director.alter[TIMESTAMP] = change
        oem.publish(3)
        node.policy = policy
        trusted = node.trusted(DIRECTOR)
        for _ in trusted.update_timestamp(oem.director.files[TIMESTAMP, 0], NOW):
            pass
        return trusted.want(SNAPSHOT, 3).cap

    assert ENVELOPE_BYTES_MAX == 1024
    assert [cap(length) for length in (100, 1024, 1500, 3072)] == [1124, 2048, 2524, 4096]
    assert cap(3073) == 4096


def test_a_file_may_be_as_long_as_its_cap():
    """T-52, E-19: and not one byte longer."""
    _, node = updated(Full)
    trusted = node.trusted(DIRECTOR)
    for role in (ROOT, TIMESTAMP, TARGETS):
        cap = METADATA_BYTES_MAX[role]
        assert trusted.want(role, 0).cap == cap
        raises(errors.BadEnvelope, trusted.open, bytes(cap), role)
        raises(errors.TooLong, trusted.open, bytes(cap + 1), role)


def test_targets_have_the_version_that_the_snapshot_names():
    """V-74.2, E-16, T-41: a newer one is no better than an older one."""

    def served(newer):
        def lie(oem):
            oem.publish(3)
            listed = oem.director.versions[TARGETS]
            if newer:
                fields = {KEY_IMAGES: {}, KEY_VEHICLE: VEHICLE}
                oem.director.serve(TARGETS, fields)
                raw = oem.director.files[TARGETS, listed + 1]
            else:
                raw = oem.director.history[TARGETS, listed - 1]
            oem.director.files[TARGETS, listed] = raw

        return lie

    prove(Full, served(True), errors.VersionMismatch)
    prove(Full, served(False), errors.VersionMismatch)


def test_a_stored_targets_is_taken_for_the_named_version_alone():
    """T-15, E-86: if a newer one lies there, what is named is fetched and held against it."""
    for repository in (DIRECTOR, IMAGE):
        oem, node = updated(Full)
        source = oem.repositories[repository]
        record = node.trusted(repository).files.record(TARGETS)
        fields = vehicle_of(source)
        fields[KEY_IMAGES] = {}
        payload = source.serve(TARGETS, fields)
        assert cbor.loads(payload)[KEY_IMAGES] == {}
        node.records[record] = source.files[TARGETS, 3]
        trusted = node.trusted(repository)
        for _ in trusted.update_timestamp(source.files[TIMESTAMP, 0], NOW):
            pass
        assert last(trusted.reuse_snapshot(NOW)) is True
        assert last(trusted.reuse_targets(NOW)) is None


def vehicle_of(source):
    return {} if source.vehicle is None else {KEY_VEHICLE: source.vehicle}


def last(generator):
    try:
        while True:
            next(generator)
    except StopIteration as stop:
        return stop.value
