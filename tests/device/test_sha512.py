"""SHA-512: every implementation that this interpreter can run, against the same vectors."""

import hashlib

from uptane.crypto import sha512, suite
from vectors import sha512 as vectors

IMPLEMENTATIONS = [sha512.Sha512, suite.Suite().sha512]
try:
    from uptane.crypto.sha512_viper import Sha512

    IMPLEMENTATIONS.append(Sha512)
except ImportError:  # CPython has no viper
    pass


def hash_pieces(new, message, piece_bytes):
    digest = new()
    for at in range(0, len(message), piece_bytes):
        digest.update(message[at : at + piece_bytes])
    return digest.digest()


def test_every_vector_is_met_by_every_implementation():
    for new in IMPLEMENTATIONS:
        for text, digest in vectors.VECTORS:
            message = bytes.fromhex(text)
            assert hash_pieces(new, message, len(message) or 1) == bytes.fromhex(digest)


def test_pieces_of_any_size_give_the_same_hash():
    message = bytes(range(256)) + bytes(range(3))
    for new in IMPLEMENTATIONS:
        whole = hash_pieces(new, message, len(message))
        for piece_bytes in (1, 7, 63, 64, 127, 128, 129, 255, 256):
            assert hash_pieces(new, message, piece_bytes) == whole, piece_bytes


def test_views_and_bytearrays_are_hashed_and_not_kept():
    expected = hash_pieces(sha512.Sha512, b"abc" * 50, 1000)
    for new in IMPLEMENTATIONS:
        buffer = bytearray(b"abc" * 50)
        digest = new()
        digest.update(memoryview(buffer)[:90])
        digest.update(buffer[90:])
        buffer[0] = 0
        assert digest.digest() == expected


def test_every_bit_of_a_word_is_carried():
    """Blocks of ones make carries everywhere, which is where 32-bit halves go wrong."""
    messages = [b"\xff" * 111, b"\xff" * 256, b"\x80" * 200, b"\x7f\xff\xff\xff" * 64]
    digests = [hash_pieces(sha512.Sha512, message, 1000) for message in messages]
    for new in IMPLEMENTATIONS:
        for message, digest in zip(messages, digests):
            assert hash_pieces(new, message, 1000) == digest


def test_a_million_letters():
    piece = b"a" * 10000
    digest = suite.Suite().sha512()
    for _ in range(100):
        digest.update(piece)
    assert digest.digest() == bytes.fromhex(vectors.MILLION)


def test_the_suite_takes_the_fastest_that_there_is():
    chosen = suite.Suite().sha512()
    if hasattr(hashlib, "sha512"):
        assert type(chosen) is type(hashlib.sha512())
    else:
        assert type(chosen) is IMPLEMENTATIONS[2]
