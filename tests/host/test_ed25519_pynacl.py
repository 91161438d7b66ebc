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


def assert_addend_of(raw: bytes, factor: int) -> None:
    """y - x, y + x and 2 d x y of that multiple of B, as libsodium has it."""
    p, d = edwards25519.P, edwards25519.D
    less, more, t2 = (int.from_bytes(raw[at : at + 32], "little") for at in (0, 32, 64))
    half = (p + 1) // 2
    x, y = (more - less) * half % p, (more + less) * half % p
    scalar = scalar_reduce((factor % edwards25519.L).to_bytes(64, "little"))
    assert run(edwards25519.encode(x, y, 1)) == times_base(scalar)
    assert t2 == 2 * d * x * y % p
    assert len(raw) == 96


def test_the_tables_are_what_they_say() -> None:
    for i, raw in enumerate(edwards25519.COMB):
        signs = [1 if i >> bit & 1 else -1 for bit in range(3)]
        factor = (1 << 192) + sum(sign << 64 * bit for bit, sign in enumerate(signs))
        assert_addend_of(raw, factor)
    for i, raw in enumerate(edwards25519.ODD):
        assert_addend_of(raw, 2 * i + 1)


@pytest.mark.parametrize("seed", range(40))
def test_secret_scalars_are_multiplied_as_libsodium_does(seed: int) -> None:
    scalar = random.Random(seed).randrange(1, edwards25519.L)
    assert run(edwards25519.times_base(scalar)) == times_base(scalar.to_bytes(32, "little"))
