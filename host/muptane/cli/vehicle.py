"""`muptane vehicle run`: a vehicle of emulated ECUs in real time, whose bus every tool can join.

It provisions the vehicle as the demo does, powers it on and lets the wall clock run it until
Ctrl-C, SIGTERM or `--seconds`: exit code 0. A wrong argument ends with a sentence and exit code 2,
an ECU whose interpreter died with exit code 1.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from muptane.bench import plan, wire
from muptane.bench.broker import Broker
from muptane.bench.interpreters import NodeDied
from muptane.bench.maker import Maker
from muptane.bench.realtime import RealTime
from muptane.bench.vehicle import Vehicle
from muptane.bench.world import MS, S, World
from muptane.boards import BadBoard
from muptane.cli.demo import SEDAN, choose_nodes

PORT = 20500

app = typer.Typer(help="run a vehicle for other tools", no_args_is_help=True)


@app.callback()
def vehicle() -> None:
    """Run a vehicle for other tools."""


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="the vehicle to run")] = SEDAN,
    port: Annotated[int, typer.Option(help="of 127.0.0.1; 0: any that is free")] = PORT,
    path: Annotated[str, typer.Option("--unix", help="a socket file, not a port")] = "",
    nodes: Annotated[
        str, typer.Option(help="micropython or cpython; what is there, if not said")
    ] = "",
    seconds: Annotated[float, typer.Option(help="end after so long; 0: at Ctrl-C")] = 0.0,
) -> None:
    """Run the ECUs of a vehicle in real time, on a bus that python-can tools can join."""
    console = Console(highlight=False, soft_wrap=True)
    kind = choose_nodes(nodes, console)
    try:
        planned = plan.load(file)
    except plan.BadVehicle as error:
        raise typer.BadParameter(str(error)) from error
    world = World(seed=planned.seed)
    with TemporaryDirectory(prefix="muptane-") as folder:
        try:
            running = Vehicle(planned, world, Path(folder), kind)
        except (plan.BadVehicle, BadBoard) as error:
            raise typer.BadParameter(str(error)) from error
        realtime = RealTime(world)
        broker = _broker(running, realtime, path, port)
        try:
            Maker(planned, world).provision(running)
            with running:
                _greet(console, running, broker.channel)
                realtime.run(_stop(world, seconds), broker.wait)
        except NodeDied as died:
            console.print(f"[red]An ECU died after {world.now_ns / S:.3f} s:[/] {died}")
            raise typer.Exit(1) from died
        finally:
            broker.close()
        _summarise(console, running, realtime)


def _broker(running: Vehicle, realtime: RealTime, path: str, port: int) -> Broker:
    if not 0 <= port <= 0xFFFF:
        raise typer.BadParameter(f"--port {port}: a port is 0 to 65535")
    channel = f"{wire.UNIX}{path}" if path else f"{wire.HOST}:{port}"
    try:
        return Broker(running.bus, channel, realtime.now_ns, running.plan.vin)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = "is in use: another vehicle may be running"
        else:
            why = f"cannot be listened at ({error.strerror or error})"
        raise typer.BadParameter(
            f"{channel} {why}; choose another with --port, or any that is free with --port 0"
        ) from error


def _stop(world: World, seconds: float) -> Callable[[], bool]:
    """Whether it is over; from now on Ctrl-C and SIGTERM say so, between two events."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda caught, frame: signals.append(caught))
    end_ns = world.now_ns + int(seconds * S) if seconds > 0 else 0
    if end_ns:
        world.at(end_ns, lambda: None)
    return lambda: bool(signals) or bool(end_ns and world.now_ns >= end_ns)


def _greet(console: Console, running: Vehicle, channel: str) -> None:
    console.print(
        f"[bold]{running.plan.vin}[/] runs in real time at {running.bus.bitrate} bit/s, "
        f"{running.nodes} ECUs:"
    )
    for ecu in running.plan.ecu:
        console.print(
            f"  {ecu.name:<10}UDS requests {ecu.request:03X}, responses {ecu.response:03X}, "
            f"{ecu.role}, {ecu.verification} verification"
        )
    console.print(f"Join its bus: python -m can.logger -i muptane -c {channel}")
    console.print("Ctrl-C ends it.")


def _summarise(console: Console, running: Vehicle, realtime: RealTime) -> None:
    slipped = realtime.slipped_ns
    console.print(
        f"{running.world.now_ns / S:.1f} s, {running.bus.frames} frames, "
        f"bus load {running.bus.load():.1%}; {realtime.events} events, {realtime.late} of them "
        f"over 1 ms late, the worst {realtime.worst_ns / MS:.1f} ms"
        + (f"; the clock stood still for {slipped / S:.1f} s" if slipped else "")
    )
