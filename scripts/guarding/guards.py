"""The guards of the store, and the store with one of them taken away.

A guard is a piece of `uptane.store` that is there only because flash can fail. docs/guards.toml
names each by module and function and says by what other text its own is replaced, which must
stand in that function exactly once; so the list cannot rot. `load` writes a copy of the package,
changed there and named otherwise, to a folder and imports it: nothing is patched in place.

It does NOT play faults: scripts.guarding.records, scripts.guarding.slots.
Rules: E-79.
"""

from __future__ import annotations

import ast
import importlib
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "docs" / "guards.toml"
STORE = ROOT / "firmware" / "uptane" / "store"


class BadList(Exception):
    """An entry of docs/guards.toml is not true of the source."""


@dataclass(frozen=True)
class Guard:
    """`was` -> `now` is the planted bug; `faults`, the kinds (scripts.guarding.kinds) that need
    the guard; `why`, where none does."""

    name: str
    module: str
    function: str
    was: str
    now: str
    faults: tuple[str, ...]
    why: str = ""

    def plant(self, source: str) -> str:
        """The module's source with the bug in it. BadList."""
        first, last = _lines(source, self.function)
        lines = source.splitlines(keepends=True)
        before, within, after = lines[:first], "".join(lines[first:last]), lines[last:]
        if within.count(self.was) != 1:
            raise BadList(f"{self.name}: not exactly once in {self.module}.{self.function}")
        return "".join(before) + within.replace(self.was, self.now) + "".join(after)


def _lines(source: str, function: str) -> tuple[int, int]:
    """First line, from 0, and the one behind the last, of a function named as Class.method."""
    nodes: list[Any] = [ast.parse(source)]
    for name in function.split("."):
        nodes = [n for node in nodes for n in node.body if getattr(n, "name", "") == name]
    if len(nodes) != 1:
        raise BadList(f"there is no function {function}")
    return nodes[0].lineno - 1, nodes[0].end_lineno


def listed(path: Path = LIST) -> list[Guard]:
    """The guards of the list. BadList."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["guard"]
    guards = [Guard(**{**entry, "faults": tuple(entry["faults"])}) for entry in entries]
    for guard in guards:
        if not guard.faults and len(guard.why.split()) < 3:
            raise BadList(f"{guard.name}: no fault needs it, and there is no reason why it stays")
    if len({guard.name for guard in guards}) != len(guards):
        raise BadList("two guards of one name")
    return guards


@dataclass(frozen=True)
class Store:
    """The classes of a store that was loaded. `zoned`: the ECU has several regions."""

    area: Any
    records: Any
    slots: Any
    regions: Any
    installed: Any
    state: Any
    zoned: bool = False


def load(folder: Path, name: str, guard: Guard | None = None) -> Store:
    """The store as a package of that name in that folder, without that guard. BadList."""
    package = folder / name
    package.mkdir()
    for path in STORE.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        if guard and path.stem == guard.module:
            source = guard.plant(source)
        source = source.replace("uptane.store", name)
        (package / path.name).write_text(source, encoding="utf-8")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    area, records, slots, regions, boot = (
        importlib.import_module(f"{name}.{module}")
        for module in ("area", "records", "slots", "regions", "boot")
    )
    classes = (area.Area, records.Records, slots.Slots, regions.Regions)
    return Store(*classes, boot.Installed, boot.State)
