"""What provisioning takes from a back office: identities, metadata files, the time.

It stands between the bench and `muptane.oem`, so that the vehicle knows no office and the office
no bench. Rules: V-22, V-23.
"""

from __future__ import annotations

from muptane.bench.plan import VehiclePlan
from muptane.bench.vehicle import seed_of
from muptane.oem.inventory import NewEcu
from muptane.oem.keys import Signer
from muptane.oem.office import Office
from uptane import ids

ROLES = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


class OfficeSupply:
    """An office as provisioning sees it (muptane.bench.vehicle.Supply)."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def identity(self, repository: int) -> bytes:
        """SHA-256 of the payload of the repository's Root 1."""
        part = self._office.director if repository == ids.DIRECTOR else self._office.images
        return part.identity

    def metadata(self, vin: str, repository: int) -> dict[int, bytes]:
        """{role: newest file}, those that exist."""
        found = {}
        for role in ROLES:
            raw = self._office.answer(vin, repository, ids.KIND_METADATA, role, 0)
            if raw is not None:
                found[role] = raw
        return found

    def time(self) -> tuple[int, bytes]:
        """The time at provisioning, and the kid of the key that attests time."""
        return self._office.now(), self._office.time_server.signer.key.kid


def register(office: Office, plan: VehiclePlan) -> None:
    """Enter the vehicle of a plan, with its ECUs' public keys, into an office's inventory."""
    office.register_vehicle(
        plan.vin,
        [
            NewEcu(
                ecu=ecu.number,
                public=Signer(seed_of(plan, ecu)).key.public,
                hardware=ecu.hardware,
                verification=ecu.level(),
            )
            for ecu in plan.ecu
        ],
    )
