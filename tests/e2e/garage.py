"""A back office and a vehicle of it, ready to drive: what tests of whole vehicles begin with.

`Garage` registers the sedan, releases the first images, provisions and powers on. `publish` makes
the next release; `update` runs whole cycles as the feeder does. Not a test file.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from muptane.bench import plan
from muptane.bench.factory import FirstImage
from muptane.bench.feeder import OfficeSource, feed
from muptane.bench.firmware import ROOT
from muptane.bench.provisioning import OfficeSupply, register
from muptane.bench.vehicle import Nodes, Vehicle
from muptane.bench.world import World
from muptane.oem.office import Office
from muptane.oem.pack import pack_application
from uptane.uds.codes import DID_IMAGE, DID_REFUSALS

SEDAN = ROOT / "vehicles" / "sedan.toml"
APPLICATIONS = ROOT / "firmware" / "apps"
SETTLE_S = 2.0

Change = Callable[[dict[str, Any]], None]


class Garage:
    """One sedan and its maker. Use as a context manager: the vehicle is on inside. `seed` takes
    the place of the plan's, so does `bitrate`; `change` is handed to the Vehicle."""

    file = SEDAN

    def __init__(
        self,
        folder: Path,
        nodes: Nodes = "cpython",
        seed: int | None = None,
        change: Change = lambda settings: None,
        bitrate: int | None = None,
    ) -> None:
        self.plan = self.planned()
        if bitrate is not None:
            bus = self.plan.bus.model_copy(update={"bitrate": bitrate})
            self.plan = self.plan.model_copy(update={"bus": bus})
        if seed is not None:
            self.plan = self.plan.model_copy(update={"seed": seed})
        self.world = World(seed=self.plan.seed)
        self.office = self.founded()
        self.open_books()
        self.vehicle = Vehicle(self.plan, self.world, folder, nodes, change)
        self.content: dict[str, bytes] = {}
        first = {}
        for ecu in self.plan.ecu:
            content = self.publish(ecu.name, 1)
            number = ecu.number * 100 + 1
            regions = self.office.images.images[number].regions
            first[ecu.name] = FirstImage(number, 1, content, regions)
        self.vehicle.provision(self.supply(), first)

    def open_books(self) -> None:
        """Enter the vehicle wherever it has to be known."""
        register(self.office, self.registered())

    def supply(self) -> OfficeSupply:
        """What provisioning takes from the office."""
        return OfficeSupply(self.office)

    # --- what another garage may do otherwise -------------------------------------------------

    def planned(self) -> plan.VehiclePlan:
        return plan.load(self.file)

    def registered(self) -> plan.VehiclePlan:
        """The vehicle as its maker's inventory knows it."""
        return self.plan

    def founded(self) -> Office:
        return Office.create(self.world.seconds, seed=b"garage")

    # --- a vehicle that is on -----------------------------------------------------------------

    def __enter__(self) -> "Garage":
        self.vehicle.power_on()
        self.vehicle.run(0.3)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.vehicle.power_off()

    def publish(self, name: str, release: int, content: bytes | None = None) -> bytes:
        """Release the next image for an ECU and want it there: `content`, or its application (the
        newest that there is, with a tail that tells it from the one before)."""
        ecu = self.vehicle_ecu(name)
        if content is None:
            content = pack_application(APPLICATIONS / f"{ecu.application}_{min(release, 2)}")
            content += bytes(max(release - 2, 0))
        number = ecu.number * 100 + release
        self.office.release_image(number, content, [ecu.hardware], release)
        self.office.assign(self.plan.vin, ecu.number, number)
        self.content[name] = content
        return content

    def vehicle_ecu(self, name: str) -> plan.EcuPlan:
        return next(ecu for ecu in self.plan.ecu if ecu.name == name)

    def source(self) -> OfficeSource:
        return OfficeSource(self.office, self.plan.vin, lambda carried: None)

    def cycle(self, source: OfficeSource | None = None, name: str = "gateway") -> Any:
        """One cycle of an ECU; returns the last status, raises what ended it."""
        station = self.vehicle.station(name)
        status = station.run(feed(station, source or self.source()), 600)
        self.vehicle.run(SETTLE_S)
        return status

    def release(self, name: str) -> int:
        """The release that an ECU itself says it runs."""
        return int.from_bytes(self.vehicle.station(name).read(DID_IMAGE)[4:8], "big")

    def refusals(self, name: str) -> list[int]:
        return list(self.vehicle.station(name).read(DID_REFUSALS))

    def heard(self, seconds: float = 1.0) -> dict[int, bytes]:
        """{identifier: last data} of what was on the bus for a while."""
        seen: dict[int, bytes] = {}

        def listener(now_ns: int, sender: str, frame: Any) -> None:
            seen[frame.id] = frame.data

        self.vehicle.bus.listeners.append(listener)
        self.vehicle.run(seconds)
        self.vehicle.bus.listeners.remove(listener)
        return seen


class Lying(OfficeSource):
    """A feeder that changes one file on its way: `lie(raw)` is what arrives instead."""

    def __init__(
        self, garage: Garage, file: tuple[int, int, int], lie: Callable[[bytes], bytes | None]
    ) -> None:
        super().__init__(garage.office, garage.plan.vin, lambda carried: None)
        self._file = file
        self._lie = lie

    def answer(self, file: bytes, detail: object) -> bytes | None:
        raw = super().answer(file, detail)
        if (file[0], file[1], int.from_bytes(file[2:], "big")) != self._file or raw is None:
            return raw
        return self._lie(raw)
