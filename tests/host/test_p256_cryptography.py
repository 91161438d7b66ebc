"""The device's ES256 against OpenSSL's: the same verdict on whatever both are shown."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from claims import run
from uptane.crypto import p256

N, P = p256.N, p256.P
NUMBERS = st.one_of(
    st.integers(1, 40), st.integers(N - 40, N - 1), st.integers(1, N - 1)
)  # small ones meet special cases of adding points
ECDSA = ec.ECDSA(SHA256())


def key_of(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def device_says(public: bytes, message: bytes, r: int, s: int) -> bool:
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    verdict: bool = run(p256.verify(hashlib.sha256, public, (message,), signature))
    return verdict


def openssl_says(key: ec.EllipticCurvePrivateKey, message: bytes, r: int, s: int) -> bool:
    try:
        key.public_key().verify(utils.encode_dss_signature(r, s), message, ECDSA)
    except InvalidSignature:
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(NUMBERS, st.binary(max_size=200))
def test_what_openssl_signs_the_device_verifies(number: int, message: bytes) -> None:
    """V-06."""
    key = key_of(number)
    r, s = utils.decode_dss_signature(key.sign(message, ECDSA))
    assert device_says(point_of(key), message, r, s)
    assert device_says(point_of(key), message, r, N - s)
    assert not device_says(point_of(key), message + b"\0", r, s)


@settings(max_examples=60, deadline=None)
@given(NUMBERS, NUMBERS, st.binary(max_size=20))
def test_a_chosen_nonce_gives_the_same_verdict(number: int, nonce: int, message: bytes) -> None:
    """V-06: small keys with small nonces, so that sums of points collide."""
    key = key_of(number)
    x = int.from_bytes(point_of(key_of(nonce))[1:33], "big")
    r = x % N
    e = int.from_bytes(hashlib.sha256(message).digest(), "big")
    s = pow(nonce, -1, N) * (e + r * number) % N
    assert s and openssl_says(key, message, r, s)
    assert device_says(point_of(key), message, r, s)


@settings(max_examples=40, deadline=None)
@given(NUMBERS, st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_whatever_is_no_signature_is_none_for_both(number: int, r: int, s: int) -> None:
    """V-06: never a fault, always the same verdict."""
    key = key_of(number)
    assert device_says(point_of(key), b"", r, s) == openssl_says(key, b"", r, s)


def test_an_r_that_wrapped_around_the_order_verifies() -> None:
    """V-06: x of the sum is between the order and the prime, so r is x - n. Such a point is found
    on the curve, and the key made to fit it."""
    x = N + 1
    while True:
        square = (x * x * x - 3 * x + p256.B) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square:
            break
        x += 1
    assert x < P
    # R is this point; with u1 = 1 / s' and u2 = 1 the key is R - (e / s) G, r = x - N
    r = s = x - N
    message = b"wrapped"
    e = int.from_bytes(hashlib.sha256(message).digest(), "big")
    u1 = e * pow(s, -1, N) % N
    minus = point_of(key_of(N - u1))
    other = (int.from_bytes(minus[1:33], "big"), int.from_bytes(minus[33:], "big"), 1)
    jx, jy, jz = p256._add((x, y, 1), other)
    inverse = pow(jz, -1, P)
    ax, ay = jx * inverse**2 % P, jy * inverse**3 % P
    public = b"\4" + ax.to_bytes(32, "big") + ay.to_bytes(32, "big")
    openssl = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    openssl.verify(utils.encode_dss_signature(r, s), message, ECDSA)
    assert device_says(public, message, r, s)
    with pytest.raises(InvalidSignature):
        openssl.verify(utils.encode_dss_signature(r + 1, s), message, ECDSA)
    assert not device_says(public, message, r + 1, s)
