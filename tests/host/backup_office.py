"""An office in a folder, with a vehicle and a supplier, and a target that has backups of it.

Not a test file.
"""

import copy
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from oem_vehicle import NOW, Vehicle

from muptane.oem.backup.compare import Standing, findings
from muptane.oem.backup.live import Place
from muptane.oem.backup.making import Wish, make
from muptane.oem.backup.restoring import Aim, Backup, restore
from muptane.oem.backup.signing import Owner
from muptane.oem.backup.target import FolderTarget
from muptane.oem.backup.vault import Vault
from muptane.oem.delegations import Delegation
from muptane.oem.keys import Holders, Signer
from muptane.oem.keystore import Cost
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.supplier import Supplier
from muptane.oem.targets import entry_of

PASSPHRASE = b"passphrase"
SUPPLIER = 16


class Kept:
    """`office` in `folder`, whose backups `vault` has; `now` may be moved."""

    def __init__(self, folder: Path, target=None):
        self.now = NOW
        self.folder = folder / "office"
        self.folder.mkdir(parents=True)
        self.premises = Premises(self.folder, PASSPHRASE, Cost.cheap())
        self.office = Office.create(lambda: self.now, self.premises, seed=b"kept")
        self.vehicle = Vehicle()
        self.office.register_vehicle("VIN1", self.vehicle.new())
        for number, content in ((6, b"brake 1"), (7, b"brake 2"), (8, b"door 2")):
            self.office.release_image(number, content, [30] if number == 8 else [20], number)
        self.office.images.withdraw_image(6)
        self.supplier = self.a_supplier()
        self.report()
        self.office.assign("VIN1", 2, 7)
        self.report()
        self.owner = Owner(folder / "owner", PASSPHRASE, Cost.cheap())
        self.target = target or FolderTarget(folder / "target")

    def copied(self, folder: Path, target=None) -> "Kept":
        """The same, in another folder, without what is on the target."""
        made = copy.copy(self)
        made.vehicle, made.supplier = copy.deepcopy(self.vehicle), copy.copy(self.supplier)
        made.folder = folder / "office"
        shutil.copytree(self.folder, made.folder, symlinks=True)
        made.premises = Premises(made.folder, PASSPHRASE, Cost.cheap())
        made.office = Office.open(lambda: made.now, made.premises, seed=b"kept")
        shutil.copytree(self.folder.parent / "owner", folder / "owner")
        made.owner = Owner(folder / "owner", PASSPHRASE, Cost.cheap())
        made.target = target or FolderTarget(folder / "target")
        return made

    def a_supplier(self):
        made = Supplier(
            SUPPLIER,
            Holders.of(Signer.from_seed(b"kept", "supplier")),
            self.office.images.identity,
        )
        delegation = Delegation(ranges=((300, 399),), roles=(made.delegate,))
        raw = made.sign({300: entry_of(b"door 3", [30], 3)}, self.now)
        self.office.delegate(delegation, [raw], {300: b"door 3"})
        return made

    def report(self):
        manifest = self.vehicle.manifest(self.office.director.identity)
        return self.office.accept_manifest("VIN1", manifest)

    @property
    def key(self):
        return self.owner.signer.key

    @property
    def vault(self):
        """As whoever comes anew finds it."""
        return Vault(self.target, self.key)

    @property
    def place(self):
        return Place.of(self.folder)

    @property
    def current(self):
        """The folder of the files that are published."""
        return (self.folder / "images" / "current").resolve()

    def back_up(self, with_keys=False):
        return make(self.place, self.vault, self.owner, Wish(self.now, with_keys))

    def compare(self, number=0):
        """Everything that is found now."""
        vault = self.vault
        contents = vault.contents(vault.pick(number))
        with self.place.moment(contents.has_secrets()) as moment:
            return findings(vault, contents, Standing(moment), self.now)

    def tampered(self, number=0):
        """The sentences of what is nobody's legal work."""
        return [one.sentence for one in self.compare(number) if one.tampered]

    def plant(self, name, content):
        """Put a file beside those that are published, as a thief of the server can."""
        path = self.current / name
        path.unlink(missing_ok=True)  # the generation before has the same file by a hard link
        path.write_bytes(content)

    def sql(self, *statements):
        """What somebody does to the database who is not stopped by its triggers."""
        with closing(sqlite3.connect(self.folder / "inventory.sqlite")) as connection:
            query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            triggers = connection.execute(query).fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement, *values in statements:
                connection.execute(statement, values)
            for _, sql in triggers:
                connection.execute(sql)
            connection.commit()

    def put_back(self, folder):
        """The files that were published once, copied to `folder`, are published again."""
        old = self.current
        shutil.rmtree(old)
        shutil.copytree(folder, old)

    def close(self):
        self.office.close()


def restored(kept, folder, number=0):
    backup = Backup(kept.vault, kept.vault.pick(number))
    restore(backup, Aim(folder))
    return backup
