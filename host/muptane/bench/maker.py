"""The maker of an emulated vehicle: an office of its own, its ECUs' releases, and the factory.

A `Maker` has an office whose keys the vehicle's seed decides, so two makers of one plan are the
same maker: a program elsewhere can sign what a running vehicle trusts. Release 1 of every ECU's
application leaves the factory with it, and every region filled; release 2 is the update, or a
file in its place; later ones have other bytes and the same behaviour. `compose` makes a release
of other regions of it.

It powers nothing on and feeds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from muptane.bench import firmware
from muptane.bench.factory import FirstImage
from muptane.bench.plan import EcuPlan, VehiclePlan
from muptane.bench.provisioning import AllianceSupply, chart_of, found_partners, register
from muptane.bench.vehicle import Vehicle
from muptane.bench.world import World
from muptane.oem.alliance import Alliance
from muptane.oem.office import Office
from muptane.oem.pack import pack_application, pack_file
from muptane.regions import NUMBERS, Joined, joined

APPLICATIONS = firmware.ROOT / "firmware" / "apps"
FIRST_MAP = 1  # the number of the map that a vehicle leaves the factory with


def factory_data(region: str) -> bytes:
    """What a region beside the application holds when it leaves the factory."""
    return f"{region} of release 1\n".encode()


def image_number(ecu: EcuPlan, release: int) -> int:
    """An image number is used once: ECU number and release make it."""
    return ecu.number * 100 + release


def _files(images: Mapping[str, Path]) -> dict[str, Joined]:
    """{ECU: image} of files, named ECU or ECU.region."""
    parts: dict[str, dict[int, bytes]] = {}
    for name, path in images.items():
        ecu, _, region = name.partition(".")
        parts.setdefault(ecu, {})[NUMBERS[region or "application"]] = pack_file(path)
    return {ecu: joined(found) for ecu, found in parts.items()}


class Maker:
    """`world` is whose clock the office reads; `images` replaces the update of an ECU by the
    content of a file: {ECU name: path}, or of files for regions of it: {ECU.region: path};
    `confidential`: no image leaves in the clear; `rest_bytes` follow every application, the same
    each time."""

    def __init__(
        self,
        plan: VehiclePlan,
        world: World,
        images: Mapping[str, Path] | None = None,
        confidential: bool = False,
        rest_bytes: int = 0,
    ) -> None:
        self.plan = plan
        self.confidential = confidential
        seed = f"demo/{plan.seed}".encode()
        self.office = Office.create(world.seconds, seed=seed)
        self.alliance = Alliance(self.office, seed)
        self._contents = {}
        for ecu in plan.ecu:
            for release in (1, 2):
                content = pack_application(APPLICATIONS / f"{ecu.application}_{release}")
                rest = Random(ecu.name).randbytes(rest_bytes)  # any bytes will do
                self._contents[ecu.name, release] = content + rest
        self._composed: dict[tuple[str, int], Joined] = {}
        for ecu in plan.ecu:
            if ecu.regions:  # the factory fills all of them
                parts = {name: factory_data(name) for name in ecu.regions}
                self.compose(ecu, 1, {"application": self.code(ecu, 1)} | parts)
        self._files = _files(images or {})

    def provision(self, vehicle: Vehicle) -> None:
        """Enter the vehicle into the inventory and send every ECU out with release 1."""
        self.enrol()
        found_partners(self.alliance, self.plan)
        first = {}
        for ecu in self.plan.ecu:
            self.release(ecu, 1)
            image = self.image(ecu, 1)
            first[ecu.name] = FirstImage(image_number(ecu, 1), 1, image.content, image.regions)
            self.assign(ecu, 1)
        chart = chart_of(self.alliance, self.plan, FIRST_MAP)
        vehicle.provision(AllianceSupply(self.alliance, chart), first)

    def enrol(self) -> None:
        """Enter the vehicle into the inventory."""
        register(self.office, self.plan)

    def release(self, ecu: EcuPlan, release: int) -> bytes:
        """Enter an image into the Image repository; returns its content."""
        image = self.image(ecu, release)
        number, hardware = image_number(ecu, release), [ecu.hardware]
        self.office.release_image(number, image, hardware, release, self.confidential)
        for store in self.alliance.stores.values():
            store.add_image(number, image, hardware, release)
            store.publish(self.office.now())
        return image.content

    def compose(self, ecu: EcuPlan, release: int, parts: Mapping[str, bytes]) -> None:
        """That release replaces these regions, by their names."""
        made = joined({NUMBERS[name]: part for name, part in parts.items()})
        self._composed[ecu.name, release] = made

    def code(self, ecu: EcuPlan, release: int) -> bytes:
        """The application of a release of ours."""
        return self._contents[ecu.name, min(release, 2)] + bytes(2 * max(release - 2, 0))

    def content(self, ecu: EcuPlan, release: int) -> bytes:
        """The bytes of an image of ours."""
        return self.image(ecu, release).content

    def image(self, ecu: EcuPlan, release: int) -> Joined:
        """An image of ours: an application, unless it was composed."""
        if release == 2 and ecu.name in self._files:
            return self._files[ecu.name]
        return self._composed.get((ecu.name, release)) or Joined(self.code(ecu, release))

    def assign(self, ecu: EcuPlan, release: int) -> None:
        """Let every Director want that release on the ECU."""
        number = image_number(ecu, release)
        self.office.assign(self.plan.vin, ecu.number, number)
        for director in self.alliance.directors.values():
            director.assign(self.plan.vin, ecu.number, number)
