"""The kinds of faults that a guard may be for, and what is played of each.

The names of single faults are those of `muptane faults list`; a brownout is a cut here, and rot of
a vehicle a flip, since there is one ECU and nothing but its store. Where two stand together, the
part suffers both.
Rules: E-79, E-89.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from muptane.bench.faults.judge import BRICKED, Bad
from scripts.guarding import pairs, records, slots
from scripts.guarding.guards import Store
from uptane.errors import Refusal

Play = Callable[[Store], Iterator[str]]

OF_RECORDS: dict[str, Play] = {
    "cut": records.cut,
    "stuck": records.ailing("stuck"),
    "worn": records.ailing("worn"),
    "lie": records.ailing("lie"),
    "unsteady": records.ailing("unsteady"),
    "flip": records.flip,
    "flip + flip": pairs.flips,
    "cut + flip": pairs.cut_and_flip,
    "flip + unsteady": pairs.flip_and_unsteady,
    "flip + worn": pairs.flip_and("worn"),
    "flip + stuck": pairs.flip_and("stuck"),
}
OF_SLOTS: dict[str, Play] = {
    "cut": slots.cut,
    "stuck": slots.ailing("stuck"),
    "worn": slots.ailing("worn"),
    "lie": slots.ailing("lie"),
    "unsteady": slots.ailing("unsteady"),
    "reset": slots.reset,
    "flip": slots.flip,
}


def zoned(play: Play) -> Play:
    """The same, of an ECU with several regions."""
    return lambda store: play(replace(store, zoned=True))


OF_REGIONS = {kind: zoned(some) for kind, some in OF_SLOTS.items()}
KINDS = tuple(dict.fromkeys([*OF_RECORDS, *OF_SLOTS]))
SUFFER = {"area": (OF_RECORDS, OF_SLOTS), "log": (OF_RECORDS,), "records": (OF_RECORDS,)}
SUFFER |= {"regions": (OF_REGIONS,), "span": (OF_REGIONS,)}
SOUND: tuple[Play, ...] = (records.sound, slots.sound, zoned(slots.sound))
CRASHES = (Refusal, LookupError, ValueError, TypeError, struct.error)  # what ends an ECU's boot


@dataclass(frozen=True)
class Outcome:
    """So many cases; of the first one that ended badly: its verdict (of the fault engine), which
    it was and why."""

    cases: int
    verdict: str = ""
    case: str = ""
    why: str = ""


def plays(kind: str, module: str = "area") -> tuple[Play, ...]:
    """What is played of that kind where a guard of that module is missing."""
    return tuple(some[kind] for some in SUFFER.get(module, (OF_SLOTS,)) if kind in some)


def play(store: Store, several: tuple[Play, ...]) -> Outcome:
    """Until a case ends badly."""
    cases, case = 0, "before the first case"
    try:
        for one in several:
            for name in one(store):
                case = name
                cases += 1
    except Bad as bad:
        return Outcome(cases, bad.verdict, case, str(bad))
    except CRASHES as crash:
        return Outcome(cases, BRICKED, case, repr(crash))
    return Outcome(cases)
