"""What the inventory says of one vehicle, read by one statement, and what is written in answer.

A request would otherwise ask twenty times: for each ECU its newest report and wish, for each role
the last version. The rows are copies that belong to no session. Images are kept once they were
read, since a row never changes. It decides and verifies nothing.
Rules: R-10, R-11, R-13, R-17, R-34, R-42, T-51.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    func,
    insert,
    select,
)

from muptane.oem.campaign_tables import Member
from muptane.oem.database import Work
from muptane.oem.demand_tables import DemandMade
from muptane.oem.errors import UnknownVehicle
from muptane.oem.fields import is_vehicle_id
from muptane.oem.inventory import TABLES as ALL
from muptane.oem.inventory import (
    Assignment,
    BundleMade,
    Ecu,
    Image,
    ManifestReceived,
    MapListed,
    Place,
    Replacement,
    ReportReceived,
    RoleFile,
    place_of,
)
from muptane.oem.keys import Key
from muptane.oem.prepared import Prepared, lists
from uptane import ids

IMAGES_KEPT_MAX = 4096
ROLES = (ids.TARGETS, ids.SNAPSHOT, ids.TIMESTAMP)
TABLES = ALL.tables
ECUS, REPORTS = TABLES[Ecu.__tablename__], TABLES[ReportReceived.__tablename__]
IMAGES, WISHES = TABLES[Image.__tablename__], TABLES[Assignment.__tablename__]
RECEIVED, FILES = TABLES[ManifestReceived.__tablename__], TABLES[RoleFile.__tablename__]
REPLACED = TABLES[Replacement.__tablename__]
JOINED, ASKED = TABLES[Member.__tablename__], TABLES[DemandMade.__tablename__]


class KnownEcu(NamedTuple):
    """A row of `Ecu` that belongs to no session, in the order of its columns."""

    id: int
    vehicle_id: str
    public: bytes | None
    kid: bytes
    decryption: bytes | None
    primary: bool
    verification: int
    hardware: int
    deltas: bool
    place_bytes: int | None
    block_bytes: int | None
    decrypts: bool
    regions: list[list[int]]

    @property
    def place(self) -> Place:
        return place_of(self.place_bytes, self.block_bytes)

    @property
    def key(self) -> Key | None:
        return None if self.public is None else Key.known(self.public, self.kid)


class KnownReport(NamedTuple):
    """A row of `ReportReceived` that belongs to no session, without the ids of rows."""

    ecu_id: int
    counter: int
    image: int
    release: int
    sha256: bytes
    boot: int
    attacks: list[int]
    tried: list[int] | None
    regions: list[list[int]]


class Cause(NamedTuple):
    """The vehicle version manifest that rows belong to; of none: all but the vehicle is None."""

    by_vehicle: str
    by_primary: int | None
    by_counter: int | None


class Wish(NamedTuple):
    """The newest assignment of an ECU."""

    image: int
    bundle_id: int | None


AnyEcu = Ecu | KnownEcu
AnyReport = ReportReceived | KnownReport


@dataclass
class EcuState:
    """An ECU of today, its newest report, and the newest wish for it."""

    ecu: KnownEcu
    report: KnownReport | None
    wish: Wish | None


@dataclass
class VehicleState:
    """`ecus` ascend by id; `counter`: the highest of its Primary's manifests, -1 for none;
    `versions`: role -> its newest, 0 for none; whether it ever had bundles, or maps, or was in a
    campaign; `asked`: whether any image asks for something."""

    vehicle: str
    ecus: list[EcuState]
    counter: int
    versions: Mapping[int, int]
    bundled: bool
    mapped: bool
    campaigned: bool
    asked: bool


class KnownImages:
    """Images of the inventory by number."""

    def __init__(self) -> None:
        self._kept: dict[int, Image] = {}

    def of(self, work: Work, numbers: Iterable[int]) -> Mapping[int, Image]:
        """Those of `numbers` that were released."""
        wanted = set(numbers)
        if len(self._kept) + len(wanted) > IMAGES_KEPT_MAX:
            self._kept.clear()
        for number in wanted.difference(self._kept):
            for *row, hardware, regions in work.read(IMAGE, {"number": number}):
                seen = [*row, lists(hardware), lists(regions)]
                self._kept[number] = Image(**dict(zip(IMAGE_COLUMNS, seen, strict=True)))
        return {number: self._kept[number] for number in wanted if number in self._kept}


def vehicle_state(work: Work, vehicle: str) -> VehicleState:
    """Of a vehicle with all its ECUs of today (R-11), else UnknownVehicle."""
    rows: Sequence[Sequence[Any]] = ()
    if is_vehicle_id(vehicle):
        rows = work.read(STATE, {"vehicle": vehicle})
    if not rows:
        raise UnknownVehicle(f"vehicle {vehicle!r} is not in the inventory")
    states = [_ecu_state(row) for row in rows]
    counted = [row[COUNTED] for row, state in zip(rows, states, strict=True) if state.ecu.primary]
    bundle, mapping, member, demand, *versions = rows[0][COUNTED + 1 :]
    return VehicleState(
        vehicle,
        states,
        counted[0] if counted and counted[0] is not None else -1,
        {role: version or 0 for role, version in zip(ROLES, versions, strict=True)},
        bundle is not None,
        mapping is not None,
        member is not None,
        demand is not None,
    )


def _ecu_state(row: Sequence[Any]) -> EcuState:
    *ecu, regions = row[:REPORTED]
    *report, attacks, tried, held = row[REPORTED:WISHED]
    wish = row[WISHED:COUNTED]
    seen = [*report, lists(attacks), lists(tried), lists(held)]
    return EcuState(
        KnownEcu._make([*ecu, lists(regions)]),
        None if report[0] is None else KnownReport._make(seen),
        None if wish[0] is None else Wish._make(wish),
    )


def _state() -> Select[Any]:
    """The columns of an ECU, of its newest report and of its newest wish, the highest counter of
    what it sent for the vehicle, and what all ECUs share."""
    vehicle: BindParameter[str] = bindparam("vehicle")
    last, later = REPORTS.alias("last"), WISHES.alias("later")
    newest = select(func.max(last.c.counter)).where(last.c.ecu_id == ECUS.c.id)
    wanted = select(func.max(later.c.id)).where(later.c.ecu_id == ECUS.c.id)
    counted = select(func.max(RECEIVED.c.counter)).where(
        RECEIVED.c.vehicle_id == vehicle, RECEIVED.c.primary_id == ECUS.c.id
    )
    shared = [
        select(func.max(table.c.number)).where(table.c.vehicle_id == vehicle)
        for table in (TABLES[BundleMade.__tablename__], TABLES[MapListed.__tablename__])
    ]
    shared.append(select(func.max(JOINED.c.id)).where(JOINED.c.vehicle_id == vehicle))
    shared.append(select(func.max(ASKED.c.id)))
    shared += [
        select(func.max(FILES.c.version)).where(
            FILES.c.vehicle_id == vehicle, FILES.c.role == role
        )
        for role in ROLES
    ]
    columns: list[ColumnElement[Any]] = [*(ECUS.c[name] for name in KnownEcu._fields)]
    columns += [REPORTS.c[name] for name in KnownReport._fields]
    columns += [WISHES.c.image, WISHES.c.bundle_id]
    columns += [one.scalar_subquery() for one in (counted, *shared)]
    report = and_(REPORTS.c.ecu_id == ECUS.c.id, REPORTS.c.counter == newest.scalar_subquery())
    wish = WISHES.c.id == wanted.scalar_subquery()
    gone = select(REPLACED.c.ecu_id).where(REPLACED.c.ecu_id == ECUS.c.id)
    joined = ECUS.outerjoin(REPORTS, report).outerjoin(WISHES, wish)
    query = select(*columns).select_from(joined).where(ECUS.c.vehicle_id == vehicle)
    return query.where(~gone.exists()).order_by(ECUS.c.id)


def _insert(table: Table) -> Prepared:
    """Of all columns but what the database counts up. A row that belongs to a message names it as
    a `Cause`, so nobody waits for its id."""
    columns = [column.name for column in table.c if column is not table.autoincrement_column]
    statement = insert(table).inline()
    if "manifest_id" in columns:
        columns.remove("manifest_id")
        caused = select(RECEIVED.c.id).where(
            RECEIVED.c.vehicle_id == bindparam("by_vehicle"),
            RECEIVED.c.primary_id == bindparam("by_primary"),
            RECEIVED.c.counter == bindparam("by_counter"),
        )
        statement = statement.values(manifest_id=caused.scalar_subquery())
    return Prepared(statement, columns)


# Columns of STATE.
REPORTED = len(KnownEcu._fields)
WISHED = REPORTED + len(KnownReport._fields)
COUNTED = WISHED + len(Wish._fields)
STATE = Prepared(_state())
IMAGE_COLUMNS = ("number", "length", "sha256", "release", "confidential", "hardware", "regions")
IMAGE = Prepared(
    select(*(IMAGES.c[name] for name in IMAGE_COLUMNS)).where(
        IMAGES.c.number == bindparam("number")
    )
)
INSERTS = {name: _insert(table) for name, table in TABLES.items()}
