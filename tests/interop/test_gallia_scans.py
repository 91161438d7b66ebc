"""gallia's UDS scanners over our own transport: what they find is what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from foreign import Running

GALLIA = str(Path(sys.executable).with_name("gallia"))
DOOR = "tx_id=0x7e2&rx_id=0x7ea"
GATEWAY = "tx_id=0x7e0&rx_id=0x7e8"
ALWAYS = {"10", "11", "14", "19", "22", "29", "31", "3e"}
BEYOND = {"27", "28", "85"}  # the default session
PROGRAMMING = {"2e", "34", "35", "36", "37"}


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where gallia may leave its files."""
    return str(tmp_path)


def gallia(vehicle: Running, ecu: str, *command: str, folder: str) -> str:
    """What a command of gallia prints about one ECU."""
    target = f"can-isotp://{vehicle.channel}?{ecu}"
    done = subprocess.run(
        [GALLIA, *command, "--target", target, "--no-dumpcap", "--no-properties"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed[-3000:]
    return printed


@pytest.mark.parametrize("ecu", [DOOR, GATEWAY])
def test_a_ping_is_answered(vehicle: Running, folder: str, ecu: str) -> None:
    printed = gallia(vehicle, ecu, "primitive", "uds", "ping", "--count", "2", folder=folder)
    assert printed.count("ECU is alive!") == 2


@pytest.mark.parametrize("ecu", [DOOR, GATEWAY])
def test_the_session_scanner_finds_three_sessions_from_everywhere(
    vehicle: Running, folder: str, ecu: str
) -> None:
    printed = gallia(vehicle, ecu, "scan", "uds", "sessions", "--depth", "2", folder=folder)
    found = printed.rpartition("Found the following sessions")[2]
    assert re.findall(r"\* Session 0x(\w\w)", found) == ["01", "02", "03"]
    assert found.count("via stack") == 9


def test_the_service_scanner_finds_the_services_of_each_session(
    vehicle: Running, folder: str
) -> None:
    command = ("scan", "uds", "services", "--sessions", "1", "2", "3")
    printed = gallia(vehicle, DOOR, *command, folder=folder)
    found = {
        session: set(re.findall(r"\[0x(\w\w)\]", text))
        for session, text in re.findall(
            r"findings in session 0x(\w\w):(.*?)(?=findings in|Stopping|\Z)", printed, re.DOTALL
        )
    }
    assert found == {
        "01": ALWAYS,
        "02": ALWAYS | BEYOND | PROGRAMMING,
        "03": ALWAYS | BEYOND,
    }


@pytest.mark.parametrize(
    ("start", "end", "there"),
    [
        ("0xf180", "0xf19f", {"f186", "f18c", "f190"}),
        ("0xfd00", "0xfd0f", {"fd00", "fd01", "fd02", "fd03", "fd04"}),
    ],
)
def test_the_identifier_scanner_finds_what_can_be_read(
    vehicle: Running, folder: str, start: str, end: str, there: set[str]
) -> None:
    command = ("scan", "uds", "identifiers", "--service", "0x22", "--start", start, "--end", end)
    printed = gallia(vehicle, DOOR, *command, folder=folder).lower()
    lines = [line for line in printed.splitlines() if "result" in line]
    found = {name for line in lines for name in re.findall(r"0x(f[d1][0-9a-f]{2})\b", line)}
    assert found == there


def test_the_memory_scanner_is_refused_and_harms_nobody(vehicle: Running, folder: str) -> None:
    """RequestDownload to addresses that are none: we name files by numbers of six bytes."""
    command = ("scan", "uds", "memory", "--service", "0x34", "--session", "2")
    printed = gallia(vehicle, DOOR, *command, folder=folder)
    assert "positive" not in printed.lower().replace("positive response", "")
    assert gallia(vehicle, DOOR, "primitive", "uds", "ping", "--count", "1", folder=folder)
