"""Attested time at the edges: ages, steps and sums to the tick and the second."""

from claims import raises
from clocks import Noise, accept, clock_of
from maker import NOW, Oem
from memory import SUITE
from uptane import cbor, errors
from uptane.limits import FORWARD_MAX_S, NONCE_AGE_MAX_MS
from uptane.meta.attested_time import AttestedTime


def test_the_age_of_a_nonce_is_a_difference_of_ticks():
    """T-30: whenever it was born."""
    for born in (1, 3_000_000, NONCE_AGE_MAX_MS):
        clock = clock_of(Oem())
        first = clock.nonce(born)
        assert clock.nonce(born + NONCE_AGE_MAX_MS) == first
        assert clock.nonce(born + NONCE_AGE_MAX_MS + 1) != first


def test_seconds_are_added_to_what_was_attested():
    """V-81: carries included."""
    clock = clock_of(Oem(), 3, 500)
    assert [clock.now(500 + ms) for ms in (0, 999, 1000, 2999, 13000)] == [3, 3, 4, 5, 16]


def test_a_record_of_time_has_its_shape():
    """V-22, E-60: seconds from nought on, and the key that attested them."""
    kid = bytes(8)
    assert AttestedTime(SUITE, Noise(), b"", cbor.dumps([0, kid]), 0).now(0) == 0
    for bad in ([NOW], [NOW, kid, 0], [-1, kid], [NOW, kid[1:]], [NOW, kid + b"9"]):
        raises(errors.BadShape, AttestedTime, SUITE, Noise(), b"", cbor.dumps(bad), 0)


def test_the_largest_step_is_a_difference():
    """E-17, T-29: exactly that far and no further, also from near the beginning of time."""
    for begun in (NOW, 1000):
        oem = Oem()
        clock = clock_of(oem, begun)
        nonce = clock.nonce(0)
        leap = begun + FORWARD_MAX_S
        raises(errors.TimeTooFar, accept, clock, oem.attest([nonce], leap + 1), oem)
        accept(clock, oem.attest([nonce], leap), oem)
        assert clock.now(0) == leap


def test_the_first_attestation_of_all_may_leap_and_the_second_not():
    """E-17, T-29, T-31: from then on there is a key that set the clock."""
    oem = Oem()
    clock = AttestedTime(SUITE, Noise(), oem.director.identity, None, 0)
    accept(clock, oem.attest([clock.nonce(0)], NOW), oem)
    nonce = clock.nonce(0)
    far = oem.attest([nonce], NOW + FORWARD_MAX_S + 1)
    raises(errors.TimeTooFar, accept, clock, far, oem)
