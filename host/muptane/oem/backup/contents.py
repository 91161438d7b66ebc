"""What one backup contains, by SHA-256: the files of the office, and the pieces of its inventory.

It is itself an object of the target, which the signed record names; so every byte of a backup
hangs on one signature. As CBOR it is the map {1: 1 (format), 2: [[path, SHA-256, bytes], ...],
3: schema, 4: [[table, [[SHA-256, bytes], ...]], ...]}, paths ascending.
Rules: S-19, E-61.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from muptane.oem.encoding import decode, encode
from muptane.oem.errors import BackupDamaged, OemRefusal
from muptane.oem.fields import sha256
from uptane.limits import DIGEST_BYTES

BACKUP_FORMAT = 1
CONTENTS_BYTES_MAX = 2**31
IMAGES = "images/"
SECRETS = ("keys/", "ecus/")
_PATH = re.compile(r"(images/[0-9a-z]+(\.[0-9a-z]+)+|(keys|ecus)/[a-z0-9]+([.-][a-z0-9]+)*)")

FIELD_FORMAT, FIELD_FILES, FIELD_SCHEMA, FIELD_TABLES = 1, 2, 3, 4


@dataclass(frozen=True)
class Blob:
    """An object of the target."""

    digest: bytes
    length: int

    @classmethod
    def of(cls, content: bytes) -> "Blob":
        return cls(sha256(content), len(content))

    def as_list(self) -> list[object]:
        return [self.digest, self.length]


@dataclass(frozen=True)
class Contents:
    """`files`: path -> object; `schema`: inventory revision; `tables`: name -> its pieces."""

    files: Mapping[str, Blob]
    schema: str
    tables: Mapping[str, tuple[Blob, ...]]

    def encode(self) -> bytes:
        files = [[path, *blob.as_list()] for path, blob in sorted(self.files.items())]
        tables = [
            [name, [blob.as_list() for blob in pieces]]
            for name, pieces in sorted(self.tables.items())
        ]
        made = {
            FIELD_FORMAT: BACKUP_FORMAT,
            FIELD_FILES: files,
            FIELD_SCHEMA: self.schema,
            FIELD_TABLES: tables,
        }
        return encode(made)

    @classmethod
    def read(cls, raw: bytes) -> "Contents":
        """The reverse. Refuses with BackupDamaged, also a path that leaves the office."""
        try:
            match decode(raw, CONTENTS_BYTES_MAX):
                case {1: 1, 2: list(files), 3: str(schema), 4: list(tables)}:
                    return cls(
                        {_path(path): _blob(rest) for path, *rest in files},
                        schema,
                        {str(name): tuple(map(_blob, pieces)) for name, pieces in tables},
                    )
        except (OemRefusal, ValueError, TypeError) as fault:
            raise BackupDamaged(f"not the contents of a backup: {fault}") from fault
        raise BackupDamaged("not the contents of a backup")

    def blobs(self) -> Iterator[Blob]:
        """Everything, each object once."""
        pieces = (blob for table in self.tables.values() for blob in table)
        yield from {blob.digest: blob for blob in (*self.files.values(), *pieces)}.values()

    def images(self) -> dict[str, Blob]:
        """The files of the Image repository, by their names there."""
        return {
            path.removeprefix(IMAGES): blob
            for path, blob in self.files.items()
            if path.startswith(IMAGES)
        }

    def has_secrets(self) -> bool:
        return any(path.startswith(SECRETS) for path in self.files)


def _path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path in an office")
    return path


def _blob(pair: list[object]) -> Blob:
    match pair:
        case [bytes(digest), int(length)] if len(digest) == DIGEST_BYTES:
            return Blob(digest, length)
    raise ValueError("not an object")
