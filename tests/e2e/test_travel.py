"""Images that come as deltas, encrypted, or both, to a whole vehicle: the sedan of a maker who
does so wherever an ECU can take it."""

from pathlib import Path

import pytest
from garage import Garage

from muptane.bench.feeder import Carried, OfficeSource
from muptane.bench.plan import VehiclePlan
from muptane.bench.vehicle import Nodes
from uptane import ids

ECUS = ("gateway", "brake", "door")


class Able(Garage):
    """Every ECU patches and decrypts; what was carried to the vehicle is written down."""

    def planned(self) -> VehiclePlan:
        plan = super().planned()
        able = {"deltas": True, "decrypts": True}
        return plan.model_copy(update={"ecu": [ecu.model_copy(update=able) for ecu in plan.ecu]})

    def source(self) -> OfficeSource:
        self.carried: list[Carried] = []
        return OfficeSource(self.office, self.plan.vin, self.carried.append)

    def release_next(self, name: str, release: int, confidential: bool) -> bytes:
        """The next release of an ECU's application: the one before with a little changed."""
        ecu = self.vehicle_ecu(name)
        content = self.content[name] + bytes([release])
        number = ecu.number * 100 + release
        self.office.release_image(number, content, [ecu.hardware], release, confidential)
        self.office.assign(self.plan.vin, ecu.number, number)
        self.content[name] = content
        return content

    def installed(self, name: str) -> bytes:
        """The image in the slot that the ECU's flash says is confirmed."""
        raw = self.vehicle.records(name).read(ids.RECORD_BOOT)
        assert raw is not None
        image = bytearray(len(self.content[name]))
        self.vehicle.slot(name, raw[1]).read_into(0, memoryview(image))
        return bytes(image)


@pytest.mark.parametrize("nodes", ["cpython", "micropython"])
@pytest.mark.parametrize("confidential", [False, True])
def test_a_vehicle_is_updated_by_deltas(tmp_path: Path, nodes: Nodes, confidential: bool) -> None:
    """S-26, S-27, S-28, S-29, S-31, V-13, V-65, R-09: in the clear and encrypted; what crosses
    the bus is a small part of the image, and comes from the Director."""
    with Able(tmp_path, nodes) as garage:
        for name in ECUS:
            garage.release_next(name, 2, confidential)
        garage.cycle()
        carried = [one for one in garage.carried if one.kind in (ids.KIND_IMAGE, ids.KIND_DELTA)]
        assert {(one.repository, one.kind) for one in carried} == {(ids.DIRECTOR, ids.KIND_DELTA)}
        assert sum(one.bytes or 0 for one in carried) < 300
        garage.cycle()
        for name in ECUS:
            assert garage.release(name) == 2, (name, garage.refusals(name))
            assert garage.installed(name) == garage.content[name]
            assert garage.refusals(name) == []
