"""ed25519: RFC 8032's vectors, and False for whatever a strict verifier refuses."""

from claims import count_slices, raises, run
from uptane.crypto import edwards25519
from uptane.crypto.suite import Suite
from uptane.errors import BadKey
from vectors import rfc8032, speccheck

SUITE = Suite()
SEED = bytes(range(32))
MESSAGE = b"to be signed" * 50


def verify(public, message, signature):
    return run(SUITE.verify(public, (message,), signature))


def signed():
    return run(SUITE.public_key(SEED)), run(SUITE.sign(SEED, (MESSAGE,)))


def with_s(signature, add):
    """A signature with another S."""
    s = int.from_bytes(signature[32:], "little") + add
    return signature[:32] + s.to_bytes(32, "little")


def flipped(raw, bit):
    raw = bytearray(raw)
    raw[bit >> 3] ^= 1 << (bit & 7)
    return bytes(raw)


def test_the_vectors_of_the_rfc():
    """V-02."""
    for name, *texts in rfc8032.VECTORS:
        seed, public, message, signature = [bytes.fromhex(text) for text in texts]
        assert run(SUITE.public_key(seed)) == public, name
        assert run(SUITE.sign(seed, (message,))) == signature, name
        assert verify(public, message, signature), name
        assert not verify(public, message + b"x", signature), name


def test_the_verdicts_of_a_strict_verifier():
    for name, public, message, signature, verdict in speccheck.VECTORS:
        found = verify(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))
        assert found is verdict, name


def test_s_that_is_not_below_the_order_is_refused():
    """Else S + L would be a second signature of the same message."""
    public, signature = signed()
    assert verify(public, MESSAGE, signature)
    s = int.from_bytes(signature[32:], "little")
    for times in range(1, 16):
        if s + times * edwards25519.L < 1 << 256:
            assert not verify(public, MESSAGE, with_s(signature, times * edwards25519.L))
    assert not verify(public, MESSAGE, with_s(signature, edwards25519.L - s))
    assert not verify(public, MESSAGE, signature[:32] + b"\xff" * 32)


def small_points():
    """The encodings of the eight points of small order, and those that are not canonical."""
    p = edwards25519.P
    y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
    for y in (0, 1, p - 1, y8, p - y8, p, p + 1):
        for sign in (0, 1):
            yield (y | sign << 255).to_bytes(32, "little")


def test_keys_of_small_order_are_refused():
    """The neutral point as a key would make S = 0, R = neutral sign every message."""
    neutral = (1).to_bytes(32, "little")
    for public in small_points():
        for front in small_points():
            assert not verify(public, MESSAGE, front + bytes(32))
    assert not verify(neutral, MESSAGE, neutral + bytes(32))


def test_the_small_points_of_these_tests_are_what_they_say():
    found = set()
    for raw in small_points():
        try:
            x, y = run(edwards25519.decode(raw))
        except BadKey:
            continue
        assert edwards25519.has_small_order(x, y, 1)
        found.add((x, y))
    assert len(found) == 8


def test_an_r_of_small_order_is_refused():
    """R = neutral and S = k a satisfy the equation for an honest key."""
    public, _ = signed()
    digest = SUITE.sha512()
    digest.update(SEED)
    secret = int.from_bytes(digest.digest()[:32], "little") & ((1 << 254) - 8) | 1 << 254
    neutral = (1).to_bytes(32, "little")
    digest = SUITE.sha512()
    digest.update(neutral + public + MESSAGE)
    k = int.from_bytes(digest.digest(), "little")
    s = k * secret % edwards25519.L
    x, y = run(edwards25519.decode(public))
    p = edwards25519.P
    x, y, z = run(edwards25519.straus(s, k % edwards25519.L, (p - x, y, 1, -x * y % p)))
    assert run(edwards25519.encode(x, y, z)) == neutral
    assert not verify(public, MESSAGE, neutral + s.to_bytes(32, "little"))


def test_a_key_that_is_no_point_or_not_canonical_is_refused():
    _, signature = signed()
    p = edwards25519.P
    for number in (2, 7, p, p + 1, p + 18, (1 << 255) - 1, (1 << 256) - 1, 1 | 1 << 255):
        assert not verify(number.to_bytes(32, "little"), MESSAGE, signature), number
    raises(BadKey, run, edwards25519.decode((2).to_bytes(32, "little")))
    raises(BadKey, run, edwards25519.decode((p + 3).to_bytes(32, "little")))
    raises(BadKey, run, edwards25519.decode((1 | 1 << 255).to_bytes(32, "little")))


def test_a_wrong_length_is_no_key_and_no_signature():
    public, signature = signed()
    for wrong in (b"", public[:31], public + b"\0"):
        assert not verify(wrong, MESSAGE, signature)
    for wrong in (b"", signature[:63], signature + b"\0", signature[:32]):
        assert not verify(public, MESSAGE, wrong)
    for wrong in (b"", SEED[:31], SEED + b"\0"):
        raises(BadKey, run, SUITE.sign(wrong, (MESSAGE,)))
        raises(BadKey, run, SUITE.public_key(wrong))


def test_a_flipped_bit_anywhere_is_refused():
    public, signature = signed()
    for bit in range(0, 512, 37):
        assert not verify(public, MESSAGE, flipped(signature, bit)), bit
    for bit in range(0, 256, 37):
        assert not verify(flipped(public, bit), MESSAGE, signature), bit
    for bit in range(0, 8 * len(MESSAGE), 1201):
        assert not verify(public, flipped(MESSAGE, bit), signature), bit


def test_parts_are_the_message_joined():
    public, signature = signed()
    parts = (MESSAGE[:1], b"", bytearray(MESSAGE[1:200]), memoryview(MESSAGE)[200:])
    assert run(SUITE.verify(public, parts, signature))
    assert run(SUITE.sign(SEED, parts)) == signature
    assert not run(SUITE.verify(public, parts[1:], signature))


def test_scalars_at_the_edges_multiply_alike_in_both_ways():
    order = edwards25519.L
    neutral = (0, 1, 1, 0)
    assert run(edwards25519.times_base(0)) == (1).to_bytes(32, "little")
    for k in (0, 1, 2, 15, 16, 31, 32, 1 << 64, (1 << 252) - 1, order - 1, order - 2):
        x, y, z = run(edwards25519.straus(k, order - 1, neutral))
        assert run(edwards25519.encode(x, y, z)) == run(edwards25519.times_base(k)), k


def test_base_times_its_order_is_neutral():
    x, y = run(edwards25519.decode(b"\x58" + b"\x66" * 31))
    base = (x, y, 1, x * y % edwards25519.P)
    x, y, z = run(edwards25519.straus(edwards25519.L - 1, 1, base))
    assert run(edwards25519.encode(x, y, z)) == (1).to_bytes(32, "little")


def test_verify_yields_as_often_as_the_suite_says():
    public, signature = signed()
    verdict, slices = count_slices(SUITE.verify(public, (MESSAGE,), signature))
    assert verdict and slices == SUITE.VERIFY_SLICES
    assert count_slices(SUITE.sign(SEED, (MESSAGE,)))[1] > 16


def test_a_hopeless_signature_is_refused_at_once():
    public, signature = signed()
    assert count_slices(SUITE.verify(public, (MESSAGE,), b"\xff" * 64)) == (False, 0)
    assert count_slices(SUITE.verify(b"\xff" * 32, (MESSAGE,), signature)) == (False, 0)
