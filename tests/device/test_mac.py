"""Reports under a MAC: what an ECU with a symmetric key seals, and that nobody believes a MAC."""

from claims import raises, run
from maker import NOW, Oem
from memory import SUITE, digest
from reporting import DIRECTOR, IMAGE, NONCE, SEED, Ecu, identity_fields
from uptane import cbor, cose, errors, mac
from uptane.algorithms import ALG_HMAC, USE_MAC, USE_WRAP
from uptane.crypto import hmac
from uptane.identity import Identity
from uptane.ids import (
    ALG_SHA256,
    BOOT_CONFIRMED,
    HEADER_ALG,
    HEADER_PAYLOAD_HASH,
    IDENTITY_DECRYPTION,
    IDENTITY_SEED,
    IDENTITY_SYMMETRIC,
    IDENTITY_VERIFICATION,
    PRIMARY,
    TIME,
    TYPE_REPORT,
)
from uptane.meta.attested_time import AttestedTime
from uptane.meta.roles import Root
from uptane.report import Reports, nonce_of

SECRET = bytes(range(32))


def symmetric_fields():
    fields = identity_fields()
    del fields[IDENTITY_SEED]
    fields[IDENTITY_SYMMETRIC] = SECRET
    return fields


def report_under_a_mac():
    ecu = Ecu()
    reports = Reports(SUITE, Identity(cbor.dumps(symmetric_fields())), ecu.records)
    return run(reports.make(IMAGE, BOOT_CONFIRMED, NOW, NONCE))


def test_the_headers_are_what_the_grammar_says():
    """V-24."""
    headers = {HEADER_ALG: ALG_HMAC, HEADER_PAYLOAD_HASH: ALG_SHA256}
    assert cbor.dumps(headers) == mac.PROTECTED


def test_a_report_is_sealed_by_the_key_that_macs_alone():
    """V-24, V-44, T-43: COSE_Mac0 over the digest, by the derived key, for this Director."""
    raw = report_under_a_mac()
    content, seal = cbor.loads_first(memoryview(raw)[1:])
    assert raw[:1] == b"\x82" and bytes(seal[:1]) == b"\xd1"
    protected, hints, carried, tag = cbor.loads(seal[1:])
    key = mac.derived(SUITE, SECRET, USE_MAC)
    assert protected == mac.PROTECTED and hints == {4: mac.key_id(SUITE, key)}
    assert carried == digest(content) and nonce_of(raw) == NONCE
    aad = cose.context(TYPE_REPORT, DIRECTOR, TYPE_REPORT)
    covered = cbor.dumps(["MAC0", protected, aad, carried])
    assert tag == hmac.tag(SUITE.sha256, key, (covered,))


def test_one_key_is_split_and_never_used_itself():
    """V-24, T-43."""
    split = [mac.derived(SUITE, SECRET, use) for use in (USE_MAC, USE_WRAP)]
    assert [len(key) for key in split] == [32, 32] and len(set(split + [SECRET])) == 3
    info = b"\x83\x67muptane\x01"
    for use, key in enumerate(split):
        wanted = hmac.derive(SUITE.sha256, SECRET, b"", info + bytes((use + 1,)), 32)
        assert key == wanted


def test_an_identity_has_one_kind_of_key():
    """V-24, T-43: a seed or a symmetric key; a Primary's signs; a second secret decrypts."""
    fields = symmetric_fields()
    identity = Identity(cbor.dumps(fields))
    assert identity.symmetric == SECRET and identity.decryption is None
    fields[IDENTITY_SEED] = SEED
    raises(errors.BadShape, Identity, cbor.dumps(fields))
    fields = symmetric_fields()
    fields[IDENTITY_VERIFICATION] = PRIMARY
    raises(errors.BadShape, Identity, cbor.dumps(fields))
    fields = identity_fields()
    fields[IDENTITY_DECRYPTION] = SECRET
    identity = Identity(cbor.dumps(fields))
    assert (identity.seed, identity.decryption, identity.symmetric) == (SEED, SECRET, None)


def mac_of(tag, label, payload, context):
    """A COSE_Mac0 (tag 17) or its fields under another tag, well made."""
    protected = b"\xa1\x01\x05"
    covered = cbor.dumps([label, protected, context, payload])
    value = hmac.tag(SUITE.sha256, SECRET, (covered,))
    for length in (32, 64):
        fields = [protected, {4: mac.key_id(SUITE, SECRET)}, payload, (value + value)[:length]]
        yield cbor.head(cbor.TAG, tag) + cbor.dumps(fields)


def test_a_mac_over_the_time_is_refused():
    """V-24, E-47: whatever tag it comes under."""
    oem = Oem()
    root = Root(SUITE, cose.read_sign(oem.director.files[0, 1]).payload)
    clock = AttestedTime(SUITE, lambda count: NONCE, oem.director.identity, None, 0)
    good = oem.attest([clock.nonce(0)], NOW)
    payload = cose.read_sign1(good)[0]
    context = cose.context(TIME, oem.director.identity, TIME)
    for tag in (17, 18):
        for raw in mac_of(tag, "MAC0", payload, context):
            raises(errors.BadEnvelope, run, clock.accept(raw, root, 0, []))
    run(clock.accept(good, root, 0, []))
    assert clock.now(0) == NOW


def test_a_mac_over_a_role_file_counts_for_nothing():
    """V-24, V-91, E-47: not an envelope, and among signatures passed over."""
    oem = Oem()
    payload = cose.read_sign(oem.director.files[0, 1]).payload
    for tag in (17, 18, 97):
        for raw in mac_of(tag, "MAC0", payload, b""):
            raises(errors.BadEnvelope, cose.read_sign, raw)
    entry = [b"\xa1\x01\x05", {4: b"kid is 8"}, bytes(64)]
    raw = b"\xd8\x62" + cbor.dumps([b"", {}, payload, [entry]])
    assert cose.read_sign(raw).signatures == []
