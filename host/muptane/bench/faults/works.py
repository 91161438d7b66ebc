"""The maker of a vehicle that is hurt: images as large as a geometry asks for, some that crash.

Images of an ECU that takes deltas are alike, but for a few KB; those of any other have nothing in
common. Those of an ECU that decrypts are confidential. What lies in the only place for an image is
large from the factory on, so that a flow overwrites something.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from muptane.bench.faults.geometry import Geometry
from muptane.bench.maker import Maker, image_number
from muptane.bench.plan import EcuPlan, VehiclePlan
from muptane.bench.provisioning import new_ecus
from muptane.bench.world import World
from muptane.oem.pack import pack_application

CRASHES = "def start(cabin):\n    raise ValueError\n\n\ndef step(now_ms):\n    return now_ms\n"
CHANGED_BYTES = 3000  # of an image that is like the one before


class Works(Maker):
    """`stake` is the ECU whose images are `large`, or at least not small; `crashing` releases of
    it crash."""

    def __init__(
        self, plan: VehiclePlan, world: World, geometry: Geometry, stake: EcuPlan
    ) -> None:
        super().__init__(plan, world)
        self._geometry = geometry
        self._stake = stake
        self._made: dict[tuple[str, int], bytes] = {}
        self.crashing: set[int] = set()
        self.large: set[int] = {1, 2} if stake.deltas or stake.in_place else set()

    def enrol(self) -> None:
        _, block_bytes, blocks = self._geometry.place()
        place = block_bytes * blocks, block_bytes
        ecus = [
            ecu if ecu.place is None else ecu.model_copy(update={"place": place})
            for ecu in new_ecus(self.office, self.plan)
        ]
        self.office.register_vehicle(self.plan.vin, ecus)

    def release(self, ecu: EcuPlan, release: int) -> bytes:
        content = self.content(ecu, release)
        number = image_number(ecu, release)
        self.office.release_image(number, content, [ecu.hardware], release, ecu.decrypts)
        return content

    def content(self, ecu: EcuPlan, release: int) -> bytes:
        if (ecu.name, release) not in self._made:
            self._made[ecu.name, release] = self._make(ecu, release)
        return self._made[ecu.name, release]

    def _make(self, ecu: EcuPlan, release: int) -> bytes:
        at_stake = ecu.name == self._stake.name
        raw = super().content(ecu, min(release, 2))
        if release in self.crashing and at_stake:
            with TemporaryDirectory() as folder:
                (Path(folder) / "app.py").write_text(CRASHES)
                raw = pack_application(Path(folder))
        size = len(raw) + release  # no two alike
        if at_stake:
            figures = self._geometry
            size = figures.image_bytes if release in self.large else figures.next_bytes
        rest = max(size - len(raw), 0)
        changed = min(rest, CHANGED_BYTES) if ecu.deltas else rest
        # any bytes will do
        kept = Random(ecu.name).randbytes(rest - changed)
        return raw + kept + Random(f"{ecu.name}/{release}").randbytes(changed)
