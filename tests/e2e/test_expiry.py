"""Metadata that expires when it is in nobody's hands any more: before installing, and at boot."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from garage import Garage, Lying

from muptane.bench.feeder import BLOCK_BYTES, OfficeSource
from muptane.oem.authority import DAY_S
from uptane import errors, ids
from uptane.errors import Negative, PeerRefused
from uptane.uds.codes import NRC_CONDITIONS_NOT_CORRECT, WANTS_INSTALL
from uptane.uds.feeding import Feeding, of_a_primary

INSTALL = b"\x31\x01\x02\x03"
LEFT_S = 40  # before the Director's files of a day ago expire


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


class Unheard(OfficeSource):
    """Brings everything, and hands in no report: so the Director signs nothing anew."""

    def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
        return
        yield


def a_day_later(garage: Garage) -> None:
    """Let the Director sign, and let nearly a day pass with the vehicle off."""
    with pytest.raises(PeerRefused):
        garage.cycle(Lying(garage, (ids.DIRECTOR, 0, ids.TIMESTAMP), lambda raw: None))
    garage.vehicle.power_off()
    signed_s = garage.office.now()
    garage.vehicle.run(DAY_S - LEFT_S)
    garage.office.refresh()
    garage.vehicle.power_on()
    garage.vehicle.run(0.3)
    assert garage.office.now() - signed_s < DAY_S


def verified(garage: Garage) -> Generator[Any, Any, int]:
    """A cycle of the Primary up to the image that waits for its installation."""
    station = garage.vehicle.station("gateway")
    source = Unheard(garage.office, garage.plan.vin, lambda carried: None)
    feeding = Feeding(station.client, source, bytearray(BLOCK_BYTES), of_a_primary())
    yield from feeding.begin()
    return (yield from feeding.serve(station.clock))


def stay(garage: Garage, seconds: int) -> None:
    """Keep the programming session open for a while."""
    for _ in range(0, seconds, 2):
        garage.vehicle.station("gateway").request(b"\x3e\x00")
        garage.vehicle.run(2.0)


def test_directions_that_expired_meanwhile_install_nothing(garage: Garage) -> None:
    """T-42, E-04: they were good when they were verified."""
    garage.publish("gateway", 2)
    a_day_later(garage)
    tester = garage.vehicle.station("gateway")
    assert tester.run(verified(garage), 600) == WANTS_INSTALL
    stay(garage, LEFT_S + 10)
    with pytest.raises(Negative) as refused:
        tester.request(INSTALL)
    assert refused.value.args == (NRC_CONDITIONS_NOT_CORRECT,)
    assert errors.Expired.number in garage.refusals("gateway")
    tester.request(b"\x10\x01")
    garage.vehicle.run(3.0)
    assert garage.release("gateway") == 1
    garage.cycle()
    assert garage.release("gateway") == 2


def test_directions_that_are_still_good_are_followed(garage: Garage) -> None:
    """T-42: the same day, the same ECU, in time."""
    garage.publish("gateway", 2)
    a_day_later(garage)
    tester = garage.vehicle.station("gateway")
    assert tester.run(verified(garage), 600) == WANTS_INSTALL
    tester.request(INSTALL)
    garage.vehicle.run(5.0)
    assert garage.release("gateway") == 2


def test_a_vehicle_starts_though_all_its_metadata_has_expired(garage: Garage) -> None:
    """V-88, T-42: nobody looks at metadata to boot, and the next cycle brings new files."""
    for name in garage.vehicle.ecus:
        garage.publish(name, 2)
    garage.cycle()
    garage.vehicle.power_off()
    garage.vehicle.run(10 * DAY_S)
    garage.office.refresh()
    garage.vehicle.power_on()
    garage.vehicle.run(1.0)
    assert {0x100, 0x2A0, 0x310} <= set(garage.heard(1.5))
    assert [garage.release(name) for name in garage.vehicle.ecus] == [2, 2, 2]
    for name in garage.vehicle.ecus:
        garage.publish(name, 3)
    garage.cycle()
    assert [garage.release(name) for name in garage.vehicle.ecus] == [3, 3, 3]
