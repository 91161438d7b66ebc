"""Campaigns on a real vehicle: what opens a gate, or stops a campaign, is what its ECUs report."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bundled import Bundled

from muptane.oem import campaigns
from muptane.oem.campaign_gates import RUNNING, STOPPED
from muptane.oem.campaigns import Plan, Status
from muptane.oem.demands import Demand
from muptane.oem.errors import GateClosed
from uptane import errors

BRAKE, DOOR = 202, 302  # release 2 of each


class Reserved(Bundled):
    """The sedan is the maker's test vehicle."""

    def release_pair(self, bad: tuple[str, ...] = ()) -> None:
        """Release 2 of brake and door; the door's needs the brake's."""
        for name, number in (("brake", BRAKE), ("door", DOOR)):
            ecu = self.vehicle_ecu(name)
            content = self.crashing() if name in bad else self.healthy(ecu.application)
            self.office.release_image(number, content, [ecu.hardware], 2)
        hardware = self.vehicle_ecu("brake").hardware
        self.office.demand(DOOR, [Demand(kind="needs", hardware=hardware, lowest=2)])

    def begin(self) -> Status:
        now = self.office.now()
        campaigns.reserve(self.office.inventory, self.plan.vin, now)
        plan = Plan(name="doors", images=(DOOR,), failures=0, sample=1)
        return campaigns.make(self.office.inventory, plan, now)

    def status(self) -> Status:
        return campaigns.status(self.office.inventory, "doors")

    def pair(self) -> tuple[int, int]:
        """Releases that brake and door run."""
        return self.release("brake"), self.release("door")


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Reserved]:
    with Reserved(tmp_path) as made:
        yield made


def test_a_gate_opens_when_the_vehicle_reports_what_it_installed_step_by_step(
    garage: Reserved,
) -> None:
    """S-16, R-14, R-35."""
    garage.release_pair()
    garage.cycle()  # its first report
    assert garage.begin().waves[0].members == 1
    garage.cycle()
    assert garage.pair() == (2, 1)  # the door's may not meet the older brake's
    garage.cycle()
    assert garage.pair() == (2, 2)
    with pytest.raises(GateClosed):
        campaigns.promote(garage.office.inventory, "doors", garage.office.now())
    garage.cycle()  # it says so
    assert garage.status().waves[0].installed == 1
    assert campaigns.promote(garage.office.inventory, "doors", garage.office.now()).wave == 1


def test_a_campaign_stops_when_an_application_crashes_and_what_runs_keeps_running(
    garage: Reserved,
) -> None:
    """S-17: and the image is offered no more."""
    garage.release_pair(bad=("door",))
    garage.cycle()
    garage.begin()
    garage.cycle()
    garage.cycle_anyhow()
    assert garage.pair() == (2, 1) and garage.status().state == RUNNING
    garage.vehicle.run(60)  # until the trial is over
    garage.cycle_anyhow()
    stopped = garage.status()
    assert (stopped.state, stopped.waves[0].failed) == (STOPPED, 1)
    garage.cycle_anyhow()
    assert garage.pair() == (2, 1)
    assert errors.Withheld.number not in garage.refusals("door")
