"""A client of one shop, for tests: what it trusts and what came of a command.

`nodes` says which interpreter decides; everything else is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata
from tuf_shop import Shop, served

from muptane.tufjson.client import Client
from uptane.errors import Refusal
from uptane.ids import IMAGE


class Customer:
    """Has begun with the shop's Root 1."""

    def __init__(self, shop: Shop, folder: Path, address: str, nodes: str) -> None:
        self.shop = shop
        self.metadata = folder / "metadata"
        self.targets = folder / "targets"
        self.address = address
        self.client = Client(self.metadata, {IMAGE: f"{address}/metadata/"}, nodes)
        self.begin(shop.raws["1.root.json"])

    def begin(self, raw: bytes) -> None:
        file = self.metadata.with_name("trusted.json")
        file.write_bytes(raw)
        self.client.begin(file, None)

    def refresh(self) -> None:
        self.client.refresh()

    def download(self, path: str) -> bytes:
        """The file that lies there afterwards."""
        self.client.download(path, f"{self.address}/targets", self.targets)
        return self.targets.joinpath(path.replace("/", "%2F")).read_bytes()

    def has(self, role: str) -> int:
        """The trusted version of a role, 0 without one."""
        file = self.metadata / f"{role}.json"
        return Metadata.from_file(str(file)).signed.version if file.exists() else 0

    def versions(self) -> tuple[int, ...]:
        return tuple(self.has(role) for role in ("root", "timestamp", "snapshot", "targets"))

    def refuses(self, refusal: type[Refusal], path: str = "") -> None:
        """The command is refused so, and nothing but Roots, and what came before it, is new."""
        with pytest.raises(Refusal) as raised:
            self.download(path) if path else self.refresh()
        assert type(raised.value) is refusal

    def asked(self) -> list[str]:
        """What was asked for since the last call."""
        names = [path.removeprefix("metadata/") for path in self.shop.asked]
        self.shop.asked.clear()
        return names


def spoiled(raw: bytes, **changes: Any) -> bytes:
    """A file with other signatures, or fields of `signed`, than it was signed with."""
    value = json.loads(raw)
    for key, change in changes.items():
        if key == "signatures":
            value[key] = change
        else:
            value["signed"][key] = change
    return json.dumps(value).encode()


@contextmanager
def opened(folder: Path, nodes: str = "cpython", shop: Shop | None = None) -> Iterator[Any]:
    """(shop, its customer)"""
    shop = shop or Shop()
    with served(shop) as address:
        yield shop, Customer(shop, folder, address, nodes)
