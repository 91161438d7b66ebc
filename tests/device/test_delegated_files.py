"""Delegated files that are missing, forged, old or broken: each ends the search (T-22)."""

from claims import raises
from maker import BRAKE, NOW, number_of
from memory import SUITE, public_key
from suppliers import (
    BRAKES,
    LOCKS,
    Supplied,
    altered,
    fresh,
    key_of,
    refused,
    reworked,
)
from uptane import cose, errors
from uptane.ids import (
    DELEGATION_ROLES,
    KEY_DELEGATIONS,
    KEY_IMAGES,
    KEY_NUMBER,
    KEY_TYPE,
    KEY_VERSIONS,
    RECORD_METADATA,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from vehicle import Full, prove, updated

RECORD = RECORD_METADATA + 0x100
NEXT = number_of(BRAKE, 3)


# --- E-56: what is wrong with a file ------------------------------------------------------------


def test_a_missing_file_ends_the_cycle():
    """V-76.1, E-56, T-22: withheld, or never in the Snapshot (T-41)."""
    refused(reworked(BRAKES, lambda raw: None), errors.Withheld)

    def unlisted(oem):
        oem.publish(3)
        for role in (SNAPSHOT, TIMESTAMP):  # a vehicle that knows no Snapshot yet
            oem.image.keys[role] = [bytes([role]) * 32]
        oem.image.rotate()
        oem.image.alter[SNAPSHOT] = lambda fields: fields[KEY_VERSIONS].pop(BRAKES) and None
        oem.image.publish()

    oem, node = updated(Full, Supplied)
    unlisted(oem)
    raises(errors.VersionMismatch, node.refresh)
    assert node.records[RECORD + BRAKES] == oem.image.history[BRAKES, 2]
    prove(
        Full,
        altered(SNAPSHOT, lambda fields: fields[KEY_VERSIONS].pop(BRAKES) and None),
        errors.RoleDropped,
        Supplied,
    )


def test_an_unsigned_file_ends_the_cycle():
    """V-74.3, V-76.1, E-56: a foreign signature, a flipped bit, no signature at all."""

    def foreign(raw):
        envelope = cose.read_sign(raw)
        return cose.write_sign(envelope.payload, [(bytes(8), bytes(64))])

    def flipped(raw):
        envelope = cose.read_sign(raw)
        payload = envelope.payload[:-1] + bytes([envelope.payload[-1] ^ 1])
        return cose.write_sign(payload, envelope.signatures)

    def bare(raw):
        return cose.write_sign(cose.read_sign(raw).payload, [])

    refused(reworked(BRAKES, foreign), errors.BelowThreshold)
    refused(reworked(BRAKES, flipped), errors.BelowThreshold)
    refused(reworked(BRAKES, bare), errors.BadEnvelope)


def test_a_key_that_is_missing_among_the_delegates_is_refused():
    """E-56, E-45: before any file is asked for."""

    def drop(fields):
        del fields[KEY_DELEGATIONS][0][0]

    def shuffle(fields):
        fields[KEY_DELEGATIONS][0].reverse()

    def lie(change):
        def publish(oem):
            oem.image.alter[TARGETS] = lambda fields: change(fresh(fields))
            oem.publish(3)

        return publish

    refused(lie(drop), errors.BadKey)
    refused(lie(shuffle), errors.BadKey)


def test_a_threshold_of_zero_or_above_the_keys_is_refused():
    """E-56, E-42, T-27"""

    def threshold(number):
        def change(fields):
            fresh(fields)[KEY_DELEGATIONS][1][0][DELEGATION_ROLES][0][1] = number

        return altered(TARGETS, change)

    refused(threshold(0), errors.BadThreshold)
    refused(threshold(2), errors.BadThreshold)


def test_an_expired_file_ends_the_cycle():
    """V-74.5, V-76.1, E-56, E-53, T-22"""

    def lie(oem):
        oem.image.expires[BRAKES] = NOW
        oem.publish(3)

    refused(lie, errors.Expired)


def test_a_key_that_signs_twice_counts_once():
    """E-56, E-43, T-27: the delegation asks for two keys."""
    oem, node = updated(Full, Supplied)
    supplier = oem.image.suppliers[BRAKES]
    keys = [public_key(key_of(BRAKES, which)) for which in (0, 1)]
    both = sorted(cose.key_id(SUITE, key) for key in keys)
    oem.image.delegations[1][0][DELEGATION_ROLES] = [[BRAKES, 2, both]]
    supplier.seeds = [key_of(BRAKES)] * 2
    oem.publish(3)
    before = dict(node.records)
    raises(errors.BelowThreshold, node.refresh)
    assert node.records == before
    supplier.seeds = [key_of(BRAKES), key_of(BRAKES, 1)]
    oem.publish(4)
    node.update()
    assert node.release() == 4


def test_an_empty_file_says_nothing():
    """E-56: signed and valid, but the image is not in it."""
    refused(
        altered(BRAKES, lambda fields: fields[KEY_IMAGES].clear()), errors.NotOnImageRepository
    )


def test_endless_and_garbled_files_are_refused_by_their_kind():
    """E-19, E-60"""
    refused(reworked(BRAKES, lambda raw: raw + bytes(4096)), errors.TooLong)
    refused(reworked(BRAKES, lambda raw: raw[:-1]), errors.Truncated)
    refused(altered(BRAKES, lambda fields: b"\xa0"), errors.BadShape)


def test_a_file_of_one_role_is_none_of_another():
    """E-46: another delegated role, the top level, another type; as it is or relabelled."""

    def swap(source):
        def lie(oem):
            oem.publish(3)
            raw = oem.image.files[source, oem.image.versions[source]]
            oem.image.files[BRAKES, oem.image.versions[BRAKES]] = raw

        return lie

    def relabel(key, value):
        return altered(BRAKES, lambda fields: fields.update({key: value}))

    for source in (LOCKS, TARGETS, SNAPSHOT):
        refused(swap(source), errors.WrongType)
    refused(relabel(KEY_NUMBER, LOCKS), errors.WrongType)
    refused(relabel(KEY_TYPE, SNAPSHOT), errors.WrongType)


def test_a_signature_is_good_for_one_role():
    """E-46: one key for two roles, and the signature of the other."""

    def lie(oem):
        oem.publish(3)
        raw = oem.image.files[BRAKES, oem.image.versions[BRAKES]]
        payload = cose.read_sign(raw).payload
        forged = oem.image.sign(LOCKS, payload, [key_of(BRAKES)])
        oem.image.files[BRAKES, oem.image.versions[BRAKES]] = forged

    refused(lie, errors.BelowThreshold)
