"""Regions on the whole way: code alone, data alone or both, from the office into a running ECU."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from test_travel import Able

from muptane.bench.provisioning import new_ecus
from muptane.bench.vehicle import Nodes
from muptane.oem import fleet
from muptane.oem.enrolment import NewEcu
from muptane.oem.errors import WrongRegion
from muptane.oem.fleet import last_report, record_image
from muptane.oem.pack import pack_application
from muptane.oem.targets import entry_of
from muptane.regions import NUMBERS, joined
from uptane import errors, ids
from uptane.errors import PeerRefused

TAKER = "brake"
SAID = 0x321  # the identifier under which the application sends its calibration
APP = """\
def start(cabin):
    global _cabin
    _cabin = cabin


def step(now_ms):
    calibration = _cabin.read(4, 0, 4)
    _cabin.send({said}, bytes([{code}]) + calibration + _cabin.read(5, 0, 3))
    return now_ms + 100
"""
CRASH = "def start(cabin):\n    pass\n\n\ndef step(now_ms):\n    return 1 // 0\n"


class Zoned(Able):
    """The brake has a calibration and user data beside its application, which sends both."""

    able = (TAKER,)

    def __init__(self, folder: Path, nodes: Nodes = "cpython", **has: Any) -> None:
        self.apps = folder / "apps"
        self.apps.mkdir(parents=True)
        self.has = {"regions": ["user_data", "calibration"], **has}
        super().__init__(folder, nodes)

    def app(self, code: int, text: str = APP) -> bytes:
        """An application that says which code it is."""
        folder = self.apps / str(code)
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(text.format(said=SAID, code=code))
        return pack_application(folder)

    def publish(self, name: str, release: int, content: bytes | None = None) -> bytes:
        if name != TAKER:
            return super().publish(name, release, content)
        parts = {"application": self.app(1), "calibration": b"CAL1", "user_data": b"us1"}
        self.release_parts(release, parts)
        return joined({NUMBERS[one]: part for one, part in parts.items()}).content

    def release_parts(
        self, release: int, parts: dict[str, bytes], confidential: bool = False
    ) -> int:
        """The brake's next release, of these regions; returns its number."""
        ecu = self.vehicle_ecu(TAKER)
        image = joined({NUMBERS[one]: part for one, part in parts.items()})
        number = ecu.number * 100 + release
        self.office.release_image(number, image, [ecu.hardware], release, confidential)
        self.office.assign(self.plan.vin, ecu.number, number)
        return number

    def said(self) -> bytes:
        """What the application says now: code, calibration, user data."""
        return self.heard()[SAID]

    def flash(self, *names: str) -> list[bytes]:
        """Both places of these regions, every bit of them."""
        flash = self.vehicle.content(TAKER)
        found = []
        spec = self.vehicle.settings(TAKER)
        slots = spec["slots"]
        places = {NUMBERS["application"]: slots} | {one[0]: one[1:] for one in spec["regions"]}
        base = spec["flash"]["regions"][0][0]
        for name in names:
            for address, block_bytes, blocks in places[NUMBERS[name]]:
                found.append(flash[address - base : address - base + block_bytes * blocks])
        return found

    def reported(self) -> list[list[int]]:
        """What the inventory heard last of the brake's regions."""
        with self.office.inventory.begin() as session:
            report = last_report(session, self.vehicle_ecu(TAKER).number)
            assert report is not None
            return report.regions


@pytest.mark.parametrize(
    ("nodes", "confidential"), [("cpython", False), ("cpython", True), ("micropython", False)]
)
def test_data_alone_and_code_alone_leave_the_rest_untouched(
    tmp_path: Path, nodes: Nodes, confidential: bool
) -> None:
    """S-25, V-13, V-67: what an image leaves out is the same bit for bit in flash, and goes on to
    serve what is new."""
    with Zoned(tmp_path, nodes, decrypts=True) as garage:
        assert garage.said() == b"\x01CAL1us1"
        before = garage.flash("application", "user_data")
        data = garage.release_parts(2, {"calibration": b"CAL2" * 20}, confidential)
        garage.cycle()
        garage.cycle()
        assert garage.refusals(TAKER) == [] and garage.release(TAKER) == 2
        assert garage.said() == b"\x01CAL2us1"
        assert garage.flash("application", "user_data") == before
        assert garage.reported() == [[3, data - 1], [4, data], [5, data - 1]]
        before = garage.flash("calibration", "user_data")
        garage.release_parts(3, {"application": garage.app(3)}, confidential)
        garage.cycle()
        garage.cycle()
        assert garage.said() == b"\x03CAL2us1"
        assert garage.flash("calibration", "user_data") == before
        assert garage.reported() == [[3, data + 1], [4, data], [5, data - 1]]


def test_code_and_data_come_together_and_go_back_together(tmp_path: Path) -> None:
    """S-25, V-67, E-79: an application that crashes takes the calibration that came with it
    along; the next release brings both."""
    with Zoned(tmp_path) as garage:
        garage.release_parts(
            2, {"application": garage.app(2, CRASH), "calibration": b"BAD!", "user_data": b"bad"}
        )
        garage.cycle()
        garage.vehicle.run(5)
        assert garage.said() == b"\x01CAL1us1" and garage.release(TAKER) == 1
        assert errors.TrialFailed.number in garage.refusals(TAKER)
        number = garage.release_parts(3, {"application": garage.app(3), "calibration": b"CAL3"})
        garage.cycle()
        garage.cycle()
        assert garage.said() == b"\x03CAL3us1" and garage.release(TAKER) == 3
        assert garage.reported() == [[3, number], [4, number], [5, number - 2]]


def test_a_delta_is_made_from_what_the_region_holds(tmp_path: Path) -> None:
    """S-25, S-26, S-31: not from the image that was installed last, which is of another region."""
    with Zoned(tmp_path, deltas=True) as garage:
        garage.release_parts(2, {"application": garage.app(2) + bytes(3000)})
        garage.cycle()
        garage.cycle()
        assert {one.kind for one in garage.carried} & {ids.KIND_DELTA, ids.KIND_IMAGE} == set()
        garage.release_parts(3, {"calibration": b"CAL3" * 700})
        garage.cycle()
        garage.cycle()
        for release, parts in (
            (4, {"application": garage.app(4) + bytes(3000)}),
            (5, {"calibration": b"CAL5" + b"CAL3" * 699}),
        ):
            garage.release_parts(release, parts)
            garage.cycle()
            kinds = {one.kind for one in garage.carried} & {ids.KIND_DELTA, ids.KIND_IMAGE}
            assert kinds == {ids.KIND_DELTA}
            garage.cycle()
            assert garage.refusals(TAKER) == [] and garage.release(TAKER) == release
        assert garage.said() == b"\x04CAL5us1"


def test_the_office_refuses_what_an_ecu_has_no_region_for(tmp_path: Path) -> None:
    """S-25, R-31, V-86: before anything is signed, with the numbers."""
    with Zoned(tmp_path) as garage:
        with pytest.raises(WrongRegion) as refused:
            garage.release_parts(2, {"bootloader": b"boot"})
        assert str(refused.value) == (
            "image 202 replaces region 1 (bootloader),"
            " ECU 2 has 3 (application), 4 (calibration), 5 (user_data)"
        )
        with pytest.raises(WrongRegion) as refused:
            garage.release_parts(3, {"calibration": bytes(65_537)})
        assert str(refused.value) == (
            "image 203 has 65537 bytes for region 4 (calibration), ECU 2 has room for 65536"
        )
        door = garage.vehicle_ecu("door")
        image = joined({ids.REGION_CALIBRATION: b"door"})
        garage.office.release_image(309, image, [door.hardware], 9)
        with pytest.raises(WrongRegion, match=r"ECU 3 has 3 \(application\)"):
            garage.office.assign(garage.plan.vin, door.number, 309)


class Boundless(Zoned):
    """An inventory that believes that every ECU has every region, as large as can be."""

    def open_books(self) -> None:
        regions = tuple((number, 1 << 20) for number in range(1, 6))
        ecus: list[NewEcu] = [
            one.model_copy(update={"regions": regions}) for one in new_ecus(self.office, self.plan)
        ]
        self.office.register_vehicle(self.plan.vin, ecus)


@pytest.mark.parametrize(
    ("parts", "refusal"),
    [
        ({"bootloader": b"boot", "application": b"code"}, errors.NoRegion),
        ({"calibration": bytes(65_537)}, errors.TooLarge),
    ],
)
def test_an_ecu_refuses_what_it_has_no_region_for(
    tmp_path: Path, parts: dict[str, bytes], refusal: type[errors.Refusal]
) -> None:
    """S-25, E-79: also if both repositories say so, and before anything is erased."""
    with Boundless(tmp_path) as garage:
        before = garage.flash("application", "calibration", "user_data")
        garage.release_parts(2, parts)
        garage.cycle()
        assert refusal.number in garage.refusals(TAKER)
        assert garage.flash("application", "calibration", "user_data") == before
        garage.release_parts(3, {"application": garage.app(3)})
        garage.cycle()
        garage.cycle()
        assert garage.said() == b"\x03CAL1us1"


@pytest.mark.parametrize("name", ["gateway", "door"])
def test_an_ecu_of_one_region_takes_no_image_for_others(tmp_path: Path, name: str) -> None:
    """S-25: data that came as an application would stop it; also where it verifies partially."""
    with Boundless(tmp_path) as garage:
        ecu = garage.vehicle_ecu(name)
        image = joined({ids.REGION_CALIBRATION: b"data"})
        number = ecu.number * 100 + 2
        garage.office.release_image(number, image, [ecu.hardware], 2)
        garage.office.assign(garage.plan.vin, ecu.number, number)
        with suppress(PeerRefused):  # of the gateway's own image
            garage.cycle()
        assert errors.NoRegion.number in garage.refusals(name) and garage.release(name) == 1


def test_a_director_alone_cannot_move_data_to_another_region(tmp_path: Path) -> None:
    """S-25, V-12, V-75.10: regions are must-match data."""
    with Zoned(tmp_path) as garage:
        brake = garage.vehicle_ecu(TAKER)
        told = joined({ids.REGION_CALIBRATION: b"CAL2"})
        garage.office.images.add_image(202, told, [brake.hardware], 2)
        garage.office.refresh()
        lie = entry_of(joined({ids.REGION_USER_DATA: b"CAL2"}), [brake.hardware], 2)
        record_image(garage.office.inventory, 202, lie)
        fleet.assign(garage.office.inventory, garage.plan.vin, brake.number, 202, 1)
        with pytest.raises(errors.Refusal):
            garage.cycle()
        assert errors.ImagesDiffer.number in garage.refusals("gateway")
        assert garage.said() == b"\x01CAL1us1"
