"""Content keys and their wraps: what opens, what does not, and a stream that can be taken up."""

from claims import count_slices, raises, run
from memory import digest
from uptane import cbor
from uptane.algorithms import ALG_DIRECT_HKDF_256, ALG_ECDH_ES_HKDF_256
from uptane.crypto import x25519
from uptane.errors import BadEnvelope, BadKey, BadWrap, NotARecipient, TooMuch
from uptane.ids import KIND_DELTA
from uptane.image import decryption
from uptane.image.decryption import Decrypting, Wrap, content_key
from uptane.image.encryption import encryption_of
from vectors import rfc7748
from wrapping import (
    BASE,
    CONTENT_KEY,
    ECU,
    NUMBER,
    PLAIN,
    SECRECY,
    SECRET,
    WrapMaker,
    ciphertext_of,
    context_of,
    derivation_of,
    encrypted_entry,
    opened,
    signing_ecu,
    symmetric_ecu,
    tagged,
    wrap_for,
)

PUBLIC = run(x25519.agree(SECRET, BASE))
ECUS = (signing_ecu(), symmetric_ecu())


def makers():
    """A maker of wraps for each kind of ECU, beside its identity."""
    return ((ECUS[0], WrapMaker(PUBLIC)), (ECUS[1], WrapMaker(symmetric=SECRET)))


def test_a_wrap_opens_by_a_key_pair_and_by_a_symmetric_key():
    """V-13, V-65, T-43: the ECU's own secret, or the part of its one key that is for wraps."""
    for identity in ECUS:
        assert opened(identity, wrap_for(identity)) == CONTENT_KEY


def test_the_form_of_a_wrap_is_what_the_grammar_says():
    """V-13: COSE_Encrypt with one recipient; 123 bytes by a key pair, 116 by a symmetric key."""
    for (_, maker), count in zip(makers(), (123, 116)):
        raw = maker.make()
        wrap = Wrap(raw)
        assert len(raw) == count and (wrap.nonce, wrap.given) == (maker.nonce, maker.given)
        assert wrap.algorithm == maker.algorithm and len(wrap.sealed) == 48
        message = cbor.loads(raw[2:])
        assert raw[:2] == b"\xd8\x60" and message == maker.message()


def test_a_wrap_opens_for_nothing_but_what_it_was_made_for():
    """V-65, E-80: another Director, vehicle, ECU, kind, image, length, plaintext, ciphertext."""
    other = digest(b"other")
    lies = (
        {"director": other},
        {"vehicle": "VIN-2"},
        {"ecu": ECU + 1},
        {"kind": KIND_DELTA},
        {"number": NUMBER + 1},
        {"length": len(PLAIN) + 1},
        {"plain": other},
        {"cipher": other},
    )
    for lie in lies:
        for identity, maker in makers():
            maker.context = context_of(**lie)
            raises(BadWrap, opened, identity, maker.make())
    for identity, maker in makers():
        for parties in ({"director": other}, {"ecu": ECU + 1}):
            maker.derivation = derivation_of(maker.algorithm, **parties)
            raises(BadWrap, opened, identity, maker.make())
        maker.derivation = derivation_of(24)
        raises(BadWrap, opened, identity, maker.make())


def test_a_wrap_that_was_moved_opens_nowhere():
    """V-65, E-80: an honest one of this ECU, in the entry of another image or ciphertext."""
    for identity in ECUS:
        wrap = wrap_for(identity)
        changes = (("number", NUMBER + 1), ("length", 1), ("digest", digest(b"other")))
        for field, value in changes:
            raises(BadWrap, opened, identity, wrap, field, value)
        entry = encrypted_entry((ECU, wrap))
        encryption = encryption_of(entry)
        key = content_key(SECRECY, identity, entry, encryption, KIND_DELTA)
        raises(BadWrap, run, key)
        encryption.digest = digest(b"swapped")
        raises(BadWrap, run, content_key(SECRECY, identity, entry, encryption))


def test_a_wrap_opens_for_one_ecu_of_one_vehicle():
    """V-65, E-80: not with another secret, nor for the same secret under another name."""
    for identity in ECUS:
        wrap = wrap_for(identity)
        other = symmetric_ecu(bytes(32)) if identity.symmetric else signing_ecu(bytes(32))
        raises(BadWrap, opened, other, wrap)
        again = symmetric_ecu() if identity.symmetric else signing_ecu()
        again.vehicle = "VIN-2"
        raises(BadWrap, opened, again, wrap)
        again.vehicle = identity.vehicle
        again.director = digest(b"other")
        raises(BadWrap, opened, again, wrap)
        assert opened(identity, wrap) == CONTENT_KEY


def test_an_ecu_that_nothing_is_wrapped_for_is_no_recipient():
    """V-65, E-80: left out; without a secret; with a secret of the other kind."""
    wraps = [wrap_for(identity) for identity in ECUS]
    for identity in ECUS:
        entry = encrypted_entry((ECU + 1, wraps[0]))
        key = content_key(SECRECY, identity, entry, encryption_of(entry))
        raises(NotARecipient, run, key)
    raises(NotARecipient, opened, ECUS[0], wraps[1])
    raises(NotARecipient, opened, ECUS[1], wraps[0])
    for wrap in wraps:
        raises(NotARecipient, opened, signing_ecu(None), wrap)


def test_one_ciphertext_has_a_wrap_for_each_ecu():
    """V-13: a broadcast; each opens its own, whatever stands beside it."""
    wraps = ((ECU, wrap_for(ECUS[0])), (7, b"for somebody else"), (9, wrap_for(ECUS[1])))
    entry = encrypted_entry(*wraps)
    encryption = encryption_of(entry)
    assert sorted(encryption.wraps) == [ECU, 7, 9]
    assert run(content_key(SECRECY, ECUS[0], entry, encryption)) == CONTENT_KEY
    theirs = signing_ecu()
    theirs.ecu = 7
    raises(BadEnvelope, run, content_key(SECRECY, theirs, entry, encryption))


def test_any_bit_of_a_wrap_that_changes_spoils_it():
    """V-65, E-80: with a refusal of its own kind, never with another key."""
    for identity in ECUS:
        wrap = wrap_for(identity)
        for at in range(len(wrap)):
            changed = bytearray(wrap)
            changed[at] ^= 1 << at % 8
            try:
                opened(identity, bytes(changed))
            except (BadWrap, BadEnvelope, BadKey):
                continue
            raise AssertionError(at)


def test_another_form_of_a_wrap_is_refused():
    """V-04, V-13, E-60: a reader of COSE may take these; ours takes one form."""
    for identity, maker in makers():
        forms = []
        good = maker.message()
        recipient = good[3][0]
        forms.append(tagged(good, 16))
        forms.append(cbor.dumps(good))
        forms.append(tagged([b""] + good[1:]))
        forms.append(tagged([cbor.dumps({1: 1})] + good[1:]))
        forms.append(tagged([good[0], {5: maker.nonce, 4: b"kid"}] + good[2:]))
        forms.append(tagged([good[0], {5: maker.nonce[1:]}] + good[2:]))
        forms.append(tagged([good[0], good[1], good[2] + b"x", good[3]]))
        forms.append(tagged(good[:3] + [[recipient, recipient]]))
        forms.append(tagged(good[:3] + [[]]))
        for header in ({1: -26}, {1: -11}, {1: -6}, {1: -25, 5: 1}):
            forms.append(tagged(good[:3] + [[[cbor.dumps(header)] + recipient[1:]]]))
        forms.append(tagged(good[:3] + [[[b"", recipient[1], b""]]]))
        forms.append(tagged(good[:3] + [[[recipient[0], recipient[1], b"x"]]]))
        forms.append(tagged(good[:3] + [[[recipient[0], {}, b""]]]))
        raw = maker.make()
        forms += [b"", raw[:-1], raw + b"\0", raw[:1], raw[1:], raw[:73], bytes(len(raw))]
        for form in forms:
            raises(BadEnvelope, opened, identity, form)


def test_an_algorithm_does_not_stand_for_another():
    """E-80, T-43: the recipient's header is part of what the key is derived from."""
    maker = makers()[0][1]
    maker.derivation = derivation_of(ALG_DIRECT_HKDF_256)
    raises(BadWrap, opened, ECUS[0], maker.make())
    maker = makers()[1][1]
    maker.derivation = derivation_of(ALG_ECDH_ES_HKDF_256)
    raises(BadWrap, opened, ECUS[1], maker.make())


def test_a_weak_or_foreign_public_key_is_refused():
    """V-65, E-80: of small order, or a key in a second form, which a thief could vary at will."""
    maker = makers()[0][1]
    honest = int.from_bytes(maker.given, "little")
    weak = [point for point in rfc7748.SMALL_ORDER if point < rfc7748.P]
    for number in weak + [rfc7748.P, rfc7748.P + 9, honest | 1 << 255, (1 << 256) - 1]:
        maker.given = number.to_bytes(32, "little")
        maker.secret = bytes(32)  # what all secrets agree on
        raises(BadKey, opened, ECUS[0], maker.make())


def test_opening_comes_in_slices():
    """V-65: the server answers meanwhile."""
    entry = encrypted_entry((ECU, wrap_for(ECUS[0])))
    key = content_key(SECRECY, ECUS[0], entry, encryption_of(entry))
    assert count_slices(key)[1] + 1 == SECRECY.AGREE_SLICES


def test_an_image_is_decrypted_in_place_from_any_offset():
    """V-65, S-30: block by block as it comes, and after a reset from where it stopped."""
    entry = encrypted_entry()
    for piece in (1, 64, 100, 256, 1004):
        buffer = bytearray(ciphertext_of())
        for offset in range(0, len(PLAIN), piece):
            stream = Decrypting(SECRECY, CONTENT_KEY, entry)  # as after a reset
            stream.decrypt(offset, memoryview(buffer)[offset : offset + piece])
        assert bytes(buffer) == PLAIN
    assert ciphertext_of() != PLAIN


def test_nothing_is_decrypted_beyond_the_image():
    """E-80, T-52: the length that was signed is where the stream ends."""
    stream = Decrypting(SECRECY, CONTENT_KEY, encrypted_entry())
    for offset, count in ((len(PLAIN), 1), (len(PLAIN) - 1, 2), (0, len(PLAIN) + 1), (-1, 1)):
        data = bytearray(count)
        raises(TooMuch, stream.decrypt, offset, data)
        assert data == bytes(count)
    stream.decrypt(len(PLAIN), bytearray())


def test_a_key_that_were_used_twice_makes_no_pad_twice():
    """V-13: the nonce is of the plaintext; the office sees to it that there is no second use."""
    one, other = bytes(200), b"\1" + bytes(199)
    pads = [ciphertext_of(plain) for plain in (one, other)]
    assert sum([a == b for a, b in zip(pads[0][1:], pads[1][1:])]) < 20


def test_the_headers_are_what_the_grammar_says():
    """V-13: the constants that a wrap is compared with, written out of their numbers."""
    front = tagged([cbor.dumps({1: 24}), {5: bytes(12)}, bytes(48), []])
    assert front[:11] == decryption.FRONT and front[23:25] == decryption.SEALED
    assert cbor.dumps({1: 24}) == decryption.PROTECTED
    agreed = [cbor.dumps({1: ALG_ECDH_ES_HKDF_256}), {-1: {1: 1, -1: 4, -2: bytes(32)}}, b""]
    assert cbor.dumps([agreed]) == decryption.AGREED + bytes(32) + decryption.END
    derived = [cbor.dumps({1: ALG_DIRECT_HKDF_256}), {-20: bytes(32)}, b""]
    assert cbor.dumps([derived]) == decryption.DERIVED + bytes(32) + decryption.END
