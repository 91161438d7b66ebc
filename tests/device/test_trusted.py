"""The trusted set: Root after Root, and what each step drops."""

from claims import raises, run
from maker import NOW, Oem, kid_of, seed_of
from memory import SUITE
from uptane import cose, errors
from uptane.ids import (
    DIRECTOR,
    FORMAT,
    KEY_CUSTOM,
    KEY_FORMAT,
    KEY_KEYS,
    KEY_ROLES,
    KEY_TYPE,
    KEY_VERSION,
    RECORD_METADATA,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIME,
    TIMESTAMP,
)
from uptane.limits import ROOT_STEPS_MAX
from uptane.meta import targets
from uptane.meta.files import Files
from uptane.meta.policy import DEVICE
from uptane.meta.trusted import Trusted
from vehicle import Full, Partial, prove, updated

OLD, NEW = seed_of(DIRECTOR, ROOT), seed_of(DIRECTOR, ROOT, 1)


def rotated(change=None, signers=None, keys=None):
    """A lie: a Root 2 that `signers` sign, for other Root keys or with altered fields."""

    def lie(oem):
        director = oem.director
        if change:
            director.alter[ROOT] = change
        director.keys[ROOT] = keys or director.keys[ROOT]
        director.rotate(signers)

    return lie


# --- Root ------------------------------------------------------------------------------------


def test_a_root_is_exactly_one_version_up():
    """V-71.2.4, E-13, T-10: an older one, the same again, one skipped."""

    def version(number):
        return rotated(lambda fields: fields.update({KEY_VERSION: number}))

    prove(Partial, version(1), errors.Rollback)
    prove(Partial, version(3), errors.RootSkipped)


def test_a_root_needs_its_old_and_its_new_keys():
    """E-40, V-71.2.3"""
    prove(Partial, rotated(None, [OLD], [NEW]), errors.BelowThreshold)
    prove(Partial, rotated(None, [NEW], [NEW]), errors.BelowThreshold)
    prove(Full, rotated(None, [NEW], [NEW]), errors.BelowThreshold)


def test_every_missed_root_is_taken_in_turn():
    """V-71.2, E-41, T-11: the ones between may have expired."""
    oem, node = updated(Partial)
    keys = [OLD, NEW, seed_of(DIRECTOR, ROOT, 2)]
    oem.director.expires[ROOT] = NOW
    for step in (1, 2):
        oem.director.keys[ROOT] = [keys[step]]
        oem.director.rotate([keys[step - 1], keys[step]])
        oem.director.expires[ROOT] = NOW + 100
    oem.publish(3)
    node.update()
    assert node.release() == 3
    assert node.wants[:3] == [(DIRECTOR, ROOT, 2), (DIRECTOR, ROOT, 3), (DIRECTOR, ROOT, 4)]
    assert node.records[RECORD_METADATA + ROOT] == oem.director.files[ROOT, 3]


def test_the_last_root_must_not_have_expired_but_is_kept():
    """E-53, V-71.3, T-11"""
    oem, node = updated(Full)
    oem.director.expires[ROOT] = NOW
    oem.director.rotate()
    raises(errors.Expired, node.refresh)
    assert node.records[RECORD_METADATA + ROOT] == oem.director.files[ROOT, 2]
    oem.director.expires[ROOT] = NOW + 100
    oem.director.rotate()
    oem.publish(3)
    node.update()
    assert node.release() == 3


def test_an_endless_chain_of_roots_is_cut_and_continued():
    """E-19, T-23"""
    oem, node = updated(Partial)
    for _ in range(ROOT_STEPS_MAX + 1):
        oem.director.rotate()
    oem.publish(3)
    raises(errors.TooLong, node.refresh)
    node.update()
    assert node.release() == 3


def test_an_oversized_root_is_cut_at_its_cap():
    """E-19"""
    pad = rotated(lambda fields: fields.update({KEY_CUSTOM: {1: bytes(2048)}}))
    prove(Partial, pad, errors.TooLong)


def test_thresholds_below_one_or_above_the_keys_are_refused():
    """E-42"""

    def threshold(number):
        def change(fields):
            fields[KEY_ROLES][TARGETS][0] = number

        return rotated(change)

    for number in (0, -1, 2):
        prove(Partial, threshold(number), errors.BadThreshold)


def test_a_kid_is_the_hash_of_its_key():
    """E-45: a holder whose kid fits no key."""

    def change(fields):
        fields[KEY_ROLES][TARGETS][1] = [bytes(8)]

    prove(Partial, rotated(change), errors.BadKey)


def test_the_kid_of_another_key_makes_that_one_the_holder():
    """E-45: what the key signs that the role had counts no more, under its own kid or that one."""

    def borrow(fields):
        fields[KEY_ROLES][TARGETS][1] = fields[KEY_ROLES][ROOT][1]

    oem, node = updated(Partial)
    director = oem.director
    rotated(borrow)(oem)
    oem.publish(3)
    raises(errors.BelowThreshold, node.refresh)
    signed = cose.read_sign(director.files[TARGETS, 0])
    [(_, signature)] = signed.signatures
    lie = cose.write_sign(signed.payload, [(kid_of(OLD), signature)])
    director.files[TARGETS, 0] = director.files[TARGETS, director.versions[TARGETS]] = lie
    raises(errors.BelowThreshold, node.refresh)
    director.files[TARGETS, 0] = director.files[TARGETS, director.versions[TARGETS]] = (
        director.sign(TARGETS, signed.payload, [OLD])
    )
    node.update()
    assert node.release() == 3


def test_a_key_stands_once():
    """E-43: not twice in the list, and not twice behind a threshold."""

    def repeat_key(fields):
        fields[KEY_KEYS].append(fields[KEY_KEYS][-1])

    def repeat_kid(fields):
        fields[KEY_ROLES][TARGETS] = [2, fields[KEY_ROLES][TARGETS][1] * 2]

    prove(Partial, rotated(repeat_key), errors.BadKey)
    prove(Partial, rotated(repeat_kid), errors.BadShape)


def test_a_root_step_drops_only_what_the_new_root_does_not_authorise():
    """V-71.4, T-12: a key added, a Root key changed: nothing falls; a Snapshot key: two fall."""
    oem, node = updated(Full)
    director = oem.director
    director.keys[TIMESTAMP] = director.keys[TIMESTAMP] + [seed_of(DIRECTOR, TIMESTAMP, 1)]
    director.rotate()
    before = set(node.records)
    node.refresh()
    assert set(node.records) == before
    director.keys[SNAPSHOT] = [seed_of(DIRECTOR, SNAPSHOT, 1)]
    director.rotate()
    director.files.pop((TIMESTAMP, 0))
    raises(errors.Withheld, node.refresh)
    fallen = {RECORD_METADATA + TIMESTAMP, RECORD_METADATA + SNAPSHOT}
    assert before - set(node.records) == fallen


def test_the_first_root_is_the_one_of_the_identity():
    """V-71.1, V-22"""
    oem = Oem()
    nothing = Files(SUITE, targets, DEVICE, DIRECTOR, {}.get)
    raises(errors.NotProvisioned, Trusted, nothing, oem.director.identity)
    records = {RECORD_METADATA + ROOT: oem.director.files[ROOT, 1]}
    files = Files(SUITE, targets, DEVICE, DIRECTOR, records.get)
    raises(errors.NotProvisioned, Trusted, files, bytes(32))
    assert Trusted(files, oem.director.identity).root.version == 1


def test_another_format_is_not_read():
    """V-07"""
    change = rotated(lambda fields: fields.update({KEY_FORMAT: FORMAT + 1}))
    prove(Partial, change, errors.WrongFormat)
    change = rotated(lambda fields: fields.update({KEY_TYPE: TARGETS}))
    prove(Partial, change, errors.WrongType)


def test_the_time_role_may_have_no_holder():
    """V-82"""

    def change(fields):
        del fields[KEY_ROLES][TIME]

    oem, node = updated(Partial)
    rotated(change)(oem)
    node.refresh()
    assert node.trusted(DIRECTOR).root.keyholders(TIME) == (1, {})


def test_a_snapshot_needs_a_timestamp_first():
    """V-73.2: out of order, nothing names it."""
    oem, node = updated(Full)
    raw = oem.director.files[SNAPSHOT, 2]
    raises(errors.Withheld, run, node.trusted(DIRECTOR).update_snapshot(raw, NOW))
    raises(errors.VersionMismatch, node.trusted(DIRECTOR).listed_version, TARGETS)
