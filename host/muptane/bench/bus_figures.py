"""Figures of the bus: what the link and a transfer reach of the wire's limit, and what they cost.

Shares are of the limit in `muptane.bench.goodput`, computing and flash charged as of the emulated
board; wall seconds and allocations are those of the real MicroPython on this machine.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Generator, Iterator
from statistics import median
from typing import Any

from muptane.bench import firmware
from muptane.bench.broadcasting import doors, image_seconds
from muptane.bench.can.bus import Bus
from muptane.bench.figures import Figure
from muptane.bench.foreign_link import ForeignLink
from muptane.bench.goodput import MESSAGE_BYTES, Update, linked
from muptane.bench.plan import BusPlan
from muptane.bench.station import Station
from muptane.bench.world import World
from muptane.boards import board_names, load_board

BUSES = {
    "classic_500k": BusPlan(bitrate=500_000),
    "fd_500k_2m": BusPlan(bitrate=500_000, data_bitrate=2_000_000),
}
ISOTP_PERCENT = 97
TRANSFER_PERCENT = 93
BROADCAST_RATIO = 1.15
DOORS = 8
LINK = (0x700, 0x708)
IMAGES_BYTES = 30_000, 65_536  # what runs, and what is installed
ROUNDS = 5
MESSAGES = 8
COUNTING = "boards.unix.counting"
HEAP_BYTES = 1 << 20


def bus_figures() -> Iterator[Figure]:
    """Every figure, as it is found; a minute or two. NotCompiled; OSError without MicroPython."""
    for name, bus in BUSES.items():
        share = round(100 * linked(bus).share, 1)
        yield Figure(f"isotp_{name}", share, "%", ISOTP_PERCENT, least=True)
    for name, bus in BUSES.items():
        update = Update(bus, _images())
        if update.play() is None:
            raise LookupError(f"no update on {name}")
        share = round(100 * update.transfer("gateway").share, 1)
        yield Figure(f"transfer_{name}", share, "%", TRANSFER_PERCENT, least=True)
        yield Figure(f"relay_{name}", round(100 * update.transfer("brake").share, 1), "%")
    alone, alike = (image_seconds(doors(count), _images()) for count in (1, DOORS))
    yield Figure(f"broadcast_{DOORS}", round(alike / alone, 3), "x", BROADCAST_RATIO)
    ratio = min(foreign_ns(bus) / own_ns(bus) for bus in BUSES.values())
    yield Figure("isotp_vs_can_isotp", round(ratio, 3), "x", 1, least=True)
    yield from _counted()
    for board in board_names():
        yield from _update_figures(board)


def _images() -> tuple[bytes, bytes]:
    chance = random.Random(1)
    old, new = (chance.randbytes(length) for length in IMAGES_BYTES)
    return old, new


# --- against can-isotp ---------------------------------------------------------------------------


def own_ns(bus: BusPlan) -> int:
    """How long MESSAGE_BYTES take from one of our channels to another; computing is free."""
    world = World()
    wire = Bus(world, bus.bitrate, bus.data_bitrate)
    sender, taker = Station(world, wire, "sender", LINK), Station(world, wire, "taker", LINK[::-1])
    sender.channel.deaf = taker.channel.deaf = False  # clients hear only what they asked for

    def sending() -> Generator[Any, Any, None]:
        sender.channel.send(bytes(MESSAGE_BYTES))
        while not sender.channel.idle():
            yield sender.clock.ticks_ms() + 1000

    sender.start(sending(), lambda value: None)
    world.run(lambda: taker.channel.message is not None, 10)
    return world.now_ns


def foreign_ns(bus: BusPlan) -> int:
    """How long they take from one of can-isotp's to another, on the same bus."""
    world = World()
    wire = Bus(world, bus.bitrate, bus.data_bitrate)
    sender, taker = ForeignLink(wire, "sender", *LINK), ForeignLink(wire, "taker", *LINK[::-1])
    received: list[bytes] = []
    taker.on_message = received.append
    sender.send(bytes(MESSAGE_BYTES))
    world.run(lambda: bool(received), 10)
    return world.now_ns


# --- real MicroPython ----------------------------------------------------------------------------


def _counted() -> Iterator[Figure]:
    """Allocations and speed of the link on the real interpreter, by a script that it runs."""
    results = [_count() for _ in range(ROUNDS)]
    yield Figure("allocations_per_frame", max(found[0] for found in results), "bytes", 0)
    yield Figure("frames_per_second", round(median(found[1] for found in results)), "1/s")


def _count() -> tuple[float, float]:
    """Bytes allocated for a frame; frames carried in a second, both ends in one process."""
    command = firmware.micropython(HEAP_BYTES, "-m", COUNTING, str(MESSAGES))
    done = subprocess.run(
        command, cwd=firmware.compiled(), capture_output=True, text=True, check=True
    )
    allocated, us, frames = map(int, done.stdout.split())
    return allocated / frames, frames * 1e6 / us


# --- whole updates -------------------------------------------------------------------------------


def _update_figures(board: str) -> Iterator[Figure]:
    """The whole update of one ECU of that board behind the gateway, and its critical path: until
    the image's first block, the image on its way to the gateway, to the ECU, and the rest."""
    bitrate = min(500_000, max(load_board(board).can.bitrates))
    update = Update(BusPlan(bitrate=bitrate), _images(), board)
    done = update.play()
    if done is None:
        raise LookupError(f"{board} did not take the update")
    yield Figure(f"update_{board}", round(done.seconds, 1), "s")
    ways = [update.transfer(name) for name in ("gateway", "brake")]
    yield Figure(f"update_{board}_to_gateway", round(ways[0].seconds, 1), "s")
    yield Figure(f"update_{board}_to_ecu", round(ways[1].seconds, 1), "s")
    rest = done.seconds - ways[0].seconds - ways[1].seconds
    yield Figure(f"update_{board}_rest", round(rest, 1), "s")
