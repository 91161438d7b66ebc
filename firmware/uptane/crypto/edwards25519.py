"""The curve edwards25519 in Python integers: what `ed25519` is made of.

Points are affine (x, y) or projective (x, y, z), coordinates reduced mod P. Long work yields about
every 16 doublings. `straus` is for public scalars and takes a time that depends on them;
`times_base` is for secret ones and does the same operations in the same order for each. Neither
checks anything: what may be multiplied by what is the business of `ed25519`.
Rules: V-02.
"""

from uptane.errors import BadKey

if False:  # for the type checker; mpy-cross leaves it out
    from collections.abc import Generator

    Point = tuple[int, int, int, int]  # x, y, z, t; or e, f, g, h; or an addend

P = (1 << 255) - 19
L = (1 << 252) + 27742317777372353535851937790883648493
D = 0x52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3
ROOT = 0x2B8324804FC1DF0B2B4D00993DFBD7A72F431806AD2FE478C4EE1B274A0EA0B0  # of -1
LOW = (1 << 255) - 1
SLICE = 16  # doublings

# As `_packed` leaves them, less the last number, which is 2. Entry i: the addend of
# (2^192 + b2 2^128 + b1 2^64 + b0) B, where bn is 1 or -1 as bit n of i is 1 or 0.
COMB = (
    b"\xad\xd0\x88\xdb\x13\xa8\xe2\xe3\xc1\x4d\xb1\x5b\x3d\xb1\x40\x6f"
    b"\xd2\x2b\x1e\x55\x25\x54\x71\xc6\x6d\x39\x64\xc4\xae\xb7\x05\x40"
    b"\x3e\x38\x73\x24\xc8\xa2\xb0\x4b\x54\x48\x9a\xd3\x1c\xd9\x93\x8b"
    b"\x51\x8b\x45\xaa\xee\xc2\x83\x64\x27\x68\x08\x48\x46\x94\xce\x4b"
    b"\x1c\x79\xec\x5b\x82\xe1\x80\xcc\x25\x76\x6d\xaf\xd0\xa9\xb4\xe0"
    b"\x98\x2e\xbb\x2f\x7d\x35\x4d\x61\xda\x43\xa6\x63\x76\xbb\x77\x1c",
    b"\xb0\x34\x71\x9d\x75\xd2\xde\xe9\x0d\x0a\x7b\x54\x93\xb5\xbc\xe7"
    b"\xfb\x44\x73\x02\xf0\x65\xbc\x5e\xa7\x80\xbc\x89\x8f\x35\x4f\x66"
    b"\xe7\x68\x3e\xae\x59\xb5\xd2\x16\xbd\xac\x47\x58\x73\x62\xc5\x6f"
    b"\x75\x08\x29\x96\x54\x1f\x89\xb9\x66\x8a\xf3\x6f\xcf\xfd\xa8\x43"
    b"\xb4\xeb\x15\x67\x64\x39\xd4\x3d\xf1\xa3\xe4\x3b\xf1\x92\x4d\x11"
    b"\x59\xc1\xd4\x57\x67\x8b\x43\xe1\x85\x6c\xef\x7c\x9c\x7c\xb5\x51",
    b"\xc9\xd5\x0d\x5a\x65\x1b\x33\x1f\xd3\x2b\x86\xc9\x61\x5f\x54\x0b"
    b"\x33\x78\x73\x15\xb3\x89\x97\x39\x5c\xd4\x43\x77\x90\x73\x50\x13"
    b"\x81\x47\x04\xac\x05\x3e\x14\x99\x52\x86\x72\xc6\xa6\xfd\x80\x55"
    b"\xd2\xbc\x15\x0c\xd9\x84\xf4\x3e\x57\x26\xce\x48\x1e\x9c\x9d\x1d"
    b"\xab\x1e\xad\xf5\x2f\x86\xe0\x13\x7a\xd1\x71\x90\xb9\x63\xfa\xfe"
    b"\xeb\x8c\x82\xf3\x93\x66\x37\xd8\x5a\x05\x5d\x4a\xb1\xe7\x56\x0a",
    b"\x3e\x5b\x23\xbf\xf7\x46\x42\x12\xcb\x7d\xd8\x1e\x54\x6e\x7e\xe8"
    b"\x92\x55\x38\xc1\x34\xec\x52\x78\x13\x5f\x42\x65\x88\x5a\x18\x7c"
    b"\x9c\x8c\x5f\x25\x6a\xce\xcf\xad\xee\x88\x44\xc9\x41\x77\xd8\x8b"
    b"\xfd\x5b\x44\x04\xd4\x94\x3a\x09\x8a\x14\xe9\xfc\xf3\x11\x25\x7b"
    b"\xef\xaf\xd9\x9e\x8e\x81\x4f\x97\x19\x7c\x06\x6b\x01\x39\x33\x03"
    b"\xa5\xf0\x65\xa1\xdd\x9a\x7c\x44\xb5\x57\x18\x14\xa0\x04\x64\x59",
    b"\x2d\x4a\x94\x84\x91\x8f\x63\x82\x04\x30\x82\x97\xad\xae\x54\x61"
    b"\xee\xac\xc0\x2f\xdf\x49\xa3\x78\xc0\x59\xe0\x47\xa4\xdd\xaa\x11"
    b"\x8d\x0c\xbf\xd8\x1f\x1b\x89\xf7\xc9\xae\x0b\x9f\x8b\x27\x52\xb3"
    b"\x33\xe2\xcd\xac\x39\x17\x26\x08\x5c\xc8\xd9\xf2\x54\x87\x68\x6e"
    b"\xb9\xcf\x54\xf2\xd9\x33\x63\xa3\xda\xc3\xef\x0d\x54\x3c\xf8\xbe"
    b"\xa2\xca\x6f\xf5\xc3\xf8\x96\x8e\xbb\xad\x77\x4b\x23\xb2\xcc\x42",
    b"\xab\x71\x9a\x2f\xc4\x80\xf8\x63\x3a\x06\x02\x91\xb0\x91\x0b\x45"
    b"\xd1\x1b\x29\xd4\x82\x7c\xe9\x46\x6e\xfb\xa8\xf8\xb3\xfe\xd2\x43"
    b"\x33\xd9\xfd\x77\x68\xfd\xd2\xcc\x42\x9e\x75\x43\xfe\x6e\x77\x82"
    b"\x74\xc3\x97\xe4\x9f\xf4\xc4\xde\x1a\x8c\x24\x48\x57\x69\x44\x5e"
    b"\xfe\x1f\x09\x97\x74\x16\xbd\x28\x08\xa7\x4b\x9d\xd0\x95\x29\x70"
    b"\x94\xed\x00\x5f\x1a\xd3\x37\xfb\xbc\x12\x14\x9f\xef\xfb\x4e\x15",
    b"\x9d\x11\x1a\x27\xb0\x74\x7e\x08\x42\x1f\x0e\x0b\x27\xe0\xc0\x67"
    b"\x8f\x64\x2b\x0d\x9d\x83\xdc\xee\x8b\x8a\x9c\xfb\x96\xa0\xe6\x6a"
    b"\xa2\x53\x60\x15\xc8\x2e\x7b\x05\x29\x91\xfd\xf2\x26\xb4\xac\x0d"
    b"\xd5\xdd\x10\xbd\x20\x8d\x0d\xe3\x2e\xb3\x9b\x07\x9d\x96\xb7\x27"
    b"\x81\x82\x8d\x90\x5a\x3e\x24\xa7\xd1\x8c\x51\x8f\xda\x8c\xe1\x72"
    b"\xac\xdc\x8d\x1f\x3b\xe8\xe3\xf2\x3c\x7b\x8f\xbd\xba\x3d\xd1\x70",
    b"\x3c\xf8\x7e\xdc\x4b\xcb\xa8\xa2\x26\xc2\x93\x5f\xfa\xc6\xb5\x96"
    b"\xa5\xe3\x64\x06\x1b\xeb\xeb\xd4\x2f\xcf\xc6\xe5\xdc\x4a\x9b\x40"
    b"\x42\xb8\xfb\x47\x67\xeb\x7e\x13\x8b\x1a\x81\x60\x75\x5c\xdf\x79"
    b"\x9a\xc8\xf8\x71\x6f\xa7\x2b\x5a\xc2\xff\xc8\x3b\x56\x2a\x95\x09"
    b"\xc4\x50\x43\x83\xb9\x3d\xd5\x44\xb4\x05\xf5\xa5\x05\x93\x29\x89"
    b"\x2f\xff\x49\x59\xa2\xfa\x22\xfb\x64\x7d\x65\x04\xa7\x68\xb9\x69",
)
# B, 3 B, 5 B and 7 B.
ODD = (
    b"\x3e\x91\x40\xd7\x05\x39\x10\x9d\xb3\xbe\x40\xd1\x05\x9f\x39\xfd"
    b"\x09\x8a\x8f\x68\x34\x84\xc1\xa5\x67\x12\xf8\x98\x92\x2f\xfd\x44"
    b"\x85\x3b\x8c\xf5\xc6\x93\xbc\x2f\x19\x0e\x8c\xfb\xc6\x2d\x93\xcf"
    b"\xc2\x42\x3d\x64\x98\x48\x0b\x27\x65\xba\xd4\x33\x3a\x9d\xcf\x07"
    b"\x68\xaa\x7a\x87\x05\x12\xc9\xab\x9e\xc4\xaa\xcc\x23\xe8\xd9\x26"
    b"\x8c\x59\x43\xdd\xcb\x7d\x1b\x5a\xa8\x65\x0c\x9f\x68\x7b\x11\x6f",
    b"\x65\xd2\xfc\xa4\xe8\x1f\x61\x56\x7d\xba\xc1\xe5\xfd\x53\xd3\x3b"
    b"\xbd\xd6\x4b\x21\x1a\xf3\x31\x81\x62\xda\x5b\x55\x87\x15\xb9\x2a"
    b"\x30\x97\xee\x4c\xa8\xb0\x25\xaf\x8a\x4b\x86\xe8\x30\x84\x5a\x02"
    b"\x32\x67\x01\x9f\x02\x50\x1b\xc1\xf4\xf8\x80\x9a\x1b\x4e\x16\x7a"
    b"\x89\xd8\xd0\x0d\x3f\x93\xae\x14\x62\xda\x35\x1c\x22\x23\x94\x58"
    b"\x4c\xdb\xf2\x8c\x45\xe5\x70\xd1\xc6\xb4\xb9\x12\xaf\x26\x28\x5a",
    b"\xba\xd6\x47\xa4\xc3\x82\x91\x7f\xb7\x29\x27\x4b\xd1\x14\x00\xd5"
    b"\x87\xa0\x64\xb8\x1c\xf1\x3c\xe3\xf3\x55\x1b\xeb\x73\x7e\x4a\x15"
    b"\x33\xbb\xa5\x08\x44\xbc\x12\xa2\x02\xed\x5e\xc7\xc3\x48\x50\x8d"
    b"\x44\xec\xbf\x5a\x0c\xeb\x1b\xdd\xeb\x06\xe2\x46\xf1\xcc\x45\x29"
    b"\x85\x82\x2a\x81\xf1\xdb\xbb\xbc\xfc\xd1\xbd\xd0\x07\x08\x0e\x27"
    b"\x2d\xa7\xbd\x1b\x0b\x67\x1b\xb4\x9a\xb6\x3b\x6b\x69\xbe\xaa\x43",
    b"\xb1\x21\x32\xaa\x9a\x2c\x6f\xba\xa7\x23\xba\x3b\x53\x21\xa0\x6c"
    b"\x3a\x2c\x19\x92\x4f\x76\xea\x9d\xe0\x17\x53\x2e\x5d\xdd\x6e\x1d"
    b"\xbf\xa3\x4e\x94\xd0\x5c\x1a\x6b\xd2\xc0\x9d\xb3\x3a\x35\x70\x74"
    b"\x49\x2e\x54\x28\x82\x52\xb2\x71\x7e\x92\x3c\x28\x69\xea\x1b\x46"
    b"\xa2\xb3\xb8\x01\xc8\x6d\x83\xf1\x9a\xa4\x3e\x05\x47\x5f\x03\xb3"
    b"\xf3\xad\x77\x58\xba\x41\x9c\x52\xa7\x90\x0f\x6a\x1c\xbb\x9f\x7a",
)


def squares(z: int, times: int) -> int:
    for _ in range(times):
        z = z * z % P
    return z


def powers(z: int) -> "Generator[None, None, tuple[int, int]]":
    """Return z^(2^250 - 1) and z^11: 253 multiplications, where pow() would make 500."""
    z2 = z * z % P
    z9 = squares(z2, 2) * z % P
    z11 = z9 * z2 % P
    z5 = squares(z11, 1) * z9 % P  # z^(2^5 - 1), and so on below
    z10 = squares(z5, 5) * z5 % P
    z20 = squares(z10, 10) * z10 % P
    z40 = squares(z20, 20) * z20 % P
    z50 = squares(z40, 10) * z10 % P
    yield
    z100 = squares(z50, 50) * z50 % P
    yield
    z200 = squares(z100, 100) * z100 % P
    yield
    return squares(z200, 50) * z50 % P, z11


# --- points --------------------------------------------------------------------------------------
def decode(raw: bytes) -> "Generator[None, None, tuple[int, int]]":
    """Return x and y of an encoded point (RFC 8032, 5.1.3). Refusal: BadKey, also for an
    encoding that is not canonical."""
    y = int.from_bytes(raw, "little")
    sign = y >> 255
    y &= LOW
    if y >= P:
        raise BadKey
    u = (y * y - 1) % P
    v = (D * (u + 1) + 1) % P
    uv3 = u * v % P * v % P * v % P
    uv7 = uv3 * v % P * v % P * v % P * v % P  # folded each time: long numbers need large holes
    x250, _ = yield from powers(uv7)
    # x = u v^3 (u v^7)^((p - 5) / 8), and (p - 5) / 8 = 4 (2^250 - 1) + 1
    x = uv3 * squares(x250, 2) % P * uv7 % P
    if (v * (x * x % P) - u) % P:
        x = x * ROOT % P
    if (v * (x * x % P) - u) % P or (not x and sign):
        raise BadKey
    return (P - x if x & 1 != sign else x), y


def encode(x: int, y: int, z: int) -> "Generator[None, None, bytes]":
    """Return the 32 bytes that encode a point (RFC 8032, 5.1.2)."""
    power, z11 = yield from powers(z)
    inverse = squares(power, 5) * z11 % P  # z^(p - 2)
    y = y * inverse % P | (x * inverse % P & 1) << 255
    return y.to_bytes(32, "little")


def has_small_order(x: int, y: int, z: int) -> bool:
    """Return whether 8 times a point is the neutral one."""
    for _ in range(3):
        e, f, g, h = _double(x, y, z)
        x, y, z = e * f % P, g * h % P, f * g % P
    return not x and y == z


def _double(x: int, y: int, z: int) -> "Point":
    """Return e, f, g, h of twice a point, which is (e f, g h, f g, e h). Hisil et al. 2008.

    A product is folded once at 2^255, which is cheaper than % and enough for the next product.
    """
    a = x * x
    a = (a & LOW) + 19 * (a >> 255)
    b = y * y
    b = (b & LOW) + 19 * (b >> 255)
    c = z * z
    c = (c & LOW) + 19 * (c >> 255)
    e = x + y
    e = e * e
    h = a + b
    e = h - (e & LOW) - 19 * (e >> 255)
    g = a - b
    return e, c + c + g, g, h


def _add(x: int, y: int, z: int, t: int, addend: "Point") -> "Point":
    """Return e, f, g, h as `_double` does; complete: right for every pair of points."""
    less, more, t2, z2 = addend
    a = (y - x) * less
    a = (a & LOW) + 19 * (a >> 255)
    b = (y + x) * more
    b = (b & LOW) + 19 * (b >> 255)
    c = t * t2
    c = (c & LOW) + 19 * (c >> 255)
    d = z * z2
    d = (d & LOW) + 19 * (d >> 255)
    return b - a, d - c, d + c, b + a


def _addend(x: int, y: int, z: int, t: int) -> "Point":
    return y - x, y + x, 2 * D * t % P, 2 * z


def _negated(addend: "Point") -> "Point":
    less, more, t2, z2 = addend
    return more, less, -t2, z2


def _packed(addend: "Point") -> bytes:
    """The numbers of an addend, of 32 bytes each, little-endian."""
    return b"".join([(number % P).to_bytes(32, "little") for number in addend])


def _unpacked(raw: bytes) -> "Point":
    return (
        int.from_bytes(raw[:32], "little"),
        int.from_bytes(raw[32:64], "little"),
        int.from_bytes(raw[64:96], "little"),
        int.from_bytes(raw[96:], "little") or 2,
    )


def _odd_multiples(x: int, y: int, z: int, t: int) -> "list[bytes]":
    """Return the packed addends of 1, 3, 5, 7 times a point; eight would save 5 % of the time."""
    e, f, g, h = _double(x, y, z)
    twice = _addend(e * f % P, g * h % P, f * g % P, e * h % P)
    addends = []
    while True:
        addends.append(_packed(_addend(x, y, z, t)))
        if len(addends) == 4:
            return addends
        e, f, g, h = _add(x, y, z, t, twice)
        x, y, z, t = e * f % P, g * h % P, f * g % P, e * h % P


def _digits(k: int) -> bytearray:
    """Return the digits of a public k < L, lowest first: odd, -7..7 (mod 256), mostly 0."""
    digits = bytearray(256)
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


def straus(s: int, k: int, point: "Point") -> "Generator[None, None, tuple[int, int, int]]":
    """Return x, y, z of s B + k point, s and k public and < L; t of the point is x y / z."""
    tables = ((_digits(s), ODD), (_digits(k), _odd_multiples(*point)))
    yield
    x, y, z = 0, 1, 1
    for at in range(255, -1, -1):
        e, f, g, h = _double(x, y, z)
        x, y, z = e * f % P, g * h % P, f * g % P
        for digits, addends in tables:
            digit = digits[at]
            if digit:
                addend = _unpacked(addends[min(digit, 256 - digit) >> 1])
                if digit >= 128:
                    addend = _negated(addend)
                e, f, g, h = _add(x, y, z, e * h % P, addend)
                x, y, z = e * f % P, g * h % P, f * g % P
        if not at % SLICE:
            yield
    return x, y, z


def _comb_addend(i: int) -> "Point":
    """Return the sum of 2^(64 t) B, bit t of i, which is < 16, being 1, less the others."""
    more = i >> 3
    addend = _unpacked(COMB[i & 7 ^ 7 * (1 - more)])
    return (_negated(addend), addend)[more]


def times_base(k: int) -> "Generator[None, None, bytes]":
    """Return k B, encoded, for a secret k < L.

    k is made odd by adding L or 0 and written in 256 digits of 1 and -1 (a digit is 1 where the
    bit of m is): 64 times one doubling and one addition of an addend that is never neutral.
    """
    k += L * (1 - (k & 1))
    m = ((k + (1 << 256) - 1) >> 1).to_bytes(32, "little")
    x, y, z = 0, 1, 1
    for at in range(63, -1, -1):
        e, f, g, h = _double(x, y, z)
        x, y, z = e * f % P, g * h % P, f * g % P
        byte, bit = at >> 3, at & 7
        i = m[byte] >> bit & 1 | (m[byte + 8] >> bit & 1) << 1
        i |= (m[byte + 16] >> bit & 1) << 2 | (m[byte + 24] >> bit & 1) << 3
        e, f, g, h = _add(x, y, z, e * h % P, _comb_addend(i))
        x, y, z = e * f % P, g * h % P, f * g % P
        if not bit:
            yield
    return (yield from encode(x, y, z))
