"""Keys of two algorithms side by side: thresholds, Roots and the time, with ES256 or without it.

A key that this ECU cannot check is carried and never counts (T-27). ES256 signatures were made by
another implementation over the bytes that stand here; the Ed25519 ones are made on the spot.
"""

from claims import raises, run
from maker import NOW, kid_of, seed_of
from memory import SUITE, public_key, sign_with
from uptane import cbor, cose, errors
from uptane.crypto import p256
from uptane.crypto.suite import Suite
from uptane.ids import (
    FORMAT,
    KEY_EXPIRES,
    KEY_FORMAT,
    KEY_KEYS,
    KEY_NUMBER,
    KEY_ROLES,
    KEY_TYPE,
    KEY_VERSION,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIME,
    TIME_NONCES,
    TIME_NOW,
    TIMESTAMP,
)
from uptane.meta.attested_time import AttestedTime
from uptane.meta.roles import Root
from uptane.meta.verify import verify_threshold
from vectors.es256 import PUBLIC, ROLE, TIME_FILE

ABLE = Suite(es256=p256.verify)
PLAIN = Suite()
KEY = bytes.fromhex(PUBLIC)
KID = cose.key_id(SUITE, KEY)
SEED = seed_of(9, 1)
IDENTITY = bytes(32)
AAD = cose.context(TARGETS, IDENTITY, TARGETS)
NONCE = b"nonce--8"


def es256():
    """(kid, signature) by the P-256 key over b"payload", as Targets."""
    return KID, cose.ES256 + bytes.fromhex(ROLE)


def eddsa(seed=SEED):
    return kid_of(seed), sign_with(seed, cose.sign_parts(b"payload", AAD))


def counted(suite, signatures, threshold):
    keys = {KID: KEY, kid_of(SEED): public_key(SEED)}
    envelope = cose.Envelope(b"payload", signatures)
    return run(verify_threshold(suite, cose.sign_parts, envelope, (threshold, keys), AAD))


def test_keys_of_both_kinds_make_up_a_threshold():
    """T-27, V-91: distinct keys count, whatever their algorithm."""
    both = [es256(), eddsa()]
    assert counted(ABLE, both, 2) == both
    assert counted(ABLE, both[:1], 1) == both[:1]
    raises(errors.BelowThreshold, counted, ABLE, both[:1] * 2, 2)


def test_both_forms_of_one_signature_count_once():
    """T-27, E-43."""
    kid, value = es256()
    s = int.from_bytes(value[33:], "big")
    other = value[:33] + (p256.N - s).to_bytes(32, "big")
    assert counted(ABLE, [(kid, other)], 1) == [(kid, other)]
    raises(errors.BelowThreshold, counted, ABLE, [(kid, value), (kid, other)], 2)


def test_an_ecu_without_es256_counts_the_keys_that_it_can_check():
    """T-27: a threshold that they meet is met, one that needs the others is not."""
    both = [es256(), eddsa()]
    assert counted(PLAIN, both, 1) == both[1:]
    raises(errors.BelowThreshold, counted, PLAIN, both, 2)
    raises(errors.BelowThreshold, counted, PLAIN, both[:1], 1)


def test_a_header_of_the_other_algorithm_spoils_a_signature():
    """E-46, V-05: the same 64 bytes, by the same key, under another header."""
    kid, value = es256()
    raises(errors.BelowThreshold, counted, ABLE, [(kid, value[1:])], 1)
    kid, value = eddsa()
    raises(errors.BelowThreshold, counted, ABLE, [(kid, cose.ES256 + value)], 1)
    envelope = cose.read_sign(cose.write_sign(b"payload", [eddsa()]))
    raw = cose.write_sign(b"payload", [eddsa()]).replace(b"\xa1\x01\x27", b"\xa1\x01\x26")
    changed = cose.read_sign(raw)
    assert counted(ABLE, envelope.signatures, 1)
    raises(errors.BelowThreshold, counted, ABLE, changed.signatures, 1)


def root_payload():
    """A Root of both kinds of keys: the P-256 key holds time, and half of Targets."""
    publics = {KID: KEY, kid_of(SEED): public_key(SEED)}
    alone = [1, [kid_of(SEED)]]
    return cbor.dumps(
        {
            KEY_FORMAT: FORMAT,
            KEY_TYPE: ROOT,
            KEY_NUMBER: ROOT,
            KEY_VERSION: 1,
            KEY_EXPIRES: NOW + 1,
            KEY_KEYS: [cbor.loads(cose.write_key(publics[kid])) for kid in sorted(publics)],
            KEY_ROLES: {
                ROOT: alone,
                TIMESTAMP: alone,
                SNAPSHOT: alone,
                TARGETS: [2, sorted(publics)],
                TIME: [1, [KID]],
            },
        }
    )


def test_a_root_with_keys_of_both_kinds_is_readable_for_everyone():
    """V-05, T-27: also for an ECU that cannot check some of them."""
    for suite in (ABLE, PLAIN):
        root = Root(suite, root_payload())
        assert root.keyholders(TIME) == (1, {KID: KEY})
        assert root.keyholders(TARGETS)[1] == {KID: KEY, kid_of(SEED): public_key(SEED)}


def test_the_time_may_have_a_key_of_p256():
    """R-63, E-46: attested by another implementation; refused by an ECU that cannot check it."""
    raw = bytes.fromhex(TIME_FILE)
    payload, kid, _ = cose.read_sign1(raw)
    wanted = {KEY_FORMAT: FORMAT, KEY_TYPE: TIME, TIME_NOW: NOW, TIME_NONCES: [NONCE]}
    assert payload == cbor.dumps(wanted) and kid == KID
    for suite in (ABLE, PLAIN):
        clock = AttestedTime(suite, lambda count: NONCE, IDENTITY, None, 0)
        clock.nonce(0)
        root = Root(suite, root_payload())
        if suite is PLAIN:
            raises(errors.BelowThreshold, run, clock.accept(raw, root, 0, []))
            assert clock.now(0) == 0
        else:
            other = raw.replace(b"\xa1\x01\x26", b"\xa1\x01\x27")
            raises(errors.BelowThreshold, run, clock.accept(other, root, 0, []))
            run(clock.accept(raw, root, 0, []))
            assert clock.now(0) == NOW
