"""Time on a whole vehicle: attestations that are lost, kept back, for others; a key that changes.

Without a fresh time nothing new is installed; what was wrong is named in the next report, and an
honest cycle afterwards goes through (T-28).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from garage import Garage, Lying

from muptane.bench.provisioning import OfficeSupply
from uptane import cbor, errors, ids
from uptane.errors import PeerRefused
from uptane.limits import NONCE_BYTES

ECUS = ("gateway", "brake", "door")
TIME = (ids.DIRECTOR, ids.KIND_TIME, 0)
FAR_S = 3 * 366 * 86400


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


def directed(garage: Garage, name: str) -> None:
    """A release for that ECU of which the Director knows, and whose image nobody brought yet."""
    garage.publish(name, 2)
    image = (ids.IMAGE, ids.KIND_IMAGE, garage.vehicle_ecu(name).number * 100 + 2)
    with pytest.raises(PeerRefused):
        garage.cycle(Lying(garage, image, lambda raw: None))
    garage.vehicle.run(1.0)


def refuses(garage: Garage, name: str, lie: Callable[[bytes], bytes | None]) -> list[int]:
    """A cycle of that ECU with such a time, which ends without an install; what it noted."""
    with pytest.raises(PeerRefused) as refused:
        garage.cycle(Lying(garage, TIME, lie), name)
    assert refused.value.args == (errors.NoFreshTime.number,)
    assert garage.release(name) == 1
    return garage.refusals(name)


def recovers(garage: Garage, name: str) -> None:
    """An honest cycle of the vehicle: the update goes in and everything was heard."""
    garage.cycle()
    assert garage.release(name) == 2 and garage.refusals(name) == []


@pytest.mark.parametrize("name", ECUS)
def test_a_lost_attestation_installs_nothing(garage: Garage, name: str) -> None:
    """T-28, E-05, V-81: the cycle goes on without new time, and stops before it installs."""
    directed(garage, name)
    assert errors.NotMyNonce.number not in refuses(garage, name, lambda raw: None)
    recovers(garage, name)


@pytest.mark.parametrize("name", ECUS)
@pytest.mark.parametrize("reset", [False, True])
def test_an_attestation_that_was_kept_back_is_for_nobody(
    garage: Garage, name: str, reset: bool
) -> None:
    """T-30, E-05, E-18: delivered in the next cycle, or after a reset; and lost before."""
    directed(garage, name)
    hoarded: list[bytes] = []
    refuses(garage, name, hoarded.append)
    if reset:
        garage.vehicle.ecus[name].node.power_off()
        garage.vehicle.run(0.2)
        garage.vehicle.ecus[name].node.power_on()
        garage.vehicle.run(0.5)
    assert errors.NotMyNonce.number in refuses(garage, name, lambda raw: hoarded[0])
    recovers(garage, name)


@pytest.mark.parametrize("name", ECUS)
def test_an_attestation_for_another_vehicle_is_refused(garage: Garage, name: str) -> None:
    """E-18, R-61, R-62: well signed, for other nonces."""
    directed(garage, name)
    other = garage.office.time_server.attest([bytes(NONCE_BYTES)], garage.office.now())
    assert errors.NotMyNonce.number in refuses(garage, name, lambda raw: other)
    recovers(garage, name)


@pytest.mark.parametrize("name", ECUS)
def test_an_attestation_that_was_used_is_not_taken_again(garage: Garage, name: str) -> None:
    """E-18, E-71, T-30: replayed to the vehicle that had asked for it."""
    heard: list[bytes] = []

    def keep(raw: bytes) -> bytes:
        heard.append(raw)
        return raw

    garage.cycle(Lying(garage, TIME, keep))
    directed(garage, name)
    assert errors.NotMyNonce.number in refuses(garage, name, lambda raw: heard[0])
    recovers(garage, name)


def test_an_attestation_that_leaves_out_a_secondary_is_refused_by_the_primary(
    garage: Garage,
) -> None:
    """R-61, E-18: the whole vehicle waits, instead of being updated in part."""
    for name in ECUS:
        garage.publish(name, 2)

    class LeavesOut(Lying):
        def answer(self, file: bytes, detail: object) -> bytes | None:
            if file[1] == ids.KIND_TIME and isinstance(detail, list):
                detail = detail[:-1]
            return super().answer(file, detail)

    with pytest.raises(PeerRefused) as refused:
        garage.cycle(LeavesOut(garage, TIME, lambda raw: raw))
    assert refused.value.args == (errors.NoFreshTime.number,)
    assert errors.NotMyNonce.number in garage.refusals("gateway")
    assert [garage.release(name) for name in ECUS] == [1, 1, 1]
    garage.cycle()
    assert [garage.release(name) for name in ECUS] == [2, 2, 2]


def test_an_attestation_that_comes_late_in_its_cycle_is_taken(garage: Garage) -> None:
    """T-30, R-62: what counts is the cycle; a slow way to the time source is no attack."""
    for name in ECUS:
        garage.publish(name, 2)

    class Late(Lying):
        def find(self, file: bytes, detail: object, offset: int) -> Any:
            if file[1] == ids.KIND_TIME:
                until = garage.vehicle.station("gateway").clock.ticks_ms() + 4000
                while garage.vehicle.station("gateway").clock.ticks_ms() < until:
                    yield until
            return (yield from super().find(file, detail, offset))

    garage.cycle(Late(garage, TIME, lambda raw: raw))
    for name in ECUS:
        assert garage.release(name) == 2 and garage.refusals(name) == []


def clock_of(garage: Garage, name: str) -> list[object] | None:
    """What its flash says of the time: seconds and kid, or None."""
    raw = garage.vehicle.records(name).read(ids.RECORD_TIME)
    return None if raw is None else list(cbor.loads(raw))


@pytest.mark.parametrize("name", ECUS)
def test_a_new_time_key_sets_the_clock_anew(garage: Garage, name: str) -> None:
    """V-82, R-63, T-31: the first cycle learns the Root, the next one the time."""
    directed(garage, name)
    garage.office.rotate(ids.DIRECTOR, ids.TIME)
    noted = refuses(garage, name, lambda raw: raw)
    assert errors.BelowThreshold.number in noted and clock_of(garage, name) is None
    if name != "gateway":
        with pytest.raises(PeerRefused):  # the Primary learns the Root
            garage.cycle()
    recovers(garage, name)
    seconds_and_kid = clock_of(garage, name)
    assert seconds_and_kid is not None
    assert seconds_and_kid[1] == garage.office.time_server.signer.key.kid


class FarAhead(Garage):
    """A vehicle whose ECUs were told a time years ahead, under a time key that was stolen."""

    def supply(self) -> OfficeSupply:
        supply = super().supply()
        now, kid = supply.time()

        class Ahead(OfficeSupply):
            def time(self) -> tuple[int, bytes]:
                return now + FAR_S, kid

        return Ahead(self.office)


def test_a_vehicle_whose_clocks_are_far_ahead_recovers_by_a_new_key(tmp_path: Path) -> None:
    """E-17, T-31, V-82: no ECU takes anything, and none can be set back under the same key; the
    Root without that key gets through to each of them."""
    with FarAhead(tmp_path) as garage:
        for name in ECUS:
            garage.publish(name, 2)
        with pytest.raises(PeerRefused):
            garage.cycle()
        assert errors.TimeBackwards.number in garage.refusals("gateway")
        garage.office.rotate(ids.DIRECTOR, ids.TIME)
        cycles = 0
        while [garage.release(name) for name in ECUS] != [2, 2, 2] and cycles < 4:
            cycles += 1
            try:
                garage.cycle()
            except PeerRefused:
                garage.vehicle.run(1.0)
        assert cycles < 4
        garage.cycle()
        for name in ECUS:
            assert garage.release(name) == 2 and garage.refusals(name) == []
