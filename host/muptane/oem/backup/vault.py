"""A target with the series of backups on it, each held against the public key that is pinned.

Objects are called by their SHA-256 and written once, so whatever two backups have in common lies
there once. Nothing is believed: a record must be signed, numbered without a gap and name the one
before; an object must have its name's hash. It deletes nothing: backups are thrown away by whoever
owns the target, from the newest series down or all at once.
Rules: S-18, S-19, R-37, R-39.
"""

from muptane.oem.backup.contents import Blob, Contents
from muptane.oem.backup.record import (
    FOLDER,
    Receipt,
    Record,
    read_record,
    receipt_of,
    record_name,
)
from muptane.oem.backup.target import Target
from muptane.oem.errors import BackupDamaged
from muptane.oem.fields import sha256
from muptane.oem.keys import Key, Signer

OBJECTS = "objects"


def object_name(digest: bytes) -> str:
    said = digest.hex()
    return f"{OBJECTS}/{said[:2]}/{said}"


class Vault:
    """`records`: all there are, the first one first; `receipts`: of each."""

    def __init__(self, target: Target, key: Key) -> None:
        """Reads and verifies the series. Refuses with BackupDamaged, TargetFault."""
        self.target = target
        self.records: list[Record] = []
        self.receipts: list[Receipt] = []
        self._key = key
        self._sizes: dict[str, int] | None = None
        self._sound: set[bytes] = set()
        numbers = sorted(target.sizes(FOLDER))
        for number, name in enumerate(numbers, 1):
            if name != record_name(number):
                raise BackupDamaged(f"{target.name}: {record_name(number)} is not there")
            self._append(number, target.read(name) or b"")

    def _append(self, number: int, raw: bytes) -> None:
        where = f"{self.target.name}: {record_name(number)}"
        try:
            record = read_record(raw, self._key)
        except BackupDamaged as fault:
            raise BackupDamaged(f"{where}: {fault}") from fault
        before = self.receipts[-1].digest if self.receipts else b""
        if (record.number, record.previous) != (number, before):
            raise BackupDamaged(f"{where} does not follow the record before it")
        self.records.append(record)
        self.receipts.append(receipt_of(number, raw))

    def check_receipt(self, receipt: Receipt) -> None:
        """That the backup of which this was kept is still in the series, else BackupDamaged."""
        if receipt.number > len(self.receipts):
            there = len(self.receipts) or "none"
            raise BackupDamaged(
                f"{self.target.name}: backup {receipt.number} was made and is gone, the newest is"
                f" {there}: somebody took it away, or this is another target"
            )
        if self.receipts[receipt.number - 1] != receipt:
            raise BackupDamaged(
                f"{self.target.name}: backup {receipt.number} is not the one of the receipt"
            )

    def pick(self, number: int = 0) -> Record:
        """The record of a backup; 0: the newest. Refuses with BackupDamaged."""
        if not self.records:
            raise BackupDamaged(f"{self.target.name}: there is no backup")
        if not 0 <= number <= len(self.records):
            newest = len(self.records)
            raise BackupDamaged(f"{self.target.name}: no backup {number}, the newest is {newest}")
        return self.records[number - 1]

    def contents(self, record: Record) -> Contents:
        return Contents.read(self.read(record.contents))

    def read(self, digest: bytes) -> bytes:
        """An object, verified. Refuses with BackupDamaged."""
        raw = self.target.read(object_name(digest))
        if raw is None:
            raise BackupDamaged(f"{self.target.name}: {object_name(digest)} is gone")
        if sha256(raw) != digest:
            raise BackupDamaged(f"{self.target.name}: {object_name(digest)} was changed")
        return raw

    def check(self, contents: Contents) -> None:
        """Read everything that a backup contains. Refuses with BackupDamaged."""
        for blob in contents.blobs():
            self.read(blob.digest)

    def trust(self, contents: Contents) -> None:
        """Take it that what an earlier backup contains is sound if it is there in its length."""
        self._sound.update(blob.digest for blob in contents.blobs())

    def put(self, content: bytes) -> tuple[Blob, bool]:
        """Keep an object; whether it is new. One that is there and is not what its name says is
        refused with BackupDamaged."""
        blob = Blob.of(content)
        name = object_name(blob.digest)
        if self._sizes is None:
            self._sizes = self.target.sizes(OBJECTS)
        if name not in self._sizes:
            self.target.write(name, content)
            self._sizes[name] = len(content)
            return blob, True
        if self._sizes[name] != blob.length:
            raise BackupDamaged(f"{self.target.name}: {name} was changed")
        if blob.digest not in self._sound:
            self.read(blob.digest)
        return blob, False

    def add(self, record: Record, signer: Signer) -> Receipt:
        """Sign and keep a record: from now on, the backup is there."""
        raw = record.sign(signer)
        self.target.write(record_name(record.number), raw)
        self._append(record.number, raw)
        return self.receipts[-1]
