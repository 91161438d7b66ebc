"""An office as it stands at one moment, while it goes on working.

The order is what makes it one moment: the inventory first, then one generation of the Image
repository, the private keys last. An image is published before the inventory knows it, and a key
is kept before it signs, so what was read first never speaks of what was read later and is missing.
A generation that is swept away while it is read is a `Moved`: begin again. Nothing is written.
Rules: R-32, S-19, T-17.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from muptane.oem.backup.contents import IMAGES, SECRETS
from muptane.oem.backup.rows import reading
from muptane.oem.errors import Malformed
from muptane.oem.keystore import SecretStore
from muptane.oem.storage import DirectoryStore

INVENTORY = "inventory.sqlite"


class Moved(Exception):
    """What was being read is not there any more, because something newer is."""


@dataclass(frozen=True)
class Place:
    """Where an office stands: its folder, and the SQLAlchemy URL of its inventory."""

    folder: Path
    inventory: str

    @classmethod
    def of(cls, folder: Path, inventory: str = "") -> "Place":
        """Refuses with Malformed a folder that is no office's."""
        if not (folder / "images" / DirectoryStore.CURRENT).is_symlink():
            raise Malformed(f"{folder} is not the folder of an office: it has no images/current")
        if not inventory and not (folder / INVENTORY).is_file():
            raise Malformed(f"{folder} has no {INVENTORY}: say where the inventory is")
        return cls(folder, inventory or f"sqlite:///{folder / INVENTORY}")

    @contextmanager
    def moment(self, with_keys: bool) -> Iterator["Moment"]:
        """What stands there now, with the encrypted keys or without."""
        with reading(self.inventory) as connection:
            yield Moment(self.folder, connection, with_keys)


class Moment:
    """`connection`: reads the inventory; `names`: of the files of the Image repository; `paths`:
    of all files, from the office's folder."""

    def __init__(self, folder: Path, connection: Connection, with_keys: bool) -> None:
        self.connection = connection
        link = folder / "images" / DirectoryStore.CURRENT
        self._generation = link.resolve()
        self._folder = folder
        try:
            names = sorted(os.listdir(self._generation))
        except FileNotFoundError as fault:
            raise Moved from fault
        if link.resolve() != self._generation:  # else the list may be of what is being swept
            raise Moved
        self.names = tuple(names)
        secrets = _secrets(folder) if with_keys else []
        self.paths = [*(IMAGES + name for name in names), *secrets]

    def read(self, path: str) -> bytes:
        """A file of `paths`, whole."""
        place = self._folder / path
        if path.startswith(IMAGES):
            place = self._generation / path.removeprefix(IMAGES)
        try:
            return place.read_bytes()
        except FileNotFoundError as fault:
            raise Moved from fault

    def published(self, name: str) -> bytes:
        """A file of the Image repository."""
        return self.read(IMAGES + name)


def _secrets(folder: Path) -> list[str]:
    endings = (SecretStore.ENDING, SecretStore.HEADER)
    found = []
    for kind in SECRETS:
        if (folder / kind).is_dir():
            found += [kind + name for name in os.listdir(folder / kind) if name.endswith(endings)]
    return sorted(found)
