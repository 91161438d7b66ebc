"""The device's Ed25519 against libsodium: each signs what the other verifies."""

import random

import pytest
from nacl.bindings import crypto_core_ed25519_is_valid_point as is_valid_point
from nacl.bindings import crypto_core_ed25519_scalar_reduce as scalar_reduce
from nacl.bindings import crypto_scalarmult_ed25519_base_noclamp as times_base
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from claims import run
from uptane.crypto import edwards25519, sha512
from uptane.crypto.ed25519 import verify
from uptane.crypto.suite import Suite
from uptane.errors import BadKey

SUITE = Suite()


@pytest.mark.parametrize("seed", range(40))
def test_keys_and_signatures_are_the_same(seed: int) -> None:
    random_bytes = random.Random(seed).randbytes
    key = SigningKey(random_bytes(32))
    message = random_bytes(seed * 17)
    signature = key.sign(message).signature
    public = bytes(key.verify_key)
    assert run(SUITE.public_key(bytes(key))) == public
    assert run(SUITE.sign(bytes(key), (message,))) == signature
    assert run(SUITE.verify(public, (message,), signature))
    # ... and with the hash that a microcontroller uses
    assert run(verify(sha512.Sha512, public, (message,), signature))


@pytest.mark.parametrize("seed", range(60))
def test_verdicts_about_damaged_signatures_are_the_same(seed: int) -> None:
    source = random.Random(seed)
    key = SigningKey(source.randbytes(32))
    message = source.randbytes(50)
    signature = key.sign(message).signature
    fields = [bytearray(raw) for raw in (bytes(key.verify_key), message, signature)]
    damaged = source.choice(fields)
    damaged[source.randrange(len(damaged))] ^= 1 << source.randrange(8)
    public, message, signature = map(bytes, fields)
    try:
        VerifyKey(public).verify(message, signature)
        expected = True
    except BadSignatureError:
        expected = False
    assert run(SUITE.verify(public, (message,), signature)) is expected is False


@pytest.mark.parametrize("seed", range(100))
def test_points_are_decoded_from_the_same_bytes(seed: int) -> None:
    raw = random.Random(seed).randbytes(32)
    try:
        x, y = run(edwards25519.decode(raw))
    except BadKey:
        assert not is_valid_point(raw)
        return
    assert run(edwards25519.encode(x, y, 1)) == raw


def test_the_comb_is_what_it_says() -> None:
    for i in range(8):
        factor = (1 << 192) + sum((1 if i >> bit & 1 else -1) << 64 * bit for bit in range(3))
        scalar = scalar_reduce((factor % edwards25519.L).to_bytes(64, "little"))
        raw = edwards25519.COMB[64 * i : 64 * i + 64]
        x, y = int.from_bytes(raw[:32], "little"), int.from_bytes(raw[32:], "little")
        assert run(edwards25519.encode(x, y, 1)) == times_base(scalar)


@pytest.mark.parametrize("seed", range(40))
def test_secret_scalars_are_multiplied_as_libsodium_does(seed: int) -> None:
    scalar = random.Random(seed).randrange(1, edwards25519.L)
    assert run(edwards25519.times_base(scalar)) == times_base(scalar.to_bytes(32, "little"))
