"""The inventory as it stands, held against a backup of it: it may only have grown (R-32).

A row that was changed is somebody's doing, and so is one that is gone, except for what `garbage`
takes. Of what was added, everything is verified that carries a signature: the Director's Roots and
role files, and the vehicles' manifests with the reports in them. The rest (vehicles, wishes,
decisions) has no signature to check: it is counted, for a person to look at.
Rules: R-12, R-17, R-32, S-19, E-90.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from sqlalchemy import Connection, Table, select
from sqlalchemy.orm import Session

from muptane.oem.backup.finding import Finding, bad, news
from muptane.oem.backup.rows import Values, key_of, tables
from muptane.oem.backup.signed import genuine_role, verified_roots
from muptane.oem.check import Report, check_seal, read_manifest, read_report
from muptane.oem.database import guarded
from muptane.oem.errors import NotThePrimary, OemRefusal
from muptane.oem.inventory import (
    Ecu,
    Image,
    ManifestReceived,
    ReportReceived,
    RoleFile,
    RootFile,
)
from muptane.oem.metadata import Root
from muptane.oem.published import RoleName, read_role
from uptane import ids

Rows = Mapping[Values, Values]  # primary key -> the row
Row = dict[str, object]
COLLECTED = ("role_files", "parcels")


class Changes:
    """Rows of one table that are not the same on both sides."""

    def __init__(
        self, table: Table, before: Iterable[list[Values]], now: Iterable[list[Values]]
    ) -> None:
        self.table = table
        self.before: Rows = {key_of(table, row): row for rows in before for row in rows}
        self.now: Rows = {key_of(table, row): row for rows in now for row in rows}

    def named(self, row: Values) -> Row:
        return {column.name: value for column, value in zip(self.table.columns, row, strict=True)}

    def added(self) -> list[Row]:
        return [self.named(row) for key, row in self.now.items() if key not in self.before]

    def removed(self) -> list[Row]:
        return [self.named(row) for key, row in self.before.items() if key not in self.now]

    def changed(self) -> Iterator[tuple[Values, list[str]]]:
        """(primary key, columns)."""
        for key, row in self.before.items():
            found = self.now.get(key, row)
            if list(found) != list(row):
                names = [column.name for column in self.table.columns]
                both = zip(names, row, found, strict=True)
                yield key, [name for name, was, is_now in both if was != is_now]


class Ledger:
    """`connection`: reads the inventory; `listed`: (number, SHA-256) of every image that the Image
    repository ever listed; `now_s`: seconds since 1970."""

    def __init__(
        self, connection: Connection, listed: Collection[tuple[int, bytes]], now_s: int
    ) -> None:
        self._connection = connection
        self._listed = listed
        self._session = Session(connection)
        self._now_s = now_s
        self._roots: list[Root] = []

    def findings(self, changes: Iterable[Changes]) -> Iterator[Finding]:
        """Of every table, those that others refer to first."""
        yield from self._guards()
        raws = self._session.scalars(select(RootFile.raw).order_by(RootFile.version))
        try:
            self._roots = verified_roots(raws)
        except OemRefusal as refusal:
            yield bad(f"the Roots of the Director do not verify: {refusal}")
        for one in changes:
            name = one.table.name
            for key, columns in one.changed():
                yield bad(
                    f"{name} {_shown(key)}: {', '.join(columns)} changed, which never happens"
                )
            for row in one.removed():
                yield from self._removed(one, row)
            added = one.added()
            for row in added:
                yield from self._checks().get(name, _nothing)(row)
            if added:
                yield news(f"{name}: {len(added)} rows are new")

    def _guards(self) -> Iterator[Finding]:
        """The triggers that keep rows as they are."""
        for table in tables():
            if not guarded(self._connection, table.name):
                yield bad(f"{table.name}: the trigger is gone that keeps its rows as they are")

    def _checks(self) -> Mapping[str, Callable[[Row], Iterator[Finding]]]:
        return {
            RoleFile.__tablename__: self._role_file,
            ManifestReceived.__tablename__: self._manifest,
            ReportReceived.__tablename__: self._report,
            Image.__tablename__: self._image,
        }

    # --- what is gone ---------------------------------------------------------------------------

    def _removed(self, changes: Changes, row: Row) -> Iterator[Finding]:
        name = changes.table.name
        key = [row[column.name] for column in changes.table.primary_key.columns]
        if name == RoleFile.__tablename__:
            yield from self._removed_role(row)
        elif name not in COLLECTED:
            yield bad(f"{name} {_shown(key)} was removed")

    def _removed_role(self, row: Row) -> Iterator[Finding]:
        role = RoleName(int(str(row["role"])), int(str(row["version"])))
        said = read_role(_bytes(row["raw"]), role.type)
        newer = select(RoleFile.version).where(
            RoleFile.vehicle_id == row["vehicle_id"],
            RoleFile.role == role.number,
            RoleFile.version > role.version,
        )
        if self._session.scalars(newer.limit(1)).first() is None:
            yield bad(f"{role} of {row['vehicle_id']} was removed: the Director went back")
        elif said is None or said.expires > self._now_s:
            yield bad(f"{role} of {row['vehicle_id']} was removed, and had not expired")

    # --- what came ------------------------------------------------------------------------------

    def _role_file(self, row: Row) -> Iterator[Finding]:
        role = RoleName(int(str(row["role"])), int(str(row["version"])))
        if not self._roots:
            return
        identity = self._roots[0].identity()
        said = genuine_role(_bytes(row["raw"]), role.type, self._roots, identity)
        whose = getattr(said, "vehicle", row["vehicle_id"])
        if said is None or (said.version, whose) != (role.version, row["vehicle_id"]):
            yield bad(f"{role} of {row['vehicle_id']} was planted: the Director did not sign it")

    def _manifest(self, row: Row) -> Iterator[Finding]:
        sender = select(Ecu).where(
            Ecu.id == row["primary_id"], Ecu.vehicle_id == row["vehicle_id"], Ecu.primary
        )
        what = f"manifest {row['counter']} of {row['vehicle_id']}"
        primary = self._session.scalars(sender).one_or_none()
        if not self._roots:
            return
        try:
            said, sealed = read_manifest(_bytes(row["raw"]))
            if primary is None or primary.key is None or said.primary != primary.id:
                raise NotThePrimary(f"ECU {row['primary_id']} sends no manifests")
            check_seal(sealed, primary.key, self._roots[0].identity(), ids.TYPE_VEHICLE)
        except OemRefusal:
            said = None
        if said is None or (said.vehicle, said.counter) != (row["vehicle_id"], row["counter"]):
            yield bad(f"{what} was planted: its Primary did not sign it")

    def _image(self, row: Row) -> Iterator[Finding]:
        if (row["number"], row["sha256"]) not in self._listed:
            number = row["number"]
            yield bad(f"image {number} of the inventory was planted: no signed file lists it")

    def _report(self, row: Row) -> Iterator[Finding]:
        """Of the manifest that it names, which is verified as a row of its own."""
        raw = self._session.scalars(
            select(ManifestReceived.raw).where(ManifestReceived.id == row["manifest_id"])
        ).first()
        if raw is None or row not in [{**row, **said} for said in _reports(raw)]:
            yield bad(f"report {row['counter']} of ECU {row['ecu_id']} is not what its ECU said")


def _nothing(row: Row) -> Iterator[Finding]:
    """There is no signature to check."""
    return iter(())


def _reports(raw: bytes) -> Iterator[Row]:
    """What the reports in a manifest say, as columns."""
    try:
        parts = read_vehicle(raw)
    except OemRefusal:
        return
    for part in parts:
        yield {
            "ecu_id": part.ecu,
            "counter": part.counter,
            "image": part.image,
            "release": part.release,
            "sha256": part.hashes.get(ids.ALG_SHA256, b""),
            "boot": part.boot,
            "attacks": list(part.attacks),
            "tried": None if part.tried is None else list(part.tried),
            "regions": [list(held) for held in part.regions],
        }


def read_vehicle(raw: bytes) -> list[Report]:
    """The reports in a manifest, not verified."""
    return [read_report(part)[0] for part in read_manifest(raw)[0].reports]


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _shown(key: Iterable[object]) -> str:
    return " ".join(map(str, key))
