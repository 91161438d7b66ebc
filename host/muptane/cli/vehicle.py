"""`muptane vehicle`: emulated ECUs in real time, on a bus that every tool can join.

`run` provisions the vehicle as the demo does, powers it on and lets the wall clock run it until
Ctrl-C, SIGTERM or `--seconds`: exit code 0. A wrong argument ends with a sentence and exit code 2;
an ECU whose interpreter died, or a bus of somebody else that has gone, with exit code 1.
`describe` writes a PDX file of each ECU, and a DBC file of the vehicle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from muptane.bench import firmware, plan
from muptane.bench.can.bus import Bus
from muptane.bench.interpreters import NodeDied
from muptane.bench.join.broker import Broker
from muptane.bench.join.outside import BadBus, BusGone, Outside
from muptane.bench.maker import Maker
from muptane.bench.realtime import RealTime
from muptane.bench.vehicle import Nodes, Vehicle
from muptane.bench.world import S, World
from muptane.boards import BadBoard
from muptane.cli import joining
from muptane.cli.demo import SEDAN, choose_nodes
from muptane.cli.updating import update
from muptane.dbc import BadFrames, read_frames, write_dbc
from muptane.identifiers import spelled
from muptane.odx import write_pdx

FRAMES = firmware.ROOT / "firmware" / "apps" / "frames.toml"

app = typer.Typer(help="run a vehicle for other tools", no_args_is_help=True)
app.command()(update)


class OnBus(Vehicle):
    """A vehicle on a bus that was there before it."""

    def __init__(
        self, planned: plan.VehiclePlan, folder: Path, kind: Nodes, outside: Outside
    ) -> None:
        self._outside = outside
        super().__init__(planned, outside.world, folder, kind)

    def wire(self) -> Bus:
        return self._outside


class Standing(NamedTuple):
    """A vehicle on its bus: how to join it, and who is asked between events."""

    vehicle: Vehicle
    lines: list[str]
    wait: Callable[[float], None]


@app.callback()
def vehicle() -> None:
    """Run a vehicle for other tools."""


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="the vehicle to run")] = SEDAN,
    port: joining.PortOption = joining.PORT,
    path: joining.UnixOption = "",
    socketcand: joining.SocketcandOption = None,
    slcan: joining.SlcanOption = None,
    cannelloni: joining.CannelloniOption = None,
    outside: Annotated[
        str,
        typer.Option("--bus", help="a bus of python-can, not ours: interface=NAME,channel=..."),
    ] = "",
    nodes: Annotated[
        str, typer.Option(help="micropython or cpython; what is there, if not said")
    ] = "",
    without: Annotated[
        list[str] | None, typer.Option(help="an ECU that stays off: its place is yours")
    ] = None,
    trace: joining.TraceOption = None,
    bit_errors: joining.NoiseOption = 0.0,
    seconds: joining.SecondsOption = 0.0,
) -> None:
    """Run the ECUs of a vehicle in real time, on a bus that other programs can join."""
    console = Console(highlight=False, soft_wrap=True)
    kind = choose_nodes(nodes, console)
    doors = joining.Doors(joining.channel_of(path, port), socketcand, slcan, cannelloni)
    if outside and (bit_errors or doors[1:] != (None, None, None)):
        raise typer.BadParameter("--bus is not our bus: it has no doors, and its own bit errors")
    try:
        planned = plan.load(file)
        realtime = RealTime(World(seed=planned.seed))
        with TemporaryDirectory(prefix="muptane-") as folder:
            if outside:
                standing = _outside(planned, realtime, Path(folder), kind, outside)
            else:
                standing = _modelled(planned, realtime, Path(folder), kind, doors)
            with standing as (running, lines, wait):
                joining.disturb(running.bus, realtime.world, bit_errors)
                Maker(planned, realtime.world).provision(running)
                with joining.tracing(running.bus, trace), running:
                    _switch_off(running, without or [])
                    _greet(console, running, lines)
                    realtime.run(joining.until_the_end(realtime.world, seconds), wait)
    except (plan.BadVehicle, BadBoard, BadBus) as error:
        raise typer.BadParameter(str(error)) from error
    except NodeDied as died:
        console.print(f"[red]An ECU died after {realtime.world.now_ns / S:.3f} s:[/] {died}")
        raise typer.Exit(1) from died
    except BusGone as gone:
        console.print(f"[red]{gone}[/]: is it still there? Then run the vehicle again")
        raise typer.Exit(1) from gone
    joining.summarise(console, running.bus, realtime)


@app.command()
def describe(
    folder: Annotated[Path, typer.Argument(help="where the files go")],
    file: Annotated[Path, typer.Argument(help="the vehicle to describe")] = SEDAN,
) -> None:
    """Write a PDX file of each ECU, for the tools that read ODX, and one DBC of what their
    applications say."""
    try:
        planned = plan.load(file)
    except plan.BadVehicle as error:
        raise typer.BadParameter(str(error)) from error
    for ecu in planned.ecu:
        path = folder / f"{ecu.name}.pdx"
        ids = f"requests {spelled(ecu.request)}, responses {spelled(ecu.response)}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_pdx(path, ecu.name, f"{ecu.role}, {ecu.verification} verification; {ids}")
        except OSError as error:
            raise typer.BadParameter(f"{path}: {error.strerror}; choose another folder") from error
        typer.echo(f"{path}: {ids}")
    path = folder / "frames.dbc"
    try:
        said = {ecu.name: ecu.application for ecu in planned.ecu}
        count = write_dbc(path, said, read_frames(FRAMES))
    except (OSError, BadFrames) as error:
        raise typer.BadParameter(f"{path}: {error}; choose another folder") from error
    typer.echo(f"{path}: {count} frames of applications")


@contextmanager
def _modelled(
    planned: plan.VehiclePlan,
    realtime: RealTime,
    folder: Path,
    kind: Nodes,
    doors: joining.Doors,
) -> Iterator[Standing]:
    """On a bus of ours, with its doors."""
    running = Vehicle(planned, realtime.world, folder, kind)
    broker = Broker(running.bus, realtime.now_ns, planned.vin)
    try:
        lines = joining.how_to_join(joining.open_doors(broker, doors))
        yield Standing(running, lines, broker.wait)
    finally:
        broker.close()


@contextmanager
def _outside(
    planned: plan.VehiclePlan, realtime: RealTime, folder: Path, kind: Nodes, text: str
) -> Iterator[Standing]:
    """On somebody else's bus."""
    bus = Outside(realtime.world, planned.bus.bitrate, text, realtime.now_ns)
    try:
        running = OnBus(planned, folder, kind, bus)
        yield Standing(running, [f"Its bus is python-can's {bus.title}."], bus.wait)
    finally:
        bus.close()


def _switch_off(running: Vehicle, names: list[str]) -> None:
    """Those ECUs stay off. BadParameter."""
    for name in names:
        if name not in running.ecus:
            there = ", ".join(running.ecus)
            raise typer.BadParameter(f"--without {name}: the vehicle has {there}")
        running.ecus[name].node.power_off()


def _greet(console: Console, running: Vehicle, lines: list[str]) -> None:
    console.print(
        f"[bold]{running.plan.vin}[/] runs in real time at {running.bus.bitrate} bit/s, "
        f"{running.nodes} ECUs:"
    )
    for ecu in running.plan.ecu:
        off = "" if running.ecus[ecu.name].node.powered else ", stays off"
        console.print(
            f"  {ecu.name:<10}UDS requests {spelled(ecu.request)}, "
            f"responses {spelled(ecu.response)}, "
            f"{ecu.role}, {ecu.verification} verification{off}"
        )
    for line in lines:
        console.print(line)
    console.print("Ctrl-C ends it.")
