"""X25519 (RFC 7748, 5): what a secret and somebody's public key agree on, as a generator.

A Montgomery ladder: each bit of the secret costs the same operations in the same order, and no
branch depends on it. It is NOT constant-time below that: the interpreter multiplies integers in a
time that depends on their length in digits, and which of two places of a list is read depends on
the secret. So a board agrees once for an image, on a public key that its Director signed. A slice
is 16 steps, some 25 ms at 168 MHz. A public key of small order, with which all secrets agree on
zero, is refused.
Rules: V-65, T-43.
"""

from uptane.crypto.edwards25519 import LOW, P, powers, squares
from uptane.errors import BadKey

if False:  # for the type checker; mpy-cross leaves it out
    from collections.abc import Generator

    from hashes import Buffer

A24 = 121665
SLICE = 16  # steps of the ladder


def agree(secret: "Buffer", public: "Buffer") -> "Generator[None, None, bytes]":
    """Return the shared secret, 32 bytes, of a secret and a public key of 32.

    Bit 255 of the public key is ignored and the rest taken mod P, as the RFC has it: whoever wants
    one form of a key only has to look. Refusal: BadKey.
    """
    if len(secret) != 32 or len(public) != 32:
        raise BadKey
    k = int.from_bytes(secret, "little") & (LOW >> 1) - 7 | 1 << 254
    u = int.from_bytes(public, "little") & LOW
    # two points that differ by u, as x / z: bit by bit one becomes their sum, one its double
    x = [1, u]
    z = [0, 1]
    for at in range(254, -1, -1):
        bit = k >> at & 1
        more = (x[0] + z[0], x[1] + z[1])
        less = (x[0] - z[0], x[1] - z[1])
        a = less[1] * more[0]
        a = (a & LOW) + 19 * (a >> 255)
        b = less[0] * more[1]
        b = (b & LOW) + 19 * (b >> 255)
        c = more[bit] * more[bit]
        c = (c & LOW) + 19 * (c >> 255)
        d = less[bit] * less[bit]
        d = (d & LOW) + 19 * (d >> 255)
        e = a + b
        x[1 - bit] = e * e % P
        e = a - b
        z[1 - bit] = u * (e * e % P) % P
        e = c - d
        x[bit] = c * d % P
        z[bit] = e * (c + A24 * e) % P
        if not at % SLICE:
            yield
    power, z11 = yield from powers(z[0])
    shared = x[0] * squares(power, 5) * z11 % P  # x z^(p - 2)
    if not shared:
        raise BadKey
    return shared.to_bytes(32, "little")
