"""A vehicle on somebody else's bus: any interface of python-can in the place of the modelled one.

The other bus is `muptane bus run` in a process of its own: between the two stands nothing but
python-can.
"""

import re
from collections.abc import Iterator

import can
import pytest
from foreign import Running, attach, bring, heard
from test_foreign_stack import DID_ECU, DOOR, director, read
from test_joined_bus import run, words

from muptane.bench.join.outside import BadBus, Outside, settings_of
from muptane.bench.join.plugin import MuptaneBus
from muptane.bench.world import World


class OnOther(Running):
    """A vehicle that does not open a bus of its own."""

    def __init__(self, channel: str, *arguments: str) -> None:
        text = f"interface=muptane,channel={channel}"
        super().__init__("--bus", ",".join((text, *arguments)), "--nodes", "cpython")
        self.channel = channel


@pytest.fixture(params=["", "receive_own_messages=true"], ids=["timed", "echoed"])
def vehicle(request: pytest.FixtureRequest) -> Iterator[Running]:
    with Running("--port", "0", noun="bus") as bus:
        options = [request.param] if request.param else []
        with OnOther(bus.channel, *options) as running:
            assert f"python-can's muptane {bus.channel}" in running.printed
            yield running


def test_its_ecus_talk_over_it_and_take_metadata(vehicle: Running, tmp_path) -> None:
    image = tmp_path / "door.bin"
    image.write_bytes(bytes(range(256)) * 4)
    with MuptaneBus(vehicle.channel) as onlooker:
        beats = heard(onlooker, 1.5)
        assert {message.arbitration_id for message in beats} >= {0x100, 0x2A0}
        with attach(vehicle.channel, DOOR) as client:
            assert read(client, DID_ECU) == (3).to_bytes(4, "big")
            moved, last = bring(client, director(image, onlooker))
    assert last[0] == 4, last.hex()
    assert max(moved.values()) == 1024
    assert vehicle.end() == 0
    assert int(re.search(r"(\d+) frames", vehicle.printed)[1]) > 100


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("vcan0", "say interface=NAME,channel=CHANNEL"),
        ("interface=nothing,channel=x", 'Unknown interface type "nothing"'),
        ("interface=muptane,channel=127.0.0.1:1", "is `muptane vehicle run` running"),
    ],
)
def test_a_bus_that_is_none_says_why(text: str, why: str) -> None:
    with pytest.raises(BadBus, match=why):
        Outside(World(), 500_000, text, lambda: 0)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--bus", "vcan0"), "say interface=NAME,channel=CHANNEL"),
        (("--bus", "interface=virtual,channel=x", "--slcan", "0"), "--bus is not our bus"),
        (("--port", "0", "--without", "roof"), "--without roof: the vehicle has gateway, brake"),
    ],
)
def test_a_wrong_argument_is_a_sentence(arguments: tuple[str, ...], why: str) -> None:
    done = run("vehicle", "run", *arguments, "--nodes", "cpython")
    assert done.returncode == 2
    assert why in words(done.stderr)


def test_a_bus_that_goes_away_ends_the_vehicle_with_a_sentence() -> None:
    with Running("--port", "0", noun="bus") as bus, OnOther(bus.channel) as running:
        assert bus.end() == 0
        assert running.wait() == 1
    assert f"the bus muptane {bus.channel} has gone" in running.printed
    assert "Traceback" not in running.printed


def test_settings_are_read_as_python_can_takes_them() -> None:
    text = "interface=slcan, channel=/dev/ttyACM0,sleep_after_open=0"
    assert settings_of(text) == {
        "interface": "slcan",
        "channel": "/dev/ttyACM0",
        "sleep_after_open": "0",
    }
    assert can.util.cast_from_string("0") == 0
    for wrong in ("", "interface", "=x"):
        with pytest.raises(BadBus, match="say interface=NAME"):
            settings_of(wrong)
