"""Delegated files of yesterday: replayed, signed by yesterday's keys, or two under one number."""

from claims import raises
from maker import BRAKE, NOW, number_of
from suppliers import (
    BRAKES,
    HINGES,
    PANEL,
    Supplied,
    key_of,
    refused,
    to,
    with_keys,
)
from uptane import cose, errors
from uptane.ids import (
    IMAGE,
    RECORD_METADATA,
    SNAPSHOT,
    TIMESTAMP,
)
from vehicle import Full, Primary, updated

RECORD = RECORD_METADATA + 0x100
NEXT = number_of(BRAKE, 3)


def test_an_old_file_is_not_the_one_the_snapshot_names():
    """E-12, E-24, E-56"""

    def lie(oem):
        oem.publish(3)
        old = oem.image.history[BRAKES, 2]
        oem.image.files[BRAKES, oem.image.versions[BRAKES]] = old

    refused(lie, errors.VersionMismatch)


def test_a_version_never_falls():
    """V-74.4: also when the Snapshot's own memory is gone with its key."""
    oem, node = updated(Full, Supplied)
    for role in (SNAPSHOT, TIMESTAMP):
        oem.image.keys[role] = [bytes([role]) * 32]
    oem.image.rotate()
    oem.image.versions[BRAKES] = 0
    oem.publish(3)
    raises(errors.Rollback, node.refresh)


def test_a_version_never_changes_its_content():
    """T-09, E-15: the stored file is taken without asking; once it has expired, one is fetched."""
    oem, node = updated(Full, Supplied)
    oem.image.expires[BRAKES] = NOW + 2
    oem.publish(3)
    node.refresh()  # not installed
    oem.image.expires[BRAKES] = NOW + 9
    oem.image.versions[BRAKES] -= 1
    oem.image.publish()
    assert node.refresh().new == [BRAKE]
    node.ticks_ms = 2000
    before = dict(node.records)
    raises(errors.SameVersionDiffers, node.refresh)
    assert node.records == before


def test_a_new_key_of_a_supplier_forgets_the_versions_of_the_old_one():
    """E-16, E-37, T-12: with a new Snapshot key, as for every fast-forwarded role."""
    oem, node = updated(Full, Supplied)
    oem.image.versions[BRAKES] = 2147483000
    oem.publish(3)
    node.update()
    assert node.release() == 3
    oem.image.delegations[1][0] = to(BRAKES, (200, 299), which=1)
    oem.image.suppliers[BRAKES].seeds = [key_of(BRAKES, 1)]
    for role in (SNAPSHOT, TIMESTAMP):
        oem.image.keys[role] = [bytes([role]) * 32]
    oem.image.rotate()
    oem.image.versions[BRAKES] = 5
    oem.publish(4)
    node.update()
    assert node.release() == 4


def test_a_stored_file_counts_only_by_the_keys_of_today():
    """E-39, T-15: what a revoked key signed is fetched again, and refused."""
    oem, node = updated(Full, Supplied)
    oem.publish(3)
    node.refresh()  # not installed
    oem.image.delegations[1][0] = to(BRAKES, (200, 299), which=1)
    before = oem.image.versions[BRAKES]
    oem.image.suppliers[BRAKES].seeds = [key_of(BRAKES)]
    oem.image.publish()
    oem.image.files[BRAKES, before + 1] = oem.image.history[BRAKES, before + 1]
    raises(errors.BelowThreshold, node.refresh)


def test_one_role_says_one_thing_in_a_cycle():
    """T-09: two delegations name different keys for it, and each gets another file."""
    oem, node = updated(Primary, Supplied)
    split = with_keys(
        to(BRAKES, (200, 299)), to(BRAKES, (300, 399), which=1), to(PANEL, (100, 199), agreement=2)
    )
    oem.image.delegations = split
    supplier = oem.image.suppliers[BRAKES]
    oem.publish(3)
    supplier.images = dict(supplier.images)
    supplier.images.update(oem.image.suppliers[HINGES].images)
    supplier.seeds = [key_of(BRAKES), key_of(BRAKES, 1)]
    oem.image.publish()
    version = oem.image.versions[BRAKES]
    raw = oem.image.files[BRAKES, version]
    payload = cose.read_sign(raw).payload
    other = payload[:-1] + bytes([payload[-1] ^ 1])
    files = []
    honest = oem.answer

    def answer(want):
        if (want.repository, want.number) == (IMAGE, BRAKES):
            return files.pop(0)
        return honest(want)

    oem.answer = answer
    for first, second in ((payload, other), (other, payload)):
        files[:] = [
            oem.image.sign(BRAKES, first, [key_of(BRAKES)]),
            oem.image.sign(BRAKES, second, [key_of(BRAKES, 1)]),
        ]
        raises(errors.SameVersionDiffers, node.refresh)
    files[:] = [raw, raw]
    node.update()
    assert node.release() == 3
    kept = cose.read_sign(node.records[RECORD + BRAKES])
    assert kept.signatures == sorted(cose.read_sign(raw).signatures)  # of both
