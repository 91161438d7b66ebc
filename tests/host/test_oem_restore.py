"""Restoring: all of a backup into an empty folder or nothing, and what has to follow."""

import pytest
from backup_office import PASSPHRASE, restored
from oem_vehicle import BRAKE, NOW, stored

from muptane.oem.authority import DAY_S
from muptane.oem.backup.compare import Standing
from muptane.oem.backup.contents import Contents
from muptane.oem.backup.live import Place
from muptane.oem.backup.record import Record
from muptane.oem.backup.restoring import advice
from muptane.oem.backup.vault import object_name
from muptane.oem.database import REVISIONS
from muptane.oem.errors import BackupDamaged, Malformed, NotAdvanced, NotEmpty
from muptane.oem.inventory import Assignment, Image, ManifestReceived, RoleFile, Vehicle
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.recovery import advance
from uptane import ids

ROLES = (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


def versions(office):
    """Repository and role -> the version that a vehicle is told."""
    found = {}
    for role in ROLES:
        raw = office.answer("VIN1", ids.DIRECTOR, ids.KIND_METADATA, role, 0)
        found[ids.DIRECTOR, role] = office.director.authority.verify(raw, role).version
        raw = office.answer("VIN1", ids.IMAGE, ids.KIND_METADATA, role, 0)
        found[ids.IMAGE, role] = office.images.authority.verify(raw, role).version
    return found


def test_a_restored_office_goes_on_where_the_backup_was(series, tmp_path):
    """S-18, R-39, R-17: every file, every row; what came later is not there."""
    folder = tmp_path / "again"
    backup = restored(series, folder, number=2)
    assert any("no keys" in sentence for sentence in advice(backup, folder))
    place = Place.of(folder)
    contents = series.vault.contents(series.vault.pick(2))
    with place.moment(False) as moment:
        assert Standing(moment).images() == contents.images()
    inventory = Premises(folder).inventory()
    with inventory.begin() as session:
        for table in (Vehicle, Assignment, ManifestReceived, RoleFile):
            assert session.query(table).count() == len(stored(series.office, table))
        assert session.get(Image, 21) is not None and session.get(Image, 22) is None
    inventory.close()


def test_a_restored_office_works_when_it_is_beyond_what_vehicles_have_seen(kept, tmp_path):
    """R-39, V-71: its versions are above those that were handed out after the backup."""
    kept.back_up(with_keys=True)
    for _ in range(5):
        kept.report()
        kept.office.refresh()
    kept.office.release_image(9, b"after the backup", [20], 9)
    seen = versions(kept.office)
    folder = tmp_path / "again"
    backup = restored(kept, folder)
    assert not any("no keys" in sentence for sentence in advice(backup, folder))
    premises = Premises(folder, PASSPHRASE)
    with pytest.raises(NotAdvanced, match="muptane backup advance"):
        Office.open(lambda: NOW, premises)
    assert advance(premises, NOW + DAY_S) == DAY_S + 1000
    with pytest.raises(Malformed, match="no office that was restored"):
        advance(premises, NOW + DAY_S)
    again = Office.open(lambda: NOW + DAY_S, premises)
    assert all(version > seen[role] for role, version in versions(again).items())
    targets = again.answer("VIN1", ids.DIRECTOR, ids.KIND_METADATA, ids.TARGETS, 0)
    said = again.director.authority.verify(targets, ids.TARGETS)
    assert said.expires == NOW + 2 * DAY_S and said.images[7].ecus == (BRAKE,)
    manifest = kept.vehicle.manifest(again.director.identity)
    assert again.accept_manifest("VIN1", manifest).directions == {BRAKE: 7}
    again.release_image(10, b"and so on", [20], 10)
    assert again.images.find(300, [30]) is not None
    again.close()


def test_suppliers_are_asked_to_deliver_again(kept, tmp_path):
    """R-39, R-06: vehicles may have seen a newer file of a role."""
    kept.back_up()
    assert any(
        "role 16 (version 1)" in said for said in advice(restored(kept, tmp_path / "a"), "a")
    )


def test_nothing_is_restored_over_anything(kept, tmp_path):
    """S-18."""
    kept.back_up()
    full, file = tmp_path / "full", tmp_path / "file"
    full.mkdir()
    (full / "something").write_bytes(b"precious")
    file.write_bytes(b"")
    for folder in (full, file, kept.folder):
        with pytest.raises(NotEmpty, match="is not empty"):
            restored(kept, folder)
    with pytest.raises(NotEmpty, match="is not there"):
        restored(kept, tmp_path / "no" / "where")
    assert [path.name for path in full.iterdir()] == ["something"]
    empty = tmp_path / "empty"
    empty.mkdir()
    restored(kept, empty)
    assert (empty / "images" / "current" / "timestamp.cbor").is_file()


def test_nothing_is_written_before_everything_was_verified(series, tmp_path):
    """S-19: whichever object was changed, there is no folder."""
    vault = series.vault
    for blob in list(vault.contents(vault.pick()).blobs())[::4]:
        path = series.target.folder / object_name(blob.digest)
        good = path.read_bytes()
        path.write_bytes(b"!" + good[1:])
        with pytest.raises(BackupDamaged):
            restored(series, tmp_path / "new")
        path.write_bytes(good)
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".*"))


def test_a_backup_that_its_owner_signed_and_that_does_not_verify_is_not_restored(kept, tmp_path):
    """S-19, E-61: a signature on the list does not make good what is in it."""
    kept.back_up()
    vault, owner = kept.vault, kept.owner
    contents, record = vault.contents(vault.pick()), vault.pick()
    snapshot = next(path for path in contents.files if "snapshot" in path)
    root = contents.tables["root_files"]
    for files, tables in (
        ({**contents.files, snapshot: vault.put(b"x")[0]}, contents.tables),
        ({**contents.files, f"images/{bytes(32).hex()}.9": vault.put(b"x")[0]}, contents.tables),
        ({**contents.files, "images/../../x": vault.put(b"x")[0]}, contents.tables),
        (contents.files, {**contents.tables, "root_files": ()}),
        (contents.files, {**contents.tables, "role_files": root}),
    ):
        made = vault.put(Contents(files, contents.schema, tables).encode())[0]
        number = len(vault.records) + 1
        bad = Record(number, vault.receipts[-1].digest, NOW, made.digest, record.identity)
        vault.add(bad, owner.signer)
        with pytest.raises(BackupDamaged):
            restored(kept, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_another_schema_is_restored_by_the_program_that_made_it(kept, tmp_path):
    """R-17."""
    kept.back_up()
    vault = kept.vault
    contents, record = vault.contents(vault.pick()), vault.pick()
    older = Contents(contents.files, REVISIONS[0], contents.tables)
    named = vault.put(older.encode())[0]
    before = vault.receipts[-1].digest
    vault.add(Record(2, before, NOW, named.digest, record.identity), kept.owner.signer)
    with pytest.raises(Malformed, match="restore it with the muptane that made it"):
        restored(kept, tmp_path / "new")
