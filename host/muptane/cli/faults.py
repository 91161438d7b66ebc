"""`muptane faults`: replay what a vehicle does with a fault at every moment, and count what came.

It only shows what `muptane.bench.faults` does. Anything rolled back, bricked or accepted although
corrupt, and a cut that was refused, ends with exit code 1 and with the command that plays that
case again; bad arguments with a sentence and 2.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from muptane.bench import plan
from muptane.bench.faults.campaign import Campaign, faults_for
from muptane.bench.faults.case import Case
from muptane.bench.faults.engine import Broken
from muptane.bench.faults.fault import FAULTS
from muptane.bench.faults.flow import FLOWS
from muptane.bench.faults.geometry import GEOMETRIES
from muptane.bench.faults.judge import RECOVERED, REFUSED, VERDICTS
from muptane.bench.faults.site import stake_of
from muptane.bench.faults.tally import Choice, Tally
from muptane.boards import BadBoard
from muptane.cli.demo import SEDAN, choose_nodes
from muptane.measured import rows_of, table, write_section

T = TypeVar("T")
Place = tuple[str, str]  # flow, geometry
Row = tuple[object, ...]
BAD = VERDICTS[2:]

app = typer.Typer(help="faults of flash and power, at every moment", no_args_is_help=True)


@app.command("list")
def show() -> None:
    """Every flow, every kind of fault, every geometry."""
    console = Console(highlight=False, soft_wrap=True)
    for flow in FLOWS.values():
        console.print(f"flow      {flow.name:<20}{escape(flow.what)}")
    for fault in FAULTS.values():
        ways = f", in {fault.ways} ways" if fault.ways > 1 else ""
        console.print(f"fault     {fault.name:<20}{escape(fault.what)}{ways} ({fault.moments})")
    for one in GEOMETRIES.values():
        console.print(
            f"geometry  {one.name:<20}blocks of {one.slots[0][1]} bytes, program unit "
            f"{one.program_bytes}, image {one.image_bytes}"
        )


@app.command()
def run(
    flow: Annotated[str, typer.Argument(help="a flow of `muptane faults list`, or all")],
    vehicle: Annotated[Path, typer.Option(help="the vehicle to hurt")] = SEDAN,
    nodes: Annotated[str, typer.Option(help="cpython, or micropython: cuts only")] = "cpython",
    geometry: Annotated[str, typer.Option(help="one geometry, or all")] = "all",
    fault: Annotated[str, typer.Option(help="one kind of fault, or all")] = "all",
    sample: Annotated[int, typer.Option(help="cases of each fault; 0: every one", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="which ones")] = 0,
    at: Annotated[int, typer.Option(help="one case alone: its stroke, frame or bit")] = -1,
    way: Annotated[int, typer.Option(help="its way: how the stroke is torn")] = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="write the counts to this file after each flow")
    ] = None,
    jobs: Annotated[int, typer.Option(help="cases at a time; 0: one a core", min=0)] = 0,
) -> None:
    """Play a flow with a fault at every moment, on one geometry or on all."""
    console = Console(highlight=False, soft_wrap=True)
    kind = choose_nodes(nodes, console)
    flows = chosen(FLOWS, flow, "flow")
    geometries = chosen(GEOMETRIES, geometry, "geometry")
    faults = faults_for(kind, tuple(one.name for one in chosen(FAULTS, fault, "fault")))
    if not faults:
        raise typer.BadParameter(f"{fault} cannot be played on MicroPython; see --nodes")
    choice = Choice(faults, sample, seed, only_case(faults, at, way))
    tallies: list[Tally] = []
    try:
        planned = plan.load(vehicle)
        stake_of(planned)
        if json_file is not None:
            json_file.write_text("[]\n")  # now, not after the run: can it be written at all?
        with TemporaryDirectory(prefix="muptane-") as folder:
            campaign = Campaign(planned, kind, Path(folder), jobs)
            for place, one in product(geometries, flows):
                found = campaign.play(one, place, choice)
                tallies += found
                for tally in found:
                    told(console, tally, vehicle, kind)
                if json_file is not None:
                    rows = [tally.as_json() for tally in tallies]
                    json_file.write_text(json.dumps(rows, indent=2) + "\n")
    except (plan.BadVehicle, BadBoard, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    except Broken as broken:
        console.print(f"[red]{escape(str(broken))}[/]")
        raise typer.Exit(1) from broken
    failed = sum(len(tally.failed) for tally in tallies)
    tried = sum(sum(tally.counts.values()) for tally in tallies)
    console.print(f"{len(tallies)} rows, {tried:,} cases, {failed} not as they must be")
    if failed:
        raise typer.Exit(1)


def chosen(known: Mapping[str, T], name: str, what: str) -> list[T]:
    """All of them, or the one of that name."""
    if name == "all":
        return list(known.values())
    if name not in known:
        near = difflib.get_close_matches(name, known, 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else f": {', '.join(known)}, all"
        raise typer.BadParameter(f"no {what} is called {name!r}{hint}")
    return [known[name]]


def only_case(faults: tuple[str, ...], at: int, way: int) -> tuple[Case, ...]:
    """The one case that is to be played, if --at names one."""
    if at < 0:
        return ()
    if len(faults) != 1:
        raise typer.BadParameter("--at is a case of one fault: say --fault")
    if not 0 <= way < FAULTS[faults[0]].ways:
        raise typer.BadParameter(f"{faults[0]} has ways 0 to {FAULTS[faults[0]].ways - 1}")
    return (Case(faults[0], at, way),)


def told(console: Console, tally: Tally, vehicle: Path, nodes: str) -> None:
    """One line for one tally, and for each case that ended badly how to play it again."""
    row = tally.as_json()
    counts = "  ".join(f"{tally.counts[name]:,} {name}" for name in VERDICTS if tally.counts[name])
    share = "all" if tally.exhaustive else f"of {tally.strokes:,}"
    colour, word = ("red", "NOT OK") if tally.failed else ("green", "ok")
    console.print(
        f"[{colour}]{word:<7}[/]{row['flow']!s:<19}{row['fault']!s:<10}{row['geometry']!s:<9}"
        f"{row['tried']:>9,} {share:<13}{counts}"
    )
    for case, verdict in tally.failed:
        console.print(f"       {verdict.verdict}: {escape(verdict.why)}")
        console.print(
            f"       muptane faults run {row['flow']} --geometry {row['geometry']}"
            f" --fault {case.fault} --at {case.at} --way {case.way} --nodes {nodes}"
            f" --vehicle {vehicle}"
        )


@app.command()
def document(
    json_files: Annotated[list[Path], typer.Argument(help="what `run --json` wrote")],
) -> None:
    """Write the counts of one run, or of several, into docs/measured.md; rows of other flows and
    geometries stay as they are."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    bad: dict[tuple[str, str], list[int]] = {}
    for json_file in json_files:
        try:
            for row in json.loads(json_file.read_text()):
                place = row["flow"], row["geometry"]
                names = (RECOVERED, REFUSED) if row[REFUSED] else (RECOVERED,)
                good = [f"{row[name]:,}" for name in names]
                star = "" if row["exhaustive"] else "*"
                cells.setdefault(place, {})[row["fault"]] = " + ".join(good) + star
                before = bad.setdefault(place, [0] * len(BAD))
                bad[place] = [n + row[name] for n, name in zip(before, BAD, strict=True)]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise typer.BadParameter(f"{json_file} is not of `run --json`: {error}") from error
    heads = ["flow", "geometry", *FAULTS, *(name.replace("_", " ") for name in BAD)]
    rows: dict[Place, Row] = {
        place: (*place, *(row.get(name, "-") for name in FAULTS), *bad[place])
        for place, row in cells.items()
    }
    every = merged(rows_of("faults", len(heads)), rows)
    write_section("faults", f"{INTRODUCTION}\n\n{table(heads, every)}")


def merged(kept: list[list[str]], rows: Mapping[Place, Row]) -> list[Row]:
    """The rows that stand in the document, and those that take their places or are new, in the
    order of the flows."""
    found: dict[Place, Row] = {}
    for row in kept:
        numbers = [int(cell.replace(",", "")) for cell in row[-len(BAD) :]]
        found[row[0], row[1]] = (*row[: -len(BAD)], *numbers)
    found.update(rows)
    flows = list(FLOWS)
    known = [(place, row) for place, row in found.items() if place[0] in flows]
    return [row for _, row in sorted(known, key=lambda item: flows.index(item[0][0]))]


INTRODUCTION = """## Faults

Written by `make faults`: each flow of the sedan replayed on named geometries, a fault at every
moment at which it can strike; `*`: at some of them. A moment is a stroke of flash over the whole
vehicle, a frame, or a stored bit; a cut tears its stroke in eight ways. `muptane faults list`
explains the names. The cells count cases that *recovered*: it ends in old or new, and the next
honest update installs; after a plus, those that were *refused*: the ECU detected rot or wear,
used nothing older and answers, and the next update, or a part provisioned anew, heals it."""
