"""scapy finds our ECUs and walks their services, knowing nothing but the bus."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from foreign import Running
from scapy.config import conf

conf.contribs["CANSocket"] = {"use-python-can": True}
conf.contribs["ISOTP"] = {"use-can-isotp-kernel-module": False}

from scapy.contrib.automotive.uds import UDS  # noqa: E402  # they read what was set above
from scapy.contrib.automotive.uds_scan import (  # noqa: E402
    UDS_DSCEnumerator,
    UDS_Scanner,
    UDS_ServiceEnumerator,
)
from scapy.contrib.cansocket import CANSocket  # noqa: E402
from scapy.contrib.isotp import ISOTPSocket, isotp_scan  # noqa: E402

DOOR = (0x7E2, 0x7EA)
ALWAYS = {0x10, 0x11, 0x14, 0x19, 0x22, 0x29, 0x31, 0x3E}
SERVICES = ALWAYS | {0x27, 0x28, 0x2E, 0x34, 0x35, 0x36, 0x37, 0x85}
NOT_SUPPORTED = {0x11, 0x7F}


@pytest.fixture
def bus(vehicle: Running) -> Iterator[Any]:
    socket = CANSocket(interface="muptane", channel=vehicle.channel)
    yield socket
    socket.close()


def test_the_isotp_scan_finds_every_ecu_and_its_padding(bus: Any) -> None:
    found = isotp_scan(bus, scan_range=range(0x7E0, 0x7E8), output_format="text", sniff_time=0.1)
    pairs = re.findall(r"Send to ID:\s+0x(\w+)\s+Received ID:\s+0x(\w+)", found)
    assert set(pairs) >= {("7e0", "7e8"), ("7e1", "7e9"), ("7e2", "7ea")}
    assert found.count("Padding enabled") == len(pairs)


def test_the_uds_scanner_sees_the_sessions_and_services_there_are(bus: Any) -> None:
    """Every request gets an answer, and a supported service never says it is not."""
    request, response = DOOR
    with ISOTPSocket(bus, tx_id=request, rx_id=response, basecls=UDS, padding=True) as socket:
        scanner = UDS_Scanner(
            socket,
            test_cases=[UDS_ServiceEnumerator, UDS_DSCEnumerator],
            UDS_DSCEnumerator_kwargs={"scan_range": range(1, 6), "delay_state_change": 0},
            UDS_ServiceEnumerator_kwargs={"request_length": 1, "timeout": 1},
        )
        scanner.scan(timeout=60)
    results = [
        result
        for case in scanner.configuration.test_cases
        for result in getattr(case, "results", [])
    ]
    assert len(results) > 256
    unanswered = [bytes(one.req).hex() for one in results if one.resp is None]
    assert not [one for one in unanswered if not is_response(one)]
    services = {
        bytes(one.req)[0]
        for one in results
        if one.resp is not None
        and not (one.resp.service == 0x7F and one.resp.negativeResponseCode in NOT_SUPPORTED)
    }
    assert services <= SERVICES
    assert services >= ALWAYS
    sessions = {
        bytes(one.req)[1]
        for one in results
        if bytes(one.req)[0] == 0x10 and len(bytes(one.req)) == 2
        if one.resp is not None and one.resp.service == 0x50
    }
    assert sessions >= {1, 2, 3}


def is_response(request: str) -> bool:
    """Bit 6 of a service marks a response: nobody answers one (ISO 14229-1, 7.4)."""
    return bool(int(request[:2], 16) & 0x40)
