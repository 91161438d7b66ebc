"""What a flow is: something that a vehicle does and that writes flash, under a name.

A flow is a function in one of `campaign.MODULES`, a few lines long, with `@flow` above it: it is
handed a `Site` whose vehicle is on and has taken an honest update, and plays from there to the
flow's end. What has to be made ready first, without faults, is `prepare`. Its docstring says what
happens. Replays, faults, judging, the command line and the documents are made from these objects.

It plays nothing: see `site` (one vehicle) and `engine` (all of its faults).
Rules: E-79.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from muptane.bench.faults.site import Site

Play = Callable[["Site"], None]
Alter = Callable[[dict[str, Any]], None]


def nothing(site: Site) -> None:
    """There is nothing to make ready."""


def the_same(settings: dict[str, Any]) -> None:
    """The boards are as the geometry has them."""


@dataclass(frozen=True)
class Flow:
    """`alter` may change an ECU's board further than the geometry does. `has`: what the ECU at
    stake can do besides, as keys of its plan: deltas, decrypts, in_place."""

    name: str
    what: str
    play: Play
    prepare: Play = nothing
    alter: Alter = the_same
    has: tuple[str, ...] = ()


FLOWS: dict[str, Flow] = {}


def flow(
    prepare: Play = nothing, alter: Alter = the_same, has: tuple[str, ...] = ()
) -> Callable[[Play], Play]:
    """Makes a Flow of the function below it, and enters it into FLOWS."""

    def enter(play: Play) -> Play:
        name = play.__name__
        if name in FLOWS:
            raise ValueError(f"two flows are called {name}")
        what = " ".join((play.__doc__ or "").split())
        FLOWS[name] = Flow(name, what, play, prepare, alter, has)
        return play

    return enter
