"""cose: what an envelope may look like, and the exact bytes that a signature covers."""

from claims import raises, run
from uptane import algorithms, cbor, cose, errors, ids, limits
from uptane.crypto.suite import Suite

SUITE = Suite()
KID = b"kid is 8"
VALUE = b"s" * 64
DIGEST = b"d" * 32
PAYLOAD = b"payload"
SEED = bytes(range(32))


def entry(protected=cose.PROTECTED, hints=None, value=VALUE):
    return [protected, {4: KID} if hints is None else hints, value]


def envelope(entries, protected=b"", hints=None, payload=PAYLOAD):
    return b"\xd8\x62" + cbor.dumps([protected, hints or {}, payload, entries])


def seal(protected=cose.PROTECTED, hints=None, payload=PAYLOAD, value=VALUE):
    hints = {4: KID} if hints is None else hints
    return b"\xd2" + cbor.dumps([protected, hints, payload, value])


def test_the_headers_are_what_the_grammar_says():
    assert cbor.dumps({ids.HEADER_ALG: algorithms.ALG_EDDSA}) == cose.PROTECTED
    hashed = {ids.HEADER_ALG: algorithms.ALG_EDDSA, ids.HEADER_PAYLOAD_HASH: ids.ALG_SHA256}
    assert cbor.dumps(hashed) == cose.PROTECTED_HASHED


def test_an_envelope_comes_back_as_its_own_bytes():
    raw = envelope([entry(), entry(hints={4: b"another1"}, value=b"t" * 64)])
    found = cose.read_sign(raw)
    assert found.payload == PAYLOAD
    assert found.signatures == [(KID, VALUE), (b"another1", b"t" * 64)]
    assert cose.write_sign(found.payload, found.signatures) == raw
    assert cose.read_sign(memoryview(raw)).payload == PAYLOAD


def test_a_signature_of_another_kind_is_skipped_and_dropped():
    """V-91."""
    others = [
        entry(protected=b""),
        entry(protected=b"\xa1\x01\x05"),
        entry(protected=b"\xa1\x01\x26", value=b"s" * 65),
        entry(protected=cose.PROTECTED_HASHED),
        entry(protected=b"\xa1\x01\x38\x07"),
        entry(hints={}),
        entry(hints={4: b"short"}),
        entry(hints={4: KID + b"9"}),
        entry(hints={4: KID, 5: 0}),
        entry(value=b"s" * 96),
    ]
    for other in others:
        found = cose.read_sign(envelope([other, entry(), other]))
        assert found.signatures == [(KID, VALUE)]
        clean = cose.write_sign(found.payload, found.signatures)
        assert clean == envelope([entry()])
    assert cose.read_sign(envelope([others[0]])).signatures == []


def test_what_is_no_envelope_is_refused():
    good = envelope([entry()])
    for raw in (b"", b"\xd8", b"\xd2" + good[2:], good[2:], b"\xd8\x63" + good[2:], b"\xf6"):
        raises(errors.BadEnvelope, cose.read_sign, raw)
    for raw in (
        envelope([]),
        envelope(b""),
        envelope([entry()], protected=cose.PROTECTED),
        envelope([entry()], protected=b"\xa0"),
        envelope([entry()], hints={4: KID}),
        envelope([entry()], payload=None),
        envelope([entry()], payload="text"),
        envelope([entry()[:2]]),
        envelope([entry() + [0]]),
        envelope([entry(protected=None)]),
        envelope([entry(hints=[])]),
        envelope([entry(value=None)]),
        envelope([VALUE]),
        b"\xd8\x62" + cbor.dumps([b"", {}, PAYLOAD]),
        b"\xd8\x62" + cbor.dumps({}),
    ):
        raises(errors.BadEnvelope, cose.read_sign, raw)


def test_a_badly_encoded_envelope_is_refused_as_such():
    good = envelope([entry()])
    raises(errors.Truncated, cose.read_sign, good[:-1])
    raises(errors.Truncated, cose.read_sign, good[:2])
    raises(errors.TrailingBytes, cose.read_sign, good + b"\0")
    raises(errors.Unsupported, cose.read_sign, b"\xd8\x62" + good)
    raises(errors.NotDeterministic, cose.read_sign, b"\xd8\x62\x9f" + good[3:] + b"\xff")


def test_a_signature_of_es256_comes_back_as_its_own_bytes():
    """V-06, V-91: beside others; its algorithm stays with it, and is what it covers."""
    raw = envelope([entry(protected=cose.PROTECTED_ES256), entry(hints={4: b"another1"})])
    found = cose.read_sign(raw)
    es256 = cose.ES256 + VALUE
    assert found.signatures == [(KID, es256), (b"another1", VALUE)]
    assert cose.write_sign(found.payload, found.signatures) == raw
    raw = seal(protected=cose.PROTECTED_ES256)
    assert cose.read_sign1(raw) == (PAYLOAD, KID, es256)
    assert cose.write_sign1(PAYLOAD, KID, es256) == raw
    covered = b"".join(bytes(part) for part in cose.sign_parts(PAYLOAD, b"", es256))
    assert covered == cbor.dumps(["Signature", b"", cose.PROTECTED_ES256, b"", PAYLOAD])
    covered = b"".join(bytes(part) for part in cose.sign1_parts(PAYLOAD, b"", False, es256))
    assert covered == cbor.dumps(["Signature1", cose.PROTECTED_ES256, b"", PAYLOAD])


def test_reports_are_never_sealed_by_es256():
    """V-24."""
    protected = cbor.dumps({1: algorithms.ALG_ES256, 258: ids.ALG_SHA256})
    for header in (protected, cose.PROTECTED_ES256, cose.PROTECTED):
        raw = seal(protected=header, payload=DIGEST)
        raises(errors.BadEnvelope, cose.read_sign1, raw, True)


def test_signatures_are_bounded():
    most = [entry()] * limits.SIGNATURES_MAX
    assert len(cose.read_sign(envelope(most)).signatures) == limits.SIGNATURES_MAX
    raises(errors.TooLong, cose.read_sign, envelope(most + [entry(protected=b"")]))


def test_a_single_signature_comes_back_as_its_own_bytes():
    assert cose.read_sign1(seal()) == (PAYLOAD, KID, VALUE)
    assert cose.write_sign1(PAYLOAD, KID, VALUE) == seal()
    raw = seal(protected=cose.PROTECTED_HASHED, payload=DIGEST)
    assert cose.read_sign1(raw, True) == (DIGEST, KID, VALUE)
    assert cose.write_sign1(DIGEST, KID, VALUE, True) == raw


def test_a_single_signature_of_another_kind_is_refused():
    """V-91, T-05: a header, a kid or a digest of one byte more or less included."""
    hashed = seal(protected=cose.PROTECTED_HASHED, payload=DIGEST)
    for raw in (
        hashed,
        seal(protected=b""),
        seal(protected=b"\xa1\x01\x05"),
        seal(protected=b"\xa1\x01\x26", value=b"s" * 65),
        seal(hints={}),
        seal(hints={4: b"short"}),
        seal(hints={4: KID, 5: 0}),
        seal(hints=[]),
        seal(payload=None),
        seal(value=b"s" * 63),
        seal(value=None),
        envelope([entry()]),
        seal()[1:],
        b"\xd2" + cbor.dumps([1, 2, 3]),
        b"",
    ):
        raises(errors.BadEnvelope, cose.read_sign1, raw)
    raises(errors.BadEnvelope, cose.read_sign1, seal(payload=DIGEST), True)
    for payload in (DIGEST[1:], DIGEST + b"d", b""):
        raw = seal(protected=cose.PROTECTED_HASHED, payload=payload)
        raises(errors.BadEnvelope, cose.read_sign1, raw, True)
    for protected in (b"\xff", b"", 0):
        raw = seal(protected=protected, payload=DIGEST)
        raises(errors.BadEnvelope, cose.read_sign1, raw, True)
    raises(errors.Truncated, cose.read_sign1, seal()[:-1])


def test_a_sealed_content_comes_back_as_its_own_bytes():
    """T-05: content and seal side by side; the digest is only carried."""
    raw = cose.write_sealed(b"content", DIGEST, KID, VALUE)
    assert raw == b"\x82\x47content" + seal(protected=cose.PROTECTED_HASHED, payload=DIGEST)
    assert cose.read_sealed(raw) == (b"content", DIGEST, KID, VALUE)
    for bad in (b"", b"\x80", b"\x83" + raw[1:], b"\x82\x00" + raw[9:], raw[1:], raw[:9]):
        raises(errors.BadEnvelope, cose.read_sealed, bad)
    raises(errors.Truncated, cose.read_sealed, raw[:-1])
    raises(errors.Truncated, cose.read_sealed, raw[:5])
    raises(errors.TrailingBytes, cose.read_sealed, raw + b"\0")


def test_a_signature_covers_the_sig_structure_of_the_rfc():
    aad = cose.context(ids.TARGETS, DIGEST, 16)
    for payload in (b"", PAYLOAD, bytes(23), bytes(24), bytes(256)):
        found = b"".join(bytes(part) for part in cose.sign_parts(payload, aad))
        assert found == cbor.dumps(["Signature", b"", cose.PROTECTED, aad, payload])
        found = b"".join(bytes(part) for part in cose.sign1_parts(payload, aad))
        assert found == cbor.dumps(["Signature1", cose.PROTECTED, aad, payload])
        found = b"".join(bytes(part) for part in cose.sign1_parts(payload, aad, True))
        assert found == cbor.dumps(["Signature1", cose.PROTECTED_HASHED, aad, payload])


def test_the_payload_is_passed_on_and_not_copied():
    payload = bytearray(1000)
    assert cose.sign_parts(payload, b"")[-1] is payload


def test_a_context_tells_purposes_apart():
    """E-46, E-47."""
    assert cbor.loads(cose.context(3, DIGEST, 16)) == ["muptane", 1, 3, DIGEST, 16]
    contexts = {
        cose.context(type, identity, number)
        for type in range(7)
        for identity in (DIGEST, b"e" * 32)
        for number in (type, 16, 17)
    }
    assert len(contexts) == 42


def test_what_is_signed_for_one_purpose_verifies_for_no_other():
    public = run(SUITE.public_key(SEED))
    parts = cose.sign_parts(PAYLOAD, cose.context(ids.SNAPSHOT, DIGEST, ids.SNAPSHOT))
    signature = run(SUITE.sign(SEED, parts))
    assert run(SUITE.verify(public, parts, signature))
    aad = cose.context(ids.TIMESTAMP, DIGEST, ids.TIMESTAMP)
    assert not run(SUITE.verify(public, cose.sign_parts(PAYLOAD, aad), signature))
    aad = cose.context(ids.SNAPSHOT, DIGEST, ids.SNAPSHOT)
    assert not run(SUITE.verify(public, cose.sign1_parts(PAYLOAD, aad), signature))


def test_a_key_is_named_by_the_hash_of_all_it_says():
    """V-05."""
    public = run(SUITE.public_key(SEED))
    digest = SUITE.sha256()
    digest.update(cbor.dumps({1: 1, 3: -8, -1: 6, -2: public}))
    assert cose.key_id(SUITE, public) == digest.digest()[:8]
    assert cose.read_key(cbor.loads(cose.write_key(public))) == public


def test_a_key_of_p256_is_named_by_the_hash_of_all_it_says():
    """V-05: so the same 32 bytes under another algorithm are another key."""
    public = b"\x04" + DIGEST + VALUE[:32]
    labelled = {1: algorithms.KTY_EC2, 3: algorithms.ALG_ES256, -1: algorithms.CRV_P256}
    labelled.update({-2: DIGEST, -3: VALUE[:32]})
    assert cbor.loads(cose.write_key(public)) == labelled
    assert cose.read_key(labelled) == public
    digest = SUITE.sha256()
    digest.update(cbor.dumps(labelled))
    assert cose.key_id(SUITE, public) == digest.digest()[:8]
    for label, value in ((1, 1), (3, -8), (-1, 6), (-2, DIGEST[1:]), (-3, None), (-3, True)):
        key = dict(labelled)
        key[label] = value
        raises(errors.BadKey, cose.read_key, key)
    moved = dict(labelled)
    moved.update({-2: DIGEST + b"0", -3: VALUE[:31]})
    raises(errors.BadKey, cose.read_key, moved)
    for label in labelled:
        key = dict(labelled)
        del key[label]
        raises(errors.BadKey, cose.read_key, key)


def test_a_key_of_another_kind_is_refused():
    good = cbor.loads(cose.write_key(DIGEST))
    assert good == {
        1: algorithms.KTY_OKP,
        3: algorithms.ALG_EDDSA,
        -1: algorithms.CRV_ED25519,
        -2: DIGEST,
    }
    assert cose.read_key(good) == DIGEST
    for label, value in (
        (1, 2),
        (3, -7),
        (-1, 4),
        (-2, DIGEST[1:]),
        (-2, None),
        (1, True),
        (5, 0),
    ):
        key = dict(good)
        key[label] = value
        raises(errors.BadKey, cose.read_key, key)
    for label in (1, 3, -1, -2):
        key = dict(good)
        del key[label]
        raises(errors.BadKey, cose.read_key, key)
    for key in (None, [], DIGEST, {}):
        raises(errors.BadKey, cose.read_key, key)
