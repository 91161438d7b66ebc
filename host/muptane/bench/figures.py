"""Figures: what is promised, measured. Each is a name, a value, a unit and a target.

Metadata: the bytes that a vehicle has to fetch when it knows nothing. Code: the .mpy bytes of the
modules that a role imports, followed from `uptane.main` through the imports themselves.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muptane.bench import firmware, plan
from muptane.bench.demo import Demo
from muptane.oem.enrolment import NewEcu
from muptane.oem.keys import Signer
from muptane.oem.office import Office
from muptane.oem.sizes import BUNDLE_BYTES_MAX, bundle_bytes
from uptane import ids

KB = 1024
HEAP_BYTES_MAX = {"partial": 32 * KB, "full": 64 * KB, "primary": 96 * KB}
CODE_BYTES_MAX = {"partial": 48 * KB, "full": 64 * KB, "primary": 96 * KB}
ARCHITECTURE = "armv7emsp"  # of the boards with machine code in it; bytecode is the same on all
# What a role does not import (uptane.main and uptane.trust import by role); everything else that
# uptane.main reaches is counted.
OF_PRIMARIES = (
    "uptane.primary",
    "uptane.serving",
    "uptane.shelf",
    "uptane.bundle",
    "uptane.image.depot",
    "uptane.uds.client",
    "uptane.uds.feeding",
)
# What a board has beside its role's update if it says so: DTCs, security access.
OF_WORKSHOPS = ("uptane.uds.diagnosis", "uptane.uds.access", "uptane.crypto.hmac")
# What an ECU has beside that in a vehicle with an identifier for a broadcast.
OF_BROADCASTS = ("uptane.uds.hearing", "uptane.link.broadcast")
# What no role imports unless its provisioning or its board says so: keys that are not Ed25519,
# images that come as deltas or encrypted, or overwrite what runs.
OPTIONAL = (
    "uptane.mac",
    "uptane.crypto.p256",
    "uptane.image.intake",
    "uptane.image.rewriting",
    "uptane.image.scope",
    "uptane.store.regions",
    "uptane.store.sole",
    "uptane.store.span",
    "uptane.lone",
    *OF_WORKSHOPS,
    *OF_BROADCASTS,
)
LEFT_OUT = {
    "partial": (
        "uptane.meta.full",
        "uptane.meta.delegation",
        "uptane.meta.mapping",
        *OF_PRIMARIES,
        *OPTIONAL,
    ),
    "full": ("uptane.meta.partial", *OF_PRIMARIES, *OPTIONAL),
    "primary": ("uptane.meta.partial", *OPTIONAL),
}
AT_TIME = 1_767_225_600


@dataclass(frozen=True)
class Figure:
    """`target` is an upper bound (with `least`, a lower one), or None for a value that is only
    reported. `value`: None where it could not be measured, which meets no target."""

    name: str
    value: float | None
    unit: str
    target: float | None = None
    least: bool = False

    def row(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "ok": self.met(),
        }

    def bound(self) -> str:
        """The target in words; empty without one."""
        if self.target is None:
            return ""
        return f"{'at least' if self.least else 'target'} {self.target:g}"

    def met(self) -> bool:
        if self.target is None:
            return True
        if self.value is None:
            return False
        return self.value >= self.target if self.least else self.value <= self.target


def metadata_figures() -> list[Figure]:
    """The whole bundle, and the eight files it is made of."""
    office = Office.create(lambda: AT_TIME, seed=b"measure")
    vin = "MUPTANE0SEDAN0001"
    public = Signer.from_seed(b"measure", "ecu").key.public
    office.register_vehicle(
        vin, [NewEcu(ecu=1, public=public, hardware=0x1001, verification=ids.PRIMARY)]
    )
    for number in range(101, 108):
        office.release_image(number, b"image %d" % number, [0x1001], number - 100)
    office.assign(vin, 1, 107)
    office.director.welcome(vin, AT_TIME)
    sizes = bundle_bytes(office, vin)
    figures = [Figure(name.replace(" ", "_"), size, "bytes") for name, size in sizes.items()]
    total = Figure("metadata_bundle", sum(sizes.values()), "bytes", BUNDLE_BYTES_MAX)
    return [total, *figures]


def code_figures() -> list[Figure]:
    """.mpy bytes of the modules that each role imports, bytecode only."""
    folder = firmware.compiled(ARCHITECTURE)
    figures = [
        Figure(f"code_{role}", sum(_sizes(folder, LEFT_OUT[role])), "bytes", target)
        for role, target in CODE_BYTES_MAX.items()
    ]
    for name, beside in (("diagnosis", OF_WORKSHOPS), ("broadcast", OF_BROADCASTS)):
        size = sum(_size(folder, module) for module in beside)
        figures.append(Figure(f"code_{name}", size, "bytes"))
    return figures


def heap_figures() -> list[Figure]:
    """Bytes of the smallest heap above code, in steps of 1 KB, with which an ECU of each role
    takes the sedan's update with no reset but that of its trial. The emulator's x64 figures: a
    board of 32 bits needs about 0.7 times as much."""
    planned = plan.load(firmware.ROOT / "vehicles" / "sedan.toml")
    found = []
    for ecu in planned.ecu:
        role = "primary" if ecu.role == "primary" else ecu.verification
        low, high = 0, HEAP_BYTES_MAX[role] // KB
        while high - low > 1:
            middle = (low + high) // 2
            grant = Grant(ecu.name, middle * KB)
            if Demo(planned, "micropython", {}, change=grant.change).updates_cleanly():
                high = middle
            else:
                low = middle
        found.append(Figure(f"heap_{role}", high * KB, "bytes", HEAP_BYTES_MAX[role]))
    return found


@dataclass(frozen=True)
class Grant:
    """Gives one ECU a heap above code of its own, and all others the largest."""

    name: str
    heap_bytes: int

    def change(self, settings: dict[str, Any]) -> None:
        mine = settings["name"] == self.name
        settings["heap_bytes"] = self.heap_bytes if mine else HEAP_BYTES_MAX["primary"]


def _sizes(folder: Path, left_out: tuple[str, ...]) -> Iterator[int]:
    wanted = ["uptane.main", "uptane.port.can_machine", "uptane.port.clock_ticks"]
    seen: set[str] = set()
    while wanted:
        module = wanted.pop()
        if module in seen or module in left_out:
            continue
        name = module.replace(".", "/")
        if name not in firmware.texts():
            continue
        seen.add(module)
        yield _size(folder, module)
        wanted += _imports(firmware.texts()[name])


def _size(folder: Path, module: str) -> int:
    return (folder / f"{module.replace('.', '/')}.mpy").stat().st_size


def _imports(text: str) -> Iterator[str]:
    """Modules of ours that a source imports when it runs, not those for the type checker."""
    stack: list[ast.AST] = [ast.parse(text)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Constant):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uptane"):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        stack.extend(ast.iter_child_nodes(node))
