"""Slow retrieval on a whole vehicle: who drips, stalls or keeps silent is refused with a number.

Every ECU, whatever it verifies, has the same floor; afterwards its application runs, its next
report names 73, and an honest update goes in. What is slow for a good reason is not refused.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from garage import Garage, Lying

from muptane.bench.can.frames import Frame
from muptane.bench.feeder import OfficeSource
from muptane.bench.station import Station
from muptane.bench.world import MS
from uptane import cbor, errors, ids
from uptane.errors import Negative, PeerRefused, Refusal
from uptane.limits import IDLE_MS_MAX, PACE_WINDOW_MS, S3_MS
from uptane.link.isotp import Channel
from uptane.report import content_of
from uptane.uds.client import Client
from uptane.uds.codes import (
    NRC_SERVICE_NOT_IN_SESSION,
    NRC_TRANSFER_DATA_SUSPENDED,
    WANTS_INSTALL,
)
from uptane.uds.feeding import Feeding, of_a_primary

SLOW = errors.SlowRetrieval.number
ECUS = ("gateway", "brake", "door")
APPLICATION = {"gateway": 0x100, "brake": 0x2A0, "door": 0x310}
LARGE = bytes(range(256)) * 240


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


class Dripping(Client):
    """A client that waits `pause_ms` before each block of a file; before the block `stays_at` it
    says for a while only that it is still there."""

    def __init__(self, station: Station, pause_ms: int, stays_at: int = 0) -> None:
        super().__init__(station.channel, station.clock)
        self._ticks = station.clock.ticks_ms
        self._pause_ms = pause_ms
        self._stays_at = stays_at
        self._blocks = 0

    def request(self, message: Any, length: int = -1) -> Generator[Any, Any, Any]:
        if message[0] == 0x36:
            self._blocks += 1
            yield from self._sleep(self._pause_ms)
            for _ in range(6 if self._blocks == self._stays_at else 0):
                yield from super().request(b"\x3e\x00")
                yield from self._sleep(2000)
        return (yield from super().request(message, length))

    def _sleep(self, pause_ms: int) -> Generator[Any, Any, None]:
        until = self._ticks() + pause_ms
        while self._ticks() < until:
            yield until


def serve(garage: Garage, name: str, client: Client, block_bytes: int) -> Refusal:
    """Serve an ECU by that client; the refusal that ended it."""
    station = garage.vehicle.station(name)
    feeding = Feeding(client, garage.source(), bytearray(block_bytes + 2), of_a_primary())

    def task() -> Generator[Any, Any, Any]:
        yield from feeding.begin()
        return (yield from feeding.serve(station.clock))

    with pytest.raises(Refusal) as refused:
        station.run(task(), 3600)
    return refused.value


def runs(garage: Garage, name: str) -> bool:
    """Is its application on the bus?"""
    return APPLICATION[name] in garage.heard(0.5)


class Reading(OfficeSource):
    """A feeder that reads what it carries: `attacks` of the ECUs in the last manifest."""

    def __init__(self, garage: Garage) -> None:
        super().__init__(garage.office, garage.plan.vin, lambda carried: None)
        self.attacks: dict[int, list[int]] = {}

    def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
        content, _ = cbor.loads_first(memoryview(raw)[1:])
        for report in cbor.loads(bytes(content))[ids.VEHICLE_REPORTS]:
            fields = content_of(report)
            self.attacks[fields[ids.REPORT_ID]] = fields[ids.REPORT_ATTACKS]
        return super().take(file, raw)


def recovers(garage: Garage, name: str) -> None:
    """Its application runs, its next report names 73, and the update goes in."""
    garage.vehicle.run(S3_MS / 1000 + 1.0)
    assert APPLICATION[name] in garage.heard(1.0)
    assert SLOW in garage.refusals(name)
    source = Reading(garage)
    garage.cycle(source)
    assert SLOW in source.attacks[garage.vehicle_ecu(name).number]
    assert garage.release(name) == 2 and SLOW not in garage.refusals(name)
    assert garage.vehicle.last_words(name) == ""


def directed(garage: Garage, name: str) -> None:
    """A large release for that ECU, which the Director has directed it to, but nobody brought."""
    garage.publish(name, 2, LARGE)
    image = (ids.IMAGE, ids.KIND_IMAGE, garage.vehicle_ecu(name).number * 100 + 2)
    with pytest.raises(PeerRefused):
        garage.cycle(Lying(garage, image, lambda raw: None))
    garage.vehicle.run(1.0)


@pytest.mark.parametrize("name", ECUS)
@pytest.mark.parametrize(("block_bytes", "pause_ms"), [(256, 900), (1024, 4500)])
def test_a_file_that_drips_is_refused(
    garage: Garage, name: str, block_bytes: int, pause_ms: int
) -> None:
    """V-32, E-03, T-49: a block just within every time-out of a frame, or of a session."""
    directed(garage, name)
    client = Dripping(garage.vehicle.station(name), pause_ms)
    refusal = serve(garage, name, client, block_bytes)
    assert isinstance(refusal, Negative) and refusal.args == (NRC_TRANSFER_DATA_SUSPENDED,)
    assert garage.release(name) == 1
    recovers(garage, name)


@pytest.mark.parametrize("name", ECUS)
def test_a_client_that_stays_and_brings_nothing_more_is_refused(garage: Garage, name: str) -> None:
    """V-32, E-03: requests that carry no file keep the session, not the cycle."""
    directed(garage, name)
    refusal = serve(garage, name, Dripping(garage.vehicle.station(name), 0, stays_at=9), 1024)
    assert isinstance(refusal, Negative)
    recovers(garage, name)


@pytest.mark.parametrize("name", ECUS)
def test_a_client_that_goes_in_the_middle_of_a_file_is_named(garage: Garage, name: str) -> None:
    """V-32: S3 ends its session, no want stays open."""
    directed(garage, name)
    refusal = serve(garage, name, Dripping(garage.vehicle.station(name), 6000), 1024)
    assert isinstance(refusal, Negative) and refusal.args == (NRC_SERVICE_NOT_IN_SESSION,)
    recovers(garage, name)


@pytest.mark.parametrize("name", ECUS)
def test_who_stays_after_the_refusal_does_not_keep_the_application_off(
    garage: Garage, name: str
) -> None:
    """V-32, V-35: a session that was refused is over after S3, whatever is asked in it."""
    directed(garage, name)
    station = garage.vehicle.station(name)
    serve(garage, name, Dripping(station, 900), 256)
    for _ in range(4):
        station.request(b"\x3e\x00")
        garage.vehicle.run(1.5)
    assert APPLICATION[name] in garage.heard(1.0)


def test_a_want_that_nobody_begins_does_not_stay_open(garage: Garage) -> None:
    """V-32: the feeder asks what is wanted, again and again, and brings nothing."""
    garage.publish("gateway", 2)
    station = garage.vehicle.station("gateway")
    station.request(b"\x10\x02")
    station.request(b"\x31\x01\x02\x00")
    began_ns = garage.world.now_ns
    while (status := station.request(b"\x31\x01\x02\x01"))[4] != 3:
        garage.vehicle.run(4.0)
    waited_ms = (garage.world.now_ns - began_ns) // MS
    assert status[5] == SLOW and IDLE_MS_MAX <= waited_ms <= IDLE_MS_MAX + 20_000
    recovers(garage, "gateway")


class Grudging(Channel):
    """A receiver whose every flow control is the frame given; it goes on saying so."""

    def __init__(self, garage: Garage, name: str, flow: bytes) -> None:
        super().__init__(4095)
        self._garage = garage
        self._flow_frame = flow + bytes(5)
        self._request_id = garage.vehicle_ecu(name).request
        self._port = garage.vehicle.bus.port(f"grudging-{name}", 8)
        self.on = False

    def frame(self, now_ms: int) -> bytearray | None:
        out = super().frame(now_ms)
        if self.on and out is not None and out[0] & 0xF0 == 0x30:
            self._again()
            return bytearray(self._flow_frame)
        return out

    def _again(self) -> None:
        if self.on:
            self._port.send(Frame(self._request_id, self._flow_frame))
            self._garage.world.at(self._garage.world.now_ns + 900 * MS, self._again)


@pytest.mark.parametrize("name", ECUS)
@pytest.mark.parametrize("flow", [b"\x31\x00\x00", b"\x30\x01\x7f", b"\x30\x02\xf9"])
def test_a_receiver_that_stalls_a_report_is_left(garage: Garage, name: str, flow: bytes) -> None:
    """V-32, T-49, S-37: wait frames without end; a block of one frame, the longest gap."""
    garage.publish(name, 2)
    station = Station(garage.world, garage.vehicle.bus, "stalling", link(garage, name))
    grudging = Grudging(garage, name, flow)
    station.channel = grudging
    station.client = Client(grudging, station.clock)
    report = b"\x00\x03\x00\x00\x00" + bytes((name == "gateway",))
    station.request(b"\x10\x02")
    station.request(b"\x31\x01\x02\x00")
    while (want := station.request(b"\x31\x01\x02\x01"))[4] != 1:
        garage.vehicle.run(0.1)
    cap = cbor.loads(want[5:])[3]
    station.request(b"\x35\x00\x46" + report + cap.to_bytes(4, "big"))
    grudging.on = True
    with pytest.raises(Refusal):
        station.request(b"\x36\x01")
    garage.vehicle.run(S3_MS / 1000 + 1.5)
    grudging.on = False
    assert APPLICATION[name] in garage.heard(1.0)
    assert SLOW in garage.refusals(name)
    recovers(garage, name)


def link(garage: Garage, name: str) -> tuple[int, int]:
    ecu = garage.vehicle_ecu(name)
    return ecu.request, ecu.response


# --- what is slow for a good reason --------------------------------------------------------


@pytest.mark.parametrize("load", [0.0, 0.75])
def test_a_slow_and_busy_bus_is_not_slow_retrieval(tmp_path: Path, load: float) -> None:
    """V-32, T-49: 125 kbit/s, three quarters of it taken by others; and each Secondary waits for
    all images of the vehicle before it is served."""
    with Garage(tmp_path, bitrate=125_000) as garage:
        for name in ECUS:
            garage.publish(name, 2, LARGE)
        port = garage.vehicle.bus.port("others", 8)

        def talk() -> None:
            port.send(Frame(0x050, bytes(8)))
            garage.world.at(garage.world.now_ns + int(MS / load), talk)

        if load:
            garage.world.at(garage.world.now_ns, talk)
        began_ns = garage.world.now_ns
        assert garage.cycle() == WANTS_INSTALL
        assert garage.world.now_ns - began_ns > 3 * PACE_WINDOW_MS * MS
        for name in ECUS:
            assert garage.release(name) == 2 and garage.refusals(name) == []
