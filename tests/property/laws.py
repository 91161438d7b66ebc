"""What a Commit may change, as the Standard and the POUF have it, judged by `reading` alone.

A Root step stores the next Root and makes the named resets, all of them and nothing else; the
Commit at the end of a cycle lowers nothing; an attestation moves the clock forward.
"""

from tests.property import reading
from tests.property.reading import (
    CLOCK,
    DELEGATED_FIRST,
    DIRECTOR,
    FILES,
    FIRST_MARK,
    IMAGE,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIME,
    TIMESTAMP,
    VERSIONS,
    Records,
    record_of,
)

Changes = dict[int, bytes | None]


def applied(records: Records, changes: Changes) -> Records:
    after: dict = {**records, **changes}
    return {number: after[number] for number in after if after[number] is not None}


def is_root_step(changes: Changes) -> bool:
    return any(number >= FILES and number & 0xFF == ROOT for number in changes)


def judge_root_step(records: Records, changes: Changes) -> None:
    """V-71.2, V-71.4, V-82, T-10, T-12, T-31: one version on; what fell is what had to fall."""
    (at,) = [number for number in changes if number >= FILES and number & 0xFF == ROOT]
    root = changes[at]
    assert root is not None
    assert reading.version(root) == reading.version(records[at]) + 1
    assert reading.authorises(records[at], ROOT, reading.signers(root))
    assert reading.authorises(root, ROOT, reading.signers(root))
    repository = (at - FILES) // 0x100 + 1
    fallen = resets(records, repository, root)
    assert applied(records, changes) == {
        number: root if number == at else records[number]
        for number in records
        if number not in fallen
    }


def resets(records: Records, repository: int, root: bytes) -> set[int]:
    """The records that this new Root deletes."""
    fallen = set()
    for role, with_it in (
        (TIMESTAMP, (TIMESTAMP, SNAPSHOT)),
        (SNAPSHOT, (TIMESTAMP, SNAPSHOT)),
        (TARGETS, (TARGETS,)),
    ):
        stored = records.get(record_of(repository, role))
        if stored and not reading.authorises(root, role, reading.signers(stored)):
            fallen |= {record_of(repository, other) for other in with_it}
    if repository == DIRECTOR:
        signers = reading.mark(records)[1]
        if FIRST_MARK in records and not reading.authorises(root, TARGETS, signers):
            fallen.add(FIRST_MARK)
        if CLOCK in records and not reading.authorises(root, TIME, {reading.clock(records)[1]}):
            fallen.add(CLOCK)
    return fallen


def judge_candidates(records: Records, changes: Changes) -> None:
    """T-09, T-12, T-19, T-40, V-72, V-73, V-74: no version lower, none twice with other bytes."""
    after = applied(records, changes)
    assert after.get(CLOCK) == records.get(CLOCK)
    assert highest_targets(after) >= highest_targets(records)
    for number in records:
        if number < FILES:
            continue
        role = number & 0xFF
        if role >= DELEGATED_FIRST and number not in after:
            snapshot = record_of((number - FILES) // 0x100 + 1, SNAPSHOT)
            assert snapshot not in records
            assert role not in reading.fields(after[snapshot])[VERSIONS]
            continue
        old, new = records[number], after[number]
        assert reading.version(new) >= reading.version(old)
        if reading.version(new) == reading.version(old):
            assert reading.payload(new) == reading.payload(old)
    for repository in (DIRECTOR, IMAGE):
        number = record_of(repository, ROOT)
        assert after.get(number) == records.get(number)


def highest_targets(records: Records) -> int:
    """The floor under the Director's next Targets."""
    stored = records.get(record_of(DIRECTOR, TARGETS))
    return max(reading.version(stored) if stored else 0, reading.mark(records)[0])


def judge_attestation(records: Records, changes: Changes) -> None:
    """V-81, R-62: the clock alone changes, forward, by the hand of a time key."""
    assert list(changes) == [CLOCK]
    seconds, kid = reading.clock(applied(records, changes))
    assert seconds >= reading.clock(records)[0]
    assert reading.authorises(records[record_of(DIRECTOR, ROOT)], TIME, {kid})
