"""Vehicles whose identifiers have 29 bits, normal-fixed as in ISO 15765-2: all goes as usual."""

import re
from pathlib import Path

import pytest
from alike import Doors
from garage import Garage

from muptane.bench import plan
from muptane.bench.can.frames import Frame
from muptane.identifiers import EXTENDED
from uptane.errors import Negative

FUNCTIONAL, BROADCAST = 0x18DBFFF1, 0x1CEBFFF1


def widened(text: str) -> str:
    """A vehicle file with other identifiers: 7E1 to 18DAE1F1, 7E9 to 18DAF1E1."""
    text = re.sub(r"request = 0x7(..)", r"request = 0x18DA\1F1", text)
    requests = iter(re.findall(r"request = 0x18DA(..)F1", text))
    text = re.sub(r"response = 0x...", lambda _: f"response = 0x18DAF1{next(requests)}", text)
    text = re.sub(r"broadcast = 0x...", f"broadcast = {BROADCAST:#x}", text)
    return text.replace("[bus]\n", f"[bus]\nfunctional = {FUNCTIONAL:#x}\n", 1)


def rewritten(file: Path, folder: Path) -> plan.VehiclePlan:
    made = folder / "wide.toml"
    made.write_text(widened(file.read_text()))
    return plan.load(made)


@pytest.mark.parametrize("data_bitrate", [0, 2_000_000])
def test_a_vehicle_of_29_bits_is_updated(tmp_path: Path, data_bitrate: int) -> None:
    """S-37: on classic CAN and on CAN FD; not a frame of its diagnostics has 11 bits."""

    class Wide(Garage):
        def planned(self) -> plan.VehiclePlan:
            made = rewritten(self.file, tmp_path)
            bus = made.bus.model_copy(update={"data_bitrate": data_bitrate})
            return made.model_copy(update={"bus": bus})

    with Wide(tmp_path) as garage:
        primary = garage.plan.primary()
        assert (
            primary.request == 0x18DAE0F1 | EXTENDED and primary.response == 0x18DAF1E0 | EXTENDED
        )
        seen: list[Frame] = []
        garage.vehicle.bus.listeners.append(lambda now_ns, sender, frame: seen.append(frame))
        for ecu in garage.plan.ecu:
            garage.publish(ecu.name, 2)
        garage.cycle()
        garage.vehicle.run(2)
        assert [garage.release(ecu.name) for ecu in garage.plan.ecu] == [2, 2, 2]
        wide = {frame.id for frame in seen if frame.id & EXTENDED}
        assert len(wide) == 2 * len(garage.plan.ecu) + 1  # and TesterPresent to all
        assert all(frame.id < 0x700 for frame in seen if not frame.id & EXTENDED)


def test_a_broadcast_of_29_bits_is_heard(tmp_path: Path) -> None:
    """V-87."""

    class WideDoors(Doors):
        count = 2

        def planned(self) -> plan.VehiclePlan:
            made = rewritten(self.file, tmp_path)
            return made.model_copy(update={"ecu": made.ecu[: 1 + self.count]})

    with WideDoors(tmp_path) as garage:
        garage.offer(10_000)
        garage.cycle()
        assert garage.releases() == [2, 2]
        assert len(garage.spread) > 10_000 // 7
        assert {frame.id for frame in garage.spread} == {BROADCAST | EXTENDED}


def test_all_are_asked_at_once_by_29_bits(tmp_path: Path) -> None:
    class Wide(Garage):
        def planned(self) -> plan.VehiclePlan:
            return rewritten(self.file, tmp_path)

    with Wide(tmp_path) as garage:
        heard: list[int] = []
        garage.vehicle.bus.listeners.append(lambda now_ns, sender, frame: heard.append(frame.id))
        port = garage.vehicle.bus.port("all", 3)
        port.send(Frame(FUNCTIONAL | EXTENDED, b"\x03\x22\xf1\x8c\xcc\xcc\xcc\xcc"))
        garage.vehicle.run(0.2)
        assert {ecu.response for ecu in garage.plan.ecu} <= set(heard)
        with pytest.raises(Negative):
            garage.vehicle.station("door").request(b"\x22\x00\x00")
