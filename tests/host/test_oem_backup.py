"""Backups: what one contains, and that they are a series that nobody can thin out."""

import pytest
from backup_office import PASSPHRASE, restored
from oem_vehicle import NOW

from muptane.oem.backup.contents import Blob
from muptane.oem.backup.live import Place
from muptane.oem.backup.making import TRIES, Refused, Wish, make
from muptane.oem.backup.record import Receipt, Record, record_name
from muptane.oem.backup.restoring import Backup
from muptane.oem.backup.signing import Owner, read_key
from muptane.oem.backup.target import FolderTarget, open_target
from muptane.oem.backup.vault import Vault, object_name
from muptane.oem.errors import (
    BackupDamaged,
    BadKey,
    Malformed,
    Tampered,
    TargetFault,
)
from muptane.oem.inventory import (
    Parcel,
)
from muptane.oem.keystore import Cost
from muptane.oem.office import Office
from muptane.oem.premises import Premises

# --- making -------------------------------------------------------------------------------------


def test_a_backup_has_every_file_of_the_repository_by_its_hash(kept):
    """S-18, S-19."""
    made = kept.back_up()
    contents = kept.vault.contents(kept.vault.pick())
    names = {path.name: Blob.of(path.read_bytes()) for path in kept.current.iterdir()}
    assert contents.images() == names and len(names) > 10
    assert all(table in contents.tables for table in ("vehicles", "ecus", "manifests", "images"))
    assert not contents.has_secrets() and made.receipt.number == 1
    kept.vault.check(contents)


def test_keys_are_kept_only_if_asked_and_never_in_the_clear(kept):
    """S-19, R-37: and never the key that signs backups."""
    kept.back_up()
    kept.back_up(with_keys=True)
    paths = set(kept.vault.contents(kept.vault.pick()).files)
    assert {"keys/keystore.cbor", "keys/image.root.1.key", "ecus/keystore.cbor"} < paths
    seeds = [signer.seed for signer in kept.premises.keyring().signers().values()]
    everything = b"".join(p.read_bytes() for p in kept.target.folder.rglob("*") if p.is_file())
    assert not any(seed in everything for seed in [*seeds, kept.owner.signer.seed])
    assert not any("backup" in path for path in paths)


def test_the_next_backup_stores_only_what_is_new(kept):
    """S-18: objects are written once."""
    first = kept.back_up().count
    assert first.objects == first.new_objects > 20
    again = kept.back_up().count
    assert (again.objects, again.new_objects) == (first.objects, 0)
    times = {path: path.stat().st_mtime_ns for path in kept.target.folder.rglob("objects/*/*")}
    kept.office.release_image(9, b"a new one", [20], 9)
    third = kept.back_up().count
    assert 3 < third.new_objects < 8
    assert times == {path: path.stat().st_mtime_ns for path in times}


class Busy(FolderTarget):
    """A target so slow that the office publishes while a backup is made."""

    office: Office
    publications: int

    def write(self, name, content):
        super().write(name, content)
        if self.publications and name.startswith("objects"):
            self.publications -= 1
            self.office.refresh()


@pytest.mark.parametrize("publications", [1, 2, 5, 1000])
def test_a_backup_is_of_one_moment_while_the_office_publishes(kept_once, tmp_path, publications):
    """S-19, T-17: it begins again when the generation that it reads is swept away."""
    target = Busy(tmp_path / "target")
    kept = kept_once.copied(tmp_path, target)
    target.office, target.publications = kept.office, publications
    if publications == 1000:
        with pytest.raises(Malformed, match=f"published {TRIES} times"):
            kept.back_up()
        assert kept.vault.records == []
        target.publications = 0
    kept.back_up()
    Backup(kept.vault, kept.vault.pick())
    assert kept.tampered() == []
    kept.close()


def test_an_office_that_was_tampered_with_gets_no_backup(kept):
    """E-90, S-19: the newest backup is of an office that was whole."""
    kept.back_up()
    kept.sql(("UPDATE assignments SET image = 8",))
    with pytest.raises(Refused, match="nothing was stored") as caught:
        kept.back_up()
    assert [one.sentence for one in caught.value.found] == [
        "assignments 1: image changed, which never happens"
    ]
    assert len(kept.vault.records) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [("timestamp.cbor", b"x"), ("STRANGE", b"x"), (f"{bytes(32).hex()}.77", b"not nothing")],
)
def test_not_even_the_first_backup_takes_what_no_office_publishes(kept, name, content):
    """S-19."""
    kept.plant(name, content)
    with pytest.raises(Tampered):
        kept.back_up()
    assert kept.vault.records == []


def test_what_is_no_office_has_no_backup(kept, tmp_path):
    """S-18: the reason is said."""
    with pytest.raises(Malformed, match="is not the folder of an office"):
        Place.of(tmp_path)
    (kept.folder / "inventory.sqlite").unlink()
    with pytest.raises(Malformed, match=r"has no inventory.sqlite: say where"):
        Place.of(kept.folder)
    with (
        pytest.raises(Malformed, match="cannot be read"),
        Place.of(kept.folder, f"sqlite:///{tmp_path}/none").moment(False),
    ):
        pass


# --- the series ---------------------------------------------------------------------------------


def record_path(kept, number):
    return kept.target.folder / record_name(number)


def test_records_are_a_chain_that_each_receipt_names(series):
    """S-19."""
    vault = series.vault
    assert vault.receipts == series.receipts and [r.number for r in vault.records] == [1, 2, 3]
    assert [r.previous for r in vault.records] == [b"", *(r.digest for r in vault.receipts[:2])]
    for receipt in series.receipts:
        vault.check_receipt(Receipt.read(str(receipt)))
    for said in ("", "1", "0:" + "0" * 64, "1:" + "0" * 63, "1:" + "G" * 64):
        with pytest.raises(Malformed, match="no receipt"):
            Receipt.read(said)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_backup_is_taken_away_unseen(series, number):
    """S-19: from the middle by the chain, from the end by the receipt."""
    record_path(series, number).unlink()
    if number < 3:
        with pytest.raises(BackupDamaged, match=rf"{record_name(number)} is not there"):
            Vault(series.target, series.key)
    else:
        with pytest.raises(BackupDamaged, match="backup 3 was made and is gone"):
            series.vault.check_receipt(series.receipts[2])
        with pytest.raises(BackupDamaged, match="backup 3 was made and is gone"):
            series.back_up()


def test_no_backup_is_replaced_unseen(series):
    """S-19: by bytes, by another backup of the same key, or by a key of the thief's."""
    second = record_path(series, 2)
    good = second.read_bytes()
    for bad in (good[:-1] + bytes([good[-1] ^ 1]), b"", record_path(series, 1).read_bytes()):
        second.write_bytes(bad)
        with pytest.raises(BackupDamaged, match=record_name(2)):
            Vault(series.target, series.key)
    second.write_bytes(good)
    third = series.vault.records[2]
    thief = Owner(series.folder / "thief", b"x", Cost.cheap()).signer
    record_path(series, 3).write_bytes(third.sign(thief))
    with pytest.raises(BackupDamaged, match="not a record by key"):
        Vault(series.target, series.key)
    other = Record(3, third.previous, third.made_s + 1, third.contents, third.identity)
    record_path(series, 3).write_bytes(other.sign(series.owner.signer))
    with pytest.raises(BackupDamaged, match="not the one of the receipt"):
        series.back_up()


def test_an_object_that_was_changed_is_seen(series):
    """S-19: by `verify` and `restore`, and by `make` where it would rely on it."""
    vault = series.vault
    contents = vault.contents(vault.pick())
    for blob in contents.blobs():
        path = series.target.folder / object_name(blob.digest)
        good = path.read_bytes()
        for bad in (good + b"x", None):
            path.unlink() if bad is None else path.write_bytes(bad)
            with pytest.raises(BackupDamaged, match=r"was changed|is gone"):
                series.vault.check(contents)
            if bad is not None:
                with pytest.raises(BackupDamaged, match="was changed"):
                    series.vault.put(good)
            path.write_bytes(good)


def test_an_object_that_a_thief_put_there_before_is_not_taken(kept):
    """S-19: the same length, and other bytes."""
    name = object_name(Blob.of(b"door 3").digest)
    kept.target.write(name, b"doom 3")
    with pytest.raises(BackupDamaged, match="was changed"):
        kept.back_up()
    assert kept.vault.records == []


def test_the_backups_of_another_office_are_not_continued(kept, tmp_path):
    """S-19."""
    kept.back_up()
    other = Owner(tmp_path / "other", PASSPHRASE, Cost.cheap())
    with pytest.raises(BackupDamaged, match="not a record by key"):
        make(kept.place, Vault(kept.target, other.signer.key), other, Wish(NOW))
    stranger = Office.create(lambda: NOW, Premises(tmp_path / "new", b"p", Cost.cheap()))
    stranger.close()
    with pytest.raises(BackupDamaged, match="has the backups of another office"):
        make(Place.of(tmp_path / "new"), kept.vault, kept.owner, Wish(NOW))


def test_there_is_no_backup_but_those_that_were_made(series):
    """S-18."""
    with pytest.raises(BackupDamaged, match="no backup 4, the newest is 3"):
        series.vault.pick(4)
    empty = Vault(FolderTarget(series.folder / "empty"), series.key)
    with pytest.raises(BackupDamaged, match="there is no backup"):
        empty.pick()


def test_the_owner_keeps_one_key(tmp_path):
    """R-37."""
    first = Owner(tmp_path, PASSPHRASE, Cost.cheap()).signer
    assert Owner(tmp_path, PASSPHRASE).signer.key == first.key
    written = tmp_path / "written"
    written.write_text(first.key.public.hex() + "\n")
    assert read_key(str(written)) == read_key(f" {first.key.public.hex()} ") == first.key
    for said in ("", "no key", "ab", str(tmp_path), "00" * 32):
        with pytest.raises(BadKey):
            read_key(said)


# --- other targets ------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["memory://backups/{0}", "file://{0}/there", "{0}/there"])
def test_a_target_is_a_folder_or_a_url(kept_once, tmp_path, url):
    """S-19."""
    target = open_target(url.format(tmp_path))
    kept = kept_once.copied(tmp_path, target)
    kept.back_up()
    kept.office.release_image(9, b"a new one", [20], 9)
    assert 0 < kept.back_up().count.new_objects < 8
    assert kept.tampered() == []
    restored(kept, tmp_path / "again", number=1)
    assert kept.target.read("objects/none") is None
    with pytest.raises(TargetFault, match="there already"):
        kept.target.write(record_name(1), b"")
    kept.close()


def test_an_object_on_a_remote_target_is_whole_or_not_there(tmp_path):
    """S-19: a fault in the middle of an upload."""
    target = open_target(f"memory://{tmp_path}")
    files = target._files
    with pytest.raises(OSError), files.transaction, files.open(f"{tmp_path}/a", "wb") as file:
        file.write(b"half")
        raise OSError
    assert target.read("a") is None


def test_what_is_no_target_is_said(tmp_path):
    """S-19."""
    for url in ("nowhere://x", "s3://bucket/x"):
        with pytest.raises(TargetFault, match=url):
            open_target(url)


def test_a_parcel_is_in_no_way_special(kept):
    """S-19: rows with nothing in them, or a megabyte."""
    with kept.office.inventory.begin() as session:
        for number, length in ((1, 0), (2, 2**20), (3, 10)):
            session.add(Parcel(
                id=number, vehicle_id="", image=7, base=b"", shape="", kind=2, digest=b"",
                custom=b"", raw=bytes(length), made_s=0,
            ))  # fmt: skip
        session.commit()
    kept.back_up()
    assert kept.tampered() == []
