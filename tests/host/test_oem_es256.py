"""A maker whose HSM knows ES256 only: keys, files and the office's own verifier."""

import pytest
from grammar import conforms
from oem_vehicle import Vehicle, dumps

from claims import run
from muptane.oem import check
from muptane.oem.envelopes import Context, read_sign, sign, sign1, verify, verify_sign1
from muptane.oem.errors import BadKey, BadSeal, BelowThreshold, Malformed
from muptane.oem.keys import Holders, Key, Signer
from muptane.oem.keystore import Cost, KeyStore
from muptane.oem.metadata import Root
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from uptane import algorithms, cose, errors, ids
from uptane.crypto import p256
from uptane.crypto.suite import Suite
from uptane.meta import roles
from uptane.meta.verify import verify_threshold

NOW = 1_760_000_000
ES256, EDDSA = algorithms.ALG_ES256, algorithms.ALG_EDDSA
IDENTITY = bytes(32)
CONTEXT = Context(ids.TARGETS, IDENTITY, ids.TARGETS)


def signer(name, algorithm=ES256):
    return Signer.from_seed(b"es256", name, algorithm)


def test_a_key_of_p256_is_named_by_the_hash_of_its_cose_key():
    """V-05: as the device names it."""
    key = signer("a").key
    conforms("cose-key", dumps(key.cose_key))
    assert key.kid == cose.key_id(Suite(), key.public)
    assert Key.from_cose(key.cose_key) == key and key.is_p256
    assert signer("a").key == key != signer("b").key


def test_what_is_no_point_of_p256_is_no_key():
    """V-05."""
    public = signer("a").key.public
    for wrong in (public[:-1] + bytes([public[-1] ^ 1]), b"\2" + public[1:], public[1:]):
        with pytest.raises(BadKey):
            Key(wrong)
    for seed in (bytes(32), b"\xff" * 32, bytes(31)):
        with pytest.raises(BadKey):
            Signer(seed, ES256)
    with pytest.raises(BadKey):
        Signer(bytes(32), algorithms.ALG_HMAC)


def test_a_key_store_keeps_both_kinds(tmp_path):
    store = KeyStore(tmp_path, b"right", Cost.cheap())
    made = {"a": signer("a"), "b": signer("b", EDDSA)}
    for name, each in made.items():
        store.save(name, each)
    again = KeyStore(tmp_path, b"right").signers()
    assert {name: each.key for name, each in again.items()} == {
        name: each.key for name, each in made.items()
    }


def device_counts(raw, holders, suite):
    """How many signatures the device counts."""
    keys = {key.kid: key.public for key in holders.keys}
    held = (holders.threshold, keys)
    envelope = cose.read_sign(raw)
    aad = CONTEXT.encode()
    return len(run(verify_threshold(suite, cose.sign_parts, envelope, held, aad)))


def test_a_file_signed_by_both_kinds_verifies_on_both_sides():
    """V-06, T-27: mixed thresholds count distinct keys."""
    both = [signer("a"), signer("b", EDDSA), signer("c")]
    raw = sign(b"payload", both, CONTEXT)
    payload, signatures = read_sign(raw, 1000)
    by_kid = {each.key.kid: each.key for each in both}
    assert all(verify(payload, one, by_kid[one.kid], CONTEXT) for one in signatures)
    other = Context(ids.SNAPSHOT, IDENTITY, ids.SNAPSHOT)
    assert not any(verify(payload, one, by_kid[one.kid], other) for one in signatures)
    holders = Holders.of(*both, threshold=3)
    assert device_counts(raw, holders, Suite(es256=p256.verify)) == 3


def test_a_header_of_the_other_algorithm_spoils_a_signature():
    """E-46, V-05: for the office as for the device."""
    for each, old, new in (
        (signer("a"), b"\xa1\x01\x26", b"\xa1\x01\x27"),
        (signer("b", EDDSA), b"\xa1\x01\x27", b"\xa1\x01\x26"),
    ):
        raw = sign(b"payload", [each], CONTEXT)
        payload, (honest,) = read_sign(raw, 1000)
        assert verify(payload, honest, each.key, CONTEXT)
        payload, (changed,) = read_sign(raw.replace(old, new), 1000)
        assert not verify(payload, changed, each.key, CONTEXT)


def test_the_time_may_be_signed_by_es256():
    """R-63."""
    raw = sign1(b"payload", signer("a"), CONTEXT)
    assert verify_sign1(raw, signer("a").key, CONTEXT) == b"payload"
    with pytest.raises(BadSeal):
        verify_sign1(raw, signer("b").key, CONTEXT)
    with pytest.raises(Malformed):
        verify_sign1(raw, signer("b", EDDSA).key, CONTEXT)


def test_an_office_of_es256_stands_again_and_rotates_in_kind(tmp_path):
    """R-39, V-71: every file it ever makes is what the grammar says, and its verifier agrees."""
    premises = Premises(tmp_path, b"right", Cost.cheap())
    office = Office.create(lambda: NOW, premises, algorithm=ES256)
    office.register_vehicle("VIN1", Vehicle().new())
    office.close()
    office = Office.open(lambda: NOW, premises)
    for repository in (ids.DIRECTOR, ids.IMAGE):
        office.rotate(repository, ids.TARGETS)
    office.rotate(ids.DIRECTOR, ids.ROOT)
    for role in (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS):
        raw = office.answer("VIN1", ids.DIRECTOR, ids.KIND_METADATA, role, 0)
        conforms("role-file", raw)
        office.director.authority.verify(raw, role)
    assert {
        key.algorithm for held in office.director.authority.holders.values() for key in held.keys
    } == {ES256}
    time = office.answer("VIN1", ids.DIRECTOR, ids.KIND_TIME, 0, [bytes(8)])
    conforms("time-file", time)
    key = office.time_server.signer.key
    assert check.verify_attestation(time, key, office.director.identity).now == NOW


def test_a_root_of_both_kinds_is_the_same_on_both_sides():
    """V-05: read by the device into the same keys."""
    held = {role: Holders.of(signer(f"{role}", (ES256, EDDSA)[role % 2])) for role in range(5)}
    root = Root.of(1, NOW, held)
    conforms("root-payload", root.payload())
    assert Root.from_payload(root.payload()) == root
    found = roles.Root(Suite(), root.payload())
    for role in range(5):
        wanted = {key.kid: key.public for key in held[role].keys}
        assert found.keyholders(role) == (1, wanted)


def test_a_key_twice_under_two_algorithms_is_two_keys_that_one_cannot_be():
    """E-43: 32 bytes may be an x of one curve and a point of the other; kids differ."""
    x = signer("a").key.public[1:33]
    assert cose.key_id(Suite(), x) != cose.key_id(Suite(), signer("a").key.public)


def test_an_ecu_does_not_report_by_es256():
    """V-24: reports are signed by Ed25519, or under a MAC."""
    gateway = Vehicle("VIN7", 71).new()[0]
    with pytest.raises(BadKey):
        gateway.model_copy(update={"public": signer("a").key.public}).row("VIN7")


def test_too_few_of_the_keys_that_can_be_checked_are_too_few():
    """E-43, T-27: a device without ES256 counts one of two, and says so."""
    both = [signer("a"), signer("b", EDDSA)]
    raw = sign(b"payload", both, CONTEXT)
    assert device_counts(raw, Holders.of(*both, threshold=1), Suite()) == 1
    with pytest.raises(errors.BelowThreshold):
        device_counts(raw, Holders.of(*both, threshold=2), Suite())
    with pytest.raises(BelowThreshold):
        check.verify_role(raw, [both[0].key], 2, CONTEXT)
