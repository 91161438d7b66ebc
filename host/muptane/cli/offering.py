"""Options by which the car maker, or a supplier, leaves images to others; and the terms for them.

`--role 20:brakes.json` is one role; more than one is a delegation of which several have to agree.
`--role 20/2:anna.json,ben.json` is one role of two people, both of whom sign. A wrong one becomes
typer's BadParameter, with a sentence. It decides nothing: see `muptane.oem.offers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from muptane.cli.asking import write_new
from muptane.oem.fields import U32_MAX
from muptane.oem.offers import Party
from muptane.oem.spoken import read_aloud
from muptane.oem.terms import Card, Terms

PARTY = re.compile(r"(\d{1,3})(?:/(\d{1,2}))?:(.+)")
RANGE = re.compile(r"(\d{1,10})(?:-(\d{1,10}))?")

RoleOption = Annotated[
    list[str],
    typer.Option("--role", help="NUMBER[/THRESHOLD]:CARD[,CARD...]; several have to agree"),
]
ImagesOption = Annotated[
    list[str], typer.Option("--images", help="numbers of images, FIRST-LAST; may be repeated")
]
HardwareOption = Annotated[
    list[int] | None,
    typer.Option("--hardware", min=0, max=U32_MAX, help="an id; may be repeated; none: all"),
]
AgreementOption = Annotated[
    int | None, typer.Option("--agreement", min=1, help="how many of several roles; none: all")
]
TerminatingOption = Annotated[
    bool, typer.Option("--terminating", help="what is not found here is not searched further")
]
DaysOption = Annotated[int, typer.Option("--days", min=1, help="that a file of theirs may live")]
TermsOption = Annotated[
    Path, typer.Option("--terms", file_okay=False, help="a folder for the terms to send back")
]


def parties_of(said: Iterable[str]) -> tuple[Party, ...]:
    """BadParameter, and what reading a card refuses."""
    return tuple(_party(text) for text in said)


def _party(text: str) -> Party:
    found = PARTY.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"--role {text!r}: say NUMBER:CARD, as in 20:brakes.json")
    number, threshold, paths = found.groups()
    cards = tuple(Card.read(Path(path)) for path in paths.split(","))
    return Party(int(number), cards, None if threshold is None else int(threshold))


def ranges_of(said: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """In ascending order. BadParameter."""
    made = []
    for text in said:
        found = RANGE.fullmatch(text)
        if found is None:
            raise typer.BadParameter(f"--images {text!r}: say FIRST-LAST, as in 200-299")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise typer.BadParameter(f"--images {text}: the first is above the last")
        made.append((first, last))
    return tuple(sorted(made))


def hardware_of(said: Sequence[int] | None) -> tuple[int, ...] | None:
    return tuple(sorted(set(said))) if said else None


def hand_out(terms: Iterable[Terms], folder: Path) -> None:
    """A file of terms for each, and the words to compare it by. BadParameter."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in terms:
        path = folder / f"terms-{one.role}.json"
        write_new(path, one.write())
        typer.echo(f"{path}: for {one.supplier}, who compares these words with you by telephone:")
        typer.echo(read_aloud(one.digest()))
