"""How many bytes of metadata one update takes: the figure that the project promises.

The bundle is what a vehicle has to fetch when it knows nothing yet: Root, Timestamp, Snapshot
and Targets of both repositories, threshold 1, one ECU updated, seven images listed. It does not
count reports, time or images.
"""

from collections.abc import Mapping

from muptane.oem.office import REPOSITORY_NAMES, ROLE_NAMES, Office
from uptane import ids

BUNDLE_BYTES_MAX = 2400  # the promise; the reference needs 3,485 in DER and 9,832 in JSON


def bundle_bytes(office: Office, vehicle: str) -> Mapping[str, int]:
    """The size of each of the eight newest role files, such as {"director root": 420, ...}."""
    return {
        f"{REPOSITORY_NAMES[repository]} {ROLE_NAMES[role]}": len(
            office.answer(vehicle, repository, ids.KIND_METADATA, role, 0) or b""
        )
        for repository in (ids.DIRECTOR, ids.IMAGE)
        for role in (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)
    }
