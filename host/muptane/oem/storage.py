"""Where a repository keeps its files: all files of one publication appear, or none.

A directory holds generations, each a complete folder in which unchanged files are hard links,
and the symbolic link `current`, whose replacement is the one step that publishes (an HTTP
server may serve `current/` as it is). Names follow V-21 and a narrow pattern, so no name leaves
its folder. It needs a POSIX filesystem and one writer at a time.
Rules: R-04, R-07, R-09, V-21, E-61, T-17.
"""

import os
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from muptane.oem.errors import Malformed

NAME = re.compile(r"[0-9a-z]+(\.[0-9a-z]+)+")


class Store(Protocol):
    """Named immutable files; only a publication adds, replaces, or leaves out (`without`), and it
    does all of that at once."""

    def read(self, name: str) -> bytes | None: ...

    def names(self) -> list[str]: ...

    def publish(self, files: Mapping[str, bytes], without: Collection[str] = ()) -> None: ...


def check_names(files: Mapping[str, bytes]) -> None:
    """Refuses with Malformed a name that could mean anything to a filesystem (E-61)."""
    for name in files:
        if NAME.fullmatch(name) is None:
            raise Malformed(f"{name!r} is not the name of a published file")


class MemoryStore:
    """A store that is gone with the process."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        return self._files.get(name)

    def names(self) -> list[str]:
        return sorted(self._files)

    def publish(self, files: Mapping[str, bytes], without: Collection[str] = ()) -> None:
        check_names(files)
        kept = {name: raw for name, raw in self._files.items() if name not in without}
        self._files = {**kept, **files}


class Disk:
    """The strokes that change a disk, each durable when it returns. Tests cut between them."""

    def make_folder(self, path: Path) -> None:
        path.mkdir()

    def write(self, path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def link(self, old: Path, new: Path) -> None:
        os.link(old, new)

    def settle(self, folder: Path) -> None:
        """Make the entries of `folder` durable."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def point(self, link: Path, target: str) -> None:
        """Make a symbolic link, which nobody looks at yet."""
        link.unlink(missing_ok=True)
        link.symlink_to(target)

    def replace(self, draft: Path, final: Path) -> None:
        os.replace(draft, final)

    def remove(self, folder: Path) -> None:
        shutil.rmtree(folder)


class DirectoryStore:
    """A store in `folder`, which it makes if it is missing."""

    CURRENT = "current"
    DRAFT = "current.draft"
    GENERATIONS = "generations"

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or Disk()
        self._generations = folder / self.GENERATIONS
        self._generations.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> bytes | None:
        check_names({name: b""})
        path = self._folder / self.CURRENT / name
        return path.read_bytes() if path.is_file() else None

    def names(self) -> list[str]:
        current = self._folder / self.CURRENT
        return sorted(path.name for path in current.iterdir()) if current.is_dir() else []

    def publish(self, files: Mapping[str, bytes], without: Collection[str] = ()) -> None:
        """All of `files` beside and over what is there, less what `without` names. A fault leaves
        everything as it was."""
        check_names(files)
        old = self._current()
        self._sweep(old)
        new = self._generations / f"{self._number(old) + 1:08d}"
        self._disk.make_folder(new)
        for name in self.names():
            if name not in files and name not in without and old is not None:
                self._disk.link(old / name, new / name)
        for name, content in files.items():
            self._disk.write(new / name, content)
        self._disk.settle(new)
        self._disk.settle(self._generations)
        self._disk.point(self._folder / self.DRAFT, f"{self.GENERATIONS}/{new.name}")
        self._disk.replace(self._folder / self.DRAFT, self._folder / self.CURRENT)
        self._disk.settle(self._folder)

    def _current(self) -> Path | None:
        link = self._folder / self.CURRENT
        return self._generations / Path(os.readlink(link)).name if link.is_symlink() else None

    @staticmethod
    def _number(generation: Path | None) -> int:
        return int(generation.name) if generation is not None else 0

    def _sweep(self, current: Path | None) -> None:
        """Remove what nobody sees: generations left behind, finished or not."""
        for generation in sorted(self._generations.iterdir()):
            if generation != current:
                self._disk.remove(generation)
