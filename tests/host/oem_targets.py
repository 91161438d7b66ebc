"""Fuzzing targets of the back office: what a vehicle sends, read by libraries. Not a test file.

As tests/fuzz/targets.py, but refusals are classes of `muptane.oem.errors`, which have no numbers;
`outcome` gives their names.
"""

from oem_vehicle import NOW, Vehicle

from fuzz.finding import claim
from muptane.oem.check import MANIFEST_BYTES_MAX, read_manifest, read_report
from muptane.oem.encoding import decode
from muptane.oem.errors import Malformed, OemRefusal
from muptane.oem.metadata import Root, Snapshot, Timestamp
from muptane.oem.office import Office
from muptane.oem.targets import Targets
from uptane import limits


def report(raw: bytes) -> None:
    found, sealed = read_report(raw)
    claim(found.content() == sealed.content, "written again as the same bytes")


def vehicle(raw: bytes) -> list[str]:
    """The vehicle version manifest, then each of its reports; which of those are refused."""
    found, sealed = read_manifest(raw)
    claim(found.content() == sealed.content, "written again as the same bytes")
    refused = []
    for part in found.reports:
        refused += outcome("oem_report", part)
    return refused


def role(raw: bytes) -> None:
    """A payload of any role, its signature taken for good; the first byte says of which."""
    model = (Root, Timestamp, Snapshot, Targets)[raw[0] % 4 if raw else 0]
    found = model.from_payload(raw[1:])
    claim(found.payload() == raw[1:], "written again as the same bytes")


class Wants:
    """What the feeder passes on: [file number, detail] of any want that a vehicle may have."""

    def __init__(self) -> None:
        self.office = Office.create(lambda: NOW, seed=b"fuzzing")
        self.office.release_image(7, b"brake 2", [20], 2)
        self.vehicle = Vehicle()
        self.office.register_vehicle(self.vehicle.vin, self.vehicle.new())

    def __call__(self, raw: bytes) -> list[str]:
        match decode(raw, WANT_BYTES_MAX):
            case [bytes(file), detail] if len(file) == FILE_NUMBER_BYTES:
                number = int.from_bytes(file[2:], "big")
                found = self.office.answer(self.vehicle.vin, file[0], file[1], number, detail)
                return [] if found is not None else ["absent"]
        raise Malformed("not a want")


WANT_BYTES_MAX = 512
FILE_NUMBER_BYTES = 6

TARGETS = {
    "oem_wants": (Wants(), WANT_BYTES_MAX),
    "oem_role": (role, limits.TARGETS_BYTES_MAX),
    "oem_report": (report, limits.REPORT_BYTES_MAX),
    "oem_vehicle": (vehicle, min(MANIFEST_BYTES_MAX, 2048)),
}


def outcome(name: str, raw: bytes) -> list[str]:
    """[] if the input was accepted, else the names of what was refused."""
    try:
        return TARGETS[name][0](raw) or []
    except OemRefusal as refusal:
        return [type(refusal).__name__]
