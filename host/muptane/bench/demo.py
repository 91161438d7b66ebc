"""The demo: one vehicle takes one update, each ECU verifying it for itself; then an attack.

`Demo` tells its steps to a listener as they happen and ends with a `DemoResult` (a dictionary of
plain values, the JSON that `muptane demo --json` writes). What it says of an ECU is what the ECU
itself says over UDS. It prints nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from muptane.bench.attacks.arbitrary_software import director_key_stolen
from muptane.bench.attacks.attack import ATTACKS
from muptane.bench.attacks.stage import Stage
from muptane.bench.can.frames import Frame
from muptane.bench.feeder import Carried, OfficeSource, feed
from muptane.bench.maker import Maker, image_number
from muptane.bench.onlooker import Onlooker
from muptane.bench.plan import EcuPlan, VehiclePlan
from muptane.bench.vehicle import Nodes, Vehicle
from muptane.bench.world import S, World
from muptane.oem.errors import OemRefusal
from uptane.errors import Refusal
from uptane.uds.codes import DID_IMAGE, DID_INTERPRETER, DID_REFUSALS

SETTLE_S = 2.0  # for a trial to be confirmed
LISTEN_S = 1.0
ATTACK = ATTACKS[director_key_stolen.__name__]


@dataclass
class Seen:
    """What ECUs broadcast in a stretch of time: {sender: {identifier: (frames, last data)}}."""

    frames: dict[str, dict[int, tuple[int, bytes]]] = field(default_factory=dict)

    def add(self, sender: str, frame: Frame) -> None:
        by_id = self.frames.setdefault(sender, {})
        count, _ = by_id.get(frame.id, (0, b""))
        by_id[frame.id] = (count + 1, frame.data)


Listener = Callable[[str, str, Any], None]


class Demo:
    """`images` replaces the update of an ECU by the content of a file: {ECU name: path};
    `change` is that of muptane.bench.vehicle.Vehicle.
    `tell(step, ecu, fact)` hears of each step."""

    def __init__(
        self,
        plan: VehiclePlan,
        nodes: Nodes,
        images: Mapping[str, Path],
        tell: Listener = lambda step, ecu, fact: None,
        change: Callable[[dict[str, Any]], None] = lambda settings: None,
    ) -> None:
        self._change = change
        self.plan = plan
        self.nodes = nodes
        self.tell = tell
        self.world = World(seed=plan.seed)
        self.maker = Maker(plan, self.world, images)
        self.office = self.maker.office

    # --- the story ---------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        """Play it; returns the result."""
        with TemporaryDirectory(prefix="muptane-") as folder:
            vehicle = self._vehicle(Path(folder))
            begun = time.perf_counter()
            with vehicle:
                return self._run(vehicle, begun)

    def updates_cleanly(self) -> bool:
        """Play the update alone: does every ECU take it with no reset but that of its trial?"""
        with TemporaryDirectory(prefix="muptane-") as folder:
            vehicle = self._vehicle(Path(folder))
            with vehicle:
                try:
                    self._update(vehicle)
                except (Refusal, OemRefusal):
                    return False
                installed = [self._installed(vehicle, name) for name in vehicle.ecus]
            resets = {ecu.node.resets for ecu in vehicle.ecus.values()}
            return resets == {1} and all(image["release"] == 2 for image in installed)

    def _vehicle(self, folder: Path) -> Vehicle:
        vehicle = Vehicle(self.plan, self.world, folder, self.nodes, self._change)
        self.maker.provision(vehicle)
        return vehicle

    def _run(self, vehicle: Vehicle, begun: float) -> dict[str, Any]:
        self.tell("power", "", vehicle)
        self._listen(vehicle, "before")
        before = {name: self._installed(vehicle, name) for name in vehicle.ecus}
        self._update(vehicle)
        after = {name: self._installed(vehicle, name) for name in vehicle.ecus}
        self._listen(vehicle, "after")
        bus = self._bus(vehicle, begun)
        outcomes = [self._attack(vehicle, ecu) for ecu in self.plan.secondaries()]
        return {
            "ecus": [self._ecu(vehicle, name, before[name], after[name]) for name in vehicle.ecus],
            "bus": bus,
            "attacks": outcomes,
            "seed": self.plan.seed,
        }

    def _update(self, vehicle: Vehicle) -> None:
        for ecu in self.plan.ecu:
            content = self.maker.release(ecu, 2)
            self.maker.assign(ecu, 2)
            self.tell("release", ecu.name, (image_number(ecu, 2), len(content)))
        self._cycle(vehicle, "update")
        vehicle.run(SETTLE_S)
        self._cycle(vehicle, "report")

    def _cycle(self, vehicle: Vehicle, what: str) -> None:
        station = vehicle.station(self.plan.primary().name)

        def carried(file: Carried) -> None:
            self.tell("carried", "", (self.world.now_ns / S, file))

        def stepped(at_s: float, name: str, step: str) -> None:
            self.tell("stepped", name, (at_s, step))

        self.tell("cycle", self.plan.primary().name, what)
        onlooker = Onlooker(self.plan, stepped)
        vehicle.bus.listeners.append(onlooker.hear)
        source = OfficeSource(self.maker.alliance, self.plan.vin, carried, self._decided)
        station.run(feed(station, source), limit_s=3600)
        vehicle.bus.listeners.remove(onlooker.hear)
        if source.refused is not None:
            raise source.refused

    def _decided(self, decision: Any) -> None:
        self.tell("decided", "", (self.world.now_ns / S, decision.directions))

    def _attack(self, vehicle: Vehicle, ecu: EcuPlan) -> dict[str, Any]:
        """Play one attack against a Secondary of the vehicle that was just updated."""
        self.tell("attack", ecu.name, ATTACK)
        stage = Stage(self.maker, vehicle, ATTACK, ecu.name)
        ATTACK.play(stage)
        stage.feed()
        expected, observed = ATTACK.verdict(ecu.verification), stage.observed()
        self.tell("outcome", ecu.name, observed)
        return {
            "name": ATTACK.name,
            "ecu": ecu.name,
            "verification": ecu.verification,
            "expected": expected,
            "observed": observed,
            "ok": observed == expected,
        }

    # --- what is seen ------------------------------------------------------------------------

    def _listen(self, vehicle: Vehicle, when: str) -> None:
        seen = Seen()

        def listener(now_ns: int, sender: str, frame: Frame) -> None:
            seen.add(sender, frame)

        vehicle.bus.listeners.append(listener)
        vehicle.run(LISTEN_S)
        vehicle.bus.listeners.remove(listener)
        self.tell("seen", when, seen)

    def _installed(self, vehicle: Vehicle, name: str) -> dict[str, Any]:
        raw = vehicle.station(name).read(DID_IMAGE)
        return {
            "image": int.from_bytes(raw[:4], "big"),
            "release": int.from_bytes(raw[4:8], "big"),
            "sha256": raw[12:].hex(),
        }

    def _ecu(
        self, vehicle: Vehicle, name: str, before: dict[str, Any], after: dict[str, Any]
    ) -> dict[str, Any]:
        ecu = vehicle.ecus[name]
        station = vehicle.station(name)
        interpreter, version = station.read(DID_INTERPRETER).decode().split(" ", 1)
        return {
            "id": name,
            "role": ecu.plan.role,
            "verification": ecu.plan.verification,
            "interpreter": interpreter,
            "interpreter_version": version,
            "heap_limit_bytes": ecu.heap_bytes,
            "before": before,
            "after": after,
            "refusals": list(station.read(DID_REFUSALS)),
        }

    def _bus(self, vehicle: Vehicle, begun: float) -> dict[str, Any]:
        return {
            "frames": vehicle.bus.frames,
            "payload_bytes": vehicle.bus.payload_bytes,
            "virtual_s": round(self.world.now_ns / S, 6),
            "wall_s": round(time.perf_counter() - begun, 3),
            "load": round(vehicle.bus.load(), 6),
        }
