"""Trusted metadata of one repository in a folder, each file under its plain name.

A file is replaced by a rename of one that is synced; a commit of several is as many renames, in
the order in which a cut between them leaves floors too high rather than too low. It does NOT
check what it stores.
Rules: V-51, V-90, T-17.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


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


def replace(path: Path, raw: bytes) -> None:
    """Write a file whole, or leave the old one."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
