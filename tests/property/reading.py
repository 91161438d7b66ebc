"""Signed files and records as a stranger reads them: cbor2 and docs/pouf.cddl, no device code."""

import cbor2

ROOT, TIMESTAMP, SNAPSHOT, TARGETS, TIME = range(5)
DELEGATED_FIRST = 16
VERSION, ROLES, VERSIONS = 4, 7, 9  # keys of a payload
KID = 4
CLOCK, FIRST_MARK, FILES = 0x0005, 0x0007, 0x0100  # numbers of records
REPOSITORY = 0x0100  # between the records of two repositories
DIRECTOR, IMAGE = 1, 2

Records = dict[int, bytes]


def record_of(repository: int, role: int) -> int:
    return FILES + REPOSITORY * (repository - 1) + role


def payload(raw: bytes) -> bytes:
    """What is signed."""
    tag = cbor2.loads(raw)
    assert tag.tag == 98
    found: bytes = tag.value[2]
    return found


def fields(raw: bytes) -> dict:
    return cbor2.loads(payload(raw))


def version(raw: bytes) -> int:
    return fields(raw)[VERSION]


def signers(raw: bytes) -> set[bytes]:
    return {entry[1][KID] for entry in cbor2.loads(raw).value[3]}


def authorises(root: bytes, role: int, kids: set[bytes]) -> bool:
    """Do these keys reach the threshold that a Root sets for a role?"""
    threshold, holders = fields(root)[ROLES][role]
    return len(kids & set(holders)) >= threshold


def clock(records: Records) -> tuple[int, bytes]:
    """The stored time and the kid that attested it; 0 and b"" where there is none."""
    if CLOCK not in records:
        return 0, b""
    seconds, kid = cbor2.loads(records[CLOCK])
    return seconds, kid


def mark(records: Records) -> tuple[int, set[bytes]]:
    """Version and signers of the Director's high-water mark; 0 and nobody where there is none."""
    if FIRST_MARK not in records:
        return 0, set()
    found, _, kids = cbor2.loads(records[FIRST_MARK])
    return found, set(kids)
