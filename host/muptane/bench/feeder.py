"""The feeder: carries files between a back office and a vehicle, over UDS, and decides nothing.

It asks the Primary what it wants and brings it; it holds no key and is trusted with nothing. The
routine is the device's own (`uptane.uds.feeding`); the source is an office's one function. What
it carried is counted, file by file, for whoever reports on a run.
Rules: R-08, S-37, S-38.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, Protocol

from muptane.bench.station import Station
from muptane.oem.errors import OemRefusal
from uptane.errors import PeerRefused
from uptane.uds.codes import RID_INSTALL, WANTS_INSTALL
from uptane.uds.feeding import Feeding, Held, of_a_primary

BLOCK_BYTES = 4095


class BackOffice(Protocol):
    """What a feeder needs of an office: muptane.oem.office.Office is one, and so is a server's
    address (muptane.bench.uplink.Uplink)."""

    def answer(
        self, vehicle: str, repository: int, kind: int, number: int, detail: object
    ) -> bytes | None: ...
    def accept_manifest(self, vehicle: str, raw: bytes) -> object: ...


class Carried(NamedTuple):
    """One file that passed: its number, its size, and whether it was there at all."""

    repository: int
    kind: int
    number: int
    bytes: int | None


class OfficeSource:
    """An office as the source of a feeding. `on_file` is told of every file carried, `on_decision`
    of what the office decided after it had read a vehicle version manifest. A file that the office
    refuses, or that is out of reach, is absent; `refused` says why."""

    def __init__(
        self,
        office: BackOffice,
        vin: str,
        on_file: Callable[[Carried], None],
        on_decision: Callable[[object], None] = lambda decision: None,
    ) -> None:
        self._on_decision = on_decision
        self._office = office
        self._vin = vin
        self._on_file = on_file
        self.refused: OemRefusal | None = None

    def find(self, file: bytes, detail: object, offset: int) -> Generator[Any, Any, Held | None]:
        try:
            raw = self.answer(file, detail)
        except OemRefusal as refusal:  # the vehicle ends its cycle by its own rules
            self.refused, raw = refusal, None
        carried = None if raw is None else len(raw)
        self._on_file(Carried(file[0], file[1], int.from_bytes(file[2:], "big"), carried))
        if raw is None or offset >= len(raw):
            return None
        return Held(raw, offset)
        yield

    def answer(self, file: bytes, detail: object) -> bytes | None:
        """The whole file, as the office has it, or None."""
        number = int.from_bytes(file[2:], "big")
        return self._office.answer(self._vin, file[0], file[1], number, detail)

    def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
        """Hand a report to the office. If it refuses, the vehicle gets no new directions, and
        `refused` says why."""
        self._on_file(Carried(file[0], file[1], int.from_bytes(file[2:], "big"), len(raw)))
        try:
            self._on_decision(self._office.accept_manifest(self._vin, raw))
        except OemRefusal as refusal:
            self.refused = refusal
        return
        yield


def feed(
    station: Station, source: OfficeSource, install: bool = True, block_bytes: int = BLOCK_BYTES
) -> Generator[Any, Any, int]:
    """One cycle of the ECU behind `station`: begin it, serve its wants, and let it install what
    it verified. Returns the last status (uptane.uds.codes WANTS_...); raises its refusal.
    `block_bytes`: the longest request, if it shall be shorter than what the ECU takes."""
    feeding = Feeding(station.client, source, bytearray(block_bytes), of_a_primary())
    yield from feeding.begin()
    try:
        status: int = yield from feeding.serve(station.clock)
    except PeerRefused:
        yield from feeding.end()
        raise
    if status == WANTS_INSTALL and install:
        yield from feeding.routine(RID_INSTALL)
    else:
        yield from feeding.end()
    return status
