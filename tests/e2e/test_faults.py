"""The fault engine: a small sample of it, all of it by `make faults`; and that it can say no."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from careless import CarelessEcu, HastyEcu, SingleEcu

from muptane.bench import plan
from muptane.bench.faults.campaign import Campaign
from muptane.bench.faults.case import Case
from muptane.bench.faults.engine import lines_of
from muptane.bench.faults.fault import FAULTS
from muptane.bench.faults.flow import FLOWS, Flow, Play
from muptane.bench.faults.geometry import GEOMETRIES
from muptane.bench.faults.judge import Bad, Judge
from muptane.bench.faults.site import Site, Struck
from muptane.bench.faults.tally import Choice
from muptane.bench.firmware import ROOT, available
from uptane import ids
from uptane.errors import RottenImage
from uptane.store.boot import WRITING, State
from uptane.uds.codes import DID_REFUSALS

SEDAN = plan.load(ROOT / "vehicles" / "sedan.toml")
CUTS = ("cut", "brownout")
SAMPLE: dict[str, tuple[Any, ...]] = {
    "record_write": ("esp32", Case("cut", 5, 2), Case("brownout", 16, 6)),
    "metadata_commit": ("esp32", Case("cut", 20, 4), Case("brownout", 77, 1)),
    "root_rotation": ("esp32", Case("cut", 40, 5), Case("brownout", 20, 3)),
    "time_update": ("stm32h7", Case("cut", 15, 7), Case("brownout", 25, 2)),
    "ab_install": ("stm32f4", Case("cut", 190, 6), Case("brownout", 256, 5)),
    "revert": ("stm32f4", Case("cut", 256, 1), Case("brownout", 80, 4)),
    "revert_unconfirmed": ("esp32", Case("cut", 160, 3), Case("brownout", 212, 7)),
    # while one image is made of the other, or overwrites it
    "delta": ("rp2040", Case("cut", 100, 6)),
    "encrypted_delta": ("spi_nor", Case("brownout", 120, 5)),
    "in_place_install": ("stm32f4", Case("cut", 240, 3)),
    "in_place_delta": ("esp32", Case("brownout", 300, 3)),
    "in_place_way_back": ("esp32", Case("cut", 604, 4)),
    # while the other assembly of regions is being filled
    "region_update": ("rp2040", Case("cut", 170, 4)),
    "data_update": ("spi_nor", Case("brownout", 190, 2)),
    "bundle": ("stm32f4", Case("cut", 263, 5)),  # one of two has confirmed its image
}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(SEDAN, "cpython", tmp_path_factory.mktemp("campaign"), jobs=1)


@pytest.mark.parametrize("flow", SAMPLE)
def test_a_cut_in_a_stroke_of_a_flow_costs_nothing(campaign: Campaign, flow: str) -> None:
    """E-79, V-88: old or new, and the next honest update installs; nothing is refused."""
    geometry, *cases = SAMPLE[flow]
    tallies = campaign.play(FLOWS[flow], GEOMETRIES[geometry], Choice(CUTS, only=tuple(cases)))
    assert [tally.failed for tally in tallies] == [[], []]
    assert sum(tally.counts["recovered"] for tally in tallies) == len(cases)


def test_what_ails_is_survived_or_refused(campaign: Campaign) -> None:
    """E-79, E-89: wear, lies, unsteady cells, flipped bits, resets between frames."""
    chosen = Choice(tuple(name for name in FAULTS if name not in CUTS), 1)
    for tally in campaign.play(FLOWS["time_update"], GEOMETRIES["stm32f4"], chosen):
        assert tally.failed == []
        assert tally.counts["recovered"] + tally.counts["refused"] == 1


def test_every_flow_of_the_list_is_sampled() -> None:
    """E-79: and every image has 64 strokes or more, over two blocks or more."""
    assert set(SAMPLE) == set(FLOWS)
    assert {geometry for geometry, *_ in SAMPLE.values()} == set(GEOMETRIES)
    for one in GEOMETRIES.values():
        assert one.image_bytes >= 64 * max(one.page_bytes, one.program_bytes)
        assert one.image_bytes > one.slots[0][1]
        assert min(slot[1] * slot[2] for slot in one.slots) >= one.image_bytes
        assert one.slots[0][0] + one.slots[0][1] * one.slots[0][2] == one.slots[1][0]
        assert one.place()[1] * one.place()[2] >= 2 * one.image_bytes
        assert one.data_bytes() >= 64 * max(one.page_bytes, one.program_bytes)
        assert one.calibration[0][1] < one.data_bytes() <= one.rooms()[1][1]


@pytest.mark.skipif(not available(), reason="there is no MicroPython wheel for this machine")
def test_a_cut_is_replayed_on_the_real_interpreter(tmp_path: Path) -> None:
    """E-79"""
    campaign = Campaign(SEDAN, "micropython", tmp_path, jobs=1)
    choice = Choice(("cut",), sample=1)
    [tally] = campaign.play(FLOWS["record_write"], GEOMETRIES["spi_nor"], choice)
    assert tally.failed == []
    assert tally.counts["recovered"] == 1


# --- the engine can say no ----------------------------------------------------------------------


def planted(device: Any, play: Play) -> Flow:
    """A flow of ECUs that have that fault."""

    def prepare(site: Site) -> None:
        site.off()
        site.vehicle.device = device
        site.vehicle.power_on()
        site.wait(1.0)

    return Flow("planted", "", play, prepare)


def test_slots_that_believe_what_flew_by_are_found_out(campaign: Campaign) -> None:
    """E-79, E-78"""
    flow = planted(HastyEcu, FLOWS["ab_install"].play)
    choice = Choice(("cut",), only=(Case("cut", 190, 6),))
    [tally] = campaign.play(flow, GEOMETRIES["stm32f4"], choice)
    [(_, verdict)] = tally.failed
    assert verdict.verdict in ("accepted_corruption", "bricked")


def test_records_with_one_directory_are_found_out(campaign: Campaign) -> None:
    """E-79: a flipped bit takes all that was known."""
    flow = planted(SingleEcu, FLOWS["time_update"].play)
    [tally] = campaign.play(flow, GEOMETRIES["stm32f4"], Choice(("flip",), 300))
    assert tally.failed


# --- what the judge knows of one place, and of a bundle ------------------------------------------


def judged(site: Site, harm: Callable[[Site], None]) -> dict[str, Any]:
    """What the judge says of a copy of that vehicle that was harmed."""

    def look(write: Callable[[dict[str, Any]], None]) -> None:
        harm(site)
        judge = Judge(site)
        try:
            judge.look()
        except Bad as bad:
            write({"verdict": bad.verdict, "why": str(bad)})
        else:
            write({"verdict": "", "waits": judge.waits, "notes": judge.notes})

    [said] = lines_of(look)
    return said


def restarted(site: Site, change: Callable[[State], None] = lambda state: None) -> None:
    """While the vehicle is off a bit flips behind the brake's application, and its boot record
    changes."""
    site.off()
    flip(site, 0, 9000)
    nor, records = site.vehicle.mounted("brake", site.vehicle.memory["brake"])
    state = State(records.read(ids.RECORD_BOOT))
    change(state)
    records.commit({ids.RECORD_BOOT: state.packed()})
    site.vehicle.power_on()
    site.wait(1)


def test_an_image_that_is_being_overwritten_is_waited_for_and_one_that_rotted_is_refused(
    campaign: Campaign,
) -> None:
    """E-79, V-58, T-32: as the boot record has it; and what is started all the same is found."""
    site = campaign.site(FLOWS["in_place_delta"], GEOMETRIES["esp32"])

    def begun(state: State) -> None:
        state.phase, state.other = WRITING, state.confirmed

    waited = judged(site, lambda site: restarted(site, begun))
    assert waited == {"verdict": "", "waits": ["brake"], "notes": []}
    rotted = judged(site, restarted)
    assert (rotted["verdict"], rotted["waits"], len(rotted["notes"])) == ("", [], 1)
    assert str(RottenImage.number) in rotted["notes"][0]

    def careless(site: Site) -> None:
        site.vehicle.device = CarelessEcu
        restarted(site)

    assert judged(site, careless)["verdict"] == "accepted_corruption"


def test_a_vehicle_that_is_mixed_and_does_not_say_so_is_found_out(campaign: Campaign) -> None:
    """E-79, S-45, E-06"""

    def half(site: Site) -> None:
        site.together = tuple(site.plan.secondaries())
        site.new["door"] += 1

    said = judged(campaign.site(FLOWS["bundle"], GEOMETRIES["stm32f4"]), half)
    assert said["verdict"] == "bricked" and "mixed" in said["why"]


# --- an image that rots -------------------------------------------------------------------------


def flip(site: Site, slot: int, at: int = 99) -> None:
    """Flip a bit of the image in a slot of the brake controller, in that byte."""
    address = site.geometry.slots[slot][0] - site.geometry.regions[0][0] + at
    memory = site.vehicle.memory["brake"]
    cell = memory.getbuffer()[address]
    memory.seek(address)
    memory.write(bytes((cell ^ 4,)))


def spoken(site: Site) -> set[str]:
    """Whose applications speak."""
    heard: set[str] = set()
    listeners = site.vehicle.bus.listeners
    listeners.append(lambda now_ns, sender, frame: heard.add(sender))
    site.wait(1.5)
    listeners.pop()
    return heard


def test_an_image_that_rotted_is_not_started_on_trial_or_confirmed(tmp_path: Path) -> None:
    """E-79, V-88: the ECU answers and says why, and the next honest update heals it."""
    site = Site(SEDAN, tmp_path, GEOMETRIES["esp32"])
    site.settle()
    station, node = site.vehicle.station("brake"), site.vehicle.ecus["brake"].node
    site.offer(["brake"])
    resets = node.resets
    site.cut = lambda: node.resets > resets  # it boots its trial next
    with pytest.raises(Struck):
        site.cycle()
    site.cut = lambda: False
    flip(site, 0)
    site.wait(9)
    assert "brake" in spoken(site)
    assert site.installed()["brake"] == 202
    assert RottenImage.number in station.read(DID_REFUSALS)
    site.off()
    flip(site, 1)
    site.vehicle.power_on()
    site.wait(1)
    assert spoken(site) == {"gateway", "door"}
    assert site.installed()["brake"] == 202
    assert RottenImage.number in station.read(DID_REFUSALS)
    site.offer(["brake"])
    assert site.update()
    assert "brake" in spoken(site)
