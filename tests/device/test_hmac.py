"""HMAC and HKDF: the RFCs' own numbers, on whatever interpreter runs this."""

import hashlib

from uptane.crypto import hmac
from vectors import rfc4231, rfc5869


def test_a_tag_is_the_one_of_the_rfc():
    """V-24: RFC 4231, also for keys longer than a block."""
    assert len(rfc4231.CASES) == 6
    for key, data, wanted in rfc4231.CASES:
        assert hmac.tag(hashlib.sha256, key, (data,)).hex() == wanted
        halves = (memoryview(data)[:3], data[3:])
        assert hmac.tag(hashlib.sha256, key, halves).hex() == wanted


def test_a_derived_key_is_the_one_of_the_rfc():
    """V-24, T-43: RFC 5869, and each shorter key is the beginning of a longer one."""
    assert len(rfc5869.CASES) == 3
    for secret, salt, info, length, wanted in rfc5869.CASES:
        assert hmac.derive(hashlib.sha256, secret, salt, info, length).hex() == wanted
        short = hmac.derive(hashlib.sha256, secret, salt, info, 31)
        assert short.hex() == wanted[:62]


def test_another_key_or_use_gives_another_tag():
    """T-43."""
    tags = {
        hmac.derive(hashlib.sha256, secret, salt, info, 32)
        for secret in (bytes(32), bytes(31) + b"\1")
        for salt in (b"", b"s")
        for info in (b"", b"\1", b"\2")
    }
    assert len(tags) == 12
