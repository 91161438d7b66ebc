"""A vehicle with two Directors that have to agree, and vehicles whose map changes in the field."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from garage import Garage

from muptane.bench.feeder import OfficeSource
from muptane.bench.firmware import ROOT
from muptane.bench.provisioning import (
    AllianceSupply,
    OfficeSupply,
    chart_of,
    found_partners,
    new_ecus,
)
from muptane.oem.alliance import Alliance
from muptane.oem.fleet import assign, record_image
from muptane.oem.targets import entry_of
from uptane import errors, ids
from uptane.errors import PeerRefused

FLEET = 3
BOTH = (ids.DIRECTOR, ids.IMAGE)
TRIO = (*BOTH, FLEET)
ECUS = ("gateway", "brake", "door")


class Allied(Garage):
    """A sedan whose office has partners; the vehicle knows nothing of them yet."""

    def open_books(self) -> None:
        super().open_books()
        self.alliance = Alliance(self.office, b"partners")

    def source(self) -> OfficeSource:
        return OfficeSource(self.alliance, self.plan.vin, lambda carried: None)

    def number(self, name: str, release: int) -> int:
        return self.vehicle_ecu(name).number * 100 + release

    def fleet_wants(self, name: str, release: int) -> None:
        ecu = self.vehicle_ecu(name).number
        self.alliance.directors[FLEET].assign(self.plan.vin, ecu, self.number(name, release))

    def agree(self, name: str, release: int) -> None:
        """Both Directors want the next release."""
        self.publish(name, release)
        for number in self.alliance.directors:
            assert number == FLEET
            self.fleet_wants(name, release)

    def chart(self, name: str) -> bytes | None:
        return self.vehicle.records(name).read(ids.RECORD_MAP)

    def kept_of_fleet(self, name: str) -> list[int]:
        first = ids.RECORD_METADATA + 0x100 * (FLEET - ids.DIRECTOR)
        numbers = self.vehicle.records(name).numbers()
        return [number for number in numbers if first <= number < ids.RECORD_CHECKPOINT]

    def found_fleet(self) -> None:
        director = self.alliance.add_director(FLEET)
        director.register_vehicle(self.plan.vin, new_ecus(self.office, self.plan))
        for name in ECUS:
            self.fleet_wants(name, 1)

    def refused(self, cycle: Callable[[], Any]) -> int:
        """The number of the refusal in which a cycle ends."""
        with pytest.raises(PeerRefused) as refused:
            cycle()
        return int(refused.value.args[0])


class Fleet(Allied):
    """A vehicle that leaves the factory with a map of three repositories (fleet option 2)."""

    file = ROOT / "vehicles" / "fleet.toml"

    def open_books(self) -> None:
        super().open_books()
        found_partners(self.alliance, self.plan)

    def supply(self) -> OfficeSupply:
        for name in ECUS:
            self.fleet_wants(name, 1)
        return AllianceSupply(self.alliance, chart_of(self.alliance, self.plan, 1))


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path) as one:
        yield one


@pytest.fixture
def sedan(tmp_path: Path) -> Iterator[Allied]:
    with Allied(tmp_path) as one:
        yield one


# --- three repositories ------------------------------------------------------------------------


def test_what_both_directors_want_is_installed(fleet: Fleet) -> None:
    """V-20, S-47: by the Primary, a full and a partial Secondary."""
    for name in ECUS:
        fleet.agree(name, 2)
    fleet.cycle()
    assert [fleet.release(name) for name in ECUS] == [2, 2, 2]
    fleet.cycle()
    assert [fleet.refusals(name) for name in ECUS] == [[], [], []]
    assert fleet.kept_of_fleet("door") == []


def test_one_director_alone_installs_nothing_on_full_ecus(fleet: Fleet) -> None:
    """E-83, S-47: another image, an ECU left out; either Director; then they agree."""
    fleet.publish("brake", 2)  # the fleet still wants release 1
    assert fleet.refused(fleet.cycle) == errors.DirectorsDiffer.number
    fleet.publish("brake", 3)
    fleet.fleet_wants("brake", 2)
    assert fleet.refused(fleet.cycle) == errors.DirectorsDiffer.number
    brake = fleet.refused(lambda: fleet.cycle(name="brake"))
    assert brake == errors.DirectorsDiffer.number
    assert [fleet.release(name) for name in ECUS] == [1, 1, 1]
    fleet.fleet_wants("brake", 3)
    fleet.cycle()
    assert [fleet.release(name) for name in ECUS] == [1, 3, 1]


def test_an_evil_director_of_the_fleet_mixes_nothing(fleet: Fleet) -> None:
    """E-83, E-22, E-32: it signs other bytes for the brake's next image and serves them."""
    fleet.agree("brake", 2)
    hostile = fleet.alliance.directors[FLEET]
    number, brake = fleet.number("brake", 3), fleet.vehicle_ecu("brake")
    record_image(hostile.inventory, number, entry_of(b"evil " * 40, [brake.hardware], 3))
    assign(hostile.inventory, fleet.plan.vin, brake.number, number, fleet.office.now())
    assert fleet.refused(fleet.cycle) == errors.DirectorsDiffer.number
    assert fleet.release("brake") == 1


def test_the_partial_ecu_follows_its_one_director(fleet: Fleet) -> None:
    """S-46, S-47, E-83: the edge of the promise: the fleet has no say on the door module, if
    somebody other than the Primary serves it."""
    fleet.publish("door", 2)
    assert fleet.refused(fleet.cycle) == errors.DirectorsDiffer.number
    fleet.cycle(name="door")
    assert fleet.release("door") == 2


# --- the map changes ---------------------------------------------------------------------------


def test_a_fleet_comes_and_goes(sedan: Allied) -> None:
    """T-45, V-20: the built-in map, one of three, one of two again; the full Secondary follows in
    the same cycle, the partial one knows of no map."""
    sedan.found_fleet()
    sedan.alliance.list_map(sedan.alliance.charter(4, TRIO), sedan.plan.vin, BOTH)
    sedan.cycle()
    chart = sedan.alliance.charter(4, TRIO)
    assert [sedan.chart(name) for name in ECUS] == [chart, chart, None]
    sedan.publish("brake", 2)
    assert sedan.refused(sedan.cycle) == errors.DirectorsDiffer.number
    sedan.fleet_wants("brake", 2)
    sedan.cycle()
    assert sedan.release("brake") == 2 and sedan.kept_of_fleet("brake")
    chart = sedan.alliance.charter(5, BOTH)
    sedan.alliance.list_map(chart, sedan.plan.vin, TRIO)
    sedan.cycle()
    assert [sedan.chart(name) for name in ECUS] == [chart, chart, None]
    assert sedan.kept_of_fleet("gateway") == sedan.kept_of_fleet("brake") == []
    sedan.publish("brake", 3)
    sedan.cycle()
    assert sedan.release("brake") == 3


def test_a_map_that_one_repository_lists_is_nobodys(sedan: Allied) -> None:
    """T-45, E-84: the update of that cycle is installed all the same."""
    sedan.found_fleet()
    chart = sedan.alliance.charter(4, TRIO)
    for one in BOTH:
        sedan.alliance.list_map(chart, sedan.plan.vin, (one,))
        if one == ids.DIRECTOR:
            sedan.agree("brake", 2)
            sedan.cycle()
            assert sedan.release("brake") == 2
            assert [sedan.chart(name) for name in ECUS] == [None, None, None]
    sedan.cycle()
    assert [sedan.chart(name) for name in ECUS] == [chart, chart, None]


def test_a_secondary_that_missed_a_map_catches_up(sedan: Allied) -> None:
    """T-38, T-45: the brake is asleep while the fleet comes, and again while it goes."""
    sedan.found_fleet()
    first = sedan.alliance.charter(4, TRIO)
    sedan.alliance.list_map(first, sedan.plan.vin, BOTH)
    sedan.cycle()
    second = sedan.alliance.charter(5, BOTH)
    sedan.alliance.list_map(second, sedan.plan.vin, TRIO)
    brake = sedan.vehicle.ecus["brake"].node
    brake.power_off()
    for director in (sedan.office.director, sedan.alliance.directors[FLEET].director):
        director.rotate({}, sedan.office.now())  # or they would wait for the brake's report
    sedan.cycle()
    assert [sedan.chart(name) for name in ECUS] == [second, first, None]
    brake.power_on()
    sedan.vehicle.run(0.3)
    assert sedan.kept_of_fleet("gateway") == []
    sedan.cycle()
    assert [sedan.chart(name) for name in ECUS] == [second, second, None]
    assert sedan.kept_of_fleet("brake") == []
