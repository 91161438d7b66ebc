"""Keys: the same from a seed, encrypted at rest, bound to their names."""

import os

import pytest
from grammar import conforms
from nacl.signing import SigningKey
from oem_vehicle import dumps, kid

from muptane.oem.errors import BadKey, Malformed, NoSigner, OemRefusal, WrongPassphrase
from muptane.oem.keys import Holders, Signer
from muptane.oem.keystore import Cost, KeyStore

CHEAP = Cost.cheap()


def test_a_key_is_named_by_the_hash_of_its_cose_key():
    """V-05."""
    signer = Signer.generate()
    conforms("cose-key", dumps(signer.key.cose_key))
    assert signer.key.kid == kid(SigningKey(signer.seed)) and len(signer.key.kid) == 8


def test_a_seed_and_a_name_give_the_same_signer_every_time():
    one, two = (Signer.from_seed(b"s", "director.root.1") for _ in range(2))
    others = [Signer.from_seed(b"s", "x"), Signer.from_seed(b"t", "director.root.1")]
    assert one.key == two.key and one.key not in [other.key for other in others]
    assert Signer.generate().key != Signer.generate().key


def test_a_signer_does_not_show_its_secret():
    signer = Signer.from_seed(b"s", "x")
    for text in (repr(signer), str(signer), repr(Holders.of(signer))):
        assert signer.seed.hex() not in text and repr(signer.seed) not in text


def test_a_key_store_gives_back_what_was_saved(tmp_path):
    store = KeyStore(tmp_path / "keys", b"a passphrase", CHEAP)
    signer = Signer.generate()
    store.save("director.root.1", signer)
    again = KeyStore(tmp_path / "keys", b"a passphrase").signers()
    assert [(name, found.key) for name, found in again.items()] == [
        ("director.root.1", signer.key)
    ]


def test_a_key_store_holds_no_secret_in_the_clear_and_is_its_owners_only(tmp_path):
    store = KeyStore(tmp_path / "keys", b"a passphrase", CHEAP)
    signer = Signer.generate()
    store.save("x", signer)
    for path in (tmp_path / "keys").iterdir():
        assert signer.seed not in path.read_bytes()
        assert os.stat(path).st_mode & 0o077 == 0
    assert os.stat(tmp_path / "keys").st_mode & 0o077 == 0


def test_another_passphrase_opens_nothing(tmp_path):
    KeyStore(tmp_path, b"right", CHEAP).save("x", Signer.generate())
    with pytest.raises(WrongPassphrase):
        KeyStore(tmp_path, b"wrong")


def test_a_key_file_that_was_changed_or_renamed_is_refused(tmp_path):
    store = KeyStore(tmp_path, b"right", CHEAP)
    store.save("a", Signer.generate())
    path = tmp_path / "a.key"
    good = path.read_bytes()
    for bad in (good[:-1] + bytes([good[-1] ^ 1]), good[:10], b""):
        path.write_bytes(bad)
        with pytest.raises(WrongPassphrase):
            store.signers()
    path.write_bytes(good)
    path.rename(tmp_path / "b.key")
    with pytest.raises(WrongPassphrase):
        store.signers()


@pytest.mark.parametrize("header", [b"", b"\x83\x40\x01\x01", dumps([bytes(16), 1, 2**40])])
def test_a_key_store_with_a_broken_header_is_refused(tmp_path, header):
    KeyStore(tmp_path, b"right", CHEAP)
    (tmp_path / KeyStore.HEADER).write_bytes(header)
    with pytest.raises(OemRefusal):
        KeyStore(tmp_path, b"right")


def test_a_name_stays_in_the_folder(tmp_path):
    store = KeyStore(tmp_path, b"right", CHEAP)
    for name in ("../x", "a/b", "", ".x", "A"):
        with pytest.raises(Malformed):
            store.save(name, Signer.generate())


def test_a_threshold_needs_its_signers_at_hand():
    one, two = Signer.generate(), Signer.generate()
    assert Holders.of(one, two, threshold=2).ready() == (one, two)
    with pytest.raises(NoSigner):
        Holders(2, (one.key, two.key), (one,)).ready()
    with pytest.raises(BadKey):
        Holders.of(one).keys[0].__class__(bytes(32))
