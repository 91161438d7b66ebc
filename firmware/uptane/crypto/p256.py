"""ECDSA on NIST P-256 with SHA-256 (ES256; FIPS 186-5, 6.4.2), verification only, as a generator.

For car makers whose HSM has no Ed25519; no ECU imports it unless its board's suite is built with
it, and it holds no secret, so its time may depend on what it is given. A public key is 65 bytes
(SEC 1: 4, x, y), a signature r and s of 32 bytes each. False for r or s of 0 or beyond the order,
and for a key that is not on the curve. Both s and n - s verify, as RFC 9053 has it: a threshold
counts keys and a file is named by its payload, so a second form of a signature is worth nothing.
A slice is 12 point doublings, some 20 ms at 168 MHz. `sha256` is given: a factory.
Rules: V-02, V-06, T-27.
"""

if False:  # for the type checker; mpy-cross leaves it out
    from collections.abc import Callable, Generator

    from hashes import Buffer, Hash

    Point = tuple[int, int, int]  # Jacobian: x / z^2, y / z^3; z = 0 is the point at infinity

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5
SLICE = 12  # doublings
SLICES = 28  # yields of one verify of a message of 600 bytes
HASH_SLICE_BYTES = 256


def verify(
    sha256: "Callable[[], Hash]", public: bytes, parts: "tuple[Buffer, ...]", signature: bytes
) -> "Generator[None, None, bool]":
    """Return whether `signature` (64 bytes) over the joined parts is by `public` (65 bytes).

    Bytes that are no key or no signature at all are simply False.
    """
    if len(public) != 65 or public[0] != 4 or len(signature) != 64:
        return False
    x = int.from_bytes(public[1:33], "big")
    y = int.from_bytes(public[33:], "big")
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    if not 0 < r < N or not 0 < s < N or x >= P or y >= P or not _is_on_curve(x, y):
        return False
    e = yield from _hash(sha256, parts)
    w = yield from _inverse(s)
    x, _, z = yield from _sum(e * w % N, r * w % N, (x, y, 1))
    if not z:
        return False
    # r = x / z^2 mod P mod N, without a division: x / z^2 is r or r + N
    zz = z * z % P
    return r * zz % P == x or (r + N < P and (r + N) * zz % P == x)


def _is_on_curve(x: int, y: int) -> bool:
    return (y * y - (x * x - 3) * x - B) % P == 0


def _hash(
    sha256: "Callable[[], Hash]", parts: "tuple[Buffer, ...]"
) -> "Generator[None, None, int]":
    digest = sha256()
    for part in parts:
        view = memoryview(part)
        while len(view) > 0:
            digest.update(view[:HASH_SLICE_BYTES])
            view = view[HASH_SLICE_BYTES:]
            yield
    return int.from_bytes(digest.digest(), "big") % N


def _inverse(s: int) -> "Generator[None, None, int]":
    """Return 1 / s mod N for 0 < s < N, by Euclid: about 150 steps."""
    rest, last = s, N
    factor, before = 1, 0
    steps = 0
    while rest > 1:
        quotient = last // rest
        rest, last = last - quotient * rest, rest
        factor, before = before - quotient * factor, factor
        steps += 1
        if not steps % 64:
            yield
    return factor % N


# --- points ----------------------------------------------------------------------------------


def _double(x: int, y: int, z: int) -> "Point":
    """Twice a point; of infinity, infinity. No point of this curve has order 2."""
    zz = z * z % P
    yy = y * y % P
    xyy = 4 * x * yy % P
    slope = 3 * (x - zz) * (x + zz) % P
    x = (slope * slope - 2 * xyy) % P
    z = 2 * y * z % P
    return x, (slope * (xyy - x) - 8 * yy * yy) % P, z


def _add(point: "Point", other: "Point") -> "Point":
    """The sum, whatever the two are."""
    x1, y1, z1 = point
    x2, y2, z2 = other
    if not z1:
        return other
    if not z2:
        return point
    zz1 = z1 * z1 % P
    zz2 = z2 * z2 % P
    x1 = x1 * zz2 % P
    y1 = y1 * z2 * zz2 % P
    h = (x2 * zz1 - x1) % P
    r = (y2 * z1 * zz1 - y1) % P
    if not h:
        return (1, 1, 0) if r else _double(*point)
    hh = h * h % P
    v = x1 * hh % P
    hh = hh * h % P
    x = (r * r - hh - 2 * v) % P
    return x, (r * (v - x) - y1 * hh) % P, z1 * z2 * h % P


def _odd_multiples(point: "Point") -> "list[Point]":
    """1, 3, 5 and 7 times a point: more would save little time and cost heap."""
    twice = _double(*point)
    multiples = [point]
    while len(multiples) < 4:
        multiples.append(_add(multiples[-1], twice))
    return multiples


def _digits(k: int) -> bytearray:
    """Return the digits of k < N, lowest first: odd, -7..7 (mod 256), mostly 0."""
    digits = bytearray(257)
    at = 0
    while k:
        if k & 1:
            digit = (k & 15 ^ 8) - 8
            digits[at] = digit & 0xFF
            k = (k - digit) >> 4
            at += 4
        else:
            k >>= 1
            at += 1
    return digits


def _sum(g: int, q: int, public: "Point") -> "Generator[None, None, Point]":
    """Return g G + q public."""
    tables = (
        (_digits(g), _odd_multiples((GX, GY, 1))),
        (_digits(q), _odd_multiples(public)),
    )
    yield
    point = (1, 1, 0)
    for at in range(256, -1, -1):
        point = _double(*point)
        for digits, multiples in tables:
            digit = digits[at]
            if digit:
                if digit < 128:
                    other = multiples[digit >> 1]
                else:
                    x, y, z = multiples[(256 - digit) >> 1]
                    other = (x, P - y, z)
                point = _add(point, other)
        if not at % SLICE:
            yield
    return point
