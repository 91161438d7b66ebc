"""How often an image of a bundle is tried, and what a leader that is away too long makes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bundled import ALL, SECONDARIES, Bundled, Cut, answer, routine

from muptane.bench.can.frames import Frame
from muptane.oem import bundles
from uptane import errors, ids
from uptane.errors import Negative
from uptane.limits import HELD_MS_MAX, PROMISE_MS
from uptane.uds.codes import DID_BOOT, NRC_CONDITIONS_NOT_CORRECT, RID_COMMIT, RID_INSTALL

REPORTED = [2, 1, 2]


@pytest.fixture
def sedan(tmp_path: Path) -> Iterator[Bundled]:
    with Bundled(tmp_path) as one:
        one.cycle()
        yield one


class Counted:
    """How often the brake was told to try an image, and how many blocks of bytes it was sent."""

    def __init__(self, sedan: Bundled) -> None:
        self.trials = 0
        self.images = 0
        self._install = routine(sedan, "brake", RID_INSTALL)
        self._gateway = sedan.vehicle_ecu("gateway").request
        sedan.vehicle.bus.listeners.append(self.hear)

    def hear(self, now_ns: int, sender: str, frame: Frame) -> None:
        self.trials += self._install(sender, frame)
        opened = bytes((0x34, 0, 0x46, ids.IMAGE, ids.KIND_IMAGE))
        self.images += frame.id == self._gateway and opened in frame.data


def test_a_bundle_that_is_only_reported_is_not_tried_again(sedan: Bundled) -> None:
    """S-43: the others keep what they took; the office decides, here for a new bundle."""
    sedan.offer(ALL, ids.BUNDLE_REPORTED, bad=("brake",))
    counted = Counted(sedan)
    for _ in range(3):
        sedan.cycle()
        sedan.vehicle.run(10.0)
    assert sedan.releases() == REPORTED
    assert counted.trials == 1 and counted.images == 3
    assert errors.TrialsSpent.number in sedan.refusals("brake")
    states = {"gateway": bundles.INSTALLED, "brake": bundles.FAILED, "door": bundles.INSTALLED}
    assert sedan.results() == states
    sedan.offer(("brake",), ids.BUNDLE_REPORTED, bad=("brake",))  # directed anew
    sedan.cycle()
    assert counted.trials == 2


@pytest.mark.parametrize("trials", [2, 3])
def test_a_bundle_is_tried_as_often_as_it_says(sedan: Bundled, trials: int) -> None:
    """S-44: counted in flash, so a reset in between is no new trial."""
    sedan.offer(ALL, ids.BUNDLE_RETRIED, trials, bad=("brake",))
    counted = Counted(sedan)
    for done in range(1, trials + 3):
        sedan.cycle()
        sedan.vehicle.run(10.0)
        sedan.vehicle.power_off()
        sedan.vehicle.power_on()
        sedan.vehicle.run(1.0)
        assert counted.trials == min(done, trials)
    assert sedan.releases() == REPORTED
    (result,) = [one for one in sedan.office.bundle_results(sedan.plan.vin) if one.ecu == 2]
    assert result.trials == trials and result.state == bundles.FAILED


def test_a_bundle_that_goes_together_may_be_tried_again(sedan: Bundled) -> None:
    """S-44, S-45: undone for an ECU that was silent, then confirmed by all."""
    sedan.offer(ALL, trials=2)
    Cut(sedan, "door", answer(sedan, "door", RID_INSTALL), 60.0)
    sedan.cycle()
    sedan.vehicle.run(60.0)
    assert sedan.releases() == [1, 1, 1] and not sedan.promised()
    sedan.cycle()
    sedan.vehicle.run(3.0)
    assert sedan.releases() == [2, 2, 2]


def test_a_silent_secondary_keeps_the_others_from_their_trials(sedan: Bundled) -> None:
    """S-45, T-35: nobody tries anything unless all have a verified image."""
    sedan.offer(ALL)
    sedan.vehicle.ecus["door"].node.power_off()
    counted = Counted(sedan)
    sedan.cycle_anyhow()
    sedan.vehicle.ecus["door"].node.power_on()
    sedan.vehicle.run(1.0)
    assert sedan.releases() == [1, 1, 1] and counted.trials == 0
    sedan.cycle()
    sedan.vehicle.run(3.0)
    assert sedan.releases() == [2, 2, 2]  # it was no trial


@pytest.mark.parametrize("name", SECONDARIES)
def test_a_secondary_that_is_cut_while_it_waits_takes_part(sedan: Bundled, name: str) -> None:
    """S-45: what it holds outlasts a reset."""
    sedan.offer(ALL)
    cut = Cut(sedan, name, answer(sedan, "gateway", RID_INSTALL))
    sedan.cycle()
    sedan.vehicle.run(10.0)
    assert cut.done and sedan.releases() == [2, 2, 2] and not sedan.promised()


@pytest.mark.parametrize("away_s", [PROMISE_MS / 1000 - 20, HELD_MS_MAX / 1000 + 20])
def test_a_leader_may_be_away_for_as_long_as_it_was_promised(
    sedan: Bundled, away_s: float
) -> None:
    """S-45, E-06: dead right after its decision. After that the bundle is broken, and the
    reports and the office say so."""
    sedan.offer(ALL)
    Cut(sedan, "gateway", routine(sedan, "brake", RID_COMMIT), away_s)
    sedan.cycle_anyhow()
    sedan.vehicle.run(away_s + 20)
    whole = away_s * 1000 < PROMISE_MS
    assert sedan.releases() == ([2, 2, 2] if whole else [2, 1, 1])
    assert not sedan.promised()
    for name in ALL:
        assert (errors.BundleBroken.number in sedan.refusals(name)) != whole
    sedan.cycle_anyhow()
    found = [why for _, _, why in sedan.office.director.oddities() if "is broken" in why]
    assert bool(found) != whole
    if found:
        assert "ECU 1 image 102 confirmed, ECU 2 image 202, ECU 3 image 302 went back" in found[0]


def test_a_commit_confirms_nothing_but_its_bundle(sedan: Bundled) -> None:
    """S-39, E-23: a tester says commit for another bundle, and where nothing is tried."""
    door = sedan.vehicle.station("door")

    def refused(number: int, bundle: int) -> bool:
        try:
            door.request(bytes((0x31, 1, number >> 8, number & 0xFF)) + bundle.to_bytes(4, "big"))
        except Negative as negative:
            return negative.args == (NRC_CONDITIONS_NOT_CORRECT,)
        return False

    assert refused(RID_COMMIT, 1)
    assert errors.NothingStaged.number in sedan.refusals("door")
    bundle = sedan.offer(SECONDARIES)
    Cut(sedan, "gateway", answer(sedan, "door", RID_INSTALL), 1e6)
    sedan.cycle_anyhow()
    sedan.vehicle.run(5.0)
    assert door.read(DID_BOOT) == bytes((ids.BOOT_HELD,))
    assert refused(RID_COMMIT, bundle + 1)
    assert door.read(DID_BOOT) == bytes((ids.BOOT_HELD,))
    assert not refused(RID_COMMIT, bundle)
    assert door.read(DID_BOOT) == bytes((ids.BOOT_CONFIRMED,))


def test_what_is_wanted_beside_a_bundle_does_not_wait_for_it(sedan: Bundled) -> None:
    """S-45: a bundle that was undone and may not be tried again leaves the others alone."""
    sedan.offer(SECONDARIES, bad=("door",))
    sedan.cycle_anyhow()
    sedan.vehicle.run(10.0)
    assert sedan.releases() == [1, 1, 1]
    sedan.publish("gateway", 2)
    sedan.cycle()
    assert sedan.releases() == [2, 1, 1]
    assert sedan.results() == {"brake": bundles.UNDONE, "door": bundles.FAILED}
