"""`muptane demo`: three emulated ECUs take an update, and you watch them verify it.

It only shows what `muptane.bench.demo` does. Bad arguments end with a sentence and exit code 2,
an ECU or an attack that does not end as expected with exit code 1.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from muptane.bench import firmware, onlooker, plan
from muptane.bench.attacks.attack import INSTALLS, Attack
from muptane.bench.demo import Demo, Seen
from muptane.bench.feeder import Carried
from muptane.bench.vehicle import Nodes
from muptane.boards import BadBoard
from muptane.oem.errors import OemRefusal
from muptane.oem.office import REPOSITORY_NAMES, ROLE_NAMES
from muptane.refusals import ADVICE, explain
from uptane import ids
from uptane.errors import PeerRefused, Refusal

SEDAN = firmware.ROOT / "vehicles" / "sedan.toml"

STEPS = {
    onlooker.REPORTS: "begins a cycle and reports what it runs, signed",
    onlooker.TIME: "is given the attested time",
    onlooker.METADATA: "is given metadata, and verifies it",
    onlooker.IMAGE: "is given its image, and verifies it where it lies in flash",
    onlooker.TRIES: "boots the staged image on trial",
    onlooker.CONFIRMED: "has confirmed it",
}

app = typer.Typer()


@app.command("demo")
def run(
    image: Annotated[
        list[str] | None,
        typer.Option(
            help="ECU=PATH: send this file to an ECU as an opaque image; ECU.REGION=PATH: to that"
            " region of it, alone or with others"
        ),
    ] = None,
    vehicle: Annotated[Path, typer.Option(help="the vehicle to run")] = SEDAN,
    nodes: Annotated[
        str, typer.Option(help="micropython or cpython; what is there, if not said")
    ] = "",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="write the result to this file")
    ] = None,
) -> None:
    """Three emulated ECUs on a CAN bus receive an update that each verifies for itself."""
    console = Console(highlight=False, soft_wrap=True)
    kind = choose_nodes(nodes, console)
    try:
        planned = plan.load(vehicle)
        images = _images(image or [], planned)
        if json_file is not None:
            json_file.write_text("")  # now, not after the run: can it be written at all?
        demo = Demo(planned, kind, images, Narrator(console, planned).tell)
    except (plan.BadVehicle, BadBoard, OemRefusal, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    result = played(console, demo)
    summarise(console, result)
    if json_file is not None:
        json_file.write_text(json.dumps(result, indent=2) + "\n")
        console.print(f"written to {json_file}")
    if not succeeded(result):
        raise typer.Exit(1)


def played(console: Console, demo: Demo) -> dict[str, Any]:
    """The result of a demo; a vehicle that cannot be built, or an update that is refused, ends
    with a sentence."""
    try:
        return demo.run()
    except (plan.BadVehicle, BadBoard) as error:
        raise typer.BadParameter(str(error)) from error
    except PeerRefused as refusal:
        number = refusal.args[0]
    except Refusal as refusal:
        number = refusal.number
    except OemRefusal as refusal:
        console.print(f"[red]The back office refused:[/] {escape(str(refusal))}")
        raise typer.Exit(1) from refusal
    name = ADVICE[number].name if number in ADVICE else "unknown"
    console.print(f"[red]The update was refused[/] ({number} {name}): {explain(number)}")
    raise typer.Exit(1)


def choose_nodes(wish: str, console: Console) -> Nodes:
    """The interpreter to run ECUs in; says so where it cannot be MicroPython."""
    if wish not in ("", "micropython", "cpython"):
        raise typer.BadParameter(f"--nodes is micropython or cpython, not {wish!r}")
    if wish == "cpython":
        return "cpython"
    if firmware.available():
        return "micropython"
    if wish:
        raise typer.BadParameter("there is no MicroPython wheel for this machine")
    console.print(
        "[yellow]There is no MicroPython wheel for this machine: the ECUs run their code inside "
        "CPython.[/]"
    )
    return "cpython"


def _images(texts: list[str], planned: plan.VehiclePlan) -> dict[str, Path]:
    """{ECU or ECU.region: path} as --image says them. BadVehicle."""
    images: dict[str, Path] = {}
    for text in texts:
        name, path = _image(text, planned)
        if name in images:
            raise plan.BadVehicle(f"--image {text!r}: {name} is given a file already; drop one")
        images[name] = path
    return images


def _image(text: str, planned: plan.VehiclePlan) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    ecu, _, region = name.partition(".")
    regions = {one.name: ["application", *one.regions] for one in planned.ecu}
    if ecu not in regions or not path:
        raise plan.BadVehicle(f"--image {text!r}: say ECU=PATH, the ECU one of {list(regions)}")
    if "." in name and region not in regions[ecu]:
        raise plan.BadVehicle(
            f"--image {text!r}: {ecu} has no region {region!r}; it has {', '.join(regions[ecu])}"
        )
    if not Path(path).is_file():
        raise plan.BadVehicle(
            f"--image {text!r}: there is no file {path} (a plain file is needed)"
        )
    if not Path(path).stat().st_size:
        raise plan.BadVehicle(f"--image {text!r}: {path} is empty; an image has at least one byte")
    return name.removesuffix(".application"), Path(path)


def succeeded(result: dict[str, Any]) -> bool:
    """Every release went up, and every attack ended as its file says."""
    raised = all(ecu["after"]["release"] > ecu["before"]["release"] for ecu in result["ecus"])
    return raised and all(attack["ok"] for attack in result["attacks"])


class Narrator:
    """Tells the story of a demo on a console."""

    def __init__(self, console: Console, planned: plan.VehiclePlan) -> None:
        self._console = console
        self._plan = planned
        self._print = console.print
        self._limit = ""

    def tell(self, step: str, ecu: str, fact: Any) -> None:
        getattr(self, f"_{step}")(ecu, fact)

    def _power(self, ecu: str, vehicle: object) -> None:
        self._print(f"[bold]{escape(self._plan.vin)}[/] is powered on:")
        for one in self._plan.ecu:
            self._print(f"  {one.name:<10}{one.role}, {one.verification} verification")

    def _seen(self, when: str, seen: Seen) -> None:
        self._print(f"[bold]On the bus {when} the update[/], in one second:")
        for sender in (one.name for one in self._plan.ecu):
            for can_id, (count, data) in seen.frames.get(sender, {}).items():
                self._print(f"  {sender:<10}{count:3} x  {can_id:03X}  {data.hex(' ')}")

    def _release(self, ecu: str, fact: tuple[int, int]) -> None:
        number, length = fact
        self._print(f"  the maker releases image {number} ({length} bytes) for {ecu}")

    def _cycle(self, ecu: str, what: str) -> None:
        sentence = {
            "update": "The feeder serves the wants of the Primary:",
            "report": "The ECUs have booted their trials and confirmed them; they report:",
        }
        self._print(f"[bold]{sentence[what]}[/]")

    def _carried(self, ecu: str, fact: tuple[float, Carried]) -> None:
        at_s, file = fact
        size = "absent" if file.bytes is None else f"{file.bytes} bytes"
        self._print(f"  {at_s:9.3f} s  {describe(file):<44}{size}")

    def _decided(self, ecu: str, fact: tuple[float, dict[int, int]]) -> None:
        at_s, directions = fact
        names = {one.number: one.name for one in self._plan.ecu}
        wishes = ", ".join(f"{names[ecu]}: image {image}" for ecu, image in directions.items())
        self._print(f"  {at_s:9.3f} s  the Director decides: {wishes}")

    def _stepped(self, ecu: str, fact: tuple[float, str]) -> None:
        at_s, step = fact
        self._print(f"  {at_s:9.3f} s  {ecu} {STEPS[step]}")

    def _attack(self, ecu: str, attack: Attack) -> None:
        self._limit = attack.limit
        self._print(
            f"[bold]Attack on {ecu}[/]: {attack.name} ({', '.join(attack.ids)})\n"
            f"  aim: {attack.aim}\n  the attacker has: {attack.possession()}"
        )

    def _outcome(self, ecu: str, observed: int | str) -> None:
        if isinstance(observed, int):
            name = ADVICE[observed].name
            self._print(f"  [green]{ecu} refuses[/] ({observed} {name}): {explain(observed)}")
        elif observed == INSTALLS:
            self._print(f"  [red]{ecu} installs it.[/] By design: {self._limit}.")
        else:
            self._print(f"  [red]{ecu}: {observed}[/]")


def describe(file: Carried) -> str:
    """A file number in words."""
    number = file.repository
    repository = REPOSITORY_NAMES.get(number, f"repository {number}").capitalize()
    if file.kind == ids.KIND_METADATA:
        return f"{repository} {ROLE_NAMES.get(file.number, file.number)}"
    words = {
        ids.KIND_IMAGE: f"image {file.number}",
        ids.KIND_DELTA: f"delta to image {file.number}",
        ids.KIND_TIME: "attested time",
        ids.KIND_REPORT: "vehicle version manifest, to the Director",
    }
    return words.get(file.kind, f"file {file.repository}/{file.kind}/{file.number}")


def summarise(console: Console, result: dict[str, Any]) -> None:
    """The end of the story: what every ECU itself says it runs, and why it is no other image."""
    console.print("[bold]What the ECUs say[/]:")
    for ecu in result["ecus"]:
        console.print(
            f"  {ecu['id']:<10}release {ecu['before']['release']} -> {ecu['after']['release']}"
            f"   {ecu['verification']:<8}{ecu['interpreter']} {ecu['interpreter_version']}"
            + (f", heap {ecu['heap_limit_bytes'] // 1024} KB" if ecu["heap_limit_bytes"] else "")
        )
        for number in ecu["refusals"] if ecu["before"] == ecu["after"] else ():
            name = ADVICE[number].name if number in ADVICE else "unknown"
            console.print(f"  [red]{ecu['id']} refused[/] ({number} {name}): {explain(number)}")
    bus = result["bus"]
    console.print(
        f"  {bus['frames']} frames, {bus['virtual_s']:.1f} virtual seconds, "
        f"{bus['wall_s']:.1f} s of wall time, bus load {bus['load']:.0%}"
    )
