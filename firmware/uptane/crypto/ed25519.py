"""Ed25519 (RFC 8032, 5.1): verify, sign and the public key of a seed, as generators.

Verification is cofactorless and strict: it computes S B - k A and compares its encoding with the
bytes of R. False for S >= L, for a key or an R that is not canonical, for a key or an R of small
order (the verdicts of dalek's verify_strict and of libsodium on ed25519-speccheck). A key with a
torsion component that is not of small order is accepted, as there.
Signing does the same field operations and point additions in the same order whatever the secret,
and no branch depends on it. It is NOT constant-time below that: the interpreter multiplies
integers in a time that depends on their length in digits, and the place of a table entry read
depends on the secret. So a board signs once a cycle, and never a message of an attacker's choice.
A slice is about 16 point doublings: some 20 ms at 168 MHz. `sha512` is given: a factory.
Rules: V-02, V-06.
"""

from uptane.crypto.edwards25519 import (
    LOW,
    L,
    P,
    decode,
    encode,
    has_small_order,
    straus,
    times_base,
)
from uptane.errors import BadKey

if False:  # for the type checker; mpy-cross leaves it out
    from collections.abc import Callable, Generator

    from hashes import Buffer, Hash

HASH_SLICE_BYTES = 128


def verify(
    sha512: "Callable[[], Hash]", public: bytes, parts: "tuple[Buffer, ...]", signature: bytes
) -> "Generator[None, None, bool]":
    """Return whether `signature` (64 bytes) over the joined parts is by `public` (32 bytes).

    Bytes that are no key or no signature at all are simply False. RFC 8032, 5.1.7.
    """
    if len(public) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    try:
        x, y = yield from decode(public)
    except BadKey:
        return False
    if has_small_order(x, y, 1):
        return False
    k = yield from _hash(sha512, (signature[:32], public) + parts)
    x, y, z = yield from straus(s, k, (P - x, y, 1, P - x * y % P))
    if has_small_order(x, y, z):
        return False
    return (yield from encode(x, y, z)) == signature[:32]


def sign(
    sha512: "Callable[[], Hash]", seed: bytes, parts: "tuple[Buffer, ...]"
) -> "Generator[None, None, bytes]":
    """Return the signature, 64 bytes, of the joined parts. RFC 8032, 5.1.6.

    Refusal: BadKey for a seed that is not of 32 bytes.
    """
    secret, prefix = _expand(sha512, seed)
    public = yield from times_base(secret)
    r = yield from _hash(sha512, (prefix,) + parts)
    front = yield from times_base(r)
    k = yield from _hash(sha512, (front, public) + parts)
    return front + ((r + k * secret) % L).to_bytes(32, "little")


def public_key(sha512: "Callable[[], Hash]", seed: bytes) -> "Generator[None, None, bytes]":
    """Return the public key, 32 bytes, of a seed of 32. RFC 8032, 5.1.5. Refusal: BadKey."""
    return (yield from times_base(_expand(sha512, seed)[0]))


def _expand(sha512: "Callable[[], Hash]", seed: bytes) -> "tuple[int, bytes]":
    """Return the secret scalar, reduced mod L, and the prefix of a seed."""
    if len(seed) != 32:
        raise BadKey
    digest = sha512()
    digest.update(seed)
    both = digest.digest()
    secret = int.from_bytes(both[:32], "little") & (LOW >> 1) - 7 | 1 << 254
    return secret % L, both[32:]


def _hash(
    sha512: "Callable[[], Hash]", parts: "tuple[Buffer, ...]"
) -> "Generator[None, None, int]":
    digest = sha512()
    for part in parts:
        view = memoryview(part)
        while len(view) > 0:
            digest.update(view[:HASH_SLICE_BYTES])
            view = view[HASH_SLICE_BYTES:]
            yield
    return int.from_bytes(digest.digest(), "little") % L
