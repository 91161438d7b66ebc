"""All attacks there are, by theme; and docs/threats.md, which is made from them.

A theme is a module beside this one that has attacks: its docstring's first line is the theme's
name. A new file is found by itself, and stands behind those of ORDER.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from muptane.bench import attacks
from muptane.bench.attacks.attack import ATTACKS, BACKOFFICE, ECUS, INSTALLS, Attack
from muptane.refusals import ADVICE

ORDER = (
    "rollback",
    "freeze",
    "expiry",
    "time",
    "arbitrary_software",
    "encryption",
    "wraps",
    "deltas",
    "bombs",
    "encrypted_deltas",
    "pieces",
    "scopes",
    "directions",
    "roots",
    "signatures",
    "suppliers",
    "delegations",
    "encodings",
    "endless_data",
    "slow_retrieval",
    "diagnostics",
    "broadcast",
    "bundles",
    "reports",
)
COLUMNS = (*ECUS, BACKOFFICE)

HEAD = """\
# Threats

Made by `make threats` from the attacks in `host/muptane/bench/attacks`; each can be played:
`muptane attack run NAME`. A verdict is the refusal of that kind of ECU, or *installs*, *accepted*
or *detected*; every one is held against a running vehicle. The ids are explained in
[rules.toml](rules.toml), the numbers in [pouf.md](pouf.md).
"""

TAIL = """\
## What a running application can do

An application that was verified and installed runs in the same interpreter as the updater, on
boards without a memory protection that MicroPython would use. A hostile one, which needs the keys
of its supplier and of the Director, can send any frame, read the ECU's signing seed, and write
flash. It cannot make another ECU install anything: each verifies for itself. The programming
session runs without it.

## What a Director's keys can do to an ECU without a spare slot

Its pieces are signed by the Director alone, for how an image travels is not the Image repository's
business. With the Director's keys an attacker can overwrite the image that such an ECU runs with
pieces of his own. What they make has another hash, so it never runs; the ECU says that it runs
nothing, and the next honest cycle brings the new image or the old one. He gains a vehicle that
stands still, not one that runs his code; an ECU that must not stand still has a spare slot.

## What anybody on the bus can do

What UDS authentication guards here is a fingerprint that nothing reads but a tester. Without it a
tester can stop or mute an ECU's application for as long as it sends requests, reset it (except
while an image is on trial), clear its DTCs until it resets, read what it runs, and hold up an
update. With it, it can do no more.
It cannot install or re-identify anything, nor read keys: no file number reaches them. What is not
confirmed yet of a bundle that goes together it can roll back, or commit to one ECU and not to
another.
"""


def found() -> tuple[ModuleType, ...]:
    """Every theme there is, imported."""
    names = {module.name for module in iter_modules(attacks.__path__)}
    modules = {name: import_module(f"{attacks.__name__}.{name}") for name in sorted(names)}
    made = {one.play.__module__ for one in ATTACKS.values()}
    themes = [name for name in modules if modules[name].__name__ in made]
    themes.sort(key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    return tuple(modules[name] for name in themes)


def of_theme(module: ModuleType) -> list[Attack]:
    """The attacks of one file, in the order in which they stand there."""
    return [one for one in ATTACKS.values() if one.play.__module__ == module.__name__]


THEMES = found()


def verdict(attack: Attack, verification: str) -> str:
    """What is expected, in words; a dash where the attack means nothing."""
    if verification not in attack.expected:
        return "–"
    expected = attack.verdict(verification)
    return f"{expected} {ADVICE[expected].name}" if isinstance(expected, int) else expected


def threats() -> str:
    """The text of docs/threats.md."""
    return "\n".join([HEAD, *(line for module in THEMES for line in _theme(module)), TAIL])


def _theme(module: ModuleType) -> Iterator[str]:
    title = str(module.__doc__).splitlines()[0].rstrip(".")
    yield f"## {title}\n"
    yield f"| attack | ids | aim | the attacker has | {' | '.join(COLUMNS)} |"
    yield "|" + "---|" * (4 + len(COLUMNS))
    listed = of_theme(module)
    for one in listed:
        rules = ", ".join(one.ids)
        verdicts = " | ".join(verdict(one, column) for column in COLUMNS)
        yield f"| {one.name} | {rules} | {one.aim} | {one.possession()} | {verdicts} |"
    yield ""
    limits = [one for one in listed if one.limit]
    for one in limits:
        why = "installs by design" if INSTALLS in one.expected.values() else "works by design"
        yield f"- *{one.name}* {why}: {one.limit}."
    if limits:
        yield ""
