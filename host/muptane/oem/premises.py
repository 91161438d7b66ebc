"""Where a back office keeps its things: keys, secrets of ECUs, its repository, its inventory.

In a folder, the keys behind a passphrase, or nowhere at all, for tests and benches. It makes the
stores and knows nothing of what they hold.
Rules: R-17, R-37.
"""

from dataclasses import dataclass
from pathlib import Path

from muptane.oem.database import IN_MEMORY
from muptane.oem.errors import NoSigner
from muptane.oem.inventory import Inventory
from muptane.oem.key_server import Secrets
from muptane.oem.keystore import (
    Cost,
    Keyring,
    KeyStore,
    MemoryKeys,
    MemorySecrets,
    SecretStore,
)
from muptane.oem.storage import DirectoryStore, MemoryStore, Store


@dataclass(frozen=True)
class Premises:
    """Where an office keeps its things: in `folder` behind `passphrase`, or nowhere at all.

    In `folder`: keys/ and ecus/ (encrypted; the second is the key server's), images/ (the Image
    repository), inventory.sqlite. `database`: the URL of the inventory, if that is elsewhere.
    """

    folder: Path | None = None
    passphrase: bytes = b""
    cost: Cost | None = None
    database: str | None = None

    def keyring(self) -> Keyring:
        if self.folder is None:
            return MemoryKeys()
        if not self.passphrase:
            raise NoSigner("keys on a disk need a passphrase")
        return KeyStore(self.folder / "keys", self.passphrase, self.cost)

    def secrets(self) -> Secrets:
        """Where the key server keeps the symmetric keys of ECUs."""
        if self.folder is None:
            return MemorySecrets()
        return SecretStore(self.folder / "ecus", self.passphrase, self.cost)

    def store(self) -> Store:
        return MemoryStore() if self.folder is None else DirectoryStore(self.folder / "images")

    def inventory(self) -> Inventory:
        file = None if self.folder is None else f"sqlite:///{self.folder / 'inventory.sqlite'}"
        return Inventory(self.database or file or IN_MEMORY)
