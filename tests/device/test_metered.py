"""Charged cryptography: the same verdicts, and time in even slices (boards/unix/metered.py)."""

import gc

from boards.unix.metered import MeteredSuite
from claims import count_slices, run
from uptane.crypto.suite import Suite
from vectors.p256 import PUBLIC, RFC6979

SEED = b"\x42" * 32
SLICE_US_MAX = 25_000
COSTS = {
    "p256_verify": 630_000,
    "ed25519_verify": 500_000,
    "ed25519_sign": 450_000,
    "sha256_block": 37,
}


class Meter:
    """A suite, and what it was charged."""

    def __init__(self):
        self.charges_us = []
        self.suite = MeteredSuite(self.charges_us.append, COSTS, gc.collect)

    def run(self, work):
        """(result, yields, us charged in all)"""
        self.charges_us.clear()
        result, slices = count_slices(work)
        assert max(self.charges_us) <= SLICE_US_MAX
        assert len(self.charges_us) == slices + 1
        return result, sum(self.charges_us)


def test_verdicts_and_bytes_are_those_of_the_suite():
    meter, plain = Meter(), Suite(gc.collect)
    public, _ = meter.run(meter.suite.public_key(SEED))
    assert public == run(plain.public_key(SEED))
    parts = (b"a message ", b"in parts")
    signature, _ = meter.run(meter.suite.sign(SEED, parts))
    assert signature == run(plain.sign(SEED, parts))
    assert meter.run(meter.suite.verify(public, parts, signature))[0] is True
    assert meter.run(meter.suite.verify(public, (b"another",), signature))[0] is False


def test_an_operation_costs_what_the_board_says():
    meter = Meter()
    public, public_us = meter.run(meter.suite.public_key(SEED))
    message = (b"x" * 600,)
    signature, _ = meter.run(meter.suite.sign(SEED, message))
    _, sign_us = meter.run(meter.suite.sign(SEED, (bytes(90),)))  # a seal is over a digest
    good, verify_us = meter.run(meter.suite.verify(public, message, signature))
    assert good
    assert abs(verify_us - COSTS["ed25519_verify"]) < COSTS["ed25519_verify"] // 8
    assert abs(sign_us - COSTS["ed25519_sign"]) < COSTS["ed25519_sign"] // 8
    assert public_us < sign_us // 2 + SLICE_US_MAX


def test_a_check_of_es256_costs_its_own_figure():
    """V-88: and a board without that figure has no ES256."""
    meter = Meter()
    message = b"x" * 600
    key, signature = bytes.fromhex(PUBLIC), bytes.fromhex(RFC6979[0][1])
    assert run(meter.suite.verify(key, (message,), b"\x26" + signature)) is False
    us = sum(meter.charges_us)  # the blocks of the message among them
    assert abs(us - COSTS["p256_verify"]) < COSTS["p256_verify"] // 8
    assert max(meter.charges_us) <= SLICE_US_MAX
    assert run(meter.suite.verify(key, (b"sample",), b"\x26" + signature)) is True
    costs = dict(COSTS)
    del costs["p256_verify"]
    plain = MeteredSuite(meter.charges_us.append, costs, gc.collect)
    assert run(plain.verify(key, (b"sample",), b"\x26" + signature)) is False


def test_what_is_refused_at_a_glance_costs_a_glance():
    meter = Meter()
    public, _ = meter.run(meter.suite.public_key(SEED))
    good, us = meter.run(meter.suite.verify(public, (b"x",), b"\xff" * 64))
    assert good is False and us <= SLICE_US_MAX


def test_a_hash_is_charged_by_the_block():
    meter = Meter()
    hashing = meter.suite.sha256()
    for _ in range(10):
        hashing.update(b"x" * 63)
    digest = hashing.digest()
    plain = Suite(gc.collect).sha256()
    plain.update(b"x" * 630)
    assert digest == plain.digest()
    assert sum(meter.charges_us) == COSTS["sha256_block"] * (630 // 64 + 1)
