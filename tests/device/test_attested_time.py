"""Attested time: the signed answer to one's own living nonce, and how a wrong clock recovers."""

from claims import raises, run
from clocks import Noise, accept, clock_of, refused, root_of, sign_time
from maker import NOW, Oem, kid_of, seed_of
from memory import SUITE
from uptane import cbor, cose, errors
from uptane.ids import (
    DIRECTOR,
    FORMAT,
    KEY_FORMAT,
    KEY_TYPE,
    RECORD_METADATA,
    RECORD_TIME,
    ROOT,
    TARGETS,
    TIME,
    TIME_NONCES,
    TIME_NOW,
)
from uptane.limits import FORWARD_MAX_S, NONCE_AGE_MAX_MS, NONCES_MAX, TIME_BYTES_MAX
from uptane.meta.attested_time import AttestedTime
from vehicle import Full, Partial, Primary, updated


def test_an_attestation_sets_the_clock_and_is_stored():
    """V-31, R-62, V-46"""
    oem = Oem()
    clock = clock_of(oem, ticks_ms=5000)
    assert clock.now(5000) == NOW and not clock.fresh
    nonce = clock.nonce(5000)
    commit = accept(clock, oem.attest([bytes(8), nonce], NOW + 60), oem, 6000)
    assert clock.fresh and clock.now(6000) == NOW + 60 and clock.now(8500) == NOW + 62
    stored = cbor.loads(commit.changes[RECORD_TIME])
    assert stored == [NOW + 60, kid_of(oem.director.keys[TIME][0])]
    again = AttestedTime(SUITE, Noise(), oem.director.identity, commit.changes[RECORD_TIME], 0)
    assert again.now(0) == NOW + 60 and not again.fresh


def test_a_cycle_begins_without_a_fresh_time():
    """T-28"""
    oem = Oem()
    clock = clock_of(oem)
    accept(clock, oem.attest([clock.nonce(0)], NOW), oem)
    clock.start_cycle()
    assert not clock.fresh and clock.now(0) == NOW


def test_a_nonce_lives_until_it_is_answered_or_too_old():
    """T-30"""
    oem = Oem()
    clock = clock_of(oem)
    first = clock.nonce(0)
    assert clock.nonce(NONCE_AGE_MAX_MS) == first
    late = oem.attest([first], NOW + 1)
    raises(errors.NotMyNonce, accept, clock, late, oem, NONCE_AGE_MAX_MS + 1)
    second = clock.nonce(NONCE_AGE_MAX_MS + 1)
    assert second != first
    accept(clock, oem.attest([second], NOW + 1), oem, NONCE_AGE_MAX_MS + 1)
    assert clock.nonce(NONCE_AGE_MAX_MS + 1) != second


def test_an_attestation_for_other_nonces_is_refused():
    """E-18: replayed, or meant for another vehicle."""
    refused(errors.NotMyNonce, lambda oem, nonce: oem.attest([bytes(8)], NOW + 15))


def test_an_attestation_is_not_taken_twice():
    """E-18, E-71"""
    oem = Oem()
    clock = clock_of(oem)
    raw = oem.attest([clock.nonce(0)], NOW + 10)
    accept(clock, raw, oem)
    raises(errors.NotMyNonce, accept, clock, raw, oem)
    clock.nonce(0)
    raises(errors.NotMyNonce, accept, clock, raw, oem)


def test_a_nonce_dies_with_a_reset():
    """T-28, E-05"""
    oem = Oem()
    raw = oem.attest([clock_of(oem).nonce(0)], NOW + 10)
    raises(errors.NotMyNonce, accept, clock_of(oem), raw, oem)


def test_a_nonce_dies_with_its_cycle():
    """T-30, E-05: an attestation that was kept back for the next cycle is for nobody."""
    oem = Oem()
    clock = clock_of(oem)
    hoarded = oem.attest([clock.nonce(0)], NOW + 10)
    clock.start_cycle()
    raises(errors.NotMyNonce, accept, clock, hoarded, oem)
    nonce = clock.nonce(0)
    raises(errors.NotMyNonce, accept, clock, hoarded, oem)
    assert clock.now(0) == NOW and not clock.fresh
    accept(clock, oem.attest([nonce], NOW + 20), oem)
    assert clock.now(0) == NOW + 20


def test_an_attestation_holds_all_nonces_that_were_sent():
    """R-61, E-18: a Primary takes none that leaves out a Secondary; more do no harm."""
    oem = Oem()
    clock = clock_of(oem)
    mine = clock.nonce(0)
    others = [b"brake--8", b"door---8"]
    for held in ([mine], [mine, others[0]], [mine, others[1], bytes(8)], others):
        raw = oem.attest(held, NOW + 10)
        raises(errors.NotMyNonce, accept, clock, raw, oem, 0, [mine] + others)
    raw = oem.attest(others + [bytes(8), mine], NOW + 10)
    accept(clock, raw, oem, 0, [mine] + others)
    assert clock.fresh


def test_a_clock_runs_with_ticks_and_stands_at_its_lower_bound_after_a_reset():
    """T-28, V-31, V-81: an ECU without a clock; what it counted is lost, what was attested not."""
    oem = Oem()
    clock = clock_of(oem)
    commit = accept(clock, oem.attest([clock.nonce(0)], NOW + 100), oem, 0)
    assert clock.now(3_600_000) == NOW + 3700
    raw = commit.changes[RECORD_TIME]
    again = AttestedTime(SUITE, Noise(), oem.director.identity, raw, 50_000)
    assert again.now(50_000) == NOW + 100 and again.now(60_000) == NOW + 110
    raises(errors.TimeBackwards, accept, again, oem.attest([again.nonce(0)], NOW + 99), oem)


def test_time_does_not_go_back():
    """E-18, V-81: the same second is none back."""
    refused(errors.TimeBackwards, lambda oem, nonce: oem.attest([nonce], NOW + 9))
    oem = Oem()
    clock = clock_of(oem)
    accept(clock, oem.attest([clock.nonce(0)], NOW), oem)


def test_time_does_not_leap():
    """E-17, T-29"""
    leap = NOW + 10 + FORWARD_MAX_S + 1
    refused(errors.TimeTooFar, lambda oem, nonce: oem.attest([nonce], leap))


def test_only_the_time_key_of_the_root_tells_the_time():
    """R-63, E-05"""
    other = seed_of(DIRECTOR, TARGETS)
    refused(errors.BelowThreshold, lambda oem, nonce: oem.attest([nonce], NOW + 15, other))

    def forge(oem, nonce):
        payload, kid, signature = cose.read_sign1(oem.attest([nonce], NOW + 15))
        return cose.write_sign1(payload[:-1] + b"\0", kid, signature)

    refused(errors.BelowThreshold, forge)


def test_a_threshold_that_one_signature_cannot_meet_is_not_met():
    """R-63"""
    oem = Oem()
    oem.director.keys[TIME] = [seed_of(DIRECTOR, TIME, which) for which in (0, 1)]
    oem.director.thresholds[TIME] = 2
    oem.director.rotate()
    clock = clock_of(oem)
    raises(errors.BelowThreshold, accept, clock, oem.attest([clock.nonce(0)], NOW), oem)


def test_what_was_signed_for_another_purpose_tells_no_time():
    """E-47: another context; a role file."""

    def other_purpose(oem, nonce):
        fields = {KEY_FORMAT: FORMAT, KEY_TYPE: TIME, TIME_NOW: NOW + 15, TIME_NONCES: [nonce]}
        return sign_time(oem, fields, TARGETS)

    refused(errors.BelowThreshold, other_purpose)
    refused(errors.BadEnvelope, lambda oem, nonce: oem.director.files[ROOT, 1])


def test_an_attestation_has_its_shape():
    """E-60, E-19"""

    def shaped(**changes):
        def lie(oem, nonce):
            fields = {KEY_FORMAT: FORMAT, KEY_TYPE: TIME, TIME_NOW: NOW + 15, TIME_NONCES: [nonce]}
            for name in changes:
                fields[int(name[1:])] = changes[name]
            return sign_time(oem, fields)

        return lie

    for format in (0, 2):
        refused(errors.WrongFormat, shaped(k1=format))
    for type in (0, TARGETS, TIME + 1):
        refused(errors.WrongType, shaped(k2=type))
    refused(errors.TimeBackwards, shaped(k3=0))
    for field in ("k1", "k2", "k3"):
        refused(errors.BadShape, shaped(**{field: -1}))
    refused(errors.BadShape, shaped(k3=True))
    refused(errors.BadShape, shaped(k4=[]))
    refused(errors.BadShape, shaped(k4=[b"short"]))
    refused(errors.BadShape, shaped(k4=[bytes(8)] * (NONCES_MAX + 1)))
    refused(errors.BadShape, shaped(k5=1))
    refused(errors.TooLong, lambda oem, nonce: bytes(TIME_BYTES_MAX + 1))
    refused(errors.BadEnvelope, lambda oem, nonce: bytes(TIME_BYTES_MAX))


def test_a_root_that_keeps_the_time_key_keeps_the_time():
    """T-12"""
    oem = Oem()
    clock = clock_of(oem)
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, 1)]
    oem.director.rotate()
    assert clock.root_changed(root_of(oem)) == {} and clock.now(0) == NOW


def test_a_root_without_the_time_key_resets_the_clock():
    """T-31, V-82: then any time by the new key is forward."""
    oem = Oem()
    clock = clock_of(oem, NOW + FORWARD_MAX_S)
    oem.director.keys[TIME] = [seed_of(DIRECTOR, TIME, 1)]
    oem.director.rotate()
    assert clock.root_changed(root_of(oem)) == {RECORD_TIME: None}
    assert clock.now(0) == 0 and not clock.fresh
    assert clock.root_changed(root_of(oem)) == {}
    accept(clock, oem.attest([clock.nonce(0)], NOW + 5), oem)
    assert clock.now(0) == NOW + 5


def recovers(kind):
    """The clock of an ECU of that kind is far ahead: it refuses all, and a new key sets it."""
    oem, node = updated(kind)
    old = kid_of(oem.director.keys[TIME][0])
    node.records[RECORD_TIME] = cbor.dumps([NOW * 2, old])
    oem.publish(3)
    raises(errors.Expired, node.refresh)
    oem.director.keys[TIME] = [seed_of(DIRECTOR, TIME, 1)]
    oem.director.rotate()
    raises(errors.NoFreshTime, node.refresh)
    assert RECORD_TIME not in node.records
    assert node.records[RECORD_METADATA + ROOT] == oem.director.files[ROOT, 2]
    clock = AttestedTime(SUITE, Noise(), oem.director.identity, None, 0)
    root = node.trusted(DIRECTOR).root
    raw = oem.attest([clock.nonce(0)], NOW + 5)
    node.records.update(run(clock.accept(raw, root, 0, [])).changes)
    node.clock = lambda: clock
    assert node.number in node.refresh().new
    return clock, root


def test_a_far_future_clock_recovers_by_a_new_time_key():
    """E-17, T-11, T-31, V-82: nothing is refused as expired that the new key would not refuse;
    a partial ECU, a full one and a Primary alike."""
    for kind in (Partial, Full, Primary):
        recovers(kind)


def test_a_key_that_was_dropped_tells_no_time_any_more():
    """R-63, E-17, V-82."""
    clock, root = recovers(Partial)
    clock.start_cycle()
    oem = Oem()
    raw = oem.attest([clock.nonce(0)], NOW + 10)
    raises(errors.BelowThreshold, run, clock.accept(raw, root, 0, []))
