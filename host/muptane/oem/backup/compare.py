"""An office as it stands, held against one backup of it: the files, the keys, and the inventory.

Pieces of the inventory with the same hash on both sides have the same rows and are not looked at,
so the work is that of what changed. It decides nothing: findings say what is somebody's doing.
Rules: R-32, S-18, S-19, E-90.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from sqlalchemy import Table
from sqlalchemy.orm import Session

from muptane.oem.backup.compare_files import Files
from muptane.oem.backup.compare_rows import Changes, Ledger
from muptane.oem.backup.contents import IMAGES, Blob, Contents
from muptane.oem.backup.finding import Finding, bad, news
from muptane.oem.backup.live import Moment
from muptane.oem.backup.rows import Values, pieces, read_piece, tables
from muptane.oem.backup.shown import Shown
from muptane.oem.backup.signed import Signed, unsigned
from muptane.oem.backup.vault import Vault
from muptane.oem.errors import OemRefusal, Tampered
from muptane.oem.fields import sha256
from muptane.oem.image_repository import ImageRepository
from muptane.oem.needs import Needs
from muptane.oem.published import ImageName, RoleName, read_name


class Standing:
    """What stands at a moment, and its hashes."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self.store = Shown(moment.names, moment.published)

    @cached_property
    def files(self) -> dict[str, Blob]:
        """Path -> its hash; every file is read once."""
        return {path: Blob.of(self.moment.read(path)) for path in self.moment.paths}

    def images(self) -> dict[str, Blob]:
        """As `Contents.images`."""
        return {name: self.files[IMAGES + name] for name in self.moment.names}

    def check(self) -> None:
        """Refuses with Tampered what no office publishes: nothing would restore it."""
        try:
            ImageRepository.open(self.store, ())
            stray = unsigned(self.store)
        except OemRefusal as refusal:
            raise Tampered(f"the Image repository does not verify: {refusal}") from refusal
        if stray:
            raise Tampered(f"{stray[0]} stands in the Image repository, and nobody signed it")
        for name, blob in self.images().items():
            named = read_name(name)
            if named is None and not name.endswith(".map.cbor"):
                raise Tampered(f"images/{name} is no file of a repository")
            if isinstance(named, ImageName) and not named.spent and named.digest != blob.digest:
                raise Tampered(f"image {named.number} is not what its name says")


def findings(vault: Vault, contents: Contents, standing: Standing, now: int) -> list[Finding]:
    """Everything that is not as it was at the backup. Refuses with BackupDamaged where the backup
    cannot bear witness."""
    old_roles = {
        name: vault.read(blob.digest)
        for name, blob in contents.images().items()
        if isinstance(read_name(name), RoleName)
    }
    session = Session(standing.moment.connection)
    found: list[Finding] = []
    listed: set[tuple[int, bytes]] = set()
    for named in map(read_name, standing.moment.names):
        if isinstance(named, ImageName):
            listed.add((named.number, named.digest))
    try:
        sides = contents.images(), standing.images()
        files = Files(sides, Signed(old_roles), standing.store, Needs.of(session), now)
        listed |= files.listed
        found += files.findings()
    except OemRefusal as refusal:
        found.append(bad(f"the Roots of the Image repository do not verify: {refusal}"))
    found += _secrets(contents, standing)
    ledger = Ledger(standing.moment.connection, listed, now)
    found += ledger.findings(_changes(vault, contents, standing.moment))
    return found


def _secrets(contents: Contents, standing: Standing) -> Iterator[Finding]:
    """Of encrypted keys, if both sides have them: one is added at times, and none ever changes."""
    before = {path: blob for path, blob in contents.files.items() if not path.startswith(IMAGES)}
    now = {path: blob for path, blob in standing.files.items() if not path.startswith(IMAGES)}
    if not before or not now:
        return
    for path in sorted({*before, *now}):
        if path not in now:
            yield bad(f"{path} was removed")
        elif path not in before:
            yield news(f"{path} is new")
        elif before[path] != now[path]:
            yield bad(f"{path} was changed")


def _changes(vault: Vault, contents: Contents, moment: Moment) -> Iterator[Changes]:
    for table in tables():
        before = {blob.digest for blob in contents.tables.get(table.name, ())}
        now: set[bytes] = set()
        came: list[list[Values]] = []
        for raw in pieces(moment.connection, table):
            now.add(sha256(raw))
            if sha256(raw) not in before:
                came.append(read_piece(raw, table))
        yield Changes(table, _rows(vault, table, before - now), came)


def _rows(vault: Vault, table: Table, digests: Iterable[bytes]) -> Iterator[list[Values]]:
    for digest in sorted(digests):
        yield read_piece(vault.read(digest), table)
