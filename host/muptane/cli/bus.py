"""`muptane bus run`: a CAN bus without a vehicle, in real time, for whatever joins it.

It takes time and arbitrates like one of copper; two tools of yours on it are two controllers.
Until Ctrl-C, SIGTERM or `--seconds`: exit code 0; a wrong argument ends with a sentence and 2.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from muptane.bench.can.bus import Bus
from muptane.bench.join.broker import Broker
from muptane.bench.realtime import RealTime
from muptane.bench.world import World
from muptane.cli import joining

app = typer.Typer(help="run a bus for other tools", no_args_is_help=True)


@app.callback()
def bus() -> None:
    """Run a bus for other tools."""


@app.command()
def run(
    bitrate: Annotated[int, typer.Option(min=10_000, max=1_000_000, help="bit/s")] = 500_000,
    data_bitrate: Annotated[
        int, typer.Option(min=0, max=8_000_000, help="bit/s of CAN FD data; 0: classic CAN")
    ] = 0,
    port: joining.PortOption = joining.PORT,
    path: joining.UnixOption = "",
    socketcand: joining.SocketcandOption = None,
    slcan: joining.SlcanOption = None,
    cannelloni: joining.CannelloniOption = None,
    trace: joining.TraceOption = None,
    bit_errors: joining.NoiseOption = 0.0,
    seconds: joining.SecondsOption = 0.0,
    seed: Annotated[int, typer.Option(help="of the bit errors")] = 0,
) -> None:
    """Run an empty bus in real time, which other programs can join."""
    console = Console(highlight=False, soft_wrap=True)
    if data_bitrate and data_bitrate < bitrate:
        raise typer.BadParameter(f"--data-bitrate {data_bitrate} is below --bitrate {bitrate}")
    world = World(seed)
    wires = Bus(world, bitrate, data_bitrate)
    realtime = RealTime(world)
    broker = Broker(wires, realtime.now_ns, "a bus of its own")
    joining.disturb(wires, world, bit_errors)
    doors = joining.Doors(joining.channel_of(path, port), socketcand, slcan, cannelloni)
    try:
        opened = joining.open_doors(broker, doors)
        with joining.tracing(wires, trace):
            fd = f", CAN FD data at {data_bitrate}" if data_bitrate else ""
            console.print(f"A CAN bus runs in real time at {bitrate} bit/s{fd}.")
            for line in joining.how_to_join(opened):
                console.print(line)
            console.print("Ctrl-C ends it.")
            realtime.run(joining.until_the_end(world, seconds), broker.wait)
    finally:
        broker.close()
    joining.summarise(console, wires, realtime)
