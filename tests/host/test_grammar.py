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
        role_file(SNAPSHOT, header=b"\xa1\x01\x05"),
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


X = bytes(32)
ED25519 = {1: 1, 3: -8, -1: 6, -2: X}
P256 = {1: 2, 3: -7, -1: 1, -2: X, -3: X}
HOLDERS = {role: [1, [bytes(8)]] for role in range(4)}
IDENTITY = {1: 1, 2: 2, 3: "V", 4: 0, 6: X, 8: [1, 2]}
REPORT = {1: 1, 2: 5, 3: 1, 4: [1, 2, {-16: X}, 1], 5: [], 6: 1, 7: 1, 8: bytes(8), 9: 0}
SIGNED, MACED = bytes.fromhex("a201271901022f"), bytes.fromhex("a201051901022f")


def root(*keys: object) -> bytes:
    fields = {1: 1, 2: 0, 3: 0, 4: 1, 5: 9, 6: list(keys), 7: HOLDERS}
    return cbor2.dumps(fields, canonical=True)


def report(tag: int, protected: bytes, count: int) -> bytes:
    seal = CBORTag(tag, [protected, {4: bytes(8)}, X, bytes(count)])
    return cbor2.dumps([cbor2.dumps(REPORT), seal])


def test_a_report_names_what_is_in_each_of_several_regions():
    """S-25."""
    held = cbor2.dumps({**REPORT, 11: [[3, 202], [4, 203]]}, canonical=True)
    conforms("report-content", held)
    for wrong in ([[3, 202]], [], [[0, 1], [3, 2]], [[256, 1], [3, 2]], [[3, 1, 1], [4, 1]], 3):
        with pytest.raises(NotConforming):
            conforms("report-content", cbor2.dumps({**REPORT, 11: wrong}, canonical=True))


def test_each_kind_of_key_and_seal_is_accepted():
    """V-05, V-24."""
    conforms("root-payload", root(ED25519, P256))
    conforms("report-file", report(18, SIGNED, 64))
    conforms("report-file", report(17, MACED, 32))
    for secrets in ({5: X}, {5: X, 11: X}, {10: X}):
        conforms("identity-record", cbor2.dumps({**IDENTITY, **secrets}))


def test_an_ecu_may_hear_requests_to_all_and_be_unlocked():
    """And need not: older records know of neither."""
    for link in ([2, 3], [2, 3, 0x7DF], [2, 3, 0x7DF, 0x7D0]):
        for access in ({}, {12: X}):
            fields = {**IDENTITY, 5: X, 8: link, **access}
            conforms("identity-record", cbor2.dumps(fields, canonical=True))
    for wrong in ({8: [2]}, {8: [2, 3, 4, 5, 6]}, {8: [2, 3, 0x800]}, {12: X[1:]}):
        with pytest.raises(NotConforming):
            conforms("identity-record", cbor2.dumps({**IDENTITY, 5: X, **wrong}))


@pytest.mark.parametrize(
    ("rule", "raw"),
    [
        ("root-payload", root(ED25519, {**P256, 3: -8})),
        ("root-payload", root({**ED25519, 3: -7})),
        ("root-payload", root({**ED25519, -3: X})),
        ("root-payload", root({**P256, -3: X[1:]})),
        ("root-payload", root({**P256, -1: 6})),
        ("report-file", report(17, SIGNED, 32)),
        ("report-file", report(18, MACED, 64)),
        ("report-file", report(17, MACED, 64)),
        ("report-file", report(18, SIGNED, 32)),
        ("vehicle-file", report(17, MACED, 32)),
        ("identity-record", cbor2.dumps(IDENTITY)),
        ("identity-record", cbor2.dumps({**IDENTITY, 5: X, 10: X})),
        ("identity-record", cbor2.dumps({**IDENTITY, 10: X, 11: X})),
        ("identity-record", cbor2.dumps({**IDENTITY, 11: X})),
        ("identity-record", cbor2.dumps({**IDENTITY, 5: X[1:]})),
    ],
    ids=range(15),
)
def test_another_mixture_of_keys_and_seals_is_refused(rule, raw):
    """V-05, V-24."""
    with pytest.raises(NotConforming):
        conforms(rule, raw)


CHACHA, AGREED, DERIVED = (cbor2.dumps({1: algorithm}) for algorithm in (24, -25, -10))
EPHEMERAL, SALT = {-1: {1: 1, -1: 4, -2: X}}, {-20: X}


def encrypted(recipient: object, protected: bytes = CHACHA, sealed: int = 48) -> bytes:
    """What a Director's entry says, with one wrap for one recipient."""
    fields = [protected, {5: bytes(12)}, bytes(sealed), [recipient]]
    return cbor2.dumps([1, X, {2: cbor2.dumps(CBORTag(96, fields))}])


def test_both_kinds_of_wrap_are_accepted():
    """V-13, V-65."""
    conforms("encrypted", encrypted([AGREED, EPHEMERAL, b""]))
    conforms("encrypted", encrypted([DERIVED, SALT, b""]))


@pytest.mark.parametrize(
    "raw",
    [
        encrypted([AGREED, SALT, b""]),
        encrypted([DERIVED, EPHEMERAL, b""]),
        encrypted([AGREED, EPHEMERAL, b"x"]),
        encrypted([AGREED, {-1: {1: 1, -1: 6, -2: X}}, b""]),
        encrypted([AGREED, EPHEMERAL, b""], protected=AGREED),
        encrypted([AGREED, EPHEMERAL, b""], sealed=32),
        cbor2.dumps([2, X, {2: b""}]),
        cbor2.dumps([1, X[1:], {2: b""}]),
        cbor2.dumps([1, X, {}]),
    ],
    ids=range(9),
)
def test_another_word_of_encryption_is_refused(raw):
    """V-13."""
    with pytest.raises(NotConforming):
        conforms("encrypted", raw)
