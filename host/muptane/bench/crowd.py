"""A fleet of any size in an inventory, quickly: some real vehicles, spread over many that wait.

All have the three ECUs of vehicles/sedan.toml, a wish for each, and one day of history: what was
received, decided and signed once, in rows of the same kinds and sizes. The real ones have keys and
sign what they send. Nobody asks the others, so instead of keys they have numbers, and where files
would be signed for them there are copies; their rows are written in bulk, past the office.
Rules: R-17, R-32.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Table, text

from muptane.bench import firmware, plan
from muptane.oem.check import Report, VehicleManifest
from muptane.oem.database import connect
from muptane.oem.enrolment import NewEcu
from muptane.oem.envelopes import Context, seal
from muptane.oem.inventory import TABLES as ALL
from muptane.oem.keys import Signer
from muptane.oem.keystore import Cost
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.states import vehicle_state
from uptane import ids

NOW_S = 1_767_225_600
SEED = b"crowd"
BATCH_ROWS = 20_000
KINDS = {"primary": ids.PRIMARY, "full": ids.FULL, "partial": ids.PARTIAL}
FIRST_RELEASE, SECOND_RELEASE = 1, 2
OUTDATED = "brake"  # wants the second release, and runs the first
TABLES = ("vehicles", "ecus", "assignments", "manifests", "reports", "decisions", "role_files")
COUNTED = ("assignments", "manifests", "reports", "decisions")  # ids of PostgreSQL's sequences
ECU_STEP = 10  # ECU ids of one vehicle to the next


class RealVehicle:
    """A vehicle that signs: `ecus` by name, and what they run."""

    def __init__(self, index: int, planned: Sequence[plan.EcuPlan]) -> None:
        self.vin = vin_of(index)
        self._planned = planned
        self._first = ECU_STEP * (index + 1)
        self._signers = [Signer.from_seed(SEED, f"{index}.{one.name}") for one in planned]
        self.counter = 0

    def ecus(self) -> list[NewEcu]:
        return [
            NewEcu(
                ecu=self._first + one.number,
                public=signer.key.public,
                hardware=one.hardware,
                verification=KINDS["primary" if one.role == "primary" else one.verification],
            )
            for one, signer in zip(self._planned, self._signers, strict=True)
        ]

    def wishes(self) -> list[int]:
        """The image that is wanted on each of its ECUs."""
        return [
            1000 * one.number + (SECOND_RELEASE if one.name == OUTDATED else FIRST_RELEASE)
            for one in self._planned
        ]

    def send(self, identity: bytes) -> bytes:
        """Its next vehicle version manifest, for the Director with this identity."""
        self.counter += 1  # every vehicle begins with 1, also those that got it as a copy
        raws = [
            seal(self._report(one).content(), signer, Context(ids.TYPE_REPORT, identity, 5))
            for one, signer in zip(self._planned, self._signers, strict=True)
        ]
        primary = next(n for n, one in enumerate(self._planned) if one.role == "primary")
        told = VehicleManifest(
            vehicle=self.vin,
            primary=self._first + self._planned[primary].number,
            reports=tuple(raws),
            counter=self.counter,
        )
        context = Context(ids.TYPE_VEHICLE, identity, ids.TYPE_VEHICLE)
        return seal(told.content(), self._signers[primary], context)

    def _report(self, one: plan.EcuPlan) -> Report:
        image = image_of(one, FIRST_RELEASE)
        return Report(
            ecu=self._first + one.number,
            image=1000 * one.number + FIRST_RELEASE,
            length=len(image),
            hashes={ids.ALG_SHA256: hashlib.sha256(image).digest()},
            release=FIRST_RELEASE,
            attacks=(),
            time=NOW_S - 60,
            counter=self.counter,
            nonce=self.counter.to_bytes(8, "big"),
            boot=ids.BOOT_CONFIRMED,
        )


class Crowd:
    """An office in a folder, its inventory at `url`: `size` vehicles, `real` of them at most real.

    Use `fill` or `again`.
    """

    def __init__(self, office: Office, size: int, real: int) -> None:
        self.office = office
        self.planned = planned()
        indexes = range(0, size, max(size // real, 1))[:real]
        self.vehicles = [RealVehicle(index, self.planned) for index in indexes]

    @classmethod
    def fill(cls, folder: Path, url: str, size: int, real: int) -> "Crowd":
        """A new office, and all vehicles."""
        made = cls(Office.create(lambda: NOW_S, _premises(folder, url), seed=SEED), size, real)
        made._fill(url, size)
        return made

    @classmethod
    def again(cls, folder: Path, url: str, size: int, real: int) -> "Crowd":
        """The same one, opened in another process."""
        made = cls(Office.open(lambda: NOW_S, _premises(folder, url)), size, real)
        with made.office.inventory.work() as work:
            for vehicle in made.vehicles:
                vehicle.counter = vehicle_state(work, vehicle.vin).counter
        return made

    def _fill(self, url: str, size: int) -> None:
        for one in self.planned:
            for release in (FIRST_RELEASE, SECOND_RELEASE):
                number = 1000 * one.number + release
                self.office.release_image(number, image_of(one, release), [one.hardware], release)
        self._let_in(self.vehicles[0])
        rows = Rows(self.office, self.vehicles, size)
        engine = connect(url)
        with engine.begin() as connection:
            rows.write(connection)
        for vehicle in self.vehicles[1:]:
            vehicle.send(self.office.director.identity)  # the day that was copied
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
        engine.dispose()

    def _let_in(self, first: RealVehicle) -> None:
        """Register the first vehicle, and answer it once."""
        self.office.register_vehicle(first.vin, first.ecus())
        for new, wished in zip(first.ecus(), first.wishes(), strict=True):
            self.office.assign(first.vin, new.ecu, wished)
        self.request(first, first.send(self.office.director.identity))

    def request(self, vehicle: RealVehicle, raw: bytes) -> None:
        """What is measured: received, verified, decided, signed, and on the disk."""
        self.office.accept_manifest(vehicle.vin, raw)

    def close(self) -> None:
        self.office.close()


def planned() -> Sequence[plan.EcuPlan]:
    """The ECUs of the sedan."""
    return plan.load(firmware.ROOT / "vehicles" / "sedan.toml").ecu


def _premises(folder: Path, url: str) -> Premises:
    return Premises(folder, b"crowd", Cost.cheap(), url)


class Rows:
    """The rows of a fleet, table by table. The first vehicle, which is real, is registered and
    answered by the office; what it left is the pattern of all others."""

    def __init__(self, office: Office, vehicles: Sequence[RealVehicle], size: int) -> None:
        self._real = {index_of(vehicle.vin): vehicle for vehicle in vehicles}
        self._size = size
        with office.inventory.begin() as session:
            self._pattern = {
                name: [tuple(row) for row in session.execute(ALL.tables[name].select())]
                for name in TABLES
            }

    def write(self, connection: Connection) -> None:
        """All tables, parents before children."""
        for name in TABLES:
            _add(connection, ALL.tables[name], self._rows(name))
        if connection.dialect.name == "postgresql":
            for name in COUNTED:
                connection.execute(
                    text(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))")
                )

    def _rows(self, name: str) -> Iterator[list[Any]]:
        """In the order of the table's columns; those of the first vehicle are there already. Files
        come version by version, as days do: a table filled in the order of its key has full pages,
        and every row that is added to one splits it."""
        pattern = [self._written(name, row) for row in self._pattern[name]]
        columns = ALL.tables[name].c.keys()
        steps = self._steps(name)
        vins = [place for place, column in enumerate(columns) if self._is_vin(name, column)]
        counted = [(columns.index(column), step) for column, step in steps.items()]
        days = [pattern]
        if "version" in columns:
            place = columns.index("version")
            versions = sorted({row[place] for row in pattern})
            days = [[row for row in pattern if row[place] == version] for version in versions]
        for day, index in product(days, range(1, self._size)):
            vin = vin_of(index)
            for row in day:
                made = list(row)
                for place in vins:
                    made[place] = vin
                for place, step in counted:
                    if made[place] is not None:
                        made[place] += index * step
                if name == "ecus":
                    place = columns.index("public")
                    made[place : place + 2] = self._key(index, made[0])
                yield made

    def _is_vin(self, name: str, column: str) -> bool:
        return column == "vehicle_id" or (name, column) == ("vehicles", "id")

    def _steps(self, name: str) -> dict[str, int]:
        """By how much a column grows from one vehicle to the next."""
        known = {"ecu_id": ECU_STEP, "primary_id": ECU_STEP, "id": len(self._pattern[name])}
        known["manifest_id"] = len(self._pattern["manifests"])
        if name in ("ecus", "vehicles"):
            known["id"] = ECU_STEP
        columns = ALL.tables[name].c.keys()
        found = {column: step for column, step in known.items() if column in columns}
        return {column: step for column, step in found.items() if not self._is_vin(name, column)}

    def _written(self, name: str, row: Sequence[Any]) -> list[Any]:
        """A row as both databases take it."""
        kinds = [column.type for column in ALL.tables[name].c]
        return [
            json.dumps(value) if isinstance(kind, JSON) else value
            for value, kind in zip(row, kinds, strict=True)
        ]

    def _key(self, index: int, ecu: int) -> tuple[bytes, bytes]:
        """Public key and kid."""
        real = self._real.get(index)
        if real is None:
            digest = hashlib.sha256(b"%d" % ecu).digest()
            return digest, digest[:8]
        new = next(new for new in real.ecus() if new.ecu == ecu)
        return new.public or b"", new.key_id()


def vin_of(index: int) -> str:
    return f"MUPTANE{index:010d}"


def index_of(vin: str) -> int:
    return int(vin[-10:])


def image_of(one: plan.EcuPlan, release: int) -> bytes:
    return f"{one.name} {release}".encode()


def _add(connection: Connection, table: Table, rows: Iterator[list[Any]]) -> None:
    columns = ", ".join(f'"{column.name}"' for column in table.c)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in table.c)
        insert = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"
        while batch := [tuple(row) for row in islice(rows, BATCH_ROWS)]:
            connection.exec_driver_sql(insert, batch)
        return
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
