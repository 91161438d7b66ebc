"""Trusted metadata of one repository in a folder, each file under its plain name; and images.

A file is replaced by a rename of one that is synced; a commit of several is as many renames, in
the order in which a cut between them leaves floors too high rather than too low. It does NOT
check what it stores.
Rules: V-51, V-90, T-17, E-61.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote


class Folder:
    """`path`: made with the first file that is stored."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str) -> bytes | None:
        """The file, or None."""
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None

    def commit(self, files: Mapping[str, bytes | None]) -> None:
        """Store these files, delete where None."""
        self._path.mkdir(parents=True, exist_ok=True)
        for name in sorted(files, key=lambda name: (files[name] is None, name != "root.json")):
            raw = files[name]
            if raw is None:
                (self._path / name).unlink(missing_ok=True)
            else:
                replace(self._path / name, raw)


def file_name(path: str) -> str:
    """The one name, in a folder, of an image with this path: nothing in it leads elsewhere."""
    name = quote(path, safe="")
    return name.replace(".", "%2E") if name in (".", "..") else name


def replace(path: Path, raw: bytes) -> None:
    """Write a file whole, or leave the old one. OSError: then nothing else is left either."""
    with replacing(path) as file:
        file.write(raw)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` once it is written; if that fails, it is gone. Nobody
    can guess its name, so it is no other file that is there."""
    fresh = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with fresh.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        fresh.unlink(missing_ok=True)
