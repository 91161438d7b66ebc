"""Put an office back from a backup: into an empty folder, all of it or nothing.

Everything is verified before the first byte is written: the series of records, the hash of every
object, the Image repository down to its Targets, the Director's Roots and the newest files of each
vehicle. What is written grows beside the folder under another name and is renamed in the end; a
database elsewhere is filled in one transaction just before that. It signs nothing: `recovery` says
what has to follow.
Rules: R-17, R-39, S-18, S-19, E-61, E-87.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table

from muptane.oem.backup.compare_files import current_versions
from muptane.oem.backup.contents import SECRETS, Contents
from muptane.oem.backup.live import INVENTORY
from muptane.oem.backup.record import Record
from muptane.oem.backup.rows import Values, load, read_piece, tables
from muptane.oem.backup.shown import Shown
from muptane.oem.backup.signed import genuine_role, unsigned, verified_roots
from muptane.oem.backup.vault import Vault
from muptane.oem.database import HEAD
from muptane.oem.errors import BackupDamaged, Malformed, NotEmpty, OemRefusal
from muptane.oem.image_repository import ImageRepository
from muptane.oem.inventory import Inventory, RoleFile, RootFile
from muptane.oem.published import ImageName, read_name
from muptane.oem.recovery import MARK, mark
from muptane.oem.storage import DirectoryStore, Disk
from uptane import ids

DRAFT = ".{}.restoring"


@dataclass(frozen=True)
class Aim:
    """Where to: a folder that is missing or empty, and the SQLAlchemy URL of an inventory whose
    tables are empty; without one, it is a file of SQLite in the folder."""

    folder: Path
    inventory: str = ""


class Backup:
    """One backup of a vault, verified. Its `identity` and all hashes are those of the record."""

    def __init__(self, vault: Vault, record: Record) -> None:
        """Refuses with BackupDamaged; and with Malformed a schema of another muptane."""
        self.record = record
        self.contents = vault.contents(record)
        self._vault = vault
        if self.contents.schema != HEAD:
            raise Malformed(
                f"the backup has an inventory of schema {self.contents.schema}, this program knows"
                f" {HEAD}: restore it with the muptane that made it"
            )
        vault.check(self.contents)
        try:
            self.repository = self._repository()
            self._check_director()
        except OemRefusal as refusal:
            raise BackupDamaged(f"the backup holds what does not verify: {refusal}") from refusal

    def files(self) -> Mapping[str, bytes]:
        """The files of the Image repository, each read when it is asked for."""
        return _Files(self._vault, self.contents)

    def read(self, path: str) -> bytes:
        return self._vault.read(self.contents.files[path].digest)

    def rows(self, table: Table) -> Iterator[list[Values]]:
        """All rows of a table."""
        for blob in self.contents.tables.get(table.name, ()):
            yield read_piece(self._vault.read(blob.digest), table)

    def _repository(self) -> ImageRepository:
        files = self.files()
        shown = Shown(files, files.__getitem__)
        made = ImageRepository.open(shown, ())
        if stray := unsigned(shown):
            raise BackupDamaged(f"nobody signed {stray[0]}")
        if made.identity != self.record.identity:
            raise BackupDamaged("its Image repository is not the one of its record")
        for name, blob in self.contents.images().items():
            named = read_name(name)
            if isinstance(named, ImageName) and not named.spent and named.digest != blob.digest:
                raise BackupDamaged(f"image {named.number} is not what its name says")
        return made

    def _check_director(self) -> None:
        roots = verified_roots(row["raw"] for row in self._named(RootFile.__tablename__))
        newest: dict[tuple[str, int], dict[str, bytes]] = {}
        for row in self._named(RoleFile.__tablename__):
            newest[str(row["vehicle_id"]), int(row["role"])] = row
        for (vehicle, role), row in newest.items():
            if genuine_role(row["raw"], role, roots, roots[0].identity()) is None:
                raise BackupDamaged(f"the Director did not sign its newest files for {vehicle}")

    def _named(self, name: str) -> Iterator[dict[str, bytes]]:
        """The rows of a table, ascending by primary key."""
        (table,) = (table for table in tables() if table.name == name)
        names = [column.name for column in table.columns]
        for rows in self.rows(table):
            for row in rows:
                yield dict(zip(names, row, strict=True))


class _Files(Mapping[str, bytes]):
    """Name -> bytes, read when they are needed."""

    def __init__(self, vault: Vault, contents: Contents) -> None:
        self._vault = vault
        self._blobs = contents.images()

    def __getitem__(self, name: str) -> bytes:
        return self._vault.read(self._blobs[name].digest)

    def __iter__(self) -> Iterator[str]:
        return iter(self._blobs)

    def __len__(self) -> int:
        return len(self._blobs)


def restore(backup: Backup, aim: Aim, disk: Disk | None = None) -> None:
    """Put everything back. Refuses with NotEmpty; an OSError leaves the folder as it was."""
    stroke = disk or Disk()
    folder = aim.folder.resolve()
    check_empty(folder)
    draft = folder.with_name(DRAFT.format(folder.name))
    if draft.exists():  # of one that was stopped
        stroke.remove(draft)
    stroke.make_folder(draft)
    _write_secrets(backup, draft, stroke)
    DirectoryStore(draft / "images", stroke).publish(backup.files())
    record = backup.record
    stroke.write(draft / MARK, mark(record.number, record.made_s))
    if not aim.inventory:
        _fill(backup, f"sqlite:///{draft / INVENTORY}")
    stroke.settle(draft)
    if aim.inventory:
        _fill(backup, aim.inventory)
    stroke.replace(draft, folder)
    stroke.settle(folder.parent)


def check_empty(folder: Path) -> None:
    """Refuses with NotEmpty a folder that has anything in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(f"{folder} is not empty: restore into a folder that is new or empty")
    if not folder.parent.is_dir():
        raise NotEmpty(f"{folder.parent} is not there")


def _write_secrets(backup: Backup, draft: Path, stroke: Disk) -> None:
    for kind in SECRETS:
        paths = [path for path in backup.contents.files if path.startswith(kind)]
        if paths:
            stroke.make_folder(draft / kind)
            (draft / kind).chmod(0o700)
        for path in paths:
            stroke.write(draft / path, backup.read(path))
            (draft / path).chmod(0o600)
        if paths:
            stroke.settle(draft / kind)


def _fill(backup: Backup, url: str) -> None:
    inventory = Inventory(url)
    try:
        with inventory.begin() as session:
            load(session.connection(), backup.rows)
            session.commit()
    finally:
        inventory.close()


def advice(backup: Backup, folder: Path) -> list[str]:
    """What its owner has to do now, one sentence each."""
    made = []
    if not backup.contents.has_secrets():
        made.append(f"The backup has no keys: put keys/ and ecus/ back into {folder}.")
    made.append(
        f"Run `muptane backup advance {folder}` before the office works: it goes beyond the"
        " versions that vehicles have seen since the backup."
    )
    versions = current_versions(backup.repository)
    roles = [f"{role} (version {versions[role]})" for role in sorted(versions) if role > ids.TIME]
    if roles:
        made.append(
            f"Let suppliers deliver again what they delivered since, of role {', '.join(roles)};"
            " or replace the keys of Snapshot and Timestamp, and vehicles forget it."
        )
    made.append(
        "Vehicles, images and wishes of the time since the backup are lost: enter them again, each"
        " image under the number that it had."
    )
    made.append(
        f"If a key was replaced since (Root {versions[ids.ROOT]} of the Image repository is in the"
        " backup), put the newer Roots back first; if one was stolen, replace it now (R-39)."
    )
    return made
