"""What provisioning takes from a back office: identities, metadata files, the time.

It stands between the bench and `muptane.oem`, so that the vehicle knows no office and the office
no bench. Rules: V-22, V-23, V-24, R-44, T-43.
"""

from __future__ import annotations

from nacl.public import PrivateKey

from muptane.bench.plan import EcuPlan, VehiclePlan
from muptane.bench.vehicle import decryption_of, seed_of, symmetric_of
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
    """Enter the vehicle of a plan, with its ECUs' public keys, into an office's inventory; their
    symmetric ones go to its key server."""
    office.register_vehicle(plan.vin, [_new(office, plan, ecu) for ecu in plan.ecu])


def _new(office: Office, plan: VehiclePlan, ecu: EcuPlan) -> NewEcu:
    public = kid = decryption = None
    if ecu.key == "symmetric":
        kid = office.key_server.enrol(ecu.number, symmetric_of(plan, ecu))
    else:
        public = Signer(seed_of(plan, ecu)).key.public
        decryption = bytes(PrivateKey(decryption_of(plan, ecu)).public_key)
    return NewEcu(
        ecu=ecu.number,
        public=public,
        hardware=ecu.hardware,
        verification=ecu.level(),
        kid=kid,
        decryption=decryption,
    )
