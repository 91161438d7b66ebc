"""Every detected attack is named in the next report, and until the Director has acknowledged it.

On every ECU of a whole vehicle, wherever it was met: in the transfer, in metadata, in a peer. What
clears it is a Director Targets that the ECU verified, and nothing that a tester can ask for.
"""

import contextlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from garage import Garage, Lying
from impostor import Impostor

from muptane.bench.feeder import OfficeSource
from muptane.oem.errors import OemRefusal
from uptane import cbor, errors, ids
from uptane.errors import Negative, Refusal
from uptane.limits import ATTACKS_MAX, CYCLE_MS
from uptane.report import content_of

ECUS = ("gateway", "brake", "door")
UNWANTED = b"\x34\x00\x46\x01\x00\x00\x00\x00\x03\x00\x00\x01\x00"
OTHER_FILE = b"\x34\x00\x46\x02\x01\x00\x00\x00\x03\x00\x00\x01\x00"


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


class Reading(Lying):
    """A feeder that reads the reports it carries, and may keep the Director's Targets back."""

    def __init__(self, garage: Garage, withhold: bool = False) -> None:
        targets = (ids.DIRECTOR, ids.KIND_METADATA, ids.TARGETS)
        super().__init__(garage, targets, lambda raw: None if withhold else raw)
        self.attacks: dict[str, list[int]] = {}
        self._names = {ecu.number: ecu.name for ecu in garage.plan.ecu}

    def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
        content, _ = cbor.loads_first(memoryview(raw)[1:])
        for report in cbor.loads(bytes(content))[ids.VEHICLE_REPORTS]:
            fields = content_of(report)
            self.attacks[self._names[fields[ids.REPORT_ID]]] = fields[ids.REPORT_ATTACKS]
        return super().take(file, raw)


def provoke(garage: Garage, name: str) -> None:
    """A file that the ECU does not want; 70 is what it keeps of it."""
    tester = garage.vehicle.station(name)
    tester.request(b"\x10\x02")
    with pytest.raises(Negative):
        tester.request(UNWANTED)
    tester.request(b"\x10\x01")
    assert garage.refusals(name) == [errors.Unwanted.number]


def restart(garage: Garage, name: str) -> None:
    node = garage.vehicle.ecus[name].node
    node.power_off()
    garage.vehicle.run(0.2)
    node.power_on()
    garage.vehicle.run(0.5)


@pytest.mark.parametrize("name", ECUS)
def test_an_attack_is_named_until_the_director_knows(garage: Garage, name: str) -> None:
    """E-76, V-36: over power cuts, over a cycle that brought no acknowledgement, and no longer."""
    provoke(garage, name)
    restart(garage, name)
    assert garage.refusals(name) == [errors.Unwanted.number]
    source = Reading(garage, withhold=True)
    garage.publish("door", 2)
    with pytest.raises(Refusal):
        garage.cycle(source)
    assert source.attacks[name] == [errors.Unwanted.number]
    restart(garage, name)
    assert errors.Unwanted.number in garage.refusals(name)
    source = Reading(garage)
    garage.cycle(source)
    assert errors.Unwanted.number in source.attacks[name]
    assert garage.refusals(name) == []
    restart(garage, name)
    assert garage.refusals(name) == []
    source = Reading(garage)
    garage.cycle(source)
    assert source.attacks[name] == []


@pytest.mark.parametrize("name", ECUS)
def test_no_service_clears_an_attack(garage: Garage, name: str) -> None:
    """E-76, S-39: ClearDiagnosticInformation clears DTCs, and nothing else does it either."""
    provoke(garage, name)
    tester = garage.vehicle.station(name)
    requests = [
        b"\x14\xff\xff\xff", b"\x14\xff\xff\xff\x00", b"\x2e\xfd\x03", b"\x2e\xfd\x03\x00",
        b"\x31\x01\xff\x00", b"\x31\x01\x02\x03", b"\x11\x01", b"\x10\x03", b"\x10\x02",
        b"\x27\x01", b"\x85\x02", b"\x28\x03\x01", b"\x31\x02\x02\x00", b"\x10\x01",
    ]  # fmt: skip
    for request in requests:
        try:
            tester.request(request)
        except Refusal:
            pass
        garage.vehicle.run(0.2)
        assert errors.Unwanted.number in garage.refusals(name), request.hex()


@pytest.mark.parametrize("name", ECUS[1:])
def test_what_happens_after_the_report_is_not_acknowledged_with_it(
    garage: Garage, name: str
) -> None:
    """E-76: the Director acknowledges what a report named; this one it has not seen."""
    provoke(garage, name)
    station = garage.vehicle.station(name)

    def again() -> None:
        station.start(ask(), lambda value: None)

    def ask() -> Generator[Any, Any, None]:
        with contextlib.suppress(Refusal):
            yield from station.client.request(OTHER_FILE)

    class Attacked(Reading):
        def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
            garage.world.at(garage.world.now_ns, again)
            return super().take(file, raw)

    garage.cycle(Attacked(garage))
    assert errors.WrongFile.number in garage.refusals(name)
    source = Reading(garage)
    garage.cycle(source)
    assert errors.WrongFile.number in source.attacks[name]
    assert garage.refusals(name) == []


def test_what_a_primary_meets_in_its_peers_is_named(garage: Garage) -> None:
    """E-76, V-36, E-72: a Secondary that is silent, one that says nonsense."""
    silent = Impostor(garage, "door", lambda request: None)
    with_silence = Reading(garage)
    garage.cycle(with_silence)
    assert isinstance(with_silence.refused, OemRefusal)
    assert garage.refusals("gateway") == [errors.NoReply.number]
    silent.off = True
    restart(garage, "door")
    restart(garage, "gateway")
    source = Reading(garage)
    garage.cycle(source)
    assert source.attacks["gateway"] == [errors.NoReply.number]
    assert garage.refusals("gateway") == []


def test_a_secondary_that_refuses_says_so_itself_and_through_its_primary(garage: Garage) -> None:
    """E-76, V-36: 105 in the Primary's report, the reason in its own."""
    garage.publish("brake", 2)

    def spoil(raw: bytes) -> bytes:
        return raw[:-1] + bytes((raw[-1] ^ 1,))

    time = (ids.DIRECTOR, ids.KIND_TIME, 0)
    with pytest.raises(Refusal):
        garage.cycle(Lying(garage, time, spoil))
    assert errors.BelowThreshold.number in garage.refusals("gateway")
    source = Reading(garage)
    garage.cycle(source)
    assert errors.BelowThreshold.number in source.attacks["gateway"]
    assert garage.release("brake") == 2


def test_every_number_has_room(garage: Garage) -> None:
    """E-76: so a flood of harmless ones pushes out none; the number of ways to be refused is the
    bound."""
    refusals = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not Refusal
    ]
    assert len(refusals) < ATTACKS_MAX


@pytest.mark.parametrize("name", ECUS)
def test_a_flood_of_small_refusals_hides_no_great_one(garage: Garage, name: str) -> None:
    """E-76, V-36: eleven kinds of nonsense that anybody can cause, after the one that counts."""
    provoke(garage, name)
    station = garage.vehicle.station(name)
    station.request(b"\x10\x02")
    station.request(b"\x31\x01\x02\x00")
    while (want := station.request(b"\x31\x01\x02\x01"))[4] != 1:
        garage.vehicle.run(0.2)
    file = cbor.loads(want[5:])[0]
    huge = b"\xff\xff\xff\xff"
    for request in (
        b"\x35\x00\x46" + file + huge, b"\x34\x00\x46" + file + huge,
        b"\x35\x00\x46\x01\x00\x00\x00\x00\x09\x00\x00\x00\x01", b"\x31\x01\x02\x03",
        b"\x31\x01\x02\x02\x02\x01\x00\x00\x00\x07\x00", b"\x36\x01",
    ):  # fmt: skip
        try:
            station.request(request)
        except Refusal:
            pass
    for nonsense in (b"\xff", b"\xd2\x84", b"\xd8", b"\x01\x02", b"\x9f", bytes(200)):
        garage.vehicle.run(2 * CYCLE_MS / 1000)  # two cycles, no faster are they had (E-89)
        station.request(b"\x10\x02")
        station.request(b"\x31\x01\x02\x00")
        bring(garage, name, nonsense)
    station.request(b"\x10\x01")
    kept = garage.refusals(name)
    assert len(kept) >= 6 and kept[0] == errors.Unwanted.number
    source = Reading(garage)
    garage.cycle(source)
    assert source.attacks[name] == kept


def bring(garage: Garage, name: str, raw: bytes) -> None:
    """Answer every file that is wanted with these bytes, until the cycle is over."""

    class Nonsense(OfficeSource):
        def answer(self, file: bytes, detail: object) -> bytes | None:
            return raw

        def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
            return
            yield

    with pytest.raises(Refusal):
        garage.cycle(Nonsense(garage.office, garage.plan.vin, lambda carried: None), name)
