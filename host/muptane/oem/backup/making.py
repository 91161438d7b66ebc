"""Make a backup: everything of an office that stands at one moment, next to what is there already.

An office that is not what the backup before says is not stored, so the newest backup is always of
an office that was whole. Objects come first and the signed record last: until it is there, nothing
is, and what was stored of an unfinished backup serves the next one.
Rules: R-32, S-18, S-19, E-90.
"""

from dataclasses import dataclass

from muptane.oem.backup.compare import Standing, findings
from muptane.oem.backup.contents import Blob, Contents
from muptane.oem.backup.finding import Finding
from muptane.oem.backup.live import Moved, Place
from muptane.oem.backup.record import Receipt, Record
from muptane.oem.backup.rows import pieces, tables
from muptane.oem.backup.signing import Owner
from muptane.oem.backup.vault import Vault
from muptane.oem.database import HEAD
from muptane.oem.errors import BackupDamaged, Malformed, Tampered
from muptane.oem.fields import sha256
from muptane.oem.image_repository import ImageRepository

TRIES = 8  # a publication while files are read costs one, two publications at least


class Count:
    """`objects` and `length` in bytes: all that a backup contains; `new_objects` and `new_length`:
    what of it was not on the target."""

    def __init__(self) -> None:
        self.objects = self.length = self.new_objects = self.new_length = 0

    def add(self, blob: Blob, new: bool) -> Blob:
        self.objects += 1
        self.length += blob.length
        if new:
            self.new_objects += 1
            self.new_length += blob.length
        return blob


@dataclass(frozen=True)
class Made:
    """`news`: what the office did since the backup before."""

    receipt: Receipt
    count: Count
    news: tuple[Finding, ...]


@dataclass(frozen=True)
class Wish:
    """`now`: seconds since 1970; `with_keys`: keys/ and ecus/ too, encrypted as they are."""

    now: int
    with_keys: bool = False


class Refused(Tampered):
    """The findings are `found`."""

    def __init__(self, found: list[Finding]) -> None:
        super().__init__("the office is not what the newest backup says, so nothing was stored")
        self.found = found


def make(place: Place, vault: Vault, owner: Owner, wish: Wish) -> Made:
    """Store a backup and remember its receipt.

    Refuses with Tampered, BackupDamaged (also when backups that were made are gone), TargetFault.
    """
    kept = owner.receipt(vault.target.name)
    if kept is not None:
        vault.check_receipt(kept)
    for _ in range(TRIES):
        try:
            with place.moment(wish.with_keys) as moment:
                made = _made(Standing(moment), vault, owner, wish)
        except Moved:
            continue
        owner.keep(vault.target.name, made.receipt)
        return made
    raise Malformed(f"the office published {TRIES} times while it was read: try when it is idle")


def _made(standing: Standing, vault: Vault, owner: Owner, wish: Wish) -> Made:
    standing.check()
    identity = ImageRepository.open(standing.store, ()).identity
    news: list[Finding] = []
    if vault.records:
        newest = vault.pick()
        contents = vault.contents(newest)
        if newest.identity != identity:
            raise BackupDamaged(f"{vault.target.name} has the backups of another office")
        found = findings(vault, contents, standing, wish.now)
        if any(one.tampered for one in found):
            raise Refused([one for one in found if one.tampered])
        news = found
        vault.trust(contents)
    contents, count = _stored(standing, vault)
    named, new = vault.put(contents.encode())
    count.add(named, new)
    number = len(vault.records) + 1
    before = vault.receipts[-1].digest if vault.receipts else b""
    record = Record(number, before, wish.now, named.digest, identity)
    receipt = vault.add(record, owner.signer)
    return Made(receipt, count, tuple(news))


def _stored(standing: Standing, vault: Vault) -> tuple[Contents, Count]:
    """Everything as objects."""
    count = Count()
    moment = standing.moment
    kept = {
        table.name: tuple(count.add(*vault.put(raw)) for raw in pieces(moment.connection, table))
        for table in tables()
    }
    files = {}
    for path in moment.paths:
        content = moment.read(path)
        if sha256(content) != standing.files[path].digest:
            raise Moved
        files[path] = count.add(*vault.put(content))
    return Contents(files, HEAD, kept), count
