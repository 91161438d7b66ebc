"""What it takes to install one image on one ECU: bytes on the bus, virtual seconds, heap.

The sedan's full Secondary goes from one opaque image to the next, whole or by delta, in the clear
or encrypted, on the board that is asked for; the gateway hands it on. All is charged at that
board's figures. `smallest_heap` finds by trying, on real MicroPython, how much heap above its code
the ECU needs, with no reset but that of its trial.
It does NOT say what is good: whoever asks compares.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from muptane.bench import firmware, plan
from muptane.bench.can.frames import Frame
from muptane.bench.factory import FirstImage
from muptane.bench.feeder import OfficeSource, feed
from muptane.bench.maker import image_number
from muptane.bench.plan import EcuPlan, VehiclePlan
from muptane.bench.provisioning import OfficeSupply, new_ecus
from muptane.bench.vehicle import Nodes, Vehicle
from muptane.bench.world import S, Stuck, World
from muptane.boards import load_board
from muptane.oem.errors import OemRefusal
from muptane.oem.office import Office
from muptane.oem.pack import pack_application
from uptane.errors import Refusal
from uptane.uds.codes import DID_IMAGE

TAKER = "brake"
KB = 1024
LIMIT_S = 7200.0
NOR_BLOCK_BYTES = 65_536
NOR_ERASE_US = 150_000  # of such a block; W25Q, typical


@dataclass(frozen=True)
class Way:
    """How the image travels."""

    name: str
    deltas: bool = False
    confidential: bool = False
    in_place: bool = False


WAYS = (
    Way("whole"),
    Way("sequential delta", deltas=True),
    Way("encrypted whole", confidential=True),
    Way("encrypted delta", deltas=True, confidential=True),
    Way("in place, whole", in_place=True),
    Way("in-place delta", deltas=True, in_place=True),
    Way("in place, encrypted whole", confidential=True, in_place=True),
    Way("in place, encrypted delta", deltas=True, confidential=True, in_place=True),
)


@dataclass(frozen=True)
class Done:
    """An install that ended with the new image confirmed: data bytes of all frames on the bus,
    the feeder's included, and virtual seconds of the whole cycle."""

    bus_bytes: int
    seconds: float


class Install:
    """`old` and `new`: two opaque images; `board`: of the taker. `heap_bytes`: above code; None:
    what the board says."""

    def __init__(
        self,
        way: Way,
        images: tuple[bytes, bytes],
        board: str = "unix",
        nodes: Nodes = "cpython",
        heap_bytes: int | None = None,
    ) -> None:
        self.way = way
        self.old, self.new = images
        self.nodes = nodes
        self.heap_bytes = heap_bytes
        self.plan = _planned(way, board)
        self.room = max(len(self.old), len(self.new))

    def play(self) -> Done | None:
        """Provision, update once; None: the ECU did not take it, or was reset on the way."""
        world = World(seed=self.plan.seed)
        with TemporaryDirectory(prefix="muptane-") as folder:
            vehicle = Vehicle(self.plan, world, Path(folder), self.nodes, self._change)
            office = self._founded(world, vehicle)
            with vehicle:
                vehicle.run(0.3)
                return self._update(vehicle, office)

    def _founded(self, world: World, vehicle: Vehicle) -> Office:
        """The maker, with the vehicle out of the factory and the new image assigned."""
        office = Office.create(world.seconds, seed=b"installs")
        settings = json.loads((vehicle.folder / f"{TAKER}.json").read_text())
        _, block_bytes, blocks = settings["slots"][0]
        has = {"place": (block_bytes * blocks, block_bytes)}
        ecus = [
            ecu if ecu.place is None else ecu.model_copy(update=has)
            for ecu in new_ecus(office, self.plan)
        ]
        office.register_vehicle(self.plan.vin, ecus)
        first = {}
        for ecu in self.plan.ecu:
            content = self.old
            if ecu.name != TAKER:
                content = pack_application(firmware.ROOT / f"firmware/apps/{ecu.application}_1")
            number = image_number(ecu, 1)
            office.release_image(number, content, [ecu.hardware], 1)
            office.assign(self.plan.vin, ecu.number, number)
            first[ecu.name] = FirstImage(number, 1, content)
        vehicle.provision(OfficeSupply(office), first)
        taker = _taker(self.plan)
        office.release_image(
            image_number(taker, 2), self.new, [taker.hardware], 2, self.way.confidential
        )
        office.assign(self.plan.vin, taker.number, image_number(taker, 2))
        return office

    def _update(self, vehicle: Vehicle, office: Office) -> Done | None:
        counted = 0

        def count(now_ns: int, sender: str, frame: Frame) -> None:
            nonlocal counted
            counted += len(frame.data)

        world, station = vehicle.world, vehicle.station(self.plan.primary().name)
        vehicle.bus.listeners.append(count)
        began_ns = world.now_ns
        source = OfficeSource(office, self.plan.vin, lambda carried: None)
        try:
            station.run(feed(station, source), LIMIT_S)
            seconds = (world.now_ns - began_ns) / S
            vehicle.bus.listeners.remove(count)
            raw = vehicle.station(TAKER).read(DID_IMAGE)
        except (Refusal, OemRefusal, Stuck):
            return None
        if int.from_bytes(raw[4:8], "big") != 2 or vehicle.ecus[TAKER].node.resets != 1:
            return None
        return Done(counted, seconds)

    def _change(self, settings: dict[str, Any]) -> None:
        """Room for the images: where a board's own slots are too small, SPI NOR beside them."""
        mine = settings["name"] == TAKER
        if mine and self.heap_bytes is not None:
            settings["heap_bytes"] = self.heap_bytes
        places = settings["slots"] if mine else settings["depot"]
        if not places or places[0][1] * places[0][2] >= self.room:
            return
        regions = settings["flash"]["regions"]
        address = regions[-1][0] + regions[-1][1] * regions[-1][2]
        blocks = -(-self.room // NOR_BLOCK_BYTES)
        regions.append([address, NOR_BLOCK_BYTES, blocks * len(places), NOR_ERASE_US])
        for index, place in enumerate(places):
            place[:] = [address + index * blocks * NOR_BLOCK_BYTES, NOR_BLOCK_BYTES, blocks]


def smallest_heap(play: Callable[[int], Done | None], most: int) -> int:
    """Bytes of the smallest heap above code with which it plays, in steps of 1 KB; 0: not even
    with `most`."""
    low, high = 0, most // KB
    if play(most) is None:
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        if play(middle * KB) is None:
            low = middle
        else:
            high = middle
    return high * KB


def _planned(way: Way, board: str) -> VehiclePlan:
    sedan = plan.load(firmware.ROOT / "vehicles" / "sedan.toml")
    has = {
        "board": board,
        "deltas": way.deltas,
        "decrypts": way.confidential,
        "in_place": way.in_place,
    }
    ecus = [ecu.model_copy(update=has) if ecu.name == TAKER else ecu for ecu in sedan.ecu]
    bitrate = min(sedan.bus.bitrate, max(load_board(board).can.bitrates))
    bus = sedan.bus.model_copy(update={"bitrate": bitrate})
    return sedan.model_copy(update={"ecu": ecus, "bus": bus})


def _taker(planned: VehiclePlan) -> EcuPlan:
    return next(ecu for ecu in planned.ecu if ecu.name == TAKER)
