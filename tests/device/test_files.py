"""The files of one repository: which record holds what, and what a mark and a floor forbid."""

from claims import raises
from maker import kid_of, seed_of
from memory import SUITE, digest
from uptane import cbor, errors
from uptane.ids import (
    DELEGATED_FIRST,
    DELEGATED_LAST,
    DIRECTOR,
    FORMAT,
    IMAGE,
    KEY_EXPIRES,
    KEY_FORMAT,
    KEY_IMAGES,
    KEY_NUMBER,
    KEY_TYPE,
    KEY_VERSION,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from uptane.limits import DIGEST_BYTES, KEYS_MAX, KID_BYTES, VERSION_MAX
from uptane.meta import delegation
from uptane.meta.files import Files, Mark
from uptane.meta.policy import DEVICE

KID = kid_of(seed_of(DIRECTOR, TARGETS))
SIGNATURES = [(KID, bytes(64))]
MARK = 0x0007  # of the first Director; of another repository N: + 0x100 (N - 1)


def files_of(repository, records):
    return Files(SUITE, delegation, DEVICE, repository, records.get)


def payload_of(version, expires=9):
    fields = {
        KEY_FORMAT: FORMAT,
        KEY_TYPE: TARGETS,
        KEY_NUMBER: TARGETS,
        KEY_VERSION: version,
        KEY_EXPIRES: expires,
        KEY_IMAGES: {},
    }
    return cbor.dumps(fields)


def mark_of(version, payload=b""):
    return cbor.dumps([version, digest(payload), [KID]])


def test_each_role_of_each_repository_has_a_record_of_its_own():
    """V-51: the numbers are those of docs/pouf.md, and no two are equal."""
    assert files_of(DIRECTOR, {}).record(ROOT) == 0x0100
    assert files_of(IMAGE, {}).record(TARGETS) == 0x0203
    assert files_of(3, {}).record(DELEGATED_LAST) == 0x03FF
    assert [files_of(n, {}).mark_record for n in (DIRECTOR, 3, 5)] == [0x0007, 0x0207, 0x0407]
    roles = (ROOT, TIMESTAMP, SNAPSHOT, TARGETS, DELEGATED_FIRST, DELEGATED_LAST)
    used = [files_of(n, {}).record(role) for n in range(1, 9) for role in roles]
    assert len(set(used)) == len(used)


def test_a_mark_is_a_version_a_digest_and_kids():
    """V-60, T-19: whatever else lies in the record is refused."""
    good = [1, bytes(DIGEST_BYTES), [bytes(KID_BYTES)]]
    mark = Mark(cbor.dumps(good))
    assert [mark.version, mark.digest, mark.kids] == good
    assert Mark(cbor.dumps([VERSION_MAX] + good[1:])).version == VERSION_MAX
    full = [bytes([n]) * KID_BYTES for n in range(KEYS_MAX)]
    assert Mark(cbor.dumps(good[:2] + [full])).kids == full
    for bad in (
        good[:2],
        good + [0],
        [0] + good[1:],
        [VERSION_MAX + 1] + good[1:],
        [1, bytes(DIGEST_BYTES - 1), good[2]],
        [1, bytes(DIGEST_BYTES + 1), good[2]],
        good[:2] + [[]],
        good[:2] + [full + [bytes(KID_BYTES)]],
        good[:2] + [[bytes(KID_BYTES - 1)]],
        good[:2] + [[bytes(KID_BYTES + 1)]],
    ):
        raises(errors.BadShape, Mark, cbor.dumps(bad))


def test_only_a_director_has_a_mark():
    """T-19: Image repositories have none, whatever lies in a record of that number."""
    records = {MARK + 0x100 * n: mark_of(5) for n in range(4)}
    for repository in (1, 3):
        assert files_of(repository, records).read_mark().version == 5
    for repository in (2, 4):
        assert files_of(repository, records).read_mark() is None


def test_the_mark_is_a_floor_for_targets_alone():
    """V-74.4, T-19, E-08: the other roles have floors of their own."""
    files = files_of(DIRECTOR, {MARK: mark_of(5, b"held nothing")})
    raises(errors.Rollback, files.check_version, TARGETS, 4, b"")
    raises(errors.SameVersionDiffers, files.check_version, TARGETS, 5, b"")
    files.check_version(TARGETS, 5, b"held nothing")
    files.check_version(TARGETS, 6, b"")
    for role in (TIMESTAMP, SNAPSHOT, DELEGATED_FIRST):
        files.check_version(role, 1, b"")


def test_a_kept_targets_outgrows_the_mark_and_no_other_file_does():
    """V-60, T-19"""
    for role in (TIMESTAMP, SNAPSHOT, DELEGATED_FIRST):
        files = files_of(DIRECTOR, {MARK: mark_of(5)})
        files.keep(role, b"payload", SIGNATURES)
        assert list(files.changes) == [files.record(role)]
    files = files_of(DIRECTOR, {MARK: mark_of(5)})
    files.keep(TARGETS, b"payload", SIGNATURES)
    assert files.changes[MARK] is None
    assert sorted(files.changes) == [MARK, files.record(TARGETS)]
    files = files_of(DIRECTOR, {})
    files.keep(TARGETS, b"payload", SIGNATURES)
    assert list(files.changes) == [files.record(TARGETS)]


def test_what_is_stored_is_not_written_again_and_anything_else_is():
    """V-88: the payload decides, whichever of the two has the higher bytes."""
    for stored, written in ((b"a", b"b"), (b"b", b"a")):
        files = files_of(DIRECTOR, {})
        files.keep(TARGETS, stored, SIGNATURES)
        records = dict(files.changes)
        again = files_of(DIRECTOR, records)
        again.keep(TARGETS, stored, [])
        assert again.changes == {}
        again.keep(TARGETS, written, SIGNATURES)
        assert list(again.changes) == [again.record(TARGETS)]


def test_targets_set_aside_leave_a_mark_and_the_one_before():
    """V-60, V-88, T-19: the mark holds version, digest and signers, and is written once."""
    payload = payload_of(7)
    files = files_of(DIRECTOR, {})
    files.keep(TARGETS, payload, SIGNATURES)
    files.set_targets_aside()
    assert list(files.changes) == [MARK]
    mark = Mark(files.changes[MARK])
    assert (mark.version, mark.digest, mark.kids) == (7, digest(payload), [KID])
    again = files_of(DIRECTOR, dict(files.changes))
    again.keep(TARGETS, payload, SIGNATURES)
    assert again.changes[MARK] is None  # outgrown, as far as keep() can know
    again.set_targets_aside()
    assert again.changes == {}
    untouched = files_of(DIRECTOR, {MARK: mark_of(5)})
    untouched.set_targets_aside()
    assert untouched.changes == {}


def test_delegated_files_that_a_snapshot_does_not_name_are_deleted():
    """R-43, T-40: from the first role to the last, and only what is stored."""
    roles = (DELEGATED_FIRST, DELEGATED_FIRST + 1, DELEGATED_LAST)
    files = files_of(IMAGE, {})
    records = {files.record(role): b"" for role in roles + (DELEGATED_FIRST - 1, TARGETS)}
    files = files_of(IMAGE, records)
    files.drop_unlisted({DELEGATED_FIRST + 1: 1})
    gone = (DELEGATED_FIRST, DELEGATED_LAST)
    assert files.changes == dict.fromkeys([files.record(role) for role in gone])
