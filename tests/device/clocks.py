"""A clock whose time is attested, and who attests it."""

from claims import raises, run
from maker import NOW, Oem, kid_of
from memory import SUITE, sign_with
from uptane import cbor, cose
from uptane.ids import (
    ROOT,
    TIME,
)
from uptane.meta.attested_time import AttestedTime
from uptane.meta.roles import Root


class Noise:
    """A source of nonces that never repeats."""

    def __init__(self):
        self.count = 0

    def __call__(self, length):
        self.count += 1
        return bytes([self.count]) * length


def root_of(oem):
    return Root(SUITE, cose.read_sign(oem.director.files[ROOT, 0]).payload)


def clock_of(oem, seconds=NOW, ticks_ms=0):
    raw = cbor.dumps([seconds, kid_of(oem.director.keys[TIME][0])])
    return AttestedTime(SUITE, Noise(), oem.director.identity, raw, ticks_ms)


def accept(clock, raw, oem, ticks_ms=0, asked=()):
    return run(clock.accept(raw, root_of(oem), ticks_ms, list(asked)))


def sign_time(oem, fields, number=TIME):
    payload = cbor.dumps(fields)
    seed = oem.director.keys[TIME][0]
    parts = cose.sign1_parts(payload, cose.context(number, oem.director.identity, number))
    return cose.write_sign1(payload, kid_of(seed), sign_with(seed, parts))


def refused(refusal, lie):
    """An honest attestation, then the lie: refused, the clock as it was, an honest one taken."""
    oem = Oem()
    clock = clock_of(oem)
    accept(clock, oem.attest([clock.nonce(0)], NOW + 10), oem)
    clock.start_cycle()
    nonce = clock.nonce(0)
    raises(refusal, accept, clock, lie(oem, nonce), oem)
    assert clock.now(0) == NOW + 10 and not clock.fresh
    accept(clock, oem.attest([nonce], NOW + 20), oem)
    assert clock.now(0) == NOW + 20
