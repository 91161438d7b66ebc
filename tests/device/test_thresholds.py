"""Thresholds and envelopes: which signatures count, what is kept, what is no file at all."""

from claims import raises, run
from maker import NOW, kid_of, seed_of
from memory import SUITE, public_key, sign_with
from uptane import cbor, cose, errors
from uptane.ids import (
    DIRECTOR,
    IMAGE,
    RECORD_METADATA,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from uptane.limits import SIGNATURES_MAX
from uptane.meta.verify import verify_threshold
from vehicle import Full, Partial, prove, updated

# --- thresholds ------------------------------------------------------------------------------


def sign_thrice(names):
    """Return (payload, parts, signatures by kid name) for keys called a, b, c."""
    aad = cose.context(TARGETS, bytes(32), TARGETS)
    seeds = {name: seed_of(9, ord(name)) for name in "abc"}
    parts = cose.sign_parts(b"payload", aad)
    signatures = [(kid_of(seeds[name]), sign_with(seeds[name], parts)) for name in names]
    keys = {kid_of(seeds[name]): public_key(seeds[name]) for name in "abc"}
    return cose.Envelope(b"payload", signatures), keys, aad


def verified(envelope, keyholders, aad):
    return verify_threshold(SUITE, cose.sign_parts, envelope, keyholders, aad)


def test_distinct_keys_are_counted_and_counting_stops_at_the_threshold():
    """V-91, T-27"""
    envelope, keys, aad = sign_thrice("abc")
    counted = run(verified(envelope, (2, keys), aad))
    assert counted == envelope.signatures[:2]


def test_one_key_that_signs_twice_counts_once():
    """T-27, E-43"""
    envelope, keys, aad = sign_thrice("aa")
    raises(errors.BelowThreshold, run, verified(envelope, (2, keys), aad))


def test_a_signature_under_the_kid_of_another_key_does_not_count():
    """E-43, E-45"""
    envelope, keys, aad = sign_thrice("ab")
    (first, signature), (second, _) = envelope.signatures
    envelope.signatures = [(first, signature), (second, signature)]
    raises(errors.BelowThreshold, run, verified(envelope, (2, keys), aad))


def test_unknown_and_bad_signatures_are_ignored_and_not_kept():
    """E-44, V-91: even a bad one in the name of a key whose good one follows."""
    envelope, keys, aad = sign_thrice("ab")
    good = envelope.signatures
    envelope.signatures = [(bytes(8), bytes(64)), (good[0][0], bytes(64))] + good
    assert run(verified(envelope, (2, keys), aad)) == good


def test_no_signature_is_no_threshold():
    """E-43"""
    envelope, keys, aad = sign_thrice("")
    raises(errors.BelowThreshold, run, verified(envelope, (1, keys), aad))
    raises(errors.BelowThreshold, run, verified(envelope, (1, {}), aad))


def test_a_signature_for_one_purpose_verifies_for_no_other():
    """E-46, E-47: other role, other repository."""
    envelope, keys, aad = sign_thrice("a")
    other_role = cose.context(SNAPSHOT, bytes(32), SNAPSHOT)
    other_repository = cose.context(TARGETS, bytes(31) + b"1", TARGETS)
    for other in (other_role, other_repository):
        raises(errors.BelowThreshold, run, verified(envelope, (1, keys), other))


def test_too_few_signatures_are_refused_in_a_cycle():
    """E-43: the role needs two keys, one signs."""
    oem, node = updated(Full)
    oem.director.keys[TARGETS] = [seed_of(DIRECTOR, TARGETS, which) for which in (0, 1)]
    oem.director.thresholds[TARGETS] = 2
    oem.director.rotate()
    oem.publish(3)
    raw = oem.director.files[TARGETS, 3]
    envelope = cose.read_sign(raw)
    oem.director.files[TARGETS, 3] = cose.write_sign(envelope.payload, envelope.signatures[:1] * 2)
    raises(errors.BelowThreshold, node.refresh)
    oem.director.files[TARGETS, 3] = raw
    node.update()
    assert node.release() == 3


def test_every_role_needs_its_threshold_on_both_repositories():
    """V-72.2, V-73.3, V-74.3, V-71.2.3: an honest payload whose signature is nobody's."""

    def unsigned(repository, role):
        def lie(oem):
            made = oem.director if repository == DIRECTOR else oem.image
            if role == ROOT:
                made.rotate()
            oem.publish(3)
            for version in (0, made.versions[role]):
                envelope = cose.read_sign(made.files[role, version])
                nobody = [(kid, bytes(64)) for kid, _ in envelope.signatures]
                made.files[role, version] = cose.write_sign(envelope.payload, nobody)

        return lie

    for repository in (DIRECTOR, IMAGE):
        for role in (ROOT, TIMESTAMP, SNAPSHOT, TARGETS):
            prove(Full, unsigned(repository, role), errors.BelowThreshold)


# --- envelopes and encodings -----------------------------------------------------------------


def reworked(change):
    """A lie: the next Director Targets, its bytes changed by someone without a key."""

    def lie(oem):
        oem.publish(3)
        for version in (0, 3):
            oem.director.files[TARGETS, version] = change(oem.director.files[TARGETS, version])

    return lie


def test_extra_signatures_pass_and_are_dropped_before_storing():
    """E-44, V-91"""
    oem, node = updated(Partial)
    oem.publish(3)
    honest = oem.director.files[TARGETS, 0]
    envelope = cose.read_sign(honest)
    extra = [(bytes([n]) * 8, bytes(64)) for n in range(SIGNATURES_MAX - 1)]
    oem.director.files[TARGETS, 0] = cose.write_sign(envelope.payload, extra + envelope.signatures)
    node.update()
    assert node.release() == 3
    assert node.records[RECORD_METADATA + TARGETS] == honest


def test_a_flipped_bit_in_a_payload_spoils_its_signature():
    """E-30"""

    def flip(raw):
        envelope = cose.read_sign(raw)
        payload = envelope.payload[:-1] + bytes([envelope.payload[-1] ^ 1])
        return cose.write_sign(payload, envelope.signatures)

    prove(Partial, reworked(flip), errors.BelowThreshold)


def test_garbage_is_refused_by_its_kind():
    """E-60"""
    prove(Partial, reworked(lambda raw: raw[:-1]), errors.Truncated)
    prove(Partial, reworked(lambda raw: raw + b"\0"), errors.TrailingBytes)
    prove(Partial, reworked(lambda raw: b""), errors.BadEnvelope)
    prove(Partial, reworked(lambda raw: cose.write_sign(b"", [])), errors.BadEnvelope)
    hollow = cose.write_sign(b"", [(bytes(8), bytes(64))])
    prove(Partial, reworked(lambda raw: hollow), errors.BadShape)


def signed_payload(change):
    """A lie of whoever holds the Targets key: another encoding of the same fields."""

    def lie(oem):
        oem.director.alter[TARGETS] = lambda fields: change(cbor.dumps(fields))
        oem.publish(3)

    return lie


def test_ambiguous_encodings_are_refused_whoever_signed_them():
    """E-60, T-06: a key twice, a number too long, a pair out of order, true for 1."""

    def again(payload):  # one more pair, the last key again
        return bytes([payload[0] + 1]) + payload[1:] + payload[-1 - 6 :]

    def long_number(payload):  # format 1 in two bytes
        return payload[:2] + b"\x18\x01" + payload[3:]

    def out_of_order(payload):
        return payload[:1] + payload[3:5] + payload[1:3] + payload[5:]

    def true_for_one(payload):
        return payload[:2] + b"\xf5" + payload[3:]

    prove(Partial, signed_payload(again), errors.DuplicateKey)
    prove(Partial, signed_payload(long_number), errors.NotDeterministic)
    prove(Partial, signed_payload(out_of_order), errors.BadShape)
    prove(Partial, signed_payload(true_for_one), errors.BadShape)


def test_a_time_attestation_is_no_role_file():
    """E-47: as it is, or in the envelope of a role, though the key may sign both."""

    def as_it_is(oem):
        oem.director.files[TARGETS, 0] = oem.attest([bytes(8)], NOW, oem.director.keys[TARGETS][0])

    def wrapped(oem):
        as_it_is(oem)
        payload, kid, signature = cose.read_sign1(oem.director.files[TARGETS, 0])
        oem.publish(3)
        payload = cose.read_sign(oem.director.files[TARGETS, 3]).payload
        oem.director.files[TARGETS, 0] = cose.write_sign(payload, [(kid, signature)])

    prove(Partial, as_it_is, errors.BadEnvelope)
    prove(Partial, wrapped, errors.BelowThreshold)
