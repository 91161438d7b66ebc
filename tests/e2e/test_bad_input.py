"""Bad input to a whole vehicle: a number for every kind, nothing stored, the next update goes in.

Each test is a legal vehicle, one lie of the feeder or of a tester on the bus, the stated refusal,
state unchanged, and an honest update that every ECU accepts afterwards (V-35, V-36, S-39).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from garage import Garage, Lying

from muptane.refusals import ADVICE
from uptane import errors, ids
from uptane.errors import Negative, PeerRefused
from uptane.limits import LIFE_MS_MIN
from uptane.uds.codes import (
    ADDRESS_FORMAT,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_REQUEST_SEQUENCE_ERROR,
    NRC_SERVICE_NOT_IN_SESSION,
    NRC_TRANSFER_DATA_SUSPENDED,
)

DIRECTOR_TARGETS = (ids.DIRECTOR, ids.KIND_METADATA, ids.TARGETS)
IMAGE_TARGETS = (ids.IMAGE, ids.KIND_METADATA, ids.TARGETS)
DIRECTOR_TIMESTAMP = (ids.DIRECTOR, ids.KIND_METADATA, ids.TIMESTAMP)
BRAKE_APPLICATION = 0x2A0
S3_S = 5.0


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


def state(garage: Garage) -> dict[str, bytes]:
    """What each ECU holds in flash, but for what every cycle may count: reports and refusals."""
    kept = {}
    for name, ecu in garage.vehicle.ecus.items():
        records = garage.vehicle.records(name)
        counted = (ids.RECORD_COUNTER, ids.RECORD_ATTACKS, ids.RECORD_TIME)
        numbers = [number for number in sorted(records.numbers()) if number not in counted]
        kept[name] = repr([(number, records.read(number)) for number in numbers]).encode()
        assert ecu.flash.stat().st_size > 0
    return kept


def updates(garage: Garage) -> None:
    """An honest update reaches every ECU."""
    garage.cycle()
    assert {name: garage.release(name) for name in garage.vehicle.ecus} == {
        "gateway": 2,
        "brake": 2,
        "door": 2,
    }


def want_updates(garage: Garage) -> None:
    for name in garage.vehicle.ecus:
        garage.publish(name, 2)


def flip(raw: bytes) -> bytes:
    """One bit of the signature's last byte."""
    return raw[:-1] + bytes((raw[-1] ^ 1,))


def lengthened(raw: bytes) -> bytes:
    """The array of four of a COSE_Sign written with a longer head than it needs."""
    return raw[:2] + b"\x98\x04" + raw[3:]


LIES: dict[str, tuple[tuple[int, int, int], Callable[[bytes], bytes | None], type]] = {
    "truncated": (DIRECTOR_TARGETS, lambda raw: raw[:-40], errors.Truncated),
    "with bytes behind it": (DIRECTOR_TARGETS, lambda raw: raw + b"\0", errors.TrailingBytes),
    "not deterministic": (IMAGE_TARGETS, lengthened, errors.NotDeterministic),
    "wrongly signed": (IMAGE_TARGETS, flip, errors.BelowThreshold),
    "withheld": (DIRECTOR_TIMESTAMP, lambda raw: None, errors.Withheld),
    "no COSE at all": (DIRECTOR_TIMESTAMP, lambda raw: b"\0" * 40, errors.BadEnvelope),
}


@pytest.mark.parametrize("what", LIES)
def test_a_file_that_lies_is_refused_with_its_number(garage: Garage, what: str) -> None:
    """V-57, V-35, V-36, V-91, E-30, E-43, E-60."""
    file, lie, refusal = LIES[what]
    want_updates(garage)
    before = state(garage)
    with pytest.raises(PeerRefused) as refused:
        garage.cycle(Lying(garage, file, lie))
    assert refused.value.args == (refusal.number,)
    assert refusal.number in ADVICE
    assert refusal.number in garage.refusals("gateway")
    assert state(garage) == before
    garage.vehicle.run(S3_S)  # the Secondaries had stopped theirs to be updated
    assert {0x100, BRAKE_APPLICATION, 0x310} <= set(garage.heard(1.5))
    updates(garage)


def test_an_oversized_file_is_not_even_received(garage: Garage) -> None:
    """E-19, V-61."""
    want_updates(garage)
    before = state(garage)
    with pytest.raises(Negative) as refused:
        garage.cycle(Lying(garage, DIRECTOR_TARGETS, lambda raw: raw + bytes(5000)))
    assert refused.value.args == (NRC_REQUEST_OUT_OF_RANGE,)
    assert errors.TooLong.number in garage.refusals("gateway")
    assert state(garage) == before
    updates(garage)


def test_an_image_longer_than_its_metadata_says_is_not_received(garage: Garage) -> None:
    """E-20, V-61, V-64."""
    want_updates(garage)
    image = (ids.IMAGE, ids.KIND_IMAGE, 202)
    with pytest.raises(Negative) as refused:
        garage.cycle(Lying(garage, image, lambda raw: raw + b"\0"))
    assert refused.value.args == (NRC_REQUEST_OUT_OF_RANGE,)
    assert errors.TooLong.number in garage.refusals("gateway")
    assert garage.release("brake") == 1
    updates(garage)


def test_another_image_of_the_same_length_is_refused(garage: Garage) -> None:
    """V-30, E-31, V-48, V-66."""
    want_updates(garage)
    image = (ids.IMAGE, ids.KIND_IMAGE, 202)
    with pytest.raises(PeerRefused) as refused:
        garage.cycle(Lying(garage, image, lambda raw: bytes(len(raw))))
    assert refused.value.args == (errors.WrongHash.number,)
    assert [garage.release(name) for name in garage.vehicle.ecus] == [1, 1, 1]
    updates(garage)


def open_download(file: tuple[int, int, int], length: int) -> bytes:
    head = bytes((0x34, 0, ADDRESS_FORMAT, file[0], file[1])) + file[2].to_bytes(4, "big")
    return head + length.to_bytes(4, "big")


def test_bytes_that_nobody_wanted_are_refused(garage: Garage) -> None:
    """V-92, E-77, S-39: a tester on the bus, and no cycle at all."""
    tester = garage.vehicle.station("door")
    before = state(garage)
    with pytest.raises(Negative) as refused:
        tester.request(open_download((ids.IMAGE, ids.KIND_IMAGE, 302), 100))
    assert refused.value.args == (NRC_SERVICE_NOT_IN_SESSION,)
    tester.request(b"\x10\x02")
    with pytest.raises(Negative) as refused:
        tester.request(open_download((ids.IMAGE, ids.KIND_IMAGE, 302), 100))
    assert refused.value.args == (NRC_REQUEST_OUT_OF_RANGE,)
    with pytest.raises(Negative) as refused:
        tester.request(b"\x36\x01" + bytes(10))
    assert refused.value.args == (NRC_REQUEST_SEQUENCE_ERROR,)
    assert errors.Unwanted.number in garage.refusals("door")
    tester.request(b"\x10\x01")
    assert state(garage) == before
    want_updates(garage)
    updates(garage)


def test_a_wrong_file_number_and_too_many_bytes_are_refused(garage: Garage) -> None:
    """E-19, E-77: a tester answers the want of a Secondary wrongly."""
    tester = garage.vehicle.station("brake")
    tester.request(b"\x10\x02")
    tester.request(b"\x31\x01\x02\x00")  # a cycle begins
    wants = tester.request(b"\x31\x01\x02\x01")
    report = wants[7:13]  # status, array of four, byte string of six
    assert report == bytes((ids.LOCAL, ids.KIND_REPORT)) + bytes(4)
    tester.request(b"\x31\x01\x02\x02" + report + b"\x02")  # taken: now it wants the time
    tester.request(b"\x31\x01\x02\x01")
    with pytest.raises(Negative):
        tester.request(open_download((ids.DIRECTOR, ids.KIND_METADATA, ids.ROOT), 100))
    assert errors.WrongFile.number in garage.refusals("brake")
    tester.request(open_download((ids.DIRECTOR, ids.KIND_TIME, 0), 10))
    with pytest.raises(Negative) as refused:
        tester.request(b"\x36\x01" + bytes(11))
    assert refused.value.args == (NRC_TRANSFER_DATA_SUSPENDED,)
    assert errors.TooMuch.number in garage.refusals("brake")
    tester.request(b"\x10\x01")
    want_updates(garage)
    updates(garage)


def test_nothing_is_installed_that_was_not_verified(garage: Garage) -> None:
    """V-30, V-92, S-39, E-77, T-55: the routine that starts a trial starts nothing else."""
    tester = garage.vehicle.station("door")
    tester.request(b"\x10\x02")
    with pytest.raises(Negative):
        tester.request(b"\x31\x01\x02\x03")
    assert errors.NothingStaged.number in garage.refusals("door")
    garage.vehicle.run(LIFE_MS_MIN / 1000)
    tester.request(b"\x11\x01")
    garage.vehicle.run(1.0)
    assert garage.release("door") == 1
