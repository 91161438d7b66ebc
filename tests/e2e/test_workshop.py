"""A tester of a workshop on a whole vehicle: all ECUs asked at once, DTCs, security access.

What it may do is done, and what an update depends on stays as it was: S-39, T-55, E-76.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from garage import Garage

from muptane.bench.can.frames import Frame
from muptane.bench.factory import access_of
from uptane import errors
from uptane.crypto import hmac
from uptane.crypto.suite import Suite
from uptane.errors import Negative
from uptane.uds.codes import DID_FINGERPRINT, DID_SESSION

ALL = 0x7DF
RESPONSES = {0x7E8, 0x7E9, 0x7EA}
DOOR = 0x310  # what the door's application sends
UNWANTED = b"\x34\x00\x46\x01\x00\x00\x00\x00\x03\x00\x00\x01\x00"


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


class Everybody:
    """Asks all ECUs at once."""

    def __init__(self, garage: Garage) -> None:
        self._garage = garage
        self._port = garage.vehicle.bus.port("everybody", 4)

    def ask(self, *frames: bytes, seconds: float = 0.2) -> dict[int, bytes]:
        """{identifier: first eight bytes of its response} of the ECUs that answer."""
        heard: dict[int, bytes] = {}

        def listener(now_ns: int, sender: str, frame: Frame) -> None:
            if frame.id in RESPONSES:
                heard.setdefault(frame.id, frame.data)

        self._garage.vehicle.bus.listeners.append(listener)
        for frame in frames:
            self._port.send(Frame(ALL, frame.ljust(8, b"\xcc")))
        self._garage.vehicle.run(seconds)
        self._garage.vehicle.bus.listeners.remove(listener)
        return heard


def session(garage: Garage, name: str) -> int:
    return garage.vehicle.station(name).read(DID_SESSION)[0]


def unlock(garage: Garage, name: str) -> None:
    """Security access, with the secret of that ECU."""
    tester = garage.vehicle.station(name)
    seed = tester.request(b"\x27\x01")[2:]
    secret = access_of(garage.plan, garage.vehicle_ecu(name))
    tester.request(b"\x27\x02" + hmac.tag(Suite().sha256, secret, (b"\x27", seed)))


def test_all_ecus_are_asked_at_once(garage: Garage) -> None:
    """And each answers under its own identifier, or holds its tongue."""
    everybody = Everybody(garage)
    heard = everybody.ask(b"\x03\x22\xf1\x86")
    assert heard == dict.fromkeys(RESPONSES, b"\x04\x62\xf1\x86\x01\xcc\xcc\xcc")
    assert everybody.ask(b"\x02\x10\x83") == {}
    assert {session(garage, name) for name in garage.vehicle.ecus} == {3}
    for quiet in (b"\x02\x10\x44", b"\x02\x3d\x00", b"\x03\x22\x12\x34", b"\x03\x36\x01\x00"):
        assert everybody.ask(quiet) == {}
    assert set(everybody.ask(b"\x02\x11\x44", b"\x03\x22\xf1\x86")) == RESPONSES


def test_a_first_frame_to_all_is_not_even_turned_away(garage: Garage) -> None:
    """Only single frames are functional: no flow control, and the next request is heard."""
    everybody = Everybody(garage)
    assert everybody.ask(b"\x10\x14\x22\xf1\x86\xf1\x86\xf1", b"\x21\xf1\x86") == {}
    assert set(everybody.ask(b"\x02\x3e\x00")) == RESPONSES


def test_the_presence_of_a_tester_for_all_keeps_every_session(garage: Garage) -> None:
    """S3: as long as it is heard, and no longer."""
    everybody = Everybody(garage)
    everybody.ask(b"\x02\x10\x83")
    for _ in range(5):
        assert everybody.ask(b"\x02\x3e\x80", seconds=2.0) == {}
    assert {session(garage, name) for name in garage.vehicle.ecus} == {3}
    garage.vehicle.run(6.0)
    assert {session(garage, name) for name in garage.vehicle.ecus} == {1}


def test_applications_are_silent_until_the_testers_session_ends(garage: Garage) -> None:
    everybody = Everybody(garage)
    assert DOOR in garage.heard()
    everybody.ask(b"\x02\x10\x83", b"\x03\x28\x83\x01")
    assert garage.heard() == {}
    everybody.ask(b"\x03\x28\x80\x01")
    assert DOOR in garage.heard()
    everybody.ask(b"\x03\x28\x83\x01")
    assert garage.heard(3.0) == {}
    garage.vehicle.run(3.0)  # S3
    assert DOOR in garage.heard()


def test_an_attack_is_a_dtc_and_clearing_it_leaves_it_in_the_report(garage: Garage) -> None:
    """E-76, S-39: over a reset; and the Director's acknowledgement ends both."""
    brake = garage.vehicle.station("brake")
    brake.request(b"\x10\x02")
    with pytest.raises(Negative):
        brake.request(UNWANTED)
    dtc = bytes((0xD1, errors.Unwanted.number, 0x00))
    assert brake.request(b"\x19\x02\xff") == b"\x59\x02\x2b" + dtc + b"\x2b"
    brake.request(b"\x14\xff\xff\xff")
    assert brake.request(b"\x19\x02\xff") == b"\x59\x02\x2b"
    assert garage.refusals("brake") == [errors.Unwanted.number]
    brake.request(b"\x10\x01")
    garage.vehicle.ecus["brake"].node.power_off()
    garage.vehicle.run(0.2)
    garage.vehicle.ecus["brake"].node.power_on()
    garage.vehicle.run(0.5)
    assert brake.request(b"\x19\x02\x08") == b"\x59\x02\x2b" + dtc + b"\x28"
    garage.publish("brake", 2)
    garage.cycle()
    garage.cycle()
    assert garage.refusals("brake") == []
    assert brake.request(b"\x19\x02\xff") == b"\x59\x02\x2b"


@pytest.mark.parametrize("name", ["gateway", "brake", "door"])
def test_who_has_unlocked_an_ecu_installs_nothing(garage: Garage, name: str) -> None:
    """S-39, T-55: a fingerprint is written, and nothing else is any more possible."""
    tester = garage.vehicle.station(name)
    tester.request(b"\x10\x02")
    unlock(garage, name)
    tester.request(b"\x2e\xf1\x5agarage 7")
    assert tester.read(DID_FINGERPRINT) == b"garage 7"
    for request in (UNWANTED, b"\x31\x01\x02\x03", b"\x2e\xf1\x8c\x00\x00\x00\x09", b"\x36\x01x"):
        with pytest.raises(Negative):
            tester.request(request)
    other = next(one for one in garage.vehicle.ecus if one != name)
    stranger = garage.vehicle.station(other)
    stranger.request(b"\x10\x02")
    seed = stranger.request(b"\x27\x01")[2:]
    secret = access_of(garage.plan, garage.vehicle_ecu(name))
    with pytest.raises(Negative):  # the secret of another ECU
        stranger.request(b"\x27\x02" + hmac.tag(Suite().sha256, secret, (b"\x27", seed)))
    for one in (tester, stranger):
        one.request(b"\x10\x01")
    garage.publish("door", 2)
    garage.cycle()
    assert garage.release("door") == 2
