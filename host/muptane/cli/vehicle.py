"""`muptane vehicle run`: a vehicle of emulated ECUs in real time, whose bus every tool can join.

It provisions the vehicle as the demo does, powers it on and lets the wall clock run it until
Ctrl-C, SIGTERM or `--seconds`: exit code 0. A wrong argument ends with a sentence and exit code 2,
an ECU whose interpreter died with exit code 1.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from muptane.bench import plan
from muptane.bench.interpreters import NodeDied
from muptane.bench.join.broker import Broker
from muptane.bench.maker import Maker
from muptane.bench.realtime import RealTime
from muptane.bench.vehicle import Vehicle
from muptane.bench.world import S, World
from muptane.boards import BadBoard
from muptane.cli import joining
from muptane.cli.demo import SEDAN, choose_nodes

app = typer.Typer(help="run a vehicle for other tools", no_args_is_help=True)


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
    try:
        planned = plan.load(file)
    except plan.BadVehicle as error:
        raise typer.BadParameter(str(error)) from error
    absent = without or []
    for name in absent:
        if name not in [ecu.name for ecu in planned.ecu]:
            there = ", ".join(ecu.name for ecu in planned.ecu)
            raise typer.BadParameter(f"--without {name}: the vehicle has {there}")
    world = World(seed=planned.seed)
    doors = joining.Doors(joining.channel_of(path, port), socketcand, slcan, cannelloni)
    with TemporaryDirectory(prefix="muptane-") as folder:
        try:
            running = Vehicle(planned, world, Path(folder), kind)
        except (plan.BadVehicle, BadBoard) as error:
            raise typer.BadParameter(str(error)) from error
        realtime = RealTime(world)
        broker = Broker(running.bus, realtime.now_ns, planned.vin)
        joining.disturb(running.bus, world, bit_errors)
        try:
            opened = joining.open_doors(broker, doors)
            Maker(planned, world).provision(running)
            with joining.tracing(running.bus, trace), running:
                for name in absent:
                    running.ecus[name].node.power_off()
                _greet(console, running, opened, absent)
                realtime.run(joining.until_the_end(world, seconds), broker.wait)
        except NodeDied as died:
            console.print(f"[red]An ECU died after {world.now_ns / S:.3f} s:[/] {died}")
            raise typer.Exit(1) from died
        finally:
            broker.close()
        joining.summarise(console, running.bus, realtime)


def _greet(console: Console, running: Vehicle, opened: dict[str, str], absent: list[str]) -> None:
    console.print(
        f"[bold]{running.plan.vin}[/] runs in real time at {running.bus.bitrate} bit/s, "
        f"{running.nodes} ECUs:"
    )
    for ecu in running.plan.ecu:
        console.print(
            f"  {ecu.name:<10}UDS requests {ecu.request:03X}, responses {ecu.response:03X}, "
            f"{ecu.role}, {ecu.verification} verification"
            + (", stays off" if ecu.name in absent else "")
        )
    for line in joining.how_to_join(opened):
        console.print(line)
    console.print("Ctrl-C ends it.")
