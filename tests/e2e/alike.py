"""Door modules that are all alike, and want the same images. Not a test file."""

from collections.abc import Callable
from typing import Any

from garage import Garage

from muptane.bench import plan
from muptane.bench.can.frames import Frame
from muptane.bench.firmware import ROOT
from vectors.deltas import noise

IMAGE = 9002
Fate = Callable[[Frame], Frame | None]


class Doors(Garage):
    """The gateway and three of its doors; `offer` wants one image on all of them. `spread`: the
    frames of the broadcast, `sent`: how many carried an image to one door alone."""

    file = ROOT / "vehicles" / "doors.toml"
    count = 3

    def planned(self) -> plan.VehiclePlan:
        whole = super().planned()
        return whole.model_copy(update={"ecu": whole.ecu[: 1 + self.count]})

    def __enter__(self) -> "Doors":
        super().__enter__()
        self.spread: list[Frame] = []
        self.sent: dict[str, int] = {}
        self._names = {ecu.request: ecu.name for ecu in self.plan.secondaries()}
        self.vehicle.bus.listeners.append(self._listen)
        return self

    def _listen(self, now_ns: int, sender: str, frame: Frame) -> None:
        if frame.id == self.plan.bus.broadcast:
            self.spread.append(frame)
        elif frame.id in self._names and frame.data[0] >> 4 == 2:
            name = self._names[frame.id]
            self.sent[name] = self.sent.get(name, 0) + 1

    def doors(self) -> list[str]:
        return [ecu.name for ecu in self.plan.secondaries()]

    def offer(self, length: int = 20_000, confidential: bool = False) -> bytes:
        """Release an opaque image and want it on every door."""
        content = noise(9, length)
        hardware = [self.plan.secondaries()[0].hardware]
        self.office.release_image(IMAGE, content, hardware, 2, confidential)
        for ecu in self.plan.secondaries():
            self.office.assign(self.plan.vin, ecu.number, IMAGE)
        return content

    def disturb(self, name: str, fate: Fate) -> None:
        """Let one door hear `fate(frame)` of each frame of the broadcast, None: nothing."""

        def ear(frame: Frame) -> list[tuple[int, Frame]]:
            heard: Any = frame
            if frame.id == self.plan.bus.broadcast:
                heard = fate(frame)
            return [] if heard is None else [(0, heard)]

        self.vehicle.ecus[name].node.port.ear = ear

    def releases(self) -> list[int]:
        return [self.release(name) for name in self.doors()]
