"""p256: which signatures verify, and which bytes are no key or no signature at all."""

import hashlib

from claims import count_slices, run
from uptane.crypto import p256
from uptane.crypto.suite import Suite
from vectors.p256 import EDGES, INFINITY, PUBLIC, RFC6979, N, P

KEY = bytes.fromhex(PUBLIC)
MESSAGE, SIGNATURE = RFC6979[0][0], bytes.fromhex(RFC6979[0][1])
R = int.from_bytes(SIGNATURE[:32], "big")
S = int.from_bytes(SIGNATURE[32:], "big")


def verifies(public, message, signature):
    return run(p256.verify(hashlib.sha256, public, (message,), signature))


def pair(r, s):
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_the_signatures_of_the_rfc_verify():
    """V-06: RFC 6979, A.2.5; and for no other message."""
    for message, signature in RFC6979:
        assert verifies(KEY, message, bytes.fromhex(signature)) is True
        assert verifies(KEY, message + b"\0", bytes.fromhex(signature)) is False
    assert p256.N == N and p256.P == P


def test_sums_that_meet_infinity_or_a_point_twice_are_right():
    """V-06: keys of 1, 2, n - 1 and their like, and two halves that are one point."""
    assert len(EDGES) == 9
    for public, message, signature in EDGES:
        key, made = bytes.fromhex(public), bytes.fromhex(signature)
        assert verifies(key, message, made) is True
        assert verifies(key, message + b"\0", made) is False
    public, message, signature = INFINITY
    assert verifies(bytes.fromhex(public), message, bytes.fromhex(signature)) is False


def test_r_and_s_are_within_the_order():
    """V-06: 0, the order, beyond it, and all ones, in each half."""
    most = (1 << 256) - 1
    for wrong in (0, N, N + 1, most):
        assert verifies(KEY, MESSAGE, pair(wrong, S)) is False
        assert verifies(KEY, MESSAGE, pair(R, wrong)) is False
        assert verifies(KEY, MESSAGE, pair(wrong, wrong)) is False
    for r, s in ((1, 1), (R, 1), (1, S), (N - 1, N - 1), (S, R), (N - R, S)):
        assert verifies(KEY, MESSAGE, pair(r, s)) is False


def test_the_other_form_of_a_signature_verifies_too():
    """T-27: s and n - s, as RFC 9053 allows; what counts is the key."""
    assert verifies(KEY, MESSAGE, pair(R, N - S)) is True
    assert verifies(KEY, MESSAGE + b"\0", pair(R, N - S)) is False


def test_a_key_that_is_no_point_verifies_nothing():
    """V-06: off the curve, out of the field, compressed, of no length."""
    x, y = KEY[1:33], KEY[33:]
    wrong = (
        b"",
        KEY[:-1],
        KEY + b"\0",
        KEY[1:],
        b"\2" + x,
        b"\2" + KEY[1:],
        b"\6" + KEY[1:],
        bytes(65),
        b"\4" + bytes(64),
        b"\4" + x + bytes(32),
        b"\4" + y + x,
        b"\4" + x + y[:-1] + bytes((y[-1] ^ 1,)),
        b"\4" + (P + 5).to_bytes(32, "big") + y,
        b"\4" + x + b"\xff" * 32,
    )
    for key in wrong:
        assert verifies(key, MESSAGE, SIGNATURE) is False
    for signature in (b"", SIGNATURE[:-1], SIGNATURE + b"\0", SIGNATURE[:63]):
        assert verifies(KEY, MESSAGE, signature) is False


def test_the_other_root_of_the_key_is_another_key():
    y = P - int.from_bytes(KEY[33:], "big")
    assert verifies(KEY[:33] + y.to_bytes(32, "big"), MESSAGE, SIGNATURE) is False


def test_work_is_in_slices_and_in_parts():
    """V-88: as many as are charged for."""
    work = p256.verify(hashlib.sha256, KEY, (b"x" * 600,), SIGNATURE)
    assert count_slices(work) == (False, p256.SLICES)
    halves = (memoryview(MESSAGE)[:2], b"", MESSAGE[2:])
    assert run(p256.verify(hashlib.sha256, KEY, halves, SIGNATURE)) is True
    slices = count_slices(p256.verify(hashlib.sha256, KEY, (MESSAGE,), bytes(64)))
    assert slices == (False, 0)


# --- in a suite -------------------------------------------------------------------------------


def test_a_suite_without_es256_believes_none_of_its_signatures():
    """T-27: it is no fault, it just does not count."""
    plain, able = Suite(), Suite(es256=p256.verify)
    tagged = b"\x26" + SIGNATURE
    assert run(able.verify(KEY, (MESSAGE,), tagged)) is True
    assert run(plain.verify(KEY, (MESSAGE,), tagged)) is False


def test_a_key_and_a_signature_of_two_algorithms_never_match():
    """E-46, V-05: whichever of them lies."""
    suite = Suite(es256=p256.verify)
    seed = bytes(range(32))
    public = run(suite.public_key(seed))
    signature = run(suite.sign(seed, (MESSAGE,)))
    assert run(suite.verify(public, (MESSAGE,), signature)) is True
    assert run(suite.verify(public, (MESSAGE,), b"\x26" + signature)) is False
    assert run(suite.verify(public, (MESSAGE,), b"\x26" + SIGNATURE)) is False
    assert run(suite.verify(KEY, (MESSAGE,), SIGNATURE)) is False
    assert run(suite.verify(KEY, (MESSAGE,), signature)) is False
    assert run(suite.verify(KEY[1:33], (MESSAGE,), b"\x26" + SIGNATURE)) is False
