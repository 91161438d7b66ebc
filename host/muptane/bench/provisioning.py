"""What provisioning takes from a back office: identities, metadata files, the time.

It stands between the bench and `muptane.oem`, so that the vehicle knows no office and the office
no bench. Rules: V-22, V-23, V-24, R-44, T-43.
"""

from __future__ import annotations

from nacl.public import PrivateKey

from muptane.bench.factory import decryption_of, seed_of, symmetric_of
from muptane.bench.plan import EcuPlan, VehiclePlan
from muptane.bench.settings import place_of, regions_of
from muptane.boards import load_board
from muptane.oem.alliance import Alliance
from muptane.oem.enrolment import NewEcu
from muptane.oem.keys import Signer
from muptane.oem.maps import is_director
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

    def map(self) -> bytes | None:
        """The map of repositories; None: the one that is built into ECUs."""
        return None

    def time(self) -> tuple[int, bytes]:
        """The time at provisioning, and the kid of the key that attests time."""
        return self._office.now(), self._office.time_server.signer.key.kid


class AllianceSupply(OfficeSupply):
    """The same with an office's partners, and the map that all of them are in."""

    def __init__(self, alliance: Alliance, chart: bytes | None) -> None:
        super().__init__(alliance.office)
        self._alliance = alliance
        self._chart = chart

    def identity(self, repository: int) -> bytes:
        return self._alliance.identity(repository)

    def metadata(self, vin: str, repository: int) -> dict[int, bytes]:
        found = {}
        for role in ROLES:
            raw = self._alliance.answer(vin, repository, ids.KIND_METADATA, role, 0)
            if raw is not None:
                found[role] = raw
        return found

    def map(self) -> bytes | None:
        return self._chart


def found_partners(alliance: Alliance, plan: VehiclePlan) -> None:
    """Give every repository of a plan its keys, and each Director there the vehicle."""
    for one in plan.repository:
        if is_director(one.number):
            alliance.add_director(one.number).register_vehicle(
                plan.vin, new_ecus(alliance.office, plan)
            )
        else:
            alliance.add_image_repository(one.number)


def chart_of(alliance: Alliance, plan: VehiclePlan, number: int) -> bytes | None:
    """The map of a plan: all of its repositories agree on every image. None if it has but two."""
    if not plan.repository:
        return None
    others = (one.number for one in plan.repository)
    return alliance.charter(number, (ids.DIRECTOR, ids.IMAGE, *others))


def register(office: Office, plan: VehiclePlan) -> None:
    """Enter the vehicle of a plan, with its ECUs' public keys, into an office's inventory; their
    symmetric ones go to its key server."""
    office.register_vehicle(plan.vin, new_ecus(office, plan))


def new_ecus(office: Office, plan: VehiclePlan) -> list[NewEcu]:
    """The ECUs of a plan, as an inventory learns them; `office` has the key server."""
    return [_new(office, plan, ecu) for ecu in plan.ecu]


def _new(office: Office, plan: VehiclePlan, ecu: EcuPlan) -> NewEcu:
    public = kid = decryption = None
    if ecu.key == "symmetric":
        kid = office.key_server.enrol(ecu.number, symmetric_of(plan, ecu))
    else:
        public = Signer(seed_of(plan, ecu)).key.public
        if ecu.decrypts:
            decryption = bytes(PrivateKey(decryption_of(plan, ecu)).public_key)
    return NewEcu(
        ecu=ecu.number,
        public=public,
        hardware=ecu.hardware,
        verification=ecu.level(),
        kid=kid,
        decryption=decryption,
        deltas=ecu.deltas,
        place=_place(ecu) if ecu.in_place else None,
        decrypts=ecu.decrypts,
        regions=_regions(ecu) if ecu.regions else (),
    )


def _regions(ecu: EcuPlan) -> tuple[tuple[int, int], ...]:
    """(REGION_..., bytes) of each region of an ECU with several."""
    spec = load_board(ecu.board)
    found = [(ids.REGION_APPLICATION, spec.slot_bytes())]
    found += [
        (number, block_bytes * blocks)
        for number, (_, block_bytes, blocks), _ in regions_of(spec, ecu.regions)
    ]
    return tuple(sorted(found))


def _place(ecu: EcuPlan) -> tuple[int, int]:
    """Bytes of the only place for an image, and of what is erased there at once."""
    _, block_bytes, blocks = place_of(load_board(ecu.board))
    return block_bytes * blocks, block_bytes
