"""What an owner of backups keeps: the key that signs them, and a receipt of the newest.

The key is a keyring of its own, encrypted by a passphrase, and stays here: it is in no backup. Its
public half is what `verify` and `restore` are told, from wherever it was written down. The
receipts, one for each target, remind this office only; whoever took it over could write others, so
the owner keeps one too.
Rules: R-37, S-19.
"""

import json
from pathlib import Path

from muptane.oem.backup.record import Receipt
from muptane.oem.errors import BadKey, Malformed
from muptane.oem.keys import Key, Signer
from muptane.oem.keystore import Cost, KeyStore

NAME = "backup"
RECEIPTS = "receipts.json"


class Owner:
    """`signer`: the key, made when it is first needed."""

    def __init__(self, folder: Path, passphrase: bytes, cost: Cost | None = None) -> None:
        """Refuses with WrongPassphrase."""
        self._path = folder / RECEIPTS
        keyring = KeyStore(folder, passphrase, cost)
        found = keyring.signers().get(NAME)
        self.signer = found or Signer.generate()
        if found is None:
            keyring.save(NAME, self.signer)

    def receipt(self, target: str) -> Receipt | None:
        """Of the newest backup that was made there."""
        said = receipts(self._path.parent).get(target)
        return None if said is None else Receipt.read(said)

    def keep(self, target: str, receipt: Receipt) -> None:
        """Remember the newest backup."""
        made = {**receipts(self._path.parent), target: str(receipt)}
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(made, indent=2) + "\n")
        draft.replace(self._path)


def receipts(folder: Path) -> dict[str, str]:
    """Target -> the receipt of its newest backup; empty where none was made."""
    try:
        found = json.loads((folder / RECEIPTS).read_text())
    except FileNotFoundError:
        return {}
    except ValueError as fault:
        raise Malformed(f"{folder / RECEIPTS} does not read: {fault}") from fault
    if not isinstance(found, dict):
        raise Malformed(f"{folder / RECEIPTS} has no receipts")
    return {str(target): str(receipt) for target, receipt in found.items()}


def read_key(said: str) -> Key:
    """The public key that somebody wrote down: 64 hexadecimal digits, or the name of a file that
    has them. Refuses with BadKey."""
    text = said.strip()
    try:
        if Path(text).is_file():
            text = Path(text).read_text().strip()
        return Key(bytes.fromhex(text))
    except (BadKey, ValueError, OSError) as fault:
        raise BadKey(f"{said!r} is no public key: it has 64 hexadecimal digits") from fault
