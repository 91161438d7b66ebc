"""What an entry says of encryption, and what is let in on the strength of it."""

from claims import raises
from memory import digest
from uptane import cbor
from uptane.algorithms import FORM_ENCRYPTED, FORM_PLAIN
from uptane.errors import BadShape, EncryptionDiffers, WrongHash
from uptane.ids import CUSTOM_ENCRYPTED
from uptane.image.encryption import check_arrived, encryption_of, wanted_digest
from wrapping import ECU, PLAIN, ciphertext_of, encrypted_entry, entry_with

CIPHERTEXT = ciphertext_of()
WRAP = b"not looked at here"


def test_an_entry_without_a_word_of_it_is_plain():
    """V-13: no custom data, or other custom data; the image is wanted as it is."""
    for custom in (None, {}, {7: [1, 2]}, {CUSTOM_ENCRYPTED + 1: b"x"}):
        entry = entry_with(custom)
        assert encryption_of(entry) is None
        assert wanted_digest(entry, FORM_PLAIN) == digest(PLAIN)
        check_arrived(entry, digest(PLAIN))


def test_an_encrypted_image_is_wanted_as_its_ciphertext():
    """V-13, T-33: the entry is of the plain image, which both repositories list."""
    entry = encrypted_entry((ECU, WRAP))
    assert encryption_of(entry).wraps == {ECU: WRAP}
    assert (entry.length, entry.digest) == (len(CIPHERTEXT), digest(PLAIN))
    assert wanted_digest(entry, FORM_ENCRYPTED) == digest(CIPHERTEXT)
    check_arrived(entry, digest(CIPHERTEXT))
    assert entry.says_the_same(entry_with(None))


def test_plaintext_never_stands_for_ciphertext_nor_the_reverse():
    """E-80, E-01, V-84: refused before the first byte by what was announced, after the last by
    what came."""
    encrypted, plain = encrypted_entry((ECU, WRAP)), entry_with(None)
    raises(EncryptionDiffers, wanted_digest, encrypted, FORM_PLAIN)
    raises(EncryptionDiffers, wanted_digest, plain, FORM_ENCRYPTED)
    for form in (2, 0x10, 0x11, 0xFF):
        raises(EncryptionDiffers, wanted_digest, encrypted, form)
        raises(EncryptionDiffers, wanted_digest, plain, form)
    raises(EncryptionDiffers, check_arrived, encrypted, digest(PLAIN))
    raises(WrongHash, check_arrived, plain, digest(CIPHERTEXT))


def test_a_swapped_ciphertext_is_refused():
    """E-80: by the Primary already, which has no key."""
    entry = encrypted_entry((ECU, WRAP))
    for other in (CIPHERTEXT + b"\0", CIPHERTEXT[:-1], b"", ciphertext_of(key=bytes(32))):
        raises(WrongHash, check_arrived, entry, digest(other))


def test_a_ciphertext_that_is_the_image_itself_is_no_encryption():
    """E-80: an entry that only says so."""
    entry = entry_with({CUSTOM_ENCRYPTED: [1, digest(PLAIN), {ECU: WRAP}]})
    raises(EncryptionDiffers, encryption_of, entry)
    raises(EncryptionDiffers, wanted_digest, entry, FORM_ENCRYPTED)
    raises(EncryptionDiffers, check_arrived, entry, digest(PLAIN))


def test_a_malformed_word_of_it_is_refused_and_not_taken_for_none():
    """E-80, E-60: whoever could spoil the word would have the image travel in the clear."""
    good = [1, digest(CIPHERTEXT), {ECU: WRAP}]
    values = [0, b"", "no", {}, [], good[:2], good + [0]]
    for place, wrong in ((0, 0), (0, 2), (0, True), (0, None), (1, b"x" * 31), (1, 5), (2, [])):
        value = list(good)
        value[place] = wrong
        values.append(value)
    wraps = ({}, {ECU: 5}, {ECU: None}, {ECU: [WRAP]}, {-1: WRAP}, {1 << 32: WRAP}, {b"k": WRAP})
    values += [good[:2] + [wrong] for wrong in wraps]
    for value in values + [None, False]:
        entry = entry_with({CUSTOM_ENCRYPTED: value})
        raises(BadShape, encryption_of, entry)
        raises(BadShape, wanted_digest, entry, FORM_PLAIN)
        raises(BadShape, check_arrived, entry, digest(PLAIN))


def test_custom_data_of_an_entry_is_what_was_signed():
    """V-13: kept as it came, and no part of what repositories are compared by."""
    custom = {CUSTOM_ENCRYPTED: [1, digest(CIPHERTEXT), {ECU: WRAP}], 9: {b"a": [None, True]}}
    assert cbor.dumps(entry_with(custom).custom) == cbor.dumps(custom)
    raises(BadShape, entry_with, {-1: 0})
    raises(BadShape, entry_with, [])
