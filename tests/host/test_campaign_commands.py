"""Images with demands, wishes and campaigns by command, as an engineer of the maker types them."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from oem_vehicle import Vehicle
from test_supplier_commands import ENVIRONMENT, Desk, desk  # noqa: F401  # a fixture

from muptane.cli import oem
from muptane.oem.database import HEAD
from muptane.oem.migrating import migrate
from muptane.oem.office import Office
from muptane.oem.premises import Premises

NOW = 1_800_000_000


class Fleet:
    """Three vehicles of an office that have reported once. What they are told is read from it."""

    def __init__(self, at: Desk) -> None:
        self.desk = at
        self.vehicles = [Vehicle(f"VIN{n}", first=10 * n + 1) for n in range(3)]
        self.at_work(lambda office, one: office.register_vehicle(one.vin, one.new()))
        self.tell()

    def at_work(self, act):
        secret = ENVIRONMENT["MUPTANE_PASSPHRASE"].encode()
        office = Office.open(lambda: NOW, Premises(self.desk.office, secret))
        found = [act(office, one) for one in self.vehicles]
        office.close()
        return found

    def tell(self) -> list[dict[int, int]]:
        """Each reports; what each is told."""
        return self.at_work(
            lambda office, one: dict(
                office.accept_manifest(one.vin, one.manifest(office.director.identity)).directions
            )
        )


def run(ecu, content: bytes, image: int, release: int) -> None:
    ecu.image, ecu.release, ecu.sha256 = image, release, sha256(content).digest()


@pytest.fixture
def fleet(desk: Desk) -> Fleet:  # noqa: F811
    """Image 302 for the doors, which needs image 202 of the brakes."""
    made = Fleet(desk)
    for number, hardware in ((202, 20), (302, 30)):
        needs = ("--needs", "20:2") if number == 302 else ()
        file = desk.file(f"{number}.bin", b"image %d" % number)
        said = ("--number", number, "--hardware", hardware, "--release", 2, *needs)
        printed = desk.oem("release", file, *said)
        assert f"Image {number} is released." in printed
    assert "  It needs release 2 or later on hardware 20." in printed
    return made


def test_a_wish_brings_what_it_needs(fleet: Fleet) -> None:
    """R-14, S-14."""
    said = fleet.desk.oem("want VIN0", "3=302")
    assert said.splitlines() == ["ECU 2: image 202, because of the others", "ECU 3: image 302"]
    assert fleet.tell() == [{2: 202}, {}, {}]


def test_a_campaign_from_the_first_vehicle_to_the_last(fleet: Fleet, tmp_path: Path) -> None:
    """S-16, S-17."""
    act = fleet.desk.oem
    make = ("campaign make doors", "--image", 302, "--waves", "100")
    assert "next: reserve a vehicle" in act(*make, code=1)
    act("reserve", "VIN1")
    assert "wave 0: 1 reserved vehicles, 0 installed it, 0 went back" in act(*make)
    assert "GateClosed" in act("campaign promote doors", code=1)
    assert fleet.tell() == [{}, {12: 202}, {}]
    run(fleet.vehicles[1].ecus[1], b"image 202", 202, 2)
    assert fleet.tell() == [{}, {12: 202, 13: 302}, {}]
    run(fleet.vehicles[1].ecus[2], b"image 302", 302, 2)
    fleet.tell()
    assert "wave 1: 2 vehicles" in act("campaign promote doors")
    assert fleet.tell() == [{2: 202}, {12: 202, 13: 302}, {22: 202}]
    assert "paused in wave 1 of 1 (snow)" in act("campaign pause doors", "--why", "snow")
    assert fleet.tell()[0] == {}
    act("campaign resume doors")
    act("campaign stop doors", "--why", "enough")
    assert "CampaignEnded: A campaign that was stopped" in act("campaign resume doors", code=1)
    path = tmp_path / "doors.json"
    shown = act("campaign show doors", "--json", path)
    assert [line.split()[2] for line in shown.splitlines()[3:]] == [
        "running,", "running,", "paused,", "running,", "stopped,",
    ]  # fmt: skip
    assert json.loads(path.read_text())["waves"][0]["installed"] == 1
    assert shown.splitlines()[0] in act("campaign list")


def test_an_older_inventory_is_migrated_by_hand(tmp_path: Path) -> None:
    """R-17: the command says how, and changes nothing."""
    folder = tmp_path / "old"
    (folder / "keys").mkdir(parents=True)
    url = f"sqlite:///{folder / 'inventory.sqlite'}"
    migrate(url, "0003")
    said = Desk(tmp_path)(oem.app, "campaign", "list", "--office", folder, code=1)
    assert "muptane migrating up" in said and "next: copy the inventory" in said
    assert migrate(url) == ("0003", HEAD)
    assert "No campaign" in Desk(tmp_path)(oem.app, "campaign", "list", "--office", folder)


def test_bad_input_is_a_sentence(fleet: Fleet) -> None:
    act = fleet.desk.oem
    for words in (
        ("want VIN0", "3:302"),
        ("want VIN0", "3=302", "3=302"),
        ("campaign make doors", "--image", 302, "--waves", "100,10"),
        ("campaign make doors", "--image", 302, "--waves", "all"),
        ("campaign make Doors!", "--image", 302),
        ("campaign make doors", "--image", 302, "--failures", 200),
    ):
        assert "Traceback" not in act(*words, code=2)
    for words, kind in (
        (("want VIN9", "3=302"), "UnknownVehicle"),
        (("want VIN0", "9=302"), "UnknownEcu"),
        (("want VIN0", "3=999"), "UnknownImage"),
        (("want VIN0", "2=302"), "WrongHardware"),
        (("reserve", "VIN9"), "UnknownVehicle"),
        (("campaign show doors",), "UnknownCampaign"),
        (("campaign make doors", "--image", 999), "UnknownImage"),
    ):
        said = act(*words, code=1)
        assert f"why:  {kind}" in said and "next: " in said
    file = fleet.desk.file("x.bin", b"x")
    release = ("release", file, "--number", 402, "--hardware", 30, "--release", 3)
    for demand in ("30:", "30:5-2", "x", "30-2", "30:99999999999"):
        assert "Traceback" not in act(*release, "--needs", demand, code=2)
    assert "No campaign was made." in act("campaign list")
