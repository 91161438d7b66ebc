"""A vehicle whose parts misbehave: liars on the bus, applications that crash, refused cycles.

An `Impostor` answers in a Secondary's place, on its identifiers, whatever it likes.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from garage import APPLICATIONS, Garage, Lying
from impostor import Impostor, polite

from muptane.bench.can.frames import Frame
from muptane.oem.pack import pack_application
from uptane import errors, ids
from uptane.errors import Negative, PeerRefused
from uptane.uds.codes import DID_BOOT, NRC_CONDITIONS_NOT_CORRECT, WANTS_NOTHING

CRASHING = """
_steps = 0


def start(cabin):
    pass


def step(now_ms):
    global _steps
    _steps += 1
    if _steps == 3:
        raise ValueError
    return now_ms + 20
"""


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


def wanting(record: bytes) -> Callable[[bytes], bytes]:
    """Polite, but its wants are `record`."""

    def reply(request: bytes) -> bytes:
        return polite(request) + (record if request == b"\x31\x01\x02\x01" else b"")

    return reply


NONSENSE: dict[str, Callable[[bytes], bytes | None]] = {
    "silent": lambda request: None,
    "empty wants": wanting(b""),
    "a status that does not exist": wanting(b"\x77"),
    "wants that are no CBOR": wanting(b"\x01\xff\xff"),
    "wants of the wrong shape": wanting(b"\x01\x82\x01\x02"),
    "a report of no length": wanting(b"\x01\x84\x46\x00\x03\x00\x00\x00\x00\xf6\x00\x00"),
    "a report without end": wanting(b"\x01\x84\x46\x00\x03\x00\x00\x00\x00\xf6\x00\x19\xff\xff"),
    "later for ever": wanting(b"\x02\xff\xff"),
    "another service's answer": lambda request: b"\x7f\x99\x11",
    "one byte": lambda request: b"\x71",
    "an offset below zero": wanting(b"\x01\x84\x46\x01\x00\x00\x00\x00\x01\x00\x24\x19\x10\x00"),
    "an offset beyond": wanting(
        b"\x01\x84\x46\x01\x00\x00\x00\x00\x00\x01\x19\xff\xff\x19\xff\xff"
    ),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_a_secondary_that_talks_nonsense_costs_the_others_nothing(
    garage: Garage, what: str
) -> None:
    """V-35, V-68, E-72, T-36: its Primary notes it, goes on, and does not fall over."""
    liar = Impostor(garage, "door", NONSENSE[what])
    source = garage.source()
    assert garage.cycle(source) == WANTS_NOTHING
    assert "no report of ECU 3" in str(source.refused)
    assert garage.vehicle.ecus["gateway"].node.resets == 0
    assert garage.refusals("gateway") != []
    assert garage.vehicle.last_words("gateway") == ""
    liar.off = True
    garage.vehicle.ecus["door"].node.power_on()
    garage.vehicle.run(0.5)
    for name in garage.vehicle.ecus:
        garage.publish(name, 2)
    garage.cycle()
    assert [garage.release(name) for name in garage.vehicle.ecus] == [2, 2, 2]


def test_a_secondary_that_lies_about_its_boot_does_not_stop_its_primary(garage: Garage) -> None:
    """V-35: the answer is too short to hold what was asked for."""

    def short(request: bytes) -> bytes:
        return polite(request)[:3]

    def listener(now_ns: int, sender: str, frame: Frame) -> None:
        if frame.id == 0x7E2 and frame.data[:5] == b"\x04\x31\x01\x02\x03" and not liars:
            garage.world.at(now_ns, lambda: liars.append(Impostor(garage, "door", short)))

    liars: list[Impostor] = []
    garage.publish("door", 2)
    garage.publish("gateway", 2)
    garage.vehicle.bus.listeners.append(listener)
    garage.cycle()
    assert len(liars) == 1
    assert garage.release("gateway") == 2
    assert garage.vehicle.ecus["gateway"].node.resets == 1  # its own trial
    assert errors.NoReply.number in garage.refusals("gateway")


def test_a_refused_cycle_installs_nothing(garage: Garage) -> None:
    """T-35: the gateway's own image was good, and waits in its slot all the same."""
    for name in garage.vehicle.ecus:
        garage.publish(name, 2)
    with pytest.raises(PeerRefused) as refused:
        garage.cycle(Lying(garage, (ids.IMAGE, ids.KIND_IMAGE, 302), lambda raw: None))
    assert refused.value.args == (errors.Withheld.number,)
    tester = garage.vehicle.station("gateway")
    tester.request(b"\x10\x02")
    with pytest.raises(Negative) as negative:
        tester.request(b"\x31\x01\x02\x03")
    assert negative.value.args == (NRC_CONDITIONS_NOT_CORRECT,)
    tester.request(b"\x10\x01")
    garage.vehicle.run(6.0)
    assert [garage.release(name) for name in garage.vehicle.ecus] == [1, 1, 1]
    garage.cycle()
    assert [garage.release(name) for name in garage.vehicle.ecus] == [2, 2, 2]


def test_an_application_that_crashes_is_gone_and_said_until_it_is_heard(
    garage: Garage, tmp_path: Path
) -> None:
    """V-67, E-76, E-79: three boots, the confirmed one again, named until the Director knows."""
    folder = tmp_path / "crashing"
    folder.mkdir()
    (folder / "app.py").write_text(CRASHING)
    garage.publish("brake", 2, pack_application(folder))
    garage.cycle()
    garage.vehicle.run(3.0)
    brake = garage.vehicle.station("brake")
    assert garage.release("brake") == 1
    assert brake.read(DID_BOOT) == bytes((ids.BOOT_REVERTED,))
    assert garage.refusals("brake") == [errors.TrialFailed.number]
    assert 3 <= garage.vehicle.ecus["brake"].node.resets <= 4
    garage.publish("brake", 3, pack_application(APPLICATIONS / "brake_2"))
    garage.cycle()
    garage.cycle()
    assert garage.release("brake") == 3
    assert brake.read(DID_BOOT) == bytes((ids.BOOT_CONFIRMED,))
    assert garage.refusals("brake") == []
