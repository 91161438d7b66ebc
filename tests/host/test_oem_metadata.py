"""The bytes of role files: grammar, determinism, signatures by another hand, refusals."""

import hashlib

import cbor2
import pytest
from cbor2 import CBORTag
from cwt import COSE, COSEKey
from grammar import conforms
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
from oem_vehicle import NOW, dumps
from pydantic import ValidationError

from muptane.oem.authority import IMAGE_LIFETIMES_S, Authority
from muptane.oem.check import (
    verify_attestation,
    verify_next_root,
    verify_role,
    verify_root_1,
)
from muptane.oem.envelopes import Context, sign
from muptane.oem.errors import (
    BadKey,
    BadSeal,
    BelowThreshold,
    Malformed,
    NoSigner,
    NotDeterministic,
    OemRefusal,
    TooLarge,
    WrongPurpose,
    WrongVersion,
)
from muptane.oem.keys import Holders, Key, Signer
from muptane.oem.metadata import Root, Snapshot, Timestamp, sign_by
from muptane.oem.targets import Bundle, Entry, Targets, entry_of
from muptane.oem.time_server import TimeServer
from uptane import ids, limits

A, B, C, D, E = (Signer.from_seed(b"tests", name) for name in "abcde")
IDENTITY = hashlib.sha256(b"a repository").digest()
ENTRY = entry_of(b"firmware", (30, 20), 7)
SNAPSHOT = Snapshot(version=5, expires=NOW, versions={3: 9, 17: 2})
DIRECTED = ENTRY.model_copy(update={"ecus": (1, 2)})
TARGETS = Targets(
    version=9, expires=NOW, images={7: DIRECTED}, vehicle="VIN1", acknowledged={2: 40}
)
ROOT = Root.of(1, NOW, {role: Holders.of(s) for role, s in enumerate((A, B, C, D, E))})
ROLES = [
    ROOT,
    Timestamp.of(3, NOW, SNAPSHOT),
    SNAPSHOT,
    TARGETS,
    Targets(version=1, expires=NOW, images={}, vehicle="VIN1"),
    TARGETS.model_copy(update={"bundle": Bundle(number=7, kind=2, trials=3, ecus=(1, 2))}),
    Targets(version=2, expires=NOW, images={1: ENTRY, 2**32 - 1: ENTRY}),
    Targets(version=2, expires=NOW, images={1: ENTRY}, number=16, custom={1: [b"x", {2: "y"}]}),
]


def holders(*signers: Signer, threshold: int = 1) -> Holders:
    return Holders.of(*signers, threshold=threshold)


def four(*signers: Signer) -> dict[int, Holders]:
    return {role: holders(signer) for role, signer in enumerate(signers[:4])}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: type(role).__name__)
def test_a_role_file_is_what_the_grammar_says_and_reads_back(role):
    """V-06, V-07, P-07."""
    raw = sign_by(role, (A, B), IDENTITY)
    conforms("role-file", raw)
    assert verify_role(raw, [A.key, B.key], 2, role.context(IDENTITY)) == role
    assert raw == sign_by(role, (B, A), IDENTITY)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: type(role).__name__)
def test_each_signature_verifies_alone_with_two_other_libraries(role):
    raw = sign_by(role, (A, B, C), IDENTITY)
    tag = cbor2.loads(raw)
    protected, headers, payload, signatures = tag.value
    assert (tag.tag, protected, headers, len(signatures)) == (98, b"", {}, 3)
    aad = dumps(["muptane", 1, role.type, IDENTITY, role.number_of])
    public = {signer.key.kid: signer.key.public for signer in (A, B, C)}
    for signature in signatures:
        header, kid, value = signature[0], signature[1][4], signature[2]
        assert cbor2.loads(header) == {1: -8}
        signed = dumps(["Signature", b"", header, aad, payload])
        VerifyKey(public[kid]).verify(signed, value)
        key = COSEKey.new({1: 1, 2: kid, 3: -8, -1: 6, -2: public[kid]})
        alone = CBORTag(98, [b"", {}, payload, [signature]])
        assert COSE.new().decode(alone, key, external_aad=aad) == payload
        with pytest.raises(BadSignatureError):
            VerifyKey(public[kid]).verify(signed + b"\x00", value)


def test_maps_are_sorted_by_their_encoded_keys():
    """RFC 8949 4.2.1, not the length-first order of RFC 7049."""
    role = Snapshot(version=1, expires=1, versions={255: 1, 3: 1, 24: 1, 16: 1})
    assert bytes.fromhex("a4 0301 1001 181801 18ff01") in role.payload()
    key = A.key
    assert key.kid == hashlib.sha256(dumps(key.cose_key)).digest()[:8]


def test_an_attestation_of_time_conforms_and_verifies():
    """R-60, R-63."""
    server = TimeServer(E, IDENTITY)
    raw = server.attest([b"12345678", b"abcdefgh"], NOW)
    conforms("time-file", raw)
    found = verify_attestation(raw, E.key, IDENTITY)
    assert (found.now, found.nonces) == (NOW, (b"12345678", b"abcdefgh"))
    for key, identity in ((A.key, IDENTITY), (E.key, bytes(32))):
        with pytest.raises(BadSeal):
            verify_attestation(raw, key, identity)
    for nonces in ([], [b"short"], [b"12345678"] * 33, ["12345678"]):
        with pytest.raises(Malformed):
            server.attest(nonces, NOW)


def test_distinct_keys_are_counted_and_strangers_ignored():
    """E-43, E-44, T-27, V-91."""
    context = SNAPSHOT.context(IDENTITY)
    raw = sign_by(SNAPSHOT, (A, B, C), IDENTITY)
    assert verify_role(raw, [A.key, B.key], 2, context) == SNAPSHOT
    for keys, threshold in (([A.key, D.key], 2), ([D.key], 1), ([A.key], 0), ([A.key], 2)):
        with pytest.raises(BelowThreshold):
            verify_role(raw, keys, threshold, context)
    payload, signatures = cbor2.loads(raw).value[2:]
    twice = dumps(CBORTag(98, [b"", {}, payload, [signatures[0]] * 2]))
    keys = [A.key, B.key, C.key]
    with pytest.raises(BelowThreshold):
        verify_role(twice, keys, 2, context)
    broken = [signatures[0][0], signatures[0][1], bytes(64)]
    noisy = dumps(CBORTag(98, [b"", {}, payload, [broken, [b"", {}, b""], *signatures[1:]]]))
    assert verify_role(noisy, keys, 2, context) == SNAPSHOT


def test_a_signature_is_good_for_one_purpose():
    """E-46, E-47: type, repository and delegated number are signed."""
    raw = sign_by(SNAPSHOT, (A,), IDENTITY)
    with pytest.raises(BelowThreshold):
        verify_role(raw, [A.key], 1, SNAPSHOT.context(bytes(32)))
    for kind, number in ((ids.TIMESTAMP, 1), (ids.SNAPSHOT, 16)):
        with pytest.raises(BelowThreshold):
            verify_role(raw, [A.key], 1, Context(kind, IDENTITY, number))
        forged = sign(SNAPSHOT.payload(), [A], Context(kind, IDENTITY, number))
        with pytest.raises(WrongPurpose):
            verify_role(forged, [A.key], 1, Context(kind, IDENTITY, number))


def test_every_cut_and_every_flipped_byte_is_refused():
    """E-60: nothing but OemRefusal comes out, and never a role."""
    raw = sign_by(TARGETS, (A,), IDENTITY)
    context = TARGETS.context(IDENTITY)
    for length in range(len(raw)):
        with pytest.raises(OemRefusal):
            verify_role(raw[:length], [A.key], 1, context)
    for index in range(len(raw)):
        for flip in (1, 0x80, 0xFF):
            bad = raw[:index] + bytes([raw[index] ^ flip]) + raw[index + 1 :]
            with pytest.raises(OemRefusal):
                verify_role(bad, [A.key], 1, context)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda p: {**p, 4: True}, Malformed),
        (lambda p: {**p, 4: 0}, Malformed),
        (lambda p: {**p, 4: limits.VERSION_MAX + 1}, Malformed),
        (lambda p: {**p, 1: 2}, Malformed),
        (lambda p: {**p, 5: 1.5}, Malformed),
        (lambda p: {**p, 22: 1}, Malformed),
        (lambda p: {**p, "x": 1}, Malformed),
        (lambda p: {k: v for k, v in p.items() if k != 5}, Malformed),
        (lambda p: {**p, 9: {}}, Malformed),
        (lambda p: {**p, 9: [3, 1]}, Malformed),
        (lambda p: [p], Malformed),
        (lambda p: {**p, 2: 1}, WrongPurpose),
    ],
)
def test_a_signed_payload_of_another_shape_is_refused(change, refusal):
    found = cbor2.loads(SNAPSHOT.payload())
    context = SNAPSHOT.context(IDENTITY)
    raw = sign(dumps(change(found)), [A], context)
    with pytest.raises(refusal):
        verify_role(raw, [A.key], 1, context)


@pytest.mark.parametrize("keys", ["", [""], [b"k"], [[]], [{}], 7])
def test_keys_of_another_shape_are_refused(keys):
    """E-45: a Root may come from anywhere before it is known whose it is."""
    with pytest.raises(Malformed):
        Root.from_payload(dumps({**cbor2.loads(ROOT.payload()), ids.KEY_KEYS: keys}))


def test_a_payload_that_is_not_deterministic_is_refused():
    """E-60: an indefinite map, and a number that could be shorter."""
    payload, context = SNAPSHOT.payload(), SNAPSHOT.context(IDENTITY)
    for bad in (b"\xbf" + payload[1:] + b"\xff", payload.replace(b"\x01\x01", b"\x01\x18\x01", 1)):
        with pytest.raises(NotDeterministic):
            verify_role(sign(bad, [A], context), [A.key], 1, context)
    with pytest.raises(NotDeterministic):
        verify_role(sign(payload, [A], context) + b"\x00", [A.key], 1, context)
    with pytest.raises(TooLarge):
        verify_role(bytes(limits.SNAPSHOT_BYTES_MAX + 1), [A.key], 1, context)


def test_a_root_chain_needs_both_sides_and_no_gap():
    """V-71.2.3, T-10, E-13, E-40."""
    first = Authority.found(four(A, B, C, D), NOW, IMAGE_LIFETIMES_S)
    second = first.rotated({ids.ROOT: holders(E)}, NOW)
    third = second.rotated({}, NOW)
    root_1 = verify_root_1(first.roots[0])
    root_2 = verify_next_root(second.roots[1], root_1, first.identity)
    assert verify_next_root(third.roots[2], root_2, first.identity).version == 3
    with pytest.raises(WrongVersion):
        verify_root_1(sign_by(root_2, (E,), first.identity))
    with pytest.raises(BelowThreshold):  # signed by the new keys only
        verify_next_root(third.roots[2], root_1, first.identity)
    for signer in (A, E):  # by one side only
        raw = sign_by(second.root, (signer,), first.identity)
        with pytest.raises(BelowThreshold):
            verify_next_root(raw, root_1, first.identity)
    skipped = Root.of(3, NOW, first.holders)
    for raw in (first.roots[0], sign_by(skipped, (A,), first.identity)):
        with pytest.raises(WrongVersion):
            verify_next_root(raw, root_1, first.identity)
    reopened = Authority.reopen(third.roots, [B, C, D, E], IMAGE_LIFETIMES_S)
    assert reopened.root == third.root and reopened.holders == third.holders


def test_a_root_that_could_not_work_is_not_made():
    """E-42, R-37."""
    with pytest.raises(ValidationError):
        Root.of(1, NOW, {**four(A, B, C, D), ids.ROOT: Holders(2, (A.key,))})
    with pytest.raises(ValidationError):
        Root.of(1, NOW, {**four(A, B, C, D), ids.ROOT: Holders(2, (A.key, A.key))})
    with pytest.raises(ValidationError):
        Root.of(1, NOW, four(A, B, C))
    with pytest.raises(BadKey):
        Authority.found(four(A, B, C, A), NOW, IMAGE_LIFETIMES_S)
    with pytest.raises(NoSigner):
        Authority.found(
            {**four(A, B, C, D), ids.ROOT: Holders(2, (A.key, E.key), (A,))},
            NOW,
            IMAGE_LIFETIMES_S,
        )
    for public in (bytes(31), bytes(32), b"\x01" + bytes(31), b"\xff" * 32):
        with pytest.raises(BadKey):
            Key(public)


def test_targets_that_contradict_themselves_are_not_made():
    """V-10, V-14, E-49, T-18."""
    other = ENTRY.model_copy(update={"ecus": (2,)})
    for fields in (
        {"images": {7: DIRECTED, 8: other}, "vehicle": "VIN1"},  # ECU 2 twice
        {"images": {7: ENTRY}, "vehicle": "VIN1"},  # nobody shall install it
        {"images": {7: DIRECTED}},  # no vehicle
        {"images": {}, "acknowledged": {1: 1}},
        {"images": {7: ENTRY}, "bundle": Bundle(number=7, kind=3, trials=1, ecus=(1,))},
        {"images": {}, "number": 4},
        {"images": {}, "vehicle": "V" * 33},
        {"images": {}, "vehicle": "VÖN"},
    ):
        with pytest.raises(ValidationError):
            Targets(version=1, expires=NOW, **fields)
    with pytest.raises(ValidationError):
        Entry(length=1, hashes={-16: bytes(32)}, hardware=(2, 1), release=1)


def test_a_file_that_no_device_would_take_is_not_made():
    """T-52."""
    images = dict.fromkeys(range(100), ENTRY)
    with pytest.raises(TooLarge):
        sign_by(Targets(version=1, expires=NOW, images=images), (A,), IDENTITY)


@pytest.mark.parametrize(
    "raw",
    [
        "c41a", "d823f5", "c482f6f6", "c5821bffffffffffffffff01", "c4821bffffffffffffffff01",
        "d81c81d81d00", "f97e00", "d9010281a0", "a1a000", "a18000", "c249010000000000000000",
        "81" * 300, "9f" * 300, "5b7fffffffffffffff", "d86284", "d86280", "d8628440a0f680",
        "d8628440a04080", "d8628440a0408143404040", "ff", "e0", "", "d86201", "d28440a04040",
    ],
)  # fmt: skip
def test_hostile_encodings_end_in_a_refusal(raw):
    with pytest.raises(OemRefusal):
        verify_role(bytes.fromhex(raw), [A.key], 1, SNAPSHOT.context(IDENTITY))
