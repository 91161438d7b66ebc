"""Where backups lie: a folder, or whatever fsspec knows by URL. Bytes under a name, written once.

A file appears whole or not at all: in a folder by a draft that is synced and renamed, elsewhere by
a transaction of fsspec (an object store shows what was uploaded completely). A fault of the
place (full, forbidden, gone) is a TargetFault with a sentence. It knows nothing of what it keeps,
keeps nothing secret, and has one writer at a time.
Rules: S-19.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from fsspec.core import url_to_fs  # type: ignore[import-untyped]

from muptane.oem.errors import TargetFault
from muptane.oem.storage import Disk

DRAFT = ".draft"
FAULTS = {
    errno.ENOSPC: "it is full: make room and run this again, it goes on where it stopped",
    errno.EDQUOT: "the quota is used up: make room and run this again, it goes on from there",
    errno.EACCES: "you may not read or write there",
    errno.EPERM: "you may not read or write there",
    errno.EROFS: "it can only be read",
}


class Target(Protocol):
    """`name`: what the user calls it."""

    name: str

    def read(self, name: str) -> bytes | None: ...

    def sizes(self, folder: str) -> dict[str, int]:
        """Name -> bytes of every file below `folder`."""

    def write(self, name: str, content: bytes) -> None: ...


@contextmanager
def _said(place: str, name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, NotImplementedError) as fault:
        number = fault.errno if isinstance(fault, OSError) else None
        said = fault.strerror if isinstance(fault, OSError) else None
        why = FAULTS.get(number or 0) or said or str(fault) or type(fault).__name__
        raise TargetFault(
            f"{place}: {name}: {why}. Backups that are there are as they were"
        ) from (fault)


class FolderTarget:
    """A folder, made when something is first written."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.name = str(folder)
        self.folder = folder
        self._disk = disk or Disk()

    def read(self, name: str) -> bytes | None:
        with _said(self.name, name), suppress(FileNotFoundError):
            return (self.folder / name).read_bytes()
        return None

    def sizes(self, folder: str) -> dict[str, int]:
        with _said(self.name, folder):
            _check_folder(self.folder)
            found = (path for path in (self.folder / folder).rglob("*") if path.is_file())
            return {
                str(path.relative_to(self.folder)): path.stat().st_size
                for path in found
                if path.suffix != DRAFT
            }

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        draft = path.with_name(path.name + DRAFT)
        with _said(self.name, name):
            if path.exists():
                raise FileExistsError(errno.EEXIST, "it is there already")
            self._make(path.parent)
            try:
                self._disk.write(draft, content)
            except OSError:
                draft.unlink(missing_ok=True)
                raise
            self._disk.replace(draft, path)
            self._disk.settle(path.parent)

    def _make(self, folder: Path) -> None:
        _check_folder(folder)
        if not folder.is_dir():
            self._make(folder.parent)
            self._disk.make_folder(folder)
            self._disk.settle(folder.parent)


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a directory")


class RemoteTarget:
    """Below `root` of a file system of fsspec."""

    def __init__(self, name: str, files: Any, root: str) -> None:
        self.name = name
        self._files = files
        self._root = root.rstrip("/")

    def read(self, name: str) -> bytes | None:
        with _said(self.name, name), suppress(FileNotFoundError):
            return bytes(self._files.cat_file(f"{self._root}/{name}"))
        return None

    def sizes(self, folder: str) -> dict[str, int]:
        with _said(self.name, folder):
            self._files.invalidate_cache()
            found = self._files.find(f"{self._root}/{folder}", detail=True)
            return {
                path.removeprefix(f"{self._root}/"): int(info["size"])
                for path, info in found.items()
            }

    def write(self, name: str, content: bytes) -> None:
        path = f"{self._root}/{name}"
        with _said(self.name, name):
            if self._files.exists(path):
                raise FileExistsError(errno.EEXIST, "it is there already")
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self._files.transaction, self._files.open(path, "wb") as file:
                file.write(content)


def open_target(url: str) -> Target:
    """The target at a path or URL. Refuses with TargetFault what fsspec does not know."""
    if "://" not in url:
        return FolderTarget(Path(url))
    try:
        files, root = url_to_fs(url)
    except (ImportError, ValueError, OSError) as fault:
        raise TargetFault(f"{url}: {fault}") from fault
    if url.startswith(("file://", "local://")):
        return FolderTarget(Path(root))
    return RemoteTarget(url, files, root)
