"""The maker of a vehicle that is hurt: images as large as a geometry asks for, some that crash.

Images of an ECU that takes deltas are alike, but for a few KB; those of any other have nothing in
common. Those of an ECU that decrypts are confidential. What lies in the only place for an image is
large from the factory on, so that a flow overwrites something. An image of an ECU with a
calibration has both parts, unless it is data alone.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from muptane.bench.faults.geometry import DATA_BYTES, Geometry
from muptane.bench.maker import Maker, image_number
from muptane.bench.plan import EcuPlan, VehiclePlan
from muptane.bench.provisioning import new_ecus
from muptane.bench.world import World
from muptane.oem.pack import pack_application
from muptane.regions import Joined, joined
from uptane import ids

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
        self._made: dict[tuple[str, int], Joined] = {}
        self.before: dict[int, int] = {}  # a release of data alone -> the one that it came to
        self.crashing: set[int] = set()
        self.large: set[int] = {1, 2} if stake.deltas or stake.in_place else set()

    def enrol(self) -> None:
        _, block_bytes, blocks = self._geometry.place()
        place, rooms = (block_bytes * blocks, block_bytes), self._geometry.rooms()
        ecus = [
            ecu.model_copy(update={"place": ecu.place and place, "regions": ecu.regions and rooms})
            for ecu in new_ecus(self.office, self.plan)
        ]
        self.office.register_vehicle(self.plan.vin, ecus)

    def release(self, ecu: EcuPlan, release: int) -> bytes:
        image = self.image(ecu, release)
        number = image_number(ecu, release)
        self.office.release_image(number, image, [ecu.hardware], release, ecu.decrypts)
        return image.content

    def image(self, ecu: EcuPlan, release: int) -> Joined:
        if (ecu.name, release) not in self._made:
            code = {ids.REGION_APPLICATION: self._make(ecu, release)}
            data = {ids.REGION_CALIBRATION: self._data(ecu, release)} if ecu.regions else {}
            alone = data and release in self.before
            self._made[ecu.name, release] = joined(data if alone else code | data)
        return self._made[ecu.name, release]

    def holds(self, ecu: EcuPlan, release: int) -> dict[int, bytes]:
        """{REGION_...: bytes} of an ECU of several regions that runs this release."""
        image = self.image(ecu, release)
        found = self.holds(ecu, self.before[release]) if release in self.before else {}
        at = 0
        for region, length in image.regions:
            found[region] = image.content[at : at + length]
            at += length
        return found

    def _data(self, ecu: EcuPlan, release: int) -> bytes:
        """A calibration; one that comes alone is large."""
        size = self._geometry.data_bytes() if release in self.before else DATA_BYTES
        return Random(f"{ecu.name}/data/{release}").randbytes(size)

    def _make(self, ecu: EcuPlan, release: int) -> bytes:
        at_stake = ecu.name == self._stake.name
        raw = self.code(ecu, min(release, 2))
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
