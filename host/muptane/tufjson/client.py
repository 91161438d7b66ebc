"""The black-box client: a folder of trusted metadata, addresses of repositories, one command.

It carries out what a session decides: fetches, stores, and in the end has `images` bring what was
asked for. It does NOT decide.
Rules: V-61, V-63, V-85.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from muptane.tufjson import images, pipe, player, signatures
from muptane.tufjson.dialect import ALG_SHA512
from muptane.tufjson.fetch import Budget, Patience, fetch
from muptane.tufjson.folder import Folder, file_name
from uptane.errors import NotProvisioned, Withheld
from uptane.ids import ALG_SHA256, DIRECTOR, IMAGE

PATIENCE = Patience()
PATH_SAFE = "/!$&'()*+,;=:@~"


@dataclass(frozen=True)
class Ecu:
    """Who asks the Director; None: any ECU that it names."""

    id: str | None = None
    hardware: str | None = None
    vehicle: str | None = None


class Candidates:
    """The port of a session that looks at Roots which are not stored yet. It brings nothing."""

    def __init__(self, raws: Mapping[int, bytes]) -> None:
        self._raws = raws

    def stored(self, repository: int, file: str) -> bytes | None:
        """The Root that a repository would begin with."""
        return self._raws.get(repository) if file == "root.json" else None

    def fetch(self, repository: int, file: str, cap: int) -> bytes | None:
        """Nothing."""
        return None

    def commit(self, repository: int, files: Mapping[str, bytes | None]) -> None:
        """Store nothing."""

    def verify(
        self, kind: str, scheme: str, public: str, message: bytes, signature: bytes
    ) -> bool:
        """As a Client does."""
        return signatures.verify(kind, scheme, public, message, signature)

    def identity(self, public: str) -> str:
        """What all texts of a key that is not Ed25519 have in common."""
        return signatures.identity(public)


class Client:
    """`metadata`: the folder; with a Director it has one for each repository, `director` and
    `image`. addresses: {DIRECTOR, IMAGE: where metadata is}. nodes: cpython or micropython."""

    def __init__(
        self,
        metadata: Path,
        addresses: Mapping[int, str],
        nodes: str = "cpython",
        patience: Patience = PATIENCE,
    ) -> None:
        self._patience = patience
        self._budget = Budget(patience)
        self._addresses = addresses
        self._nodes = nodes
        self._folders = {IMAGE: Folder(metadata)}
        if DIRECTOR in addresses:
            self._folders = {
                DIRECTOR: Folder(metadata / "director"),
                IMAGE: Folder(metadata / "image"),
            }

    # --- the port of a session ------------------------------------------------------------------

    def stored(self, repository: int, file: str) -> bytes | None:
        """A stored file of a repository."""
        return self._folders[repository].read(file)

    def fetch(self, repository: int, file: str, cap: int) -> bytes | None:
        """A file of a repository as it is there now."""
        address = self._addresses[repository].rstrip("/")
        return fetch(f"{address}/{quote(file, safe='%')}", cap, self._budget.for_file())

    def commit(self, repository: int, files: Mapping[str, bytes | None]) -> None:
        """Store files."""
        self._folders[repository].commit(files)

    def verify(
        self, kind: str, scheme: str, public: str, message: bytes, signature: bytes
    ) -> bool:
        """Is a signature by a key that is not Ed25519?"""
        return signatures.verify(kind, scheme, public, message, signature)

    def identity(self, public: str) -> str:
        """What all texts of a key that is not Ed25519 have in common."""
        return signatures.identity(public)

    # --- the commands ---------------------------------------------------------------------------

    def begin(self, root: Path, director_root: Path | None) -> None:
        """Trust these Roots, if each is one and signed by its own keys. Refusal, OSError: then
        everything is as it was."""
        raws = {IMAGE: root.read_bytes()}
        if DIRECTOR in self._folders:
            if director_root is None:
                raise NotProvisioned
            raws[DIRECTOR] = director_root.read_bytes()
        self._decide(Candidates(raws), {"is_uptane": DIRECTOR in raws})
        for number in raws:
            self._folders[number].commit({"root.json": raws[number]})

    def refresh(self, path: str | None = None, ecu: Ecu | None = None) -> dict[str, Any] | None:
        """Bring all metadata to its newest; return what it says of a path.

        Refusal, Unreachable.
        """
        asked = (
            None
            if ecu is None
            else {"id": ecu.id, "hardware": ecu.hardware, "vehicle": ecu.vehicle}
        )
        self._budget = Budget(self._patience)
        return self._decide(self, {"path": path, "ecu": asked})

    def _decide(self, port: pipe.Port, order: dict[str, Any]) -> dict[str, Any] | None:
        order["now"] = int(time.time())
        if self._nodes == "micropython":
            return pipe.decide(port, order)
        found: dict[str, Any] | None = player.decide(port, order)
        return found

    def download(self, path: str, base: str, folder: Path, ecu: Ecu | None = None) -> None:
        """Bring one image. Refusal, Unreachable, Unwritable."""
        found = self.refresh(path, ecu)
        if found is None:
            raise Withheld
        address = f"{base.rstrip('/')}/{_place(path, found)}"
        images.bring(address, found, folder / file_name(path), self._patience)


def _place(path: str, found: Mapping[str, Any]) -> str:
    """The address of an image: with consistent snapshots a hash stands before its last part."""
    head, slash, last = path.rpartition("/")
    if found["consistent"]:
        name = str(ALG_SHA256) if str(ALG_SHA256) in found["hashes"] else str(ALG_SHA512)
        last = f"{found['hashes'][name].hex()}.{last}"
    return quote(head + slash + last, safe=PATH_SAFE)
