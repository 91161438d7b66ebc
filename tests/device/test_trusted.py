"""The trusted set: Root after Root, thresholds, and what is kept of an envelope."""

from claims import raises, run
from maker import NOW, SUITE, Oem, kid_of, public_key, seed_of, sign_with
from uptane import cbor, cose, errors
from uptane.ids import (
    DIRECTOR,
    FORMAT,
    KEY_CUSTOM,
    KEY_FORMAT,
    KEY_KEYS,
    KEY_ROLES,
    KEY_TYPE,
    KEY_VERSION,
    RECORD_METADATA,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIME,
    TIMESTAMP,
)
from uptane.limits import ROOT_STEPS_MAX, SIGNATURES_MAX
from uptane.meta.policy import DEVICE
from uptane.meta.trusted import Trusted
from uptane.meta.verify import verify_threshold
from vehicle import Full, Partial, prove, updated

OLD, NEW = seed_of(DIRECTOR, ROOT), seed_of(DIRECTOR, ROOT, 1)


def rotated(change=None, signers=None, keys=None):
    """A lie: a Root 2 that `signers` sign, for other Root keys or with altered fields."""

    def lie(oem):
        director = oem.director
        if change:
            director.alter[ROOT] = change
        director.keys[ROOT] = keys or director.keys[ROOT]
        director.rotate(signers)

    return lie


# --- Root -----------------------------------------------------------------------------------------


def test_a_root_is_exactly_one_version_up():
    """E-13, T-10: an older one, the same again, one skipped."""

    def version(number):
        return rotated(lambda fields: fields.update({KEY_VERSION: number}))

    prove(Partial, version(1), errors.Rollback)
    prove(Partial, version(3), errors.RootSkipped)


def test_a_root_needs_its_old_and_its_new_keys():
    """E-40, V-71.2.3"""
    prove(Partial, rotated(None, [OLD], [NEW]), errors.BelowThreshold)
    prove(Partial, rotated(None, [NEW], [NEW]), errors.BelowThreshold)
    prove(Full, rotated(None, [NEW], [NEW]), errors.BelowThreshold)


def test_every_missed_root_is_taken_in_turn():
    """E-41, T-11: the ones between may have expired."""
    oem, node = updated(Partial)
    keys = [OLD, NEW, seed_of(DIRECTOR, ROOT, 2)]
    oem.director.expires[ROOT] = NOW
    for step in (1, 2):
        oem.director.keys[ROOT] = [keys[step]]
        oem.director.rotate([keys[step - 1], keys[step]])
        oem.director.expires[ROOT] = NOW + 100
    oem.publish(3)
    node.update()
    assert node.release() == 3
    assert node.wants[:3] == [(DIRECTOR, ROOT, 2), (DIRECTOR, ROOT, 3), (DIRECTOR, ROOT, 4)]
    assert node.records[RECORD_METADATA + ROOT] == oem.director.files[ROOT, 3]


def test_the_last_root_must_not_have_expired_but_is_kept():
    """E-53, V-71.3, T-11"""
    oem, node = updated(Full)
    oem.director.expires[ROOT] = NOW
    oem.director.rotate()
    raises(errors.Expired, node.refresh)
    assert node.records[RECORD_METADATA + ROOT] == oem.director.files[ROOT, 2]
    oem.director.expires[ROOT] = NOW + 100
    oem.director.rotate()
    oem.publish(3)
    node.update()
    assert node.release() == 3


def test_an_endless_chain_of_roots_is_cut_and_continued():
    """E-19, T-23"""
    oem, node = updated(Partial)
    for _ in range(ROOT_STEPS_MAX + 1):
        oem.director.rotate()
    oem.publish(3)
    raises(errors.TooLong, node.refresh)
    node.update()
    assert node.release() == 3


def test_an_oversized_root_is_cut_at_its_cap():
    """E-19"""
    pad = rotated(lambda fields: fields.update({KEY_CUSTOM: {1: bytes(2048)}}))
    prove(Partial, pad, errors.TooLong)


def test_thresholds_below_one_or_above_the_keys_are_refused():
    """E-42"""

    def threshold(number):
        def change(fields):
            fields[KEY_ROLES][TARGETS][0] = number

        return rotated(change)

    for number in (0, -1, 2):
        prove(Partial, threshold(number), errors.BadThreshold)


def test_a_kid_is_the_hash_of_its_key():
    """E-45: a holder whose kid fits no key."""

    def change(fields):
        fields[KEY_ROLES][TARGETS][1] = [bytes(8)]

    prove(Partial, rotated(change), errors.BadKey)


def test_a_key_stands_once():
    """E-43: not twice in the list, and not twice behind a threshold."""

    def repeat_key(fields):
        fields[KEY_KEYS].append(fields[KEY_KEYS][-1])

    def repeat_kid(fields):
        fields[KEY_ROLES][TARGETS] = [2, fields[KEY_ROLES][TARGETS][1] * 2]

    prove(Partial, rotated(repeat_key), errors.BadKey)
    prove(Partial, rotated(repeat_kid), errors.BadShape)


def test_a_root_step_drops_only_what_the_new_root_does_not_authorise():
    """V-71.4, T-12: a key added, a Root key changed: nothing falls; a Snapshot key: two fall."""
    oem, node = updated(Full)
    director = oem.director
    director.keys[TIMESTAMP] = director.keys[TIMESTAMP] + [seed_of(DIRECTOR, TIMESTAMP, 1)]
    director.rotate()
    before = set(node.records)
    node.refresh()
    assert set(node.records) == before
    director.keys[SNAPSHOT] = [seed_of(DIRECTOR, SNAPSHOT, 1)]
    director.rotate()
    director.files.pop((TIMESTAMP, 0))
    raises(errors.Withheld, node.refresh)
    fallen = {RECORD_METADATA + TIMESTAMP, RECORD_METADATA + SNAPSHOT}
    assert before - set(node.records) == fallen


def test_the_first_root_is_the_one_of_the_identity():
    """V-22"""
    oem = Oem()
    raises(errors.NotProvisioned, Trusted, SUITE, DEVICE, DIRECTOR, bytes(32), {}.get)
    records = {RECORD_METADATA + ROOT: oem.director.files[ROOT, 1]}
    raises(errors.NotProvisioned, Trusted, SUITE, DEVICE, DIRECTOR, bytes(32), records.get)
    assert Trusted(SUITE, DEVICE, DIRECTOR, oem.director.identity, records.get).root.version == 1


# --- thresholds -------------------------------------------------------------------------------------


def sign_thrice(names):
    """Return (payload, parts, signatures by kid name) for keys called a, b, c."""
    aad = cose.context(TARGETS, bytes(32), TARGETS)
    seeds = {name: seed_of(9, ord(name)) for name in "abc"}
    parts = cose.sign_parts(b"payload", aad)
    signatures = [(kid_of(seeds[name]), sign_with(seeds[name], parts)) for name in names]
    keys = {kid_of(seeds[name]): public_key(seeds[name]) for name in "abc"}
    return cose.Envelope(b"payload", signatures), keys, aad


def test_distinct_keys_are_counted_and_counting_stops_at_the_threshold():
    """V-91, T-27"""
    envelope, keys, aad = sign_thrice("abc")
    counted = run(verify_threshold(SUITE, envelope, (2, keys), aad))
    assert counted == envelope.signatures[:2]


def test_one_key_that_signs_twice_counts_once():
    """E-43"""
    envelope, keys, aad = sign_thrice("aa")
    raises(errors.BelowThreshold, run, verify_threshold(SUITE, envelope, (2, keys), aad))


def test_a_signature_under_the_kid_of_another_key_does_not_count():
    """E-43, E-45"""
    envelope, keys, aad = sign_thrice("ab")
    (first, signature), (second, _) = envelope.signatures
    envelope.signatures = [(first, signature), (second, signature)]
    raises(errors.BelowThreshold, run, verify_threshold(SUITE, envelope, (2, keys), aad))


def test_unknown_and_bad_signatures_are_ignored_and_not_kept():
    """E-44, V-91: even a bad one in the name of a key whose good one follows."""
    envelope, keys, aad = sign_thrice("ab")
    good = envelope.signatures
    envelope.signatures = [(bytes(8), bytes(64)), (good[0][0], bytes(64))] + good
    assert run(verify_threshold(SUITE, envelope, (2, keys), aad)) == good


def test_no_signature_is_no_threshold():
    """E-43"""
    envelope, keys, aad = sign_thrice("")
    raises(errors.BelowThreshold, run, verify_threshold(SUITE, envelope, (1, keys), aad))
    raises(errors.BelowThreshold, run, verify_threshold(SUITE, envelope, (1, {}), aad))


def test_a_signature_for_one_purpose_verifies_for_no_other():
    """E-46, E-47: other role, other repository."""
    envelope, keys, aad = sign_thrice("a")
    for other in (cose.context(SNAPSHOT, bytes(32), SNAPSHOT), cose.context(3, bytes(31) + b"1", 3)):
        raises(errors.BelowThreshold, run, verify_threshold(SUITE, envelope, (1, keys), other))


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


# --- envelopes and encodings ----------------------------------------------------------------------


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


def test_another_format_is_not_read():
    """V-07"""
    change = rotated(lambda fields: fields.update({KEY_FORMAT: FORMAT + 1}))
    prove(Partial, change, errors.WrongFormat)
    change = rotated(lambda fields: fields.update({KEY_TYPE: TARGETS}))
    prove(Partial, change, errors.WrongType)


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


def test_the_time_role_may_have_no_holder():
    """V-82"""

    def change(fields):
        del fields[KEY_ROLES][TIME]

    oem, node = updated(Partial)
    rotated(change)(oem)
    node.refresh()
    assert node.trusted(DIRECTOR).root.keyholders(TIME) == (1, {})
