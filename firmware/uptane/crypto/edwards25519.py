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

# Entry i, x and y little-endian: (2^192 + b2 2^128 + b1 2^64 + b0) B, where bn is 1 or -1 as bit n
# of i is 1 or 0.
COMB = (
    b"\xbf\x33\x75\x24\x5a\xfd\xe6\x33\x49\x7d\xf4\xbb\xef\x93\x29\x8e"
    b"\xbf\xaf\x93\xaa\x64\x37\x09\xcf\x5c\x17\xd2\xc1\x4b\x6e\xe4\x45"
    b"\x7f\x04\xfe\xff\x6d\xa5\xc9\x17\x0b\xcb\xa5\x17\x2d\x45\x6a\xfd"
    b"\x91\xdb\xb1\xff\x89\x8b\x7a\x95\xca\x50\x36\x86\xfa\x25\xea\x05"
    b"\x12\x9a\x66\x08\x72\xf1\x79\x96\x57\x51\xe6\x01\x70\x56\x04\xc4"
    b"\xbc\xe1\xda\x49\xb2\x5c\x66\xad\xdf\x84\x1b\xf3\x1f\xe4\xac\x2e"
    b"\xd5\xce\xd7\xa5\xe7\xc3\x58\x80\x65\x5b\x61\x56\x03\x0c\xc1\xab"
    b"\xb8\x26\x4e\x4c\xa2\xc2\x22\x0c\x87\x05\xd8\x7c\xaf\x19\xfc\x14"
    b"\xdc\x38\xfb\x28\x50\x91\xf0\xbc\x3f\x2d\x76\x7e\x22\x4f\x16\xa5"
    b"\x4f\x22\x51\xfb\x92\x7d\xae\x82\xfd\x28\xc5\xe8\x46\x94\x26\x05"
    b"\xa5\x0e\x09\x83\xb5\xac\x23\xdc\x12\x59\xfc\x47\x84\xae\x6a\xb0"
    b"\x82\x9a\xc4\x10\x46\x07\x46\xbc\x59\xfd\x08\x60\xd7\x07\x77\x18"
    b"\x9c\x18\x1e\x33\xb9\xc3\xc6\xcd\x91\x05\x36\xd5\x76\x04\xad\x51"
    b"\x35\x03\x86\xa1\x4f\xd4\x73\x48\xbb\x5a\xd3\xcb\xb5\x5b\x86\x7f"
    b"\xed\x73\x41\xf2\xb0\x0a\x09\xe0\x5c\x83\x0e\xf4\xca\x72\x2b\x3a"
    b"\xc8\x58\xbe\x62\x84\xc0\xc6\xc0\xce\xb9\x15\x31\x3e\xb6\x9e\x7b"
    b"\x30\x61\x15\x2a\xc7\xc5\x92\xba\x62\xbf\xc4\x03\x6f\xbc\xfe\xa8"
    b"\xa2\x9a\x86\x3e\xad\x66\xc1\xc7\x4d\xb7\x7c\x55\xd8\xd4\x5e\x2e"
    b"\x5d\xab\xa9\xae\x58\x55\xf6\x3c\x67\xef\x46\x9b\x1c\x6b\x53\x0a"
    b"\x91\x47\x47\x6e\x8c\xb0\x64\x40\x0e\x11\x5d\x9d\x7c\xb2\x09\x40"
    b"\xc4\xb3\x31\x24\x52\x3e\x6d\x34\x04\xcc\x39\xd9\xa6\xee\xb5\x9e"
    b"\xd1\x53\x37\x88\x0e\xbc\xed\x4b\x56\xc8\xbd\xa7\x51\xb5\x38\x0d"
    b"\x6f\x25\xcc\x53\x16\xbf\x65\x98\x3e\xd2\x3b\x6a\x57\x80\xc1\xe3"
    b"\xa2\x6f\x60\x5c\x91\x38\xd7\x92\xc4\xc3\x66\xa0\x05\xb4\x0b\x51"
    b"\xf9\x20\x23\xf7\x0b\x5d\x7e\x7e\xf3\xb8\xf7\xf3\xff\xe9\xf5\xd2"
    b"\xa2\xbc\xf2\xd7\xc1\x84\x18\x7a\x51\x94\xff\x05\x03\x7b\x68\x1e"
    b"\xa9\x32\x3d\x1e\xbc\xd1\xfc\x86\x35\xd8\x05\xff\x26\xca\xb6\x3a"
    b"\x32\x21\x1e\xe5\x5e\x08\xf5\x68\xdd\x1e\x9c\x01\x9a\x1b\x4f\x09"
    b"\xf0\x5f\xbe\xb5\x0d\x10\x6b\x38\x32\xac\x76\x80\xbd\xca\x94\x71"
    b"\x7a\xf2\xc9\x35\x2a\xde\x9f\x42\x49\x18\x01\xab\xbc\xef\x7c\x64"
    b"\x3f\x58\x3d\x92\x59\xdb\x13\xdb\x58\x6e\x0a\xe0\xb7\x91\x4a\x08"
    b"\x20\xd6\x2e\x3c\x45\xc9\x8b\x17\x79\xe7\xc7\x90\x99\x3a\x18\x25"
)

# The addends, as `_addend` makes them, of B, 3 B, 5 B and 7 B: 32 bytes a number, little-endian,
# without the last, which is 2. Read when needed: as integers they would take 2 KB of heap.
ODD = (
    b"\x3e\x91\x40\xd7\x05\x39\x10\x9d\xb3\xbe\x40\xd1\x05\x9f\x39\xfd"
    b"\x09\x8a\x8f\x68\x34\x84\xc1\xa5\x67\x12\xf8\x98\x92\x2f\xfd\x44"
    b"\x85\x3b\x8c\xf5\xc6\x93\xbc\x2f\x19\x0e\x8c\xfb\xc6\x2d\x93\xcf"
    b"\xc2\x42\x3d\x64\x98\x48\x0b\x27\x65\xba\xd4\x33\x3a\x9d\xcf\x07"
    b"\x68\xaa\x7a\x87\x05\x12\xc9\xab\x9e\xc4\xaa\xcc\x23\xe8\xd9\x26"
    b"\x8c\x59\x43\xdd\xcb\x7d\x1b\x5a\xa8\x65\x0c\x9f\x68\x7b\x11\x6f"
    b"\x65\xd2\xfc\xa4\xe8\x1f\x61\x56\x7d\xba\xc1\xe5\xfd\x53\xd3\x3b"
    b"\xbd\xd6\x4b\x21\x1a\xf3\x31\x81\x62\xda\x5b\x55\x87\x15\xb9\x2a"
    b"\x30\x97\xee\x4c\xa8\xb0\x25\xaf\x8a\x4b\x86\xe8\x30\x84\x5a\x02"
    b"\x32\x67\x01\x9f\x02\x50\x1b\xc1\xf4\xf8\x80\x9a\x1b\x4e\x16\x7a"
    b"\x89\xd8\xd0\x0d\x3f\x93\xae\x14\x62\xda\x35\x1c\x22\x23\x94\x58"
    b"\x4c\xdb\xf2\x8c\x45\xe5\x70\xd1\xc6\xb4\xb9\x12\xaf\x26\x28\x5a"
    b"\xba\xd6\x47\xa4\xc3\x82\x91\x7f\xb7\x29\x27\x4b\xd1\x14\x00\xd5"
    b"\x87\xa0\x64\xb8\x1c\xf1\x3c\xe3\xf3\x55\x1b\xeb\x73\x7e\x4a\x15"
    b"\x33\xbb\xa5\x08\x44\xbc\x12\xa2\x02\xed\x5e\xc7\xc3\x48\x50\x8d"
    b"\x44\xec\xbf\x5a\x0c\xeb\x1b\xdd\xeb\x06\xe2\x46\xf1\xcc\x45\x29"
    b"\x85\x82\x2a\x81\xf1\xdb\xbb\xbc\xfc\xd1\xbd\xd0\x07\x08\x0e\x27"
    b"\x2d\xa7\xbd\x1b\x0b\x67\x1b\xb4\x9a\xb6\x3b\x6b\x69\xbe\xaa\x43"
    b"\xb1\x21\x32\xaa\x9a\x2c\x6f\xba\xa7\x23\xba\x3b\x53\x21\xa0\x6c"
    b"\x3a\x2c\x19\x92\x4f\x76\xea\x9d\xe0\x17\x53\x2e\x5d\xdd\x6e\x1d"
    b"\xbf\xa3\x4e\x94\xd0\x5c\x1a\x6b\xd2\xc0\x9d\xb3\x3a\x35\x70\x74"
    b"\x49\x2e\x54\x28\x82\x52\xb2\x71\x7e\x92\x3c\x28\x69\xea\x1b\x46"
    b"\xa2\xb3\xb8\x01\xc8\x6d\x83\xf1\x9a\xa4\x3e\x05\x47\x5f\x03\xb3"
    b"\xf3\xad\x77\x58\xba\x41\x9c\x52\xa7\x90\x0f\x6a\x1c\xbb\x9f\x7a"
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
    v = (D * y * y + 1) % P
    v3 = v * v * v % P
    x250, _ = yield from powers(u * v3 * v3 * v % P)
    # x = u v^3 (u v^7)^((p - 5) / 8), and (p - 5) / 8 = 4 (2^250 - 1) + 1
    x = u * v3 * squares(x250, 2) * (u * v3 * v3 * v % P) % P
    if (v * x * x - u) % P:
        x = x * ROOT % P
    if (v * x * x - u) % P or (not x and sign):
        raise BadKey
    if x & 1 != sign:
        x = P - x
    return x, y


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


def _odd_multiples(x: int, y: int, z: int, t: int) -> "list[Point]":
    """Return the addends of 1, 3, 5, 7 times a point: half a kilobyte each in the emulator,
    so eight would gain 5 % of the time and cost a tenth of a partial Secondary's heap."""
    e, f, g, h = _double(x, y, z)
    twice = _addend(e * f % P, g * h % P, f * g % P, e * h % P)
    addends = [_addend(x, y, z, t)]
    while len(addends) < 4:
        e, f, g, h = _add(x, y, z, t, twice)
        x, y, z, t = e * f % P, g * h % P, f * g % P, e * h % P
        addends.append(_addend(x, y, z, t))
    return addends


def _base_multiple(i: int) -> "Point":
    """Return the addend of 2 i + 1 times B, i < 4."""
    at = 96 * i
    return (
        int.from_bytes(ODD[at : at + 32], "little"),
        int.from_bytes(ODD[at + 32 : at + 64], "little"),
        int.from_bytes(ODD[at + 64 : at + 96], "little"),
        2,
    )


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
    tables = ((_digits(s), None), (_digits(k), _odd_multiples(*point)))
    yield
    x, y, z = 0, 1, 1
    for at in range(255, -1, -1):
        e, f, g, h = _double(x, y, z)
        x, y, z = e * f % P, g * h % P, f * g % P
        for digits, addends in tables:
            digit = digits[at]
            if digit:
                i = min(digit, 256 - digit) >> 1
                addend = addends[i] if addends else _base_multiple(i)
                if digit >= 128:
                    addend = _negated(addend)
                e, f, g, h = _add(x, y, z, e * h % P, addend)
                x, y, z = e * f % P, g * h % P, f * g % P
        if not at % SLICE:
            yield
    return x, y, z


def _comb_addends() -> "list[Point]":
    """Return 16 addends: entry i is the sum of 2^(64 t) B, bit t of i being 1, less the others."""
    addends = []
    for at in range(0, len(COMB), 64):
        x = int.from_bytes(COMB[at : at + 32], "little")
        y = int.from_bytes(COMB[at + 32 : at + 64], "little")
        addends.append(_addend(x, y, 1, x * y % P))
    return [_negated(addends[7 - i]) for i in range(8)] + addends


def times_base(k: int) -> "Generator[None, None, bytes]":
    """Return k B, encoded, for a secret k < L.

    k is made odd by adding L or 0 and written in 256 digits of 1 and -1 (a digit is 1 where the
    bit of m is): 64 times one doubling and one addition of an addend that is never neutral.
    """
    k += L * (1 - (k & 1))
    m = ((k + (1 << 256) - 1) >> 1).to_bytes(32, "little")
    addends = _comb_addends()
    yield
    x, y, z = 0, 1, 1
    for at in range(63, -1, -1):
        e, f, g, h = _double(x, y, z)
        x, y, z = e * f % P, g * h % P, f * g % P
        byte, bit = at >> 3, at & 7
        i = m[byte] >> bit & 1 | (m[byte + 8] >> bit & 1) << 1
        i |= (m[byte + 16] >> bit & 1) << 2 | (m[byte + 24] >> bit & 1) << 3
        e, f, g, h = _add(x, y, z, e * h % P, addends[i])
        x, y, z = e * f % P, g * h % P, f * g % P
        if not bit:
            yield
    return (yield from encode(x, y, z))
