"""HMAC (RFC 2104) and HKDF (RFC 5869) over a SHA-256 that is given: a factory.

For ECUs whose identity is a symmetric key; no other imports it. A key is 32 bytes of a good
source, split by `derive` so that none serves two purposes. It does NOT compare tags: an ECU
verifies nobody's, and the host that does compares in constant time.
Rules: V-24, T-43.
"""

if False:  # for the type checker; mpy-cross leaves it out
    from collections.abc import Callable

    from hashes import Buffer, Hash

BLOCK_BYTES = 64
TAG_BYTES = 32


def tag(sha256: "Callable[[], Hash]", key: bytes, parts: "tuple[Buffer, ...]") -> bytes:
    """Return the HMAC-SHA-256, 32 bytes, of the joined parts."""
    if len(key) > BLOCK_BYTES:
        key = _digest(sha256, 0, b"", (key,))
    key += bytes(BLOCK_BYTES - len(key))
    return _digest(sha256, 0x5C, key, (_digest(sha256, 0x36, key, parts),))


def derive(
    sha256: "Callable[[], Hash]", secret: bytes, salt: bytes, info: bytes, count: int
) -> bytes:
    """Return `count` bytes (8160 at most) that HKDF-SHA-256 makes of a secret for `info`."""
    key = tag(sha256, salt, (secret,))
    made = block = b""
    while len(made) < count:
        block = tag(sha256, key, (block, info, bytes((len(made) // TAG_BYTES + 1,))))
        made += block
    return made[:count]


def _digest(
    sha256: "Callable[[], Hash]", mask: int, key: bytes, parts: "tuple[Buffer, ...]"
) -> bytes:
    hashing = sha256()
    hashing.update(bytes([byte ^ mask for byte in key]))
    for part in parts:
        hashing.update(part)
    return hashing.digest()
