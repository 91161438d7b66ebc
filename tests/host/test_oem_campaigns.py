"""Campaigns: on reserved vehicles first, in waves, behind gates, and stopped by what fails."""

import pytest
from campaign_fleet import Maker, run
from databases import server, url  # noqa: F401  # fixtures
from oem_vehicle import BRAKE, DOOR, NOW, stored
from pydantic import ValidationError

from muptane.oem import campaigns
from muptane.oem.campaign_gates import PAUSED, RUNNING, STOPPED
from muptane.oem.campaign_tables import Campaign, CampaignStep, Member
from muptane.oem.campaigns import Plan
from muptane.oem.demands import Demand
from muptane.oem.errors import (
    CampaignEnded,
    CampaignNameUsed,
    GateClosed,
    NoTestVehicles,
    UnknownCampaign,
    UnknownImage,
    UnknownVehicle,
)
from muptane.oem.inventory import Assignment
from uptane import ids


@pytest.fixture
def maker():
    made = Maker()
    yield made
    made.office.close()


def test_a_campaign_begins_on_the_reserved_vehicles_alone(maker):
    """S-16."""
    made = maker.make()
    assert (made.state, made.wave, made.waves[0].members) == (RUNNING, 0, 2)
    assert maker.told() == {"VIN00", "VIN01"}


def test_it_is_promoted_on_their_reports_and_reaches_all_in_waves(maker):
    """S-04, S-05, S-16, S-17."""
    maker.make()
    with pytest.raises(GateClosed, match=r"0 of 2 vehicles of wave 0 .* 100 % have to"):
        maker.promote()
    maker.install({"VIN00"})
    with pytest.raises(GateClosed, match="1 of 2 vehicles"):
        maker.promote()
    assert maker.told() == {"VIN00", "VIN01"}
    maker.install({"VIN01"})
    assert maker.promote().wave == 1
    first = maker.members(1)
    assert len(first) == 5  # a quarter of 18, rounded up
    assert maker.told() == {"VIN00", "VIN01"} | first
    maker.install(sorted(first)[:4])
    with pytest.raises(GateClosed, match=r"4 of 5 vehicles of wave 1 .* 90 % have to"):
        maker.promote()
    maker.install(first)
    assert maker.promote().wave == 2
    assert maker.told() == {one.vin for one in maker.vehicles}
    maker.install(maker.members(2))
    last = maker.status()
    assert [(one.members, one.installed) for one in last.waves] == [(2, 2), (5, 5), (13, 13)]
    with pytest.raises(GateClosed, match="is the last"):
        maker.promote()


def test_it_is_the_same_on_both_databases(url):  # noqa: F811
    """R-17, S-16, S-17: demands, waves, and a stop by itself."""
    maker = Maker(6, url)
    maker.office.demand(302, [Demand(kind="needs", hardware=20, lowest=1)])
    maker.make(failures=10, sample=1, enough=0)
    maker.install({"VIN00", "VIN01"})
    assert maker.promote().waves[1].members == 1
    assert maker.told() == {"VIN00", "VIN01"} | maker.members(1)
    maker.install(maker.members(1), ids.BOOT_REVERTED)
    assert maker.status().state == STOPPED
    assert maker.told() == {"VIN00", "VIN01"}
    maker.office.close()


def test_a_wave_is_drawn_the_same_each_time(maker):
    maker.make(enough=0)
    maker.install({"VIN00", "VIN01"})
    maker.promote()
    again = Maker()
    again.make(enough=0)
    again.install({"VIN00", "VIN01"})
    again.promote()
    assert again.members(1) == maker.members(1)
    again.office.close()


def test_a_paused_campaign_tells_nobody_who_has_it_not_yet_and_goes_on(maker):
    """S-17."""
    maker.make()
    maker.install({"VIN00"})
    assert maker.turn(PAUSED, "a hunch").sentence == "a hunch"
    oddities = len(maker.office.director.oddities())
    assert maker.told() == {"VIN00"}  # where it is, it stays
    assert len(maker.office.director.oddities()) == oddities  # nobody has to look at that
    with pytest.raises(GateClosed, match="is paused"):
        maker.promote()
    assert maker.turn(RUNNING).state == RUNNING
    assert maker.told() == {"VIN00", "VIN01"}
    steps = campaigns.history(maker.office.inventory, "doors")
    assert [state for _, state, _, _ in steps] == [RUNNING, PAUSED, RUNNING]
    assert maker.turn(RUNNING) and len(stored(maker.office, CampaignStep)) == 3


def test_it_stops_by_itself_when_too_many_fail(maker):
    """S-17: in the transaction that takes the report; for good."""
    maker.make(failures=10, sample=10, enough=50)
    maker.install({"VIN00", "VIN01"})
    maker.promote()
    first = sorted(maker.members(1))
    maker.install(first[:1], ids.BOOT_REVERTED)
    assert maker.status().state == RUNNING  # 1 of 10
    maker.install(first[1:2], ids.BOOT_REVERTED)
    stopped = maker.status()
    assert stopped.state == STOPPED and "2 of 7 vehicles went back" in stopped.sentence
    assert maker.told() == {"VIN00", "VIN01"}
    assert any("stopped by itself" in said for _, _, said in maker.office.director.oddities())
    for act in (maker.promote, lambda: maker.turn(RUNNING), lambda: maker.turn(PAUSED)):
        with pytest.raises(CampaignEnded, match="stopped by itself"):
            act()


def test_a_promotion_that_did_not_see_the_stop_does_not_undo_it(maker):
    """S-17: two processes, of which one read before the other wrote."""
    maker.make()
    maker.turn(STOPPED, "smoke")
    with maker.office.inventory.begin() as session:
        (campaign,) = stored(maker.office, Campaign)
        late = {"made_s": NOW, "state": RUNNING, "wave": 1, "sentence": ""}
        session.add(CampaignStep(campaign_id=campaign.id, **late))
        session.commit()
    assert (maker.status().state, maker.status().sentence) == (STOPPED, "smoke")
    assert maker.told() == set()


def test_a_vehicle_that_went_back_is_told_no_more_and_keeps_the_gate_closed(maker):
    """S-16, S-17."""
    maker.make()
    maker.install({"VIN00"})
    maker.install({"VIN01"}, ids.BOOT_REVERTED)
    assert maker.told() == {"VIN00"}
    with pytest.raises(GateClosed, match=r"1 of 2 vehicles .* 1 went back"):
        maker.promote()
    maker.office.assign("VIN01", 13, 302)  # whoever looked at it may want it again
    assert maker.told() == {"VIN00", "VIN01"}
    maker.install({"VIN01"})
    assert maker.promote().wave == 1


def test_who_reports_other_bytes_under_that_number_has_not_installed_it(maker):
    """S-16."""
    maker.make()
    maker.install({"VIN00", "VIN01"})
    run(maker.vehicles[1].ecus[2], b"other 2", 302, 2)
    maker.tell(maker.vehicles[1])
    with pytest.raises(GateClosed, match="1 of 2 vehicles"):
        maker.promote()


def test_what_a_stopped_campaign_wanted_is_in_nobodys_way(maker):
    """R-14: its image conflicts with the next one's, and is not installed."""
    maker.office.release_image(402, b"door 4", [30], 4)
    maker.office.demand(402, [Demand(kind="conflicts", hardware=20, lowest=2)])
    maker.office.release_image(202, b"brake 2", [20], 2)
    inventory = maker.office.inventory
    campaigns.make(inventory, Plan(name="doors", images=(402,)), NOW)
    blocked = campaigns.make(inventory, Plan(name="brakes", images=(202,)), NOW)
    assert (blocked.waves[0].members, blocked.waves[0].left_out) == (0, 2)
    maker.turn(STOPPED)
    freed = campaigns.make(inventory, Plan(name="brakes-2", images=(202,)), NOW)
    assert (freed.waves[0].members, freed.waves[0].left_out) == (2, 0)
    assert maker.tell(maker.vehicles[0]) == {BRAKE: 202}


def test_what_went_back_before_the_campaign_is_not_its_failure(maker):
    maker.vehicles[0].ecus[2].boot = ids.BOOT_REVERTED
    maker.tell(maker.vehicles[0])
    maker.vehicles[0].ecus[2].boot = ids.BOOT_CONFIRMED
    maker.tell(maker.vehicles[0])
    maker.make()
    assert maker.status().waves[0].failed == 0
    assert maker.told() == {"VIN00", "VIN01"}


def test_who_still_says_that_it_went_back_before_has_not_failed(maker):
    """S-17: an ECU says so until its next trial, and tells no image with it."""
    door = maker.vehicles[0].ecus[2]
    door.boot = ids.BOOT_REVERTED
    maker.tell(maker.vehicles[0])
    maker.make(failures=0, sample=1)
    assert maker.told() == {"VIN00", "VIN01"}
    assert (maker.status().state, maker.status().waves[0].failed) == (RUNNING, 0)
    door.boot = ids.BOOT_TRIAL
    maker.tell(maker.vehicles[0])
    maker.install({"VIN00"}, ids.BOOT_REVERTED)  # and now it has
    assert maker.status().state == STOPPED


def test_who_cannot_run_it_is_left_out_and_looked_at(maker):
    """R-14, R-35."""
    maker.office.release_image(402, b"door 4", [30], 4)
    maker.office.demand(402, [Demand(kind="needs", hardware=20, lowest=9)])
    plan = Plan(name="needy", images=(402,))
    made = campaigns.make(maker.office.inventory, plan, NOW)
    assert (made.waves[0].members, made.waves[0].left_out) == (0, 2)
    sentences = [said for _, _, said in maker.office.director.oddities()]
    assert any("leaves this vehicle out: image 402" in said for said in sentences)
    with pytest.raises(GateClosed):
        campaigns.promote(maker.office.inventory, "needy", NOW)


def test_what_an_image_needs_comes_with_the_campaign(maker):
    """R-14, S-14: and counts for its gate."""
    maker.office.release_image(202, b"brake 2", [20], 2)
    maker.office.release_image(402, b"door 4", [30], 4)
    maker.office.demand(402, [Demand(kind="needs", hardware=20, lowest=2)])
    campaigns.make(maker.office.inventory, Plan(name="both", images=(402,)), NOW)
    vehicle = maker.vehicles[0]
    assert maker.tell(vehicle) == {BRAKE: 202}
    run(vehicle.ecus[1], b"brake 2", 202, 2)
    assert maker.tell(vehicle) == {BRAKE: 202, DOOR: 402}
    assert campaigns.status(maker.office.inventory, "both").waves[0].installed == 0
    run(vehicle.ecus[2], b"door 4", 402, 4)
    maker.tell(vehicle)
    assert campaigns.status(maker.office.inventory, "both").waves[0].installed == 1


def test_who_has_something_newer_is_not_concerned(maker):
    door = maker.vehicles[0].ecus[2]
    door.image, door.release = 309, 9
    maker.tell(maker.vehicles[0])
    assert maker.make().waves[0].members == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"waves": ()},
        {"waves": (10, 50)},
        {"waves": (50, 10, 100)},
        {"waves": (0, 100)},
        {"waves": (10, 10, 100)},
        {"images": ()},
        {"images": (302, 302)},
        {"name": "no spaces"},
        {"enough": 101},
        {"failures": -1},
        {"sample": 0},
        {"images": ["302"]},
    ],
)
def test_a_plan_is_checked(fields):
    with pytest.raises(ValidationError):
        Plan(**{"name": "doors", "images": (302,), **fields})


def test_bad_input_changes_nothing(maker):
    inventory = maker.office.inventory
    with pytest.raises(UnknownImage):
        campaigns.make(inventory, Plan(name="doors", images=(999,)), NOW)
    with pytest.raises(UnknownVehicle):
        campaigns.reserve(inventory, "VIN99", NOW)
    with pytest.raises(UnknownCampaign):
        campaigns.promote(inventory, "doors", NOW)
    maker.office.release_image(702, b"nobody's", [70], 2)
    with pytest.raises(NoTestVehicles):
        campaigns.make(inventory, Plan(name="doors", images=(702,)), NOW)
    for row in (Campaign, CampaignStep, Member, Assignment):
        assert stored(maker.office, row) == []
    maker.make()
    with pytest.raises(CampaignNameUsed):
        maker.make()
    assert len(stored(maker.office, Campaign)) == 1
