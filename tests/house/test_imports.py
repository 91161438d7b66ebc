"""Who may import whom: downwards only, in the open, and never in a circle.

Laws 1 and 6 of the house. The order of the device and of the bench stand here as data; a
new module has to be given its place in `DEVICE_ORDER` or `BENCH_ORDER` before it may be imported.

It does not look at hardware or at what host and device share: see test_edges.
"""

import ast
from collections.abc import Iterator

from tests.house.source import Source, bites, keep, paths, python, read, spares

# Law 1. Top to bottom; a module sees lower lines only. A name stands for a module or for a
# package, whose modules see each other.
DEVICE_ORDER = (
    ("main", "port"),
    ("abilities",),
    ("primary", "secondary", "lone"),
    ("serving",),
    ("steps", "identifiers", "bundle", "shelf"),
    ("report", "uds", "image", "cycle", "trust", "trial", "application", "traffic"),
    ("meta.full", "meta.partial"),
    ("meta.decision",),
    ("meta.resolver", "meta.mapping", "meta.trusted", "meta.attested_time"),
    ("meta.delegation",),
    ("meta.targets",),
    ("meta.verify", "meta.files"),
    ("meta.roles", "meta.policy", "meta.wants"),
    ("meta.shape",),
    ("store", "link", "identity", "pace", "thrift", "busoff"),
    ("cose", "mac"),
    ("cbor", "crypto"),
    ("ids", "limits", "errors", "algorithms"),
)
BENCH_ORDER = (
    ("cli",),
    ("bench.rig", "bench.views", "bench.explore", "bench.bus_figures", "bench.scale"),
    ("bench.figures", "bench.broadcasting", "bench.crowd"),
    ("bench.goodput",),
    ("bench.installs", "bench.foreign_link"),
    ("bench.demo",),
    ("bench.attacks", "bench.faults"),
    ("bench.maker",),
    ("bench.feeder", "bench.liar", "bench.tester", "bench.provisioning", "bench.onlooker"),
    ("bench.vehicle", "bench.uplink"),
    ("bench.chips", "bench.station", "bench.factory"),
    ("bench.nodes", "bench.parts"),
    ("bench.interpreters",),
    ("bench.join",),
    ("bench.can", "bench.realtime"),
    ("bench.firmware", "bench.settings", "bench.postgres"),
    ("bench.world", "bench.plan", "bench.records", "bench.romfs", "bench.courier"),
)
# Beyond the order: these never meet although one stands above the other.
APART = {
    "meta": ("store", "link"),  # decisions are given bytes, they do not fetch them
}


def room(module: str, order: tuple[tuple[str, ...], ...]) -> tuple[int, str] | None:
    """The line of a module in an order and the name it stands there under."""
    for line, names in enumerate(order):
        for name in names:
            if module == name or module.startswith(name + "."):
                return line, name
    return None


def upward_imports(source: Source) -> Iterator[str]:
    """Law 1."""
    device = source.under("firmware/uptane")
    package, order = ("uptane", DEVICE_ORDER) if device else ("muptane", BENCH_ORDER)
    table = "DEVICE_ORDER" if device else "BENCH_ORDER"
    inner = source.module.removeprefix(package).removeprefix(".")
    if source.stem == "__init__":
        here = None
    elif (here := room(inner, order)) is None:
        yield source.complain(
            1, f"{source.module} has no place in the house", f"add it to {table} in {__name__}"
        )
    for node, _, dotted in source.imports:
        if not dotted.startswith(package + ".") or node in source.for_types:
            continue
        if not device and not dotted.startswith(("muptane.bench", "muptane.cli")):
            continue
        target = dotted.removeprefix(package + ".")
        there = room(target, order)
        if source.stem == "__init__":
            yield source.complain(node, "a package imports its modules", "leave __init__.py empty")
        elif here is not None and there is None:
            yield source.complain(
                node, f"{target} has no place in the house", f"add it to {table} in {__name__}"
            )
        elif here is not None and there is not None:
            yield from _between(source, node, inner, target, order)


def _between(
    source: Source, node: ast.stmt, inner: str, target: str, order: tuple[tuple[str, ...], ...]
) -> Iterator[str]:
    here, there = room(inner, order), room(target, order)
    assert here is not None
    assert there is not None
    if there[1] == "port" and inner == "main":
        return
    if here != there and there[0] <= here[0]:
        beside = "a neighbour" if there[0] == here[0] else "above it"
        yield source.complain(
            node,
            f"{inner} imports {target}, which is {beside}",
            "pass the thing in as an argument, or move the shared part below both",
        )
    for name, strangers in APART.items():
        if inner.startswith(name + ".") and there[1] in strangers:
            yield source.complain(
                node, f"{name} imports {target}", "take and return bytes; the cycle stores them"
            )


def hidden_imports(source: Source) -> Iterator[str]:
    """Law 6."""
    for node, _, dotted in source.imports:
        if dotted.startswith("."):
            yield source.complain(node, f"relative import {dotted}", "write the full module name")
    for function in source.functions():
        for inner in ast.walk(function):
            if not isinstance(inner, ast.Import | ast.ImportFrom):
                continue
            near = source.lines[max(inner.lineno - 2, 0) : inner.end_lineno]
            if not any("#" in line for line in near):
                yield source.complain(
                    inner,
                    "an import inside a function",
                    "move it to the top, or say beside it what RAM or absence it serves",
                )


def uncounted_imports(source: Source) -> Iterator[str]:
    """What an ECU imports late is code all the same: `boards.unix.boot` lists it, and the heap
    that belongs to the ECU begins above it."""
    boot = read("boards/unix/boot.py")
    assert boot is not None
    for function in source.functions():
        for inner in ast.walk(function):
            if not isinstance(inner, ast.ImportFrom) or inner.module is None:
                continue
            package = f"firmware/{inner.module.replace('.', '/')}/__init__.py"
            named = [f"{inner.module}.{alias.name}" for alias in inner.names]
            for module in named if package in paths() else [inner.module]:
                if module.startswith("uptane.") and f'"{module}"' not in boot.text:
                    yield source.complain(
                        inner,
                        f"{module} is imported late, and from the heap of the ECU",
                        "add it to LATER in boards/unix/boot.py",
                    )


def circles(sources: list[Source]) -> list[str]:
    """Modules that import themselves through others: the order leaves that open in a package."""
    known = {source.module for source in sources}
    below: dict[str, set[str]] = {}
    for source in sources:
        dotted = {d for node, _, d in source.imports if node not in source.for_types}
        below[source.module] = (dotted | {d.rpartition(".")[0] for d in dotted}) & known
    for _ in known:
        for seen in below.values():
            seen |= set().union(*(below[name] for name in seen))
    return [
        source.complain(1, f"{source.module} imports itself through others", "split the module")
        for source in sources
        if source.module in below[source.module]
    ]


# --- the laws ---------------------------------------------------------------------------------


def test_imports_on_the_device_go_downwards() -> None:
    keep(upward_imports, python("firmware/uptane"))


def test_imports_in_the_bench_go_downwards() -> None:
    keep(upward_imports, python("host/muptane/bench", "host/muptane/cli"))


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(python("firmware/uptane", "host/muptane")) == []


def test_late_imports_are_counted_as_code() -> None:
    keep(uncounted_imports, python("firmware/uptane"))


def test_imports_are_absolute_and_at_the_top() -> None:
    keep(hidden_imports, python("firmware", "boards", "host", "tests"))


# --- each law bites -----------------------------------------------------------------------------


def test_the_order_of_the_device_bites() -> None:
    bites(upward_imports, "firmware/uptane/cbor.py", "from uptane import primary\n")
    bites(upward_imports, "firmware/uptane/cbor.py", "import uptane.crypto.suite\n")
    bites(upward_imports, "firmware/uptane/store/slots.py", "from uptane.link import isotp\n")
    bites(upward_imports, "firmware/uptane/meta/full.py", "from uptane.store.slots import Slots\n")
    bites(upward_imports, "firmware/uptane/secondary.py", "from uptane.port import flash_rp2\n")
    bites(upward_imports, "firmware/uptane/novelty.py", "")
    bites(upward_imports, "firmware/uptane/__init__.py", "from uptane.cbor import loads\n")
    spares(upward_imports, "firmware/uptane/cose.py", "from uptane.cbor import loads\n")
    spares(upward_imports, "firmware/uptane/main.py", "from uptane.port import clock\n")
    spares(upward_imports, "firmware/uptane/uds/server.py", "from uptane.uds import codes\n")


def test_the_order_of_the_bench_bites() -> None:
    bites(upward_imports, "host/muptane/bench/world.py", "from muptane.bench.can.bus import Bus\n")
    bites(upward_imports, "host/muptane/bench/parts/nor.py", "from muptane.bench import nodes\n")
    bites(upward_imports, "host/muptane/bench/can/bus.py", "from muptane.cli import demo\n")
    spares(
        upward_imports, "host/muptane/bench/can/bus.py", "from muptane.bench.world import World\n"
    )
    spares(upward_imports, "host/muptane/cli/demo.py", "from muptane.oem.keys import Key\n")


def test_a_circle_is_seen() -> None:
    there = Source("firmware/uptane/uds/client.py", "from uptane.uds.server import Server\n")
    again = Source("firmware/uptane/uds/server.py", "from uptane.uds import client\n")
    other = Source("firmware/uptane/uds/codes.py", "")
    assert len(circles([there, again, other])) == 2
    assert circles([there, other]) == []


def test_the_law_of_visible_imports_bites() -> None:
    bites(hidden_imports, "host/muptane/oem/keys.py", "from . import metadata\n")
    bites(hidden_imports, "firmware/uptane/main.py", "def f():\n    import gc\n")
    spares(hidden_imports, "firmware/uptane/main.py", "def f():\n    import gc  # why\n")


def test_the_law_of_late_imports_bites() -> None:
    late = "def f():\n    from {}  # why\n"
    bites(uncounted_imports, "firmware/uptane/main.py", late.format("uptane.novelty import x"))
    bites(uncounted_imports, "firmware/uptane/main.py", late.format("uptane import novelty"))
    spares(uncounted_imports, "firmware/uptane/main.py", late.format("uptane import primary"))
    spares(uncounted_imports, "firmware/uptane/main.py", "from uptane.novelty import x\n")
