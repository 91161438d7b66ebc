"""Endless data, against every kind of ECU: too large to begin, more than announced, four GB.

Bytes beyond a cap are refused before the first of them; what is noted is in the next report, and
the next honest update goes in.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from garage import Garage

from muptane.bench.can.frames import Frame
from muptane.bench.station import Station
from muptane.bench.world import MS
from uptane import cbor, errors, ids
from uptane.errors import Negative
from uptane.limits import TIME_BYTES_MAX
from uptane.uds.codes import NRC_REQUEST_OUT_OF_RANGE, NRC_TRANSFER_DATA_SUSPENDED

ECUS = ("gateway", "brake", "door")
TIME_FILE = bytes((ids.DIRECTOR, ids.KIND_TIME)) + bytes(4)
OPEN = b"\x34\x00\x46"


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


def wants_time(garage: Garage, name: str) -> Station:
    """Bring an ECU to where it wants the time; who is asked is a tester without any key."""
    station = garage.vehicle.station(name)
    station.request(b"\x10\x02")
    station.request(b"\x31\x01\x02\x00")
    file = b""
    while file != TIME_FILE:
        status = station.request(b"\x31\x01\x02\x01")
        if status[4] == 1:
            file = cbor.loads(status[5:])[0]
            if file != TIME_FILE:
                station.request(b"\x31\x01\x02\x02" + file + b"\x02")
        garage.vehicle.run(0.05)
    return station


def goes_on(garage: Garage, name: str, refusal: type) -> None:
    """The number is kept, the ECU never fell over, and the vehicle takes its update."""
    number: int = refusal.number  # type: ignore[attr-defined]
    assert number in garage.refusals(name)
    garage.vehicle.station(name).request(b"\x10\x01")
    for each in ECUS:
        garage.publish(each, 2)
    garage.cycle()
    assert [garage.release(each) for each in ECUS] == [2, 2, 2]
    assert garage.refusals(name) == [] and garage.vehicle.last_words(name) == ""


@pytest.mark.parametrize("name", ECUS)
def test_a_file_above_its_cap_is_not_begun(garage: Garage, name: str) -> None:
    """E-19, E-20, V-61: one byte more, and all that a size can say."""
    station = wants_time(garage, name)
    for size in (TIME_BYTES_MAX + 1, 0x7FFFFFFF, 0xFFFFFFFF):
        with pytest.raises(Negative) as refused:
            station.request(OPEN + TIME_FILE + size.to_bytes(4, "big"))
        assert refused.value.args == (NRC_REQUEST_OUT_OF_RANGE,)
    goes_on(garage, name, errors.TooLong)


@pytest.mark.parametrize("name", ECUS)
def test_more_blocks_than_announced_are_refused(garage: Garage, name: str) -> None:
    """E-19, V-61: the transfer is closed, none of it reaches the cycle."""
    station = wants_time(garage, name)
    station.request(OPEN + TIME_FILE + (100).to_bytes(4, "big"))
    station.request(b"\x36\x01" + bytes(100))
    with pytest.raises(Negative) as refused:
        station.request(b"\x36\x02" + bytes(1))
    assert refused.value.args == (NRC_TRANSFER_DATA_SUSPENDED,)
    for counter in range(3, 9):
        with pytest.raises(Negative):
            station.request(bytes((0x36, counter)) + bytes(1024))
    goes_on(garage, name, errors.TooMuch)


@pytest.mark.parametrize("name", ECUS)
@pytest.mark.parametrize(
    "first", [b"\x10\x00\xff\xff\xff\xff\x36\x01", b"\x1f\xff\x36\x01\x00\x00\x00\x00"]
)
def test_a_message_without_end_is_turned_away_with_its_first_frame(
    garage: Garage, name: str, first: bytes
) -> None:
    """E-19, E-20, S-37: 4 GB, and 4095 bytes; what follows is nobody's."""
    station = wants_time(garage, name)
    ecu = garage.vehicle_ecu(name)
    port = garage.vehicle.bus.port(f"flood-{name}", 64)
    flows: list[bytes] = []

    def listener(now_ns: int, sender: str, frame: Frame) -> None:
        if frame.id == ecu.response and frame.data[0] & 0xF0 == 0x30:
            flows.append(bytes(frame.data[:1]))

    garage.vehicle.bus.listeners.append(listener)
    port.send(Frame(ecu.request, first))
    for index in range(1000):
        following = bytes((0x20 | (index + 1) & 0x0F,)) + bytes(7)
        garage.world.at(
            garage.world.now_ns + index * MS // 2,
            lambda frame=following: port.send(Frame(ecu.request, frame)),  # type: ignore[misc]
        )
    garage.vehicle.run(1.0)
    garage.vehicle.bus.listeners.remove(listener)
    assert flows == [b"\x32"]
    with pytest.raises(Negative):
        station.request(OPEN + TIME_FILE + b"\xff\xff\xff\xff")
    goes_on(garage, name, errors.TooLong)
