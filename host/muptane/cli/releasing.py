"""`muptane oem release`, `want`: an image becomes known, and is wanted on a vehicle.

What an image asks of its vehicle is said with it, as `--needs 30:2` (release 2 or later on
hardware 30), `30:2-5` or `30` (any). A wish is solved at once: what has to come with it is wanted
too, and what cannot be is refused with the images that conflict. Exit codes as `muptane oem`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from muptane.cli import asking
from muptane.cli.offices import HERE, OfficeOption, at_work, looking, now
from muptane.oem.asking import want as want_images
from muptane.oem.demands import Demand
from muptane.oem.next_steps import STEPS
from uptane.limits import VERSION_MAX

DEMAND = re.compile(r"(\d+)(?::(\d+)(-(\d*))?)?")
WISH = re.compile(r"(\d+)=(\d+)")
FORM = "HARDWARE, HARDWARE:LOWEST or HARDWARE:LOWEST-HIGHEST"

app = typer.Typer()


@app.command()
def release(
    image: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="its bytes")],
    number: Annotated[int, typer.Option(min=1, help="never used before")],
    hardware: Annotated[list[int], typer.Option(min=1, help="it is for; may be repeated")],
    counter: Annotated[int, typer.Option("--release", min=0, help="release counter")],
    needs: Annotated[
        list[str] | None, typer.Option(help=f"what has to run beside it: {FORM}")
    ] = None,
    conflicts: Annotated[
        list[str] | None, typer.Option(help=f"what must not run beside it: {FORM}")
    ] = None,
    confidential: Annotated[
        bool, typer.Option("--confidential", help="it leaves only encrypted")
    ] = False,
    office: OfficeOption = HERE,
    passphrase_file: asking.PassphraseOption = None,
) -> None:
    """Publish an image, with what it asks of the rest of its vehicle."""
    demands = [*_demands("needs", needs or ()), *_demands("conflicts", conflicts or ())]
    with asking.refusing(STEPS), at_work(office, passphrase_file) as opened:
        opened.release_image(number, image.read_bytes(), hardware, counter, confidential)
        opened.demand(number, demands)
    typer.echo(f"Image {number} is released.")
    for demand in demands:
        typer.echo(f"  It {demand}.")


@app.command()
def want(
    vehicle: Annotated[str, typer.Argument(help="its id")],
    wishes: Annotated[list[str], typer.Argument(help="ECU=IMAGE, by numbers")],
    office: OfficeOption = HERE,
) -> None:
    """Want images on the ECUs of a vehicle, and whatever they need; it learns of them after its
    next manifest."""
    found = [WISH.fullmatch(wish) for wish in wishes]
    wrong = [wish for wish, match in zip(wishes, found, strict=True) if match is None]
    if wrong:
        raise typer.BadParameter(f"{wrong[0]!r} is not ECU=IMAGE, as in 3=302")
    asked = {int(match[1]): int(match[2]) for match in found if match is not None}
    if len(asked) != len(wishes):
        raise typer.BadParameter("an ECU runs one image: name it once")
    with asking.refusing(STEPS), looking(office) as inventory:
        made = want_images(inventory, vehicle, asked, now())
    for ecu, image in made.items():
        why = "" if ecu in asked else ", because of the others"
        typer.echo(f"ECU {ecu}: image {image}{why}")


def _demands(kind: Literal["needs", "conflicts"], said: Iterable[str]) -> list[Demand]:
    return [_demand(kind, one) for one in said]


def _demand(kind: Literal["needs", "conflicts"], said: str) -> Demand:
    """BadParameter."""
    match = DEMAND.fullmatch(said)
    if match is None:
        raise typer.BadParameter(f"{said!r} is not {FORM}, as in 30:2 or 30:2-5")
    hardware, lowest, to, highest = match.groups()
    low = int(lowest or 0)
    high = int(highest) if highest else VERSION_MAX
    try:
        return Demand(kind=kind, hardware=int(hardware), lowest=low, highest=high)
    except ValidationError as fault:
        raise typer.BadParameter(f"{said!r}: {fault.errors()[0]['msg']}") from fault
