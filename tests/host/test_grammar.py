"""The validator that other tests lean on says no where it has to."""

import cbor2
import pytest
from cbor2 import CBORTag
from grammar import NotConforming, conforms

KID = {4: b"12345678"}
EDDSA = b"\xa1\x01\x27"
SNAPSHOT = {1: 1, 2: 2, 3: 2, 4: 5, 5: 9, 9: {3: 1, 16: 2}}


def role_file(payload: object, **changes: object) -> bytes:
    entry = [changes.get("header", EDDSA), changes.get("kid", KID), bytes(64)]
    entries = changes.get("entries", [entry])
    body = [changes.get("protected", b""), changes.get("unprotected", {})]
    return cbor2.dumps(CBORTag(98, [*body, cbor2.dumps(payload), entries]))


def test_a_role_file_of_the_grammar_is_accepted():
    conforms("role-file", role_file(SNAPSHOT))


@pytest.mark.parametrize(
    "raw",
    [
        role_file({**SNAPSHOT, 9: {}}),
        role_file({**SNAPSHOT, 9: {3: 0}}),
        role_file({**SNAPSHOT, 4: 0}),
        role_file({**SNAPSHOT, 2: 1}),
        role_file({**SNAPSHOT, 22: 1}),
        role_file({1: 1, 2: 2}),
        role_file(SNAPSHOT, header=b"\xa1\x01\x26"),
        role_file(SNAPSHOT, kid={4: b"1234567"}),
        role_file(SNAPSHOT, protected=EDDSA),
        role_file(SNAPSHOT, unprotected={1: 1}),
        role_file(SNAPSHOT, entries=[]),
        role_file(SNAPSHOT, entries=[[EDDSA, KID, bytes(63)]]),
        cbor2.dumps([b"", {}, cbor2.dumps(SNAPSHOT), [[EDDSA, KID, bytes(64)]]]),
        role_file({1: 1, 2: 3, 3: 3, 4: 5, 5: 9, 10: {1: {1: 1}}}),
    ],
    ids=range(14),
)
def test_anything_else_is_refused(raw):
    with pytest.raises(NotConforming):
        conforms("role-file", raw)
