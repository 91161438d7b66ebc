"""A Secondary that stalls its Primary for ever costs its budget, and the others nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from garage import Garage, Lying
from impostor import Impostor

from muptane.bench.can.frames import Frame
from muptane.bench.world import MS, S
from uptane import errors, ids
from uptane.errors import PeerRefused
from uptane.limits import SECONDARY_MS_MAX
from uptane.uds.codes import WANTS_INSTALL, WANTS_NOTHING

SLOW = errors.SlowRetrieval.number
ECUS = ("gateway", "brake", "door")
APPLICATION = {"gateway": 0x100, "brake": 0x2A0, "door": 0x310}


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


def pending_for_ever(garage: Garage, name: str) -> Callable[[bytes], bytes | None]:
    """Every request of its Primary is pending, as often as it takes."""
    latest = [b""]

    def again() -> None:
        impostors[0].say(b"\x7f" + latest[0] + b"\x78")
        garage.world.at(garage.world.now_ns + 4 * S, again)

    def reply(request: bytes) -> bytes | None:
        if request[0] == 0x3E or request == b"\x10\x81":
            return None
        if not latest[0]:
            garage.world.at(garage.world.now_ns + 4 * S, again)
        latest[0] = request[:1]
        return b"\x7f" + latest[0] + b"\x78"

    impostors: list[Impostor] = []
    impostors.append(Impostor(garage, name, reply))
    return reply


def test_a_secondary_that_is_pending_for_ever_costs_its_budget(garage: Garage) -> None:
    """V-32, E-72, T-49: from its first request on; the vehicle goes on without it."""
    pending_for_ever(garage, "brake")
    began_ns = garage.world.now_ns
    assert garage.cycle() == WANTS_NOTHING
    took_ms = (garage.world.now_ns - began_ns) // MS
    assert SECONDARY_MS_MAX <= took_ms <= SECONDARY_MS_MAX + 20_000
    assert SLOW in garage.refusals("gateway")
    assert {APPLICATION["gateway"], APPLICATION["door"]} <= set(garage.heard(1.0))


def test_a_secondary_that_stalls_its_update_holds_up_nobody(garage: Garage) -> None:
    """V-32, E-72, T-49: it reported as it should; the others take their updates."""
    for name in ECUS:
        garage.publish(name, 2)
    taken = b"\x31\x01\x02\x02\x00\x03"  # the answer that its report was fetched
    heard: list[int] = []

    def listener(now_ns: int, sender: str, frame: Frame) -> None:
        if frame.id == 0x7E1 and taken in frame.data and not heard:
            heard.append(now_ns)
            garage.world.at(now_ns + 500 * MS, lambda: pending_for_ever(garage, "brake"))

    garage.vehicle.bus.listeners.append(listener)
    began_ns = garage.world.now_ns
    assert garage.cycle() == WANTS_INSTALL
    took_ms = (garage.world.now_ns - began_ns) // MS
    assert len(heard) == 1 and took_ms <= SECONDARY_MS_MAX + 40_000
    assert [garage.release(name) for name in ("gateway", "door")] == [2, 2]
    assert SLOW in garage.refusals("gateway")


def test_a_refused_cycle_of_the_primary_lets_the_applications_run_at_once(garage: Garage) -> None:
    """V-35: it ends the sessions of its Secondaries; nobody waits for S3."""
    for name in ECUS:
        garage.publish(name, 2)
    with pytest.raises(PeerRefused):
        garage.cycle(Lying(garage, (ids.IMAGE, ids.KIND_IMAGE, 302), lambda raw: None))
    assert set(APPLICATION.values()) <= set(garage.heard(1.0))
