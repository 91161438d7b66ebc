"""The device's X25519, ChaCha20 and Poly1305 against OpenSSL's: equal bytes, equal verdicts."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.poly1305 import Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from claims import run
from uptane.crypto import poly1305, x25519
from uptane.crypto.chacha20 import BLOCKS_MAX, ChaCha20
from uptane.errors import BadKey, BadWrap
from vectors import rfc7748

P = rfc7748.P
KEYS = st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=12, max_size=12)
# Points near 0, near the prime, near a power of two, and anywhere.
POINTS = st.one_of(
    st.integers(0, 40),
    st.integers(P - 40, P + 18),
    st.integers(2**255 - 60, 2**255 + 40),
    st.integers(0, 2**256 - 1),
).map(lambda number: number.to_bytes(32, "little"))


def openssl_agrees(secret: bytes, public: bytes) -> bytes | None:
    """None: the two agree on zero."""
    try:
        key = X25519PublicKey.from_public_bytes(public)
        return X25519PrivateKey.from_private_bytes(secret).exchange(key)
    except ValueError:
        return None


@settings(max_examples=80, deadline=None)
@given(KEYS, POINTS)
def test_two_keys_agree_on_the_same(secret: bytes, public: bytes) -> None:
    """V-65: and refuse the same points."""
    try:
        agreed = run(x25519.agree(secret, public))
    except BadKey:
        agreed = None
    assert agreed == openssl_agrees(secret, public)


def test_a_thousand_agreements_end_as_the_rfc_says() -> None:
    """V-65: RFC 7748, 5.2. The ladder is deterministic, so one slip anywhere shows at the end."""
    secret = public = rfc7748.BASE
    rounds, wanted = rfc7748.ITERATED[1]
    for _ in range(rounds):
        secret, public = run(x25519.agree(secret, public)), secret
    assert secret.hex() == wanted


@settings(max_examples=60, deadline=None)
@given(
    KEYS,
    NONCES,
    st.one_of(st.integers(0, 2000), st.integers(0, 64 * BLOCKS_MAX - 1000)),
    st.binary(max_size=700),
    st.integers(0, 9),
)
def test_streams_are_the_same_from_any_byte(
    key: bytes, nonce: bytes, offset: int, data: bytes, margin: int
) -> None:
    """V-13, S-30: in place, whatever lies around it."""
    block, skip = divmod(offset, 64)
    counter = block.to_bytes(4, "little")
    stream = Cipher(algorithms.ChaCha20(key, counter + nonce), None).encryptor()
    wanted = stream.update(bytes(skip) + data)[skip:]
    buffer = bytearray(bytes(margin) + data + bytes(margin))
    ChaCha20(key, nonce).xor(offset, memoryview(buffer)[margin : margin + len(data)])
    assert buffer == bytes(margin) + wanted + bytes(margin)


@settings(max_examples=80, deadline=None)
@given(KEYS, st.binary(max_size=200))
def test_tags_are_the_same(key: bytes, message: bytes) -> None:
    """V-65."""
    assert poly1305.tag(key, message) == Poly1305.generate_tag(key, message)


@settings(max_examples=80, deadline=None)
@given(KEYS, NONCES, st.binary(max_size=80), st.binary(max_size=80), st.data())
def test_what_openssl_seals_opens_and_nothing_else(
    key: bytes, nonce: bytes, message: bytes, aad: bytes, data: st.DataObject
) -> None:
    """V-65, E-80."""
    sealed = ChaCha20Poly1305(key).encrypt(nonce, message, aad)
    assert poly1305.open_sealed(ChaCha20, key, nonce, sealed, aad) == message
    changed = bytearray(sealed)
    changed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InvalidTag):
        ChaCha20Poly1305(key).decrypt(nonce, bytes(changed), aad)
    with pytest.raises(BadWrap):
        poly1305.open_sealed(ChaCha20, key, nonce, bytes(changed), aad)
