"""An onlooker on the bus: tells what happens to each ECU, from the frames alone.

It knows the identifiers of a vehicle and the first bytes of a few requests, and tells each step of
an ECU once in a cycle: it is asked for its report, is given time, metadata, an image, is let try
what it verified, and has confirmed it. It sends nothing and decodes no payload.
"""

from __future__ import annotations

from collections.abc import Callable

from muptane.bench.can.frames import Frame
from muptane.bench.plan import VehiclePlan
from uptane import ids
from uptane.uds.codes import (
    ADDRESS_FORMAT,
    DID_BOOT,
    POSITIVE,
    READ_DATA_BY_IDENTIFIER,
    REQUEST_DOWNLOAD,
    RID_CYCLE,
    RID_INSTALL,
    ROUTINE_CONTROL,
    START_ROUTINE,
)

REPORTS = "reports"
TIME = "time"
METADATA = "metadata"
IMAGE = "image"
TRIES = "tries"
CONFIRMED = "confirmed"
KINDS = {ids.KIND_TIME: TIME, ids.KIND_METADATA: METADATA, ids.KIND_IMAGE: IMAGE}


def _single(*payload: int) -> bytes:
    return bytes((len(payload), *payload))


def _routine(number: int) -> bytes:
    return _single(ROUTINE_CONTROL, START_ROUTINE, number >> 8, number & 0xFF)


REQUESTS = {_routine(RID_CYCLE): REPORTS, _routine(RID_INSTALL): TRIES}
OPENS = bytes((REQUEST_DOWNLOAD, 0, ADDRESS_FORMAT))  # after the two bytes of a first frame
BOOTED = _single(
    READ_DATA_BY_IDENTIFIER + POSITIVE, DID_BOOT >> 8, DID_BOOT & 0xFF, ids.BOOT_CONFIRMED
)


class Onlooker:
    """`tell(seconds, ECU name, step)` hears of each step once, until `forget`."""

    def __init__(self, plan: VehiclePlan, tell: Callable[[float, str, str], None]) -> None:
        self._requests = {ecu.request: ecu.name for ecu in plan.ecu}
        self._responses = {ecu.response: ecu.name for ecu in plan.ecu}
        self._tell = tell
        self._told: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """A new cycle: tell everything anew."""
        self._told.clear()

    def hear(self, now_ns: int, sender: str, frame: Frame) -> None:
        """A listener of muptane.bench.can.bus.Bus."""
        name, step = self._requests.get(frame.id), ""
        if name is not None:
            step = REQUESTS.get(frame.data[:5], "")
            if frame.data[2:5] == OPENS:
                step = KINDS.get(frame.data[6], "")
        elif frame.data[:5] == BOOTED and (name := self._responses.get(frame.id)) is not None:
            step = CONFIRMED
        if name is not None and step and (name, step) not in self._told:
            self._told.add((name, step))
            self._tell(now_ns / 1e9, name, step)
