"""Poly1305 and the AEAD ChaCha20/Poly1305 (RFC 8439, 2.5 and 2.8), for a content key and no more.

What is opened here has some dozens of bytes, so integers do, and nothing is opened before its tag
has been seen to fit: an image is decrypted by `chacha20` alone and held against its hash. It does
NOT seal: only a maker wraps keys. The tags are compared in a time that does not tell how many of
their bytes fit.
Rules: V-65, E-80.
"""

from uptane.errors import BadWrap

if False:  # for the type checker; mpy-cross leaves it out
    from collections.abc import Callable

    from hashes import Buffer
    from uptane.crypto.chacha20 import ChaCha20

P = (1 << 130) - 5
CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
TAG_BYTES = 16


def tag(key: "Buffer", message: "Buffer") -> bytes:
    """Return the tag, 16 bytes, of a message under a one-time key of 32. RFC 8439, 2.5."""
    r = int.from_bytes(key[:16], "little") & CLAMP
    sum = 0
    for at in range(0, len(message), 16):
        piece = bytes(message[at : at + 16]) + b"\1"
        sum = (sum + int.from_bytes(piece, "little")) * r % P
    sum += int.from_bytes(key[16:32], "little")
    return (sum & (1 << 128) - 1).to_bytes(16, "little")


def open_sealed(
    cipher: "Callable[[Buffer, Buffer], ChaCha20]",
    key: bytes,
    nonce: bytes,
    sealed: "Buffer",
    aad: bytes,
) -> bytearray:
    """Return what was sealed, by ciphertext and tag, with additional data. RFC 8439, 2.8.

    `cipher`: makes a key stream. Refusals: BadWrap, if the tag does not fit; BadKey, if key or
    nonce has another length.
    """
    stream = cipher(key, nonce)
    one_time = bytearray(64)
    stream.xor(0, one_time)
    opened = bytearray(sealed[:-TAG_BYTES])
    lengths = len(aad).to_bytes(8, "little") + len(opened).to_bytes(8, "little")
    wanted = tag(one_time, _padded(aad) + _padded(opened) + lengths)
    given = bytes(sealed[-TAG_BYTES:])
    if int.from_bytes(wanted, "little") ^ int.from_bytes(given, "little") or len(given) != 16:
        raise BadWrap
    stream.xor(64, opened)
    return opened


def _padded(data: "Buffer") -> bytes:
    return bytes(data) + bytes(-len(data) % 16)
