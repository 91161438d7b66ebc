"""What the commands share that hold a bus open: its doors, its noise, its trace, its end.

Options of `muptane vehicle run` and `muptane bus run`, and what stands behind each. A wrong one
becomes typer's BadParameter, with a sentence. It does not run anything.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from muptane.bench.can.bus import Bus
from muptane.bench.can.noise import BitErrors
from muptane.bench.join import wire
from muptane.bench.join.broker import Broker, Speaks
from muptane.bench.join.cannelloni import Cannelloni
from muptane.bench.join.native import Native
from muptane.bench.join.slcan import Slcan
from muptane.bench.join.socketcand import Socketcand
from muptane.bench.join.trace import BadTrace, Trace
from muptane.bench.realtime import RealTime
from muptane.bench.world import MS, S, World

PORT = 20500

PortOption = Annotated[int, typer.Option("--port", help="of 127.0.0.1; 0: any that is free")]
UnixOption = Annotated[str, typer.Option("--unix", help="a socket file, not a port")]
SocketcandOption = Annotated[
    int | None, typer.Option("--socketcand", help="a port for socketcand tools; 0: any")
]
SlcanOption = Annotated[int | None, typer.Option("--slcan", help="a port for slcan tools; 0: any")]
CannelloniOption = Annotated[
    int | None, typer.Option("--cannelloni", help="a port for cannelloni; 0: any")
]
TraceOption = Annotated[
    Path | None, typer.Option("--trace", help="write what passes: .log (candump), .asc or .blf")
]
NoiseOption = Annotated[float, typer.Option("--bit-errors", help="share of the bits seen wrongly")]
SecondsOption = Annotated[float, typer.Option("--seconds", help="end after so long; 0: at Ctrl-C")]


class Doors(NamedTuple):
    """Where programs join: a channel for python-can, ports for other languages (None: shut)."""

    channel: str
    socketcand: int | None = None
    slcan: int | None = None
    cannelloni: int | None = None


def channel_of(path: str, port: int) -> str:
    """A socket file if one is named, else a port of this computer. BadParameter."""
    if not 0 <= port <= 0xFFFF:
        raise typer.BadParameter(f"--port {port}: a port is 0 to 65535")
    return f"{wire.UNIX}{path}" if path else f"{wire.HOST}:{port}"


def open_doors(broker: Broker, doors: Doors) -> dict[str, str]:
    """Listen at all of them; returns the channel of each language. BadParameter."""
    opened = {"muptane": _open(broker, doors.channel, Native)}
    others: tuple[tuple[str, int | None, Speaks], ...] = (
        ("socketcand", doors.socketcand, Socketcand),
        ("slcan", doors.slcan, Slcan),
        ("cannelloni", doors.cannelloni, Cannelloni),
    )
    for name, port, speaks in others:
        if port is not None:
            opened[name] = _open(broker, channel_of("", port), speaks)
    return opened


def _open(broker: Broker, channel: str, speaks: Speaks) -> str:
    try:
        return broker.open(channel, speaks)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = "is in use: another vehicle may be running"
        else:
            why = f"cannot be listened at ({error.strerror or error})"
        raise typer.BadParameter(
            f"{channel} {why}; choose another with --port, or any that is free with --port 0"
        ) from error


def how_to_join(opened: dict[str, str]) -> list[str]:
    """A line for each language: what to type."""
    lines = [f"Join its bus: python -m can.logger -i muptane -c {opened['muptane']}"]
    for name, channel in opened.items():
        host, _, port = channel.rpartition(":")
        if name == "socketcand":
            lines.append(
                f"  socketcand: -i socketcand -c muptane --bus-kwargs host={host} port={port}"
            )
        elif name == "slcan":
            lines.append(
                f"  slcan: -i slcan -c socket://{channel} --bus-kwargs sleep_after_open=0"
            )
        elif name == "cannelloni":
            lines.append(f"  cannelloni: cannelloni -C c -R {host} -r {port}")
    return lines


def disturb(bus: Bus, world: World, bit_errors: float) -> None:
    """Let that share of the bits be seen wrongly. BadParameter."""
    if bit_errors:
        try:
            bus.noise = BitErrors(bus, world.chance("bit errors"), bit_errors)
        except ValueError as error:
            raise typer.BadParameter(f"--bit-errors {bit_errors}: {error}") from error


def tracing(bus: Bus, path: Path | None) -> AbstractContextManager[Trace | None]:
    """The trace that was asked for. BadParameter."""
    if path is None:
        return nullcontext()
    try:
        return closing(Trace(bus, path))
    except BadTrace as error:
        raise typer.BadParameter(f"--trace {error}") from error


def until_the_end(world: World, seconds: float) -> Callable[[], bool]:
    """Whether it is over; from now on Ctrl-C and SIGTERM say so, between two events."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda caught, frame: signals.append(caught))
    end_ns = world.now_ns + int(seconds * S) if seconds > 0 else 0
    if end_ns:
        world.at(end_ns, lambda: None)
    return lambda: bool(signals) or bool(end_ns and world.now_ns >= end_ns)


def summarise(console: Console, bus: Bus, realtime: RealTime) -> None:
    """How it was, in a line."""
    slipped = realtime.slipped_ns
    console.print(
        f"{bus.world.now_ns / S:.1f} s, {bus.frames} frames, "
        f"bus load {bus.load():.1%}; "
        + (f"{bus.errors} frames destroyed; " if bus.errors else "")
        + f"{realtime.events} events, {realtime.late} of them "
        f"over 1 ms late, the worst {realtime.worst_ns / MS:.1f} ms"
        + (f"; the clock stood still for {slipped / S:.1f} s" if slipped else "")
    )
