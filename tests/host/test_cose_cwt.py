"""The device's COSE against the library cwt: each signs what the other verifies."""

import hashlib

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cwt import COSE, COSEKey, Signer, VerifyError
from cwt.cose_key_interface import COSEKeyInterface

from claims import run
from uptane import cbor, cose
from uptane.crypto.suite import Suite

SUITE = Suite()
SEED = bytes(range(32))
PUBLIC = run(SUITE.public_key(SEED))
KID = cose.key_id(SUITE, PUBLIC)
AAD = cose.context(3, b"i" * 32, 16)
PAYLOAD = b"payload" * 20


def public_cose_key() -> COSEKeyInterface:
    return COSEKey.new({**cbor.loads(cose.write_key(PUBLIC)), 2: KID})


def private_cose_key() -> COSEKeyInterface:
    return COSEKey.new({**cbor.loads(cose.write_key(PUBLIC)), 2: KID, -4: SEED})


def test_the_seed_means_the_same_key_to_both() -> None:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    assert key.public_key().public_bytes_raw() == PUBLIC


@pytest.mark.parametrize("aad", [AAD, b""])
def test_the_library_verifies_our_envelope(aad: bytes) -> None:
    signature = run(SUITE.sign(SEED, cose.sign_parts(PAYLOAD, aad)))
    raw = cose.write_sign(PAYLOAD, [(KID, signature)])
    assert COSE.new().decode(raw, public_cose_key(), external_aad=aad) == PAYLOAD
    with pytest.raises(VerifyError):
        COSE.new().decode(raw, public_cose_key(), external_aad=aad + b"x")


def test_the_library_verifies_each_signature_of_ours() -> None:
    others = [bytes([i]) * 32 for i in range(2)]
    pairs = []
    for seed in [*others, SEED]:
        kid = cose.key_id(SUITE, run(SUITE.public_key(seed)))
        pairs.append((kid, run(SUITE.sign(seed, cose.sign_parts(PAYLOAD, AAD)))))
    raw = cose.write_sign(PAYLOAD, pairs)
    assert COSE.new().decode(raw, public_cose_key(), external_aad=AAD) == PAYLOAD


@pytest.mark.parametrize("hashed", [False, True])
def test_the_library_verifies_our_single_signature(hashed: bool) -> None:
    payload = b"d" * 32
    signature = run(SUITE.sign(SEED, cose.sign1_parts(payload, AAD, hashed)))
    raw = cose.write_sign1(payload, KID, signature, hashed)
    assert COSE.new().decode(raw, public_cose_key(), external_aad=AAD) == payload
    with pytest.raises(VerifyError):
        COSE.new().decode(raw, public_cose_key(), external_aad=b"")


def test_we_verify_an_envelope_of_the_library() -> None:
    signer = Signer.new(private_cose_key(), protected={1: -8}, unprotected={4: KID})
    raw = COSE.new().encode_and_sign(
        PAYLOAD, signers=[signer], protected={}, unprotected={}, external_aad=AAD
    )
    envelope = cose.read_sign(raw)
    assert envelope.payload == PAYLOAD
    assert envelope.signatures[0][0] == KID
    parts = cose.sign_parts(envelope.payload, AAD)
    assert run(SUITE.verify(PUBLIC, parts, envelope.signatures[0][1]))
    assert cose.write_sign(envelope.payload, envelope.signatures) == raw


def test_we_verify_a_single_signature_of_the_library() -> None:
    raw = COSE.new().encode_and_sign(
        PAYLOAD,
        key=private_cose_key(),
        protected={1: -8},
        unprotected={4: KID},
        external_aad=AAD,
    )
    payload, kid, signature = cose.read_sign1(raw)
    assert (payload, kid) == (PAYLOAD, KID)
    assert run(SUITE.verify(PUBLIC, cose.sign1_parts(payload, AAD), signature))
    assert cose.write_sign1(payload, kid, signature) == raw


def test_a_kid_is_the_hash_that_the_library_makes() -> None:
    deterministic = cbor2.dumps({1: 1, 3: -8, -1: 6, -2: PUBLIC})
    assert hashlib.sha256(deterministic).digest()[:8] == KID
