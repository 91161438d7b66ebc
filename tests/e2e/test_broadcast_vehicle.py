"""What several Secondaries want crosses the bus once, whatever becomes of its frames (V-87)."""

from pathlib import Path
from typing import Any

import pytest
from alike import Doors
from test_one_place import PLACE
from test_travel import small_blocks

from muptane.bench import plan
from muptane.bench.can.frames import Frame
from muptane.bench.provisioning import new_ecus
from muptane.bench.vehicle import Nodes
from uptane import errors

LENGTH = 20_000
FRAMES = -(-LENGTH // 7)
METADATA_FRAMES = 250


@pytest.mark.parametrize("nodes", ["cpython", "micropython"])
def test_what_all_want_crosses_the_bus_once(tmp_path: Path, nodes: Nodes) -> None:
    """V-87: the image and the metadata; on a real interpreter, in the heap of a partial ECU."""
    with Doors(tmp_path, nodes) as garage:
        garage.offer(LENGTH)
        garage.cycle()
        noted = [garage.refusals(name) for name in ("gateway", *garage.doors())]
        assert garage.releases() == [2, 2, 2], noted
        assert FRAMES <= len(garage.spread) <= FRAMES + METADATA_FRAMES
        assert all(count < METADATA_FRAMES for count in garage.sent.values()), garage.sent
        assert all(garage.refusals(name) == [] for name in ("gateway", *garage.doors()))


def test_without_an_identifier_for_it_each_is_brought_its_own(tmp_path: Path) -> None:
    class Apart(Doors):
        count = 2

        def planned(self) -> plan.VehiclePlan:
            whole = super().planned()
            bus = whole.bus.model_copy(update={"broadcast": 0})
            return whole.model_copy(update={"bus": bus})

    with Apart(tmp_path) as garage:
        garage.offer(LENGTH)
        garage.cycle()
        assert garage.releases() == [2, 2]
        assert not garage.spread and all(count > FRAMES for count in garage.sent.values())


def test_who_misses_frames_is_brought_what_it_lacks(tmp_path: Path) -> None:
    """V-87: by itself, over UDS; the others wait for nobody."""
    with Doors(tmp_path) as garage:
        garage.offer(60_000)
        heard = 0

        def fate(frame: Frame) -> Frame | None:
            nonlocal heard
            heard += 1
            return None if heard % 3000 == 2900 else frame

        garage.disturb("door2", fate)
        garage.cycle()
        assert garage.releases() == [2, 2, 2]
        assert garage.refusals("gateway") == garage.refusals("door2") == []
        block = 1024 // 7
        assert block < garage.sent["door2"] - garage.sent["door1"] < 60_000 // 7
        assert abs(garage.sent["door3"] - garage.sent["door1"]) < block


def test_who_hears_nothing_is_brought_all_of_it(tmp_path: Path) -> None:
    with Doors(tmp_path) as garage:
        garage.offer(LENGTH)
        garage.disturb("door2", lambda frame: None)
        garage.cycle()
        assert garage.releases() == [2, 2, 2]
        assert garage.sent["door2"] > FRAMES


def test_who_heard_other_bytes_refuses_them_and_the_others_install(tmp_path: Path) -> None:
    """V-64, E-78: each verifies what lies in its flash, however it came there."""
    with Doors(tmp_path) as garage:
        garage.offer(LENGTH)

        def fate(frame: Frame) -> Frame:
            far = len(garage.spread) > 1000 and frame.data[0] == 9
            return frame._replace(data=frame.data[:7] + b"!") if far else frame

        garage.disturb("door2", fate)
        garage.cycle()
        assert garage.releases() == [2, 1, 2]
        assert garage.refusals("door2") == [errors.WrongHash.number]
        garage.vehicle.ecus["door2"].node.port.ear = None
        garage.vehicle.run(6)
        garage.cycle()
        assert garage.releases() == [2, 2, 2]


def test_who_has_one_place_for_an_image_takes_no_part(tmp_path: Path) -> None:
    """V-87, S-29: it is brought pieces of its own."""

    class Mixed(Doors):
        def planned(self) -> plan.VehiclePlan:
            whole = super().planned()
            alone = whole.ecu[1].model_copy(update={"in_place": True})
            return whole.model_copy(update={"ecu": [whole.ecu[0], alone, *whole.ecu[2:]]})

        def open_books(self) -> None:
            ecus = [
                ecu if ecu.place is None else ecu.model_copy(update={"place": PLACE})
                for ecu in new_ecus(self.office, self.plan)
            ]
            self.office.register_vehicle(self.plan.vin, ecus)

    with Mixed(tmp_path, change=one_place) as garage:
        garage.offer(LENGTH)
        garage.cycle()
        assert garage.releases() == [2, 2, 2]
        assert garage.sent["door1"] > FRAMES > garage.sent["door2"]
        assert len(garage.spread) >= FRAMES


def one_place(settings: dict[str, Any]) -> None:
    """Of the first door, in small blocks."""
    small_blocks(settings)
    if settings["name"] == "door1":
        settings["slots"][0][2] = PLACE[0] // PLACE[1]


def test_a_power_cut_of_one_costs_the_others_no_image(tmp_path: Path) -> None:
    """V-87, E-79: it is out of this cycle, and goes on in the next."""
    with Doors(tmp_path) as garage:
        garage.offer(60_000)
        victim = garage.vehicle.ecus["door2"]

        def fate(frame: Frame) -> Frame | None:
            if len(garage.spread) > 5000:
                victim.node.port.ear = None
                garage.world.at(garage.world.now_ns, victim.node.power_off)
            return frame

        garage.disturb("door2", fate)
        garage.cycle()
        victim.node.power_on()
        garage.vehicle.run(1)
        assert garage.releases() == [2, 1, 2]
        garage.cycle()
        assert garage.releases() == [2, 2, 2]
