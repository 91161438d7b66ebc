"""Poly1305 and ChaCha20/Poly1305: the RFC's own numbers, and that nothing else opens."""

from claims import raises
from memory import SUITE
from uptane.crypto import poly1305
from uptane.crypto.secrecy import Secrecy
from uptane.errors import BadKey, BadWrap
from vectors import rfc8439

CIPHER = Secrecy(SUITE, lambda: None).cipher
KEY, NONCE = bytes.fromhex(rfc8439.AEAD_KEY), bytes.fromhex(rfc8439.AEAD_NONCE)
DATA, SEALED = bytes.fromhex(rfc8439.AEAD_DATA), bytes.fromhex(rfc8439.AEAD_SEALED)


def opened(key, nonce, sealed, data):
    return bytes(poly1305.open_sealed(CIPHER, key, nonce, sealed, data))


def test_every_tag_of_the_rfc_is_met():
    """V-65: RFC 8439, 2.5.2 and A.3."""
    for key, message, wanted in rfc8439.TAGS:
        assert poly1305.tag(bytes.fromhex(key), bytes.fromhex(message)).hex() == wanted
        view = memoryview(bytes.fromhex(message))
        assert poly1305.tag(bytes.fromhex(key), view).hex() == wanted


def test_what_the_rfc_sealed_opens():
    """V-65: RFC 8439, 2.8.2."""
    assert opened(KEY, NONCE, SEALED, DATA) == rfc8439.SUNSCREEN
    assert opened(KEY, NONCE, memoryview(SEALED), DATA) == rfc8439.SUNSCREEN


def test_nothing_opens_that_was_changed_anywhere():
    """V-65, E-80: a bit of the ciphertext, of the tag, of the additional data, key or nonce."""
    good = (KEY, NONCE, SEALED, DATA)
    for place in range(4):
        for at in (0, len(good[place]) // 2, len(good[place]) - 1):
            changed = bytearray(good[place])
            changed[at] ^= 1
            given = list(good)
            given[place] = bytes(changed)
            raises(BadWrap, opened, *given)
    for length in (0, 1, 15, 16, 17, len(SEALED) - 1):
        raises(BadWrap, opened, KEY, NONCE, SEALED[:length], DATA)
    raises(BadWrap, opened, KEY, NONCE, SEALED, DATA + b"\0")  # zeros only pad
    raises(BadWrap, opened, KEY, NONCE, SEALED, b"")


def test_a_key_or_nonce_of_another_length_is_refused():
    """V-65."""
    raises(BadKey, opened, KEY[1:], NONCE, SEALED, DATA)
    raises(BadKey, opened, KEY, NONCE + b"n", SEALED, DATA)


def test_a_tag_that_lacks_its_last_zero_is_none():
    """V-65, E-80: as numbers the two would be equal."""
    for number in range(4096):
        nonce = number.to_bytes(12, "little")
        one_time = bytearray(32)
        CIPHER(KEY, nonce).xor(0, one_time)
        tag = poly1305.tag(one_time, bytes(16))  # of nothing: lengths alone
        if not tag[15]:
            break
    assert opened(KEY, nonce, tag, b"") == b""
    raises(BadWrap, opened, KEY, nonce, tag[:15], b"")
