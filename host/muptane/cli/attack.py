"""`muptane attack`: list the attacks there are, and play them against a vehicle.

It only shows what `muptane.bench.attacks` does. A verdict that is not the expected one ends with
exit code 1, bad arguments with a sentence and 2.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from muptane.bench import plan
from muptane.bench.attacks.attack import ATTACKS, STATE, VERDICT, Attack, Outcome
from muptane.bench.attacks.engine import Broken, Grounds, Part
from muptane.bench.attacks.index import COLUMNS, THEMES, of_theme, threats, verdict
from muptane.bench.attacks.update import victim_of
from muptane.bench.firmware import ROOT
from muptane.boards import BadBoard
from muptane.cli.demo import SEDAN, choose_nodes
from muptane.oem import deltas
from muptane.refusals import ADVICE
from uptane.algorithms import FORM_DELTA

THREATS = ROOT / "docs" / "threats.md"

app = typer.Typer(help="attacks on a vehicle and its back office", no_args_is_help=True)


@app.command("list")
def show() -> None:
    """Every attack, by theme: its name, its rules, its aim and the verdicts that are expected."""
    console = Console(highlight=False, soft_wrap=True)
    for module in THEMES:
        console.print(f"[bold]{str(module.__doc__).splitlines()[0]}[/]")
        for one in of_theme(module):
            console.print(f"  {one.name}  ({', '.join(one.ids)})\n    {escape(one.aim)}")
            means = [name for name in COLUMNS if name in one.expected]
            verdicts = ", ".join(f"{name}: {verdict(one, name)}" for name in means)
            console.print(f"    [dim]{verdicts}[/]")
    console.print(f"{len(ATTACKS)} attacks")


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="an attack of `muptane attack list`, or all")],
    vehicle: Annotated[Path, typer.Option(help="the vehicle to attack")] = SEDAN,
    nodes: Annotated[
        str, typer.Option(help="micropython or cpython; what is there, if not said")
    ] = "",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="write the outcomes to this file")
    ] = None,
    jobs: Annotated[int, typer.Option(help="attacks at a time; 0: one a core", min=0)] = 0,
) -> None:
    """Play an attack against each kind of verification for which it means something."""
    console = Console(highlight=False, soft_wrap=True)
    kind = choose_nodes(nodes, console)
    try:
        planned = plan.load(vehicle)
        parts = chosen(name, planned, console)
        if json_file is not None:
            json_file.write_text("")  # now, not after the run: can it be written at all?
        with TemporaryDirectory(prefix="muptane-") as folder:
            grounds = Grounds(planned, kind, Path(folder))
            outcomes = [told(console, one) for one in grounds.play_all(parts, jobs)]
    except (plan.BadVehicle, BadBoard, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    except Broken as broken:
        console.print(f"[red]{broken}[/]")
        raise typer.Exit(1) from broken
    if json_file is not None:
        found = [outcome.as_json() for outcome in outcomes]
        json_file.write_text(json.dumps(found, indent=2) + "\n")
        console.print(f"written to {json_file}")
    bad = [outcome for outcome in outcomes if not outcome.ok]
    names = len({outcome.attack.name for outcome in outcomes})
    console.print(f"{names} attacks, {len(outcomes)} verdicts, {len(bad)} not as expected")
    if bad:
        raise typer.Exit(1)


def chosen(name: str, planned: plan.VehiclePlan, console: Console) -> list[Part]:
    """What is to be played; says what this vehicle has no ECU for."""
    if name != "all" and name not in ATTACKS:
        near = difflib.get_close_matches(name, ATTACKS, 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise typer.BadParameter(f"no attack is called {name!r}{hint} See: muptane attack list")
    if planned.repository:
        raise plan.BadVehicle(
            "the verdicts are those of a vehicle with one Director and one Image repository; "
            "leave out [[repository]]"
        )
    parts: list[Part] = []
    missing: set[str] = set()
    for one in ATTACKS.values() if name == "all" else [ATTACKS[name]]:
        for verification in one.expected:
            lack = lacks(planned, one, verification)
            if lack:
                missing.add(lack)
            else:
                parts.append((one, verification))
    for lack in sorted(missing):
        console.print(f"[yellow]not everything is played: {lack}[/]")
    if not parts:
        raise plan.BadVehicle("this vehicle leaves nothing to play")
    return parts


def lacks(planned: plan.VehiclePlan, one: Attack, verification: str) -> str:
    """What a vehicle, or this computer, has not that an attack on that kind of verification
    needs; or nothing."""
    if len(planned.secondaries()) < one.secondaries:
        return f"{one.name} needs {one.secondaries} Secondaries"
    if one.form & FORM_DELTA and not deltas.available():
        return deltas.MISSING
    try:
        victim_of(planned, verification)
    except plan.BadVehicle as bad:
        return str(bad)
    return ""


def told(console: Console, outcome: Outcome) -> Outcome:
    """One line for one outcome."""
    colour, word = ("green", "ok") if outcome.ok else ("red", "NOT OK")
    seen = outcome.observed
    what = f"{seen} {ADVICE[seen].name}" if isinstance(seen, int) else seen
    line = f"{outcome.attack.name:<44}{outcome.verification:<12}{what}"
    console.print(f"[{colour}]{word:<8}[/]{line}")
    for condition in outcome.failed:
        console.print(f"          {condition}: {wrong(outcome, condition)}")
    return outcome


def wrong(outcome: Outcome, condition: str) -> str:
    """What is wrong with an outcome in which a condition is not met."""
    if condition == VERDICT:
        return f"expected {verdict(outcome.attack, outcome.verification)}"
    if condition == STATE:
        return f"it should be as it was; changed: {', '.join(outcome.changes) or 'not said'}"
    return f"the next honest update does not install: {'; '.join(outcome.told) or 'not said'}"


@app.command("threats")
def document() -> None:
    """Write docs/threats.md from the attacks."""
    THREATS.write_text(threats(), encoding="utf-8")


@app.command("threats-check")
def check_document() -> None:
    """Say whether docs/threats.md is what `threats` would write."""
    if THREATS.read_text(encoding="utf-8") != threats():
        raise typer.BadParameter("docs/threats.md is not today's; run: make threats")
