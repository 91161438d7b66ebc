"""`muptane oem reserve` and `muptane oem campaign`: images reach a fleet wave by wave.

`make` begins on the reserved vehicles, `promote` begins the next wave if the gate is open;
`pause`, `resume` and `stop` do what they say. None of it needs a key: who plans campaigns signs
nothing. Exit codes as `muptane oem`: a closed gate is 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from muptane.cli import asking
from muptane.cli.offices import HERE, OfficeOption, looking, now
from muptane.oem import campaigns as made_by
from muptane.oem.campaign_gates import PAUSED, RUNNING, STOPPED
from muptane.oem.campaigns import Plan, Status
from muptane.oem.inventory import Inventory
from muptane.oem.next_steps import STEPS

app = typer.Typer()
campaigns = typer.Typer(help="images for a fleet, in waves", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="of the campaign")]
WhyOption = Annotated[str, typer.Option("--why", help="for the record")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="write it to this file, too")]


@app.command()
def reserve(
    vehicles: Annotated[list[str], typer.Argument(help="their ids")], office: OfficeOption = HERE
) -> None:
    """Let every campaign begin on these vehicles."""
    with asking.refusing(STEPS), looking(office) as inventory:
        for vehicle in vehicles:
            made_by.reserve(inventory, vehicle, now())


@campaigns.command()
def make(
    name: NameArgument,
    images: Annotated[list[int], typer.Option("--image", help="may be repeated")],
    waves: Annotated[str, typer.Option(help="percent of the fleet, ascending")] = "1,10,100",
    enough: Annotated[int, typer.Option(help="percent of a wave that opens the next")] = 90,
    failures: Annotated[int, typer.Option(help="percent that may fail before it stops")] = 2,
    sample: Annotated[int, typer.Option(help="who ended count for so many at least")] = 50,
    office: OfficeOption = HERE,
) -> None:
    """Begin a campaign on the reserved vehicles."""
    try:
        plan = Plan(
            name=name,
            images=tuple(images),
            waves=tuple(int(wave) for wave in waves.split(",")),
            enough=enough,
            failures=failures,
            sample=sample,
        )
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the plan"
        raise typer.BadParameter(f"{where}: {first['msg']}") from fault
    except ValueError as fault:
        raise typer.BadParameter(f"--waves {waves}: say percents, as in 1,10,100") from fault
    _act(office, lambda inventory: made_by.make(inventory, plan, now()))


@campaigns.command()
def promote(name: NameArgument, office: OfficeOption = HERE) -> None:
    """Begin the next wave, if the one before has shown that it may."""
    _act(office, lambda inventory: made_by.promote(inventory, name, now()))


@campaigns.command()
def pause(name: NameArgument, why: WhyOption = "", office: OfficeOption = HERE) -> None:
    """Tell nobody more of it for now."""
    _act(office, lambda inventory: made_by.turn(inventory, name, PAUSED, now(), why))


@campaigns.command()
def resume(name: NameArgument, why: WhyOption = "", office: OfficeOption = HERE) -> None:
    """Go on with one that was paused."""
    _act(office, lambda inventory: made_by.turn(inventory, name, RUNNING, now(), why))


@campaigns.command()
def stop(name: NameArgument, why: WhyOption = "", office: OfficeOption = HERE) -> None:
    """End it for good: who has not installed it is told no more."""
    _act(office, lambda inventory: made_by.turn(inventory, name, STOPPED, now(), why))


@campaigns.command()
def show(name: NameArgument, json_file: JsonOption = None, office: OfficeOption = HERE) -> None:
    """How it stands, and how it came to that."""
    with asking.refusing(STEPS), looking(office) as inventory:
        status = made_by.status(inventory, name)
        steps = made_by.history(inventory, name)
    _print(status)
    for made_s, state, wave, sentence in steps:
        when = datetime.fromtimestamp(made_s, UTC)
        typer.echo(f"  {when:%Y-%m-%d %H:%M:%S} {state}, wave {wave}: {sentence or 'no reason'}")
    if json_file is not None:
        asking.replace(json_file, json.dumps(asdict(status), indent=1).encode())


@campaigns.command("list")
def list_all(json_file: JsonOption = None, office: OfficeOption = HERE) -> None:
    """All that were made, oldest first."""
    with asking.refusing(STEPS), looking(office) as inventory:
        found = made_by.statuses(inventory)
    for status in found:
        _print(status)
    if not found:
        typer.echo("No campaign was made.")
    if json_file is not None:
        asking.replace(json_file, json.dumps([asdict(one) for one in found], indent=1).encode())


def _act(office: Path, act: Callable[[Inventory], Status]) -> None:
    with asking.refusing(STEPS), looking(office) as inventory:
        status = act(inventory)
    _print(status)


def _print(status: Status) -> None:
    images = ", ".join(map(str, status.images))
    why = f" ({status.sentence})" if status.sentence else ""
    typer.echo(
        f"{status.name}: image {images}, {status.state} in wave {status.wave} of"
        f" {status.of_waves}{why}"
    )
    for number, wave in enumerate(status.waves):
        who = "reserved vehicles" if number == 0 else "vehicles"
        left = f", {wave.left_out} left out" if wave.left_out else ""
        typer.echo(
            f"  wave {number}: {wave.members} {who}, {wave.installed} installed it,"
            f" {wave.failed} went back{left}"
        )
