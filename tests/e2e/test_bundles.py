"""Bundles of a whole vehicle: all new or all old, tried again so often, or just reported."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bundled import ALL, FOREVER_S, SECONDARIES, Bundled, Cut, answer, routine

from muptane.oem import bundles
from uptane import errors, ids
from uptane.limits import HELD_MS_MAX
from uptane.uds.codes import RID_COMMIT, RID_INSTALL

CONFIRMED = [ids.BOOT_CONFIRMED] * 3


@pytest.fixture
def sedan(tmp_path: Path) -> Iterator[Bundled]:
    with Bundled(tmp_path) as one:
        one.cycle()
        yield one


def test_a_bundle_of_secondaries_is_confirmed_together(sedan: Bundled) -> None:
    """S-45: tried by each, then committed by all; the office hears of it."""
    sedan.offer(SECONDARIES)
    sedan.cycle()
    assert sedan.releases() == [1, 2, 2] and sedan.boots() == CONFIRMED
    assert not sedan.promised()
    sedan.cycle()
    assert sedan.results() == dict.fromkeys(SECONDARIES, bundles.INSTALLED)


def test_the_primary_takes_part_and_comes_last(sedan: Bundled) -> None:
    """S-45, V-87: its Secondaries hold their images until its own was seen healthy."""
    sedan.offer(ALL)
    sedan.cycle()
    sedan.vehicle.run(3.0)
    assert sedan.releases() == [2, 2, 2] and sedan.boots() == CONFIRMED
    assert not sedan.promised()
    sedan.cycle()
    assert sedan.results() == dict.fromkeys(ALL, bundles.INSTALLED)


@pytest.mark.parametrize("bad", ALL)
def test_one_bad_image_leaves_every_ecu_as_it_was(sedan: Bundled, bad: str) -> None:
    """S-45, T-35: whoever fails its trial, all go back, and each result is known."""
    sedan.offer(ALL, bad=(bad,))
    sedan.cycle_anyhow()
    sedan.vehicle.run(10.0)
    assert sedan.releases() == [1, 1, 1]
    assert not sedan.promised()
    assert errors.BundleUndone.number in sedan.refusals("gateway")
    sedan.cycle_anyhow()
    assert sedan.results()[bad] == bundles.FAILED


UNDONE, FINISHED = [1, 1, 1], [2, 2, 2]
MOMENTS = {
    "the first trial begins": (routine, "brake", RID_INSTALL, UNDONE),
    "the second trial begins": (routine, "door", RID_INSTALL, UNDONE),
    "its own trial begins": (answer, "gateway", RID_INSTALL, UNDONE),
    "the first is told": (routine, "brake", RID_COMMIT, FINISHED),
    "the first has confirmed": (answer, "brake", RID_COMMIT, FINISHED),
    "the second is told": (routine, "door", RID_COMMIT, FINISHED),
    "all have confirmed": (answer, "door", RID_COMMIT, FINISHED),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_primary_that_dies_finishes_or_undoes(sedan: Bundled, moment: str) -> None:
    """S-45: before its decision a reset undoes the bundle, after it the bundle is finished."""
    finder, name, number, expected = MOMENTS[moment]
    sedan.offer(ALL)
    cut = Cut(sedan, "gateway", finder(sedan, name, number))
    sedan.cycle_anyhow()
    sedan.vehicle.run(20.0)
    assert cut.done
    assert sedan.releases() == expected
    assert not sedan.promised()
    undone = errors.BundleUndone.number in sedan.refusals("gateway")
    assert undone == (expected == UNDONE)
    assert errors.BundleBroken.number not in sedan.refusals("gateway")


@pytest.mark.parametrize("moment", ["the first trial begins", "its own trial begins"])
def test_a_primary_that_stays_dead_leaves_the_old_images(sedan: Bundled, moment: str) -> None:
    """S-45: in doubt, an ECU that hears nothing goes back by itself."""
    finder, name, number, _ = MOMENTS[moment]
    sedan.offer(ALL)
    cut = Cut(sedan, "gateway", finder(sedan, name, number), FOREVER_S)
    sedan.cycle_anyhow()
    sedan.vehicle.run(HELD_MS_MAX / 1000 + 10)
    assert cut.done
    assert [sedan.release(name) for name in SECONDARIES] == [1, 1]


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [("door", RID_INSTALL, UNDONE), ("brake", RID_COMMIT, FINISHED)],
)
def test_a_vehicle_that_is_switched_off_finishes_or_undoes(
    sedan: Bundled, name: str, number: int, expected: list[int]
) -> None:
    """S-45: all at once, in the middle of the first phase and of the second."""
    sedan.offer(ALL)
    cuts = [Cut(sedan, other, routine(sedan, name, number)) for other in ALL]
    sedan.cycle_anyhow()
    sedan.vehicle.run(20.0)
    assert all(cut.done for cut in cuts)
    assert sedan.releases() == expected and not sedan.promised()


def test_bundles_on_the_real_interpreter(tmp_path: Path) -> None:
    """S-45: one that is undone, then one that is confirmed."""
    with Bundled(tmp_path, "micropython") as sedan:
        sedan.cycle()
        sedan.offer(ALL, bad=("door",))
        sedan.cycle_anyhow()
        sedan.vehicle.run(10.0)
        assert sedan.releases() == [1, 1, 1] and not sedan.promised()
        sedan.offer(ALL, release=3)
        sedan.cycle()
        sedan.vehicle.run(3.0)
        assert sedan.releases() == [3, 3, 3] and not sedan.promised()
