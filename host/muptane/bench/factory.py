"""The factory: what is written into the flash of an emulated ECU before it is first switched on.

Identity, keys that the vehicle's seed decides, the repositories' metadata, the time, and the first
image where it will boot from: by the device's own store. It checks nothing and switches nothing
on.
Rules: V-22, V-23, V-24, S-25, T-43.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from boards.unix import layout
from boards.unix.nor import Nor
from muptane.bench.plan import EcuPlan, VehiclePlan
from muptane.identifiers import on_device
from muptane.regions import Extents
from uptane import cbor, ids
from uptane.store.records import Records
from uptane.store.regions import Regions
from uptane.store.slots import Slots


@dataclass(frozen=True)
class FirstImage:
    """What an ECU leaves the factory with."""

    number: int
    release: int
    content: bytes
    regions: Extents = ()  # which it fills; (): the application alone


class Supply(Protocol):
    """What provisioning needs of a back office (muptane.bench.provisioning)."""

    def identity(self, repository: int) -> bytes: ...
    def metadata(self, vin: str, repository: int) -> Mapping[int, bytes]: ...
    def map(self) -> bytes | None: ...
    def time(self) -> tuple[int, bytes]: ...


def seed_of(plan: VehiclePlan, ecu: EcuPlan) -> bytes:
    """The seed of an ECU's signing key: 32 bytes that the vehicle's seed decides."""
    return sha256(f"{plan.seed}/{plan.vin}/{ecu.number}".encode()).digest()


def decryption_of(plan: VehiclePlan, ecu: EcuPlan) -> bytes:
    """The X25519 secret of an ECU, which nothing derives from its signing key (T-43)."""
    return sha256(f"{plan.seed}/{plan.vin}/{ecu.number}/decryption".encode()).digest()


def symmetric_of(plan: VehiclePlan, ecu: EcuPlan) -> bytes:
    """The one key of an ECU that has no other."""
    return sha256(f"{plan.seed}/{plan.vin}/{ecu.number}/symmetric".encode()).digest()


def access_of(plan: VehiclePlan, ecu: EcuPlan) -> bytes:
    """The secret of an ECU's security access, which is good for nothing else."""
    return sha256(f"{plan.seed}/{plan.vin}/{ecu.number}/access".encode()).digest()


class Plant:
    """Makes one ECU of a vehicle; `supply` is a back office as it sees it."""

    def __init__(self, plan: VehiclePlan, ecu: EcuPlan, supply: Supply) -> None:
        self._plan = plan
        self._ecu = ecu
        self._supply = supply

    def write(self, settings: dict[str, Any], nor: Nor, first: FirstImage) -> None:
        """Fill the flash of an ECU whose board has these figures (muptane.bench.settings)."""
        records = Records(layout.area(settings, nor, "records"))
        records.mount()
        changes: dict[int, bytes | None] = {
            ids.RECORD_IDENTITY: self._identity(),
            ids.RECORD_TIME: cbor.dumps(list(self._supply.time())),
        }
        repositories = [ids.DIRECTOR]
        if self._ecu.level() != ids.PARTIAL:
            repositories += [ids.IMAGE, *(one.number for one in self._plan.repository)]
            chart = self._supply.map()
            if chart is not None:
                changes[ids.RECORD_MAP] = chart
        for repository in repositories:
            for role, raw in self._supply.metadata(self._plan.vin, repository).items():
                if self._ecu.level() == ids.PARTIAL and role not in (ids.ROOT, ids.TARGETS):
                    continue
                record = ids.RECORD_METADATA + 0x100 * (repository - ids.DIRECTOR) + role
                changes[record] = raw
        records.commit(changes)
        _install(settings, nor, records, first)

    def _link(self) -> list[int]:
        bus = self._plan.bus
        link = [self._ecu.request, self._ecu.response, bus.functional]
        link += [bus.broadcast] if bus.broadcast else []
        return [on_device(can_id) for can_id in link]

    def _identity(self) -> bytes:
        plan, supply = self._ecu, self._supply
        identity: dict[int, object] = {
            ids.IDENTITY_ECU: plan.number,
            ids.IDENTITY_HARDWARE: plan.hardware,
            ids.IDENTITY_VEHICLE: self._plan.vin,
            ids.IDENTITY_VERIFICATION: plan.level(),
            ids.IDENTITY_DIRECTOR: supply.identity(ids.DIRECTOR),
            ids.IDENTITY_LINK: self._link(),
            ids.IDENTITY_ACCESS: access_of(self._plan, plan),
        }
        if plan.key == "symmetric":
            identity[ids.IDENTITY_SYMMETRIC] = symmetric_of(self._plan, plan)
        else:
            identity[ids.IDENTITY_SEED] = seed_of(self._plan, plan)
        if plan.decrypts and plan.key != "symmetric":
            identity[ids.IDENTITY_DECRYPTION] = decryption_of(self._plan, plan)
        if plan.level() != ids.PARTIAL:
            identity[ids.IDENTITY_IMAGE] = supply.identity(ids.IMAGE)
        if plan.level() == ids.PRIMARY:
            identity[ids.IDENTITY_SECONDARIES] = [
                [ecu.number, ecu.level(), on_device(ecu.request), on_device(ecu.response)]
                for ecu in self._plan.secondaries()
            ]
        return cbor.dumps(identity)


def _install(settings: dict[str, Any], nor: Nor, records: Records, first: FirstImage) -> None:
    """Put the first image where it belongs, confirmed."""
    areas = layout.areas(settings, nor, "slots")
    regions = layout.regions(settings, nor)
    digest = sha256(first.content).digest()
    image = (first.number, len(first.content), digest, first.release)
    places = {ids.REGION_APPLICATION: areas[0]} | {one[0]: one[1] for one in regions}
    parts, at = [], 0
    for region, length in first.regions or ((ids.REGION_APPLICATION, len(first.content)),):
        part = first.content[at : at + length]
        at += length
        places[region].program(0, part + b"\xff" * (-length % areas[0].program_bytes))
        parts.append((region, length, sha256(part).digest()))
    if regions:
        Regions(areas, regions, records).furnish(parts, *image)
    else:
        Slots(areas * 2 if len(areas) == 1 else areas, records).provision(*image)
