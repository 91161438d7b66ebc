"""`muptane vehicle update`: a vehicle in another process takes a release, over a stock stack."""

import subprocess
from pathlib import Path

import foreign
import pytest
from foreign import MUPTANE, Running

from muptane.bench.firmware import ROOT


def update(*arguments: str) -> tuple[int, str]:
    """The exit code and what it printed."""
    done = subprocess.run(
        [*MUPTANE, "vehicle", "update", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def gateway(tmp_path: Path) -> Path:
    """A vehicle of one ECU: the sedan's Primary."""
    text = (ROOT / "vehicles" / "sedan.toml").read_text()
    head, first, *_ = text.split("[[ecu]]")
    file = tmp_path / "gateway.toml"
    file.write_text(f"{head}[[ecu]]{first}")
    return file


def test_a_running_vehicle_takes_a_release(gateway: Path) -> None:
    """S-38, V-83, V-40: udsoncan and can-isotp bring all of a Primary's cycle."""
    with Running(str(gateway), "--port", "0", "--nodes", foreign.NODES) as running:
        code, printed = update(
            "--bus", f"interface=muptane,channel={running.channel}", str(gateway)
        )
    assert code == 0, printed
    lines = printed.splitlines()
    assert lines[-1].split() == ["gateway", "image", "102"]
    images = [line.split() for line in lines if line.startswith("  image")]
    assert [image[1] for image in images] == ["2/102"]
    assert sum(line.startswith("  report") for line in lines) == 2


def test_a_bus_without_the_vehicle_says_what_to_look_at(gateway: Path) -> None:
    with Running("--port", "0", noun="bus") as running:
        code, printed = update(
            "--bus", f"interface=muptane,channel={running.channel}", str(gateway)
        )
    assert code == 1
    assert "no answer in time" in printed and "7E0" in printed and "is the ECU on" in printed


@pytest.mark.parametrize(
    "bus, why",
    [
        ("can0", "say interface=NAME,channel=CHANNEL"),
        ("interface=nothing,channel=1", "is it there, and free?"),
        ("interface=muptane,channel=127.0.0.1:1", "is it there, and free?"),
    ],
)
def test_a_bus_that_is_not_there_is_said_at_once(bus: str, why: str) -> None:
    code, printed = update("--bus", bus)
    assert code == 2 and why in " ".join(printed.replace("│", " ").split()), printed
