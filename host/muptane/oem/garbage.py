"""What nobody can need any more, and how it goes: superseded metadata that has expired, images
that are neither listed nor installed nor wanted, and what once travelled in an image's place.

Every Root stays, since a vehicle steps through all of them, and so do maps, whatever is current,
and whatever has not expired: a vehicle may be in the middle of a cycle. An image stays while any
metadata that is kept lists it, or a vehicle may run or install it (`needs`): it is the base of the
next delta. One that goes leaves its number behind (`published.spent_name`).
What a store does not understand it keeps. SQLite keeps the room of rows for later rows.
Rules: V-50, V-58, V-85, R-32, R-34, R-35, S-18, S-20, S-31, T-53.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from muptane.oem.append_only import deletable
from muptane.oem.image_repository import ImageRepository
from muptane.oem.inventory import Inventory, Parcel, RoleFile
from muptane.oem.metadata import Role, Snapshot
from muptane.oem.needs import Needs
from muptane.oem.published import ImageName, RoleName, read_name, read_role, spent_name
from muptane.oem.storage import Store
from muptane.oem.targets import Entry, Targets
from uptane import ids

Row = tuple[str, int, int] | int  # a role file's vehicle, role, version; a parcel's id


@dataclass(frozen=True)
class Garbage:
    """One thing to remove, in words, why, and its bytes. `name`: of a file of the store, or
    `row`: of the inventory."""

    what: str
    why: str
    bytes: int
    name: str = ""
    row: Row = 0


def find(store: Store, session: Session, now: int) -> list[Garbage]:
    """What could go at `now`. Refuses like `ImageRepository.open` where something was tampered
    with: then nothing may be believed old."""
    repository = ImageRepository.open(store, ())
    needs = Needs.of(session)
    old_rows, entries = _director_files(session, needs, now)
    old_files = _role_files(store, repository, needs, now)
    return [*old_files, *_images(store, needs), *old_rows, *_parcels(session, needs, entries)]


def remove(store: Store, inventory: Inventory, now: int) -> list[Garbage]:
    """Remove what could go, the files in one publication and the rows in one transaction, and
    return it. Refuses like `find`; then nothing is removed. Nobody publishes meanwhile."""
    with inventory.begin() as session:
        with deletable(session):
            found = find(store, session, now)
            for one in found:
                _delete(session, one.row)
        files = [one.name for one in found if one.name]
        images = [named for named in map(read_name, files) if isinstance(named, ImageName)]
        if files:  # while the inventory is held, so that nobody begins to want an image
            store.publish({spent_name(image): b"" for image in images}, without=files)
        session.commit()
    return found


def _delete(session: Session, row: Row) -> None:
    if isinstance(row, tuple):
        vehicle, role, version = row
        its = (RoleFile.role == role, RoleFile.version == version)
        session.execute(delete(RoleFile).where(RoleFile.vehicle_id == vehicle, *its))
    elif row:
        session.execute(delete(Parcel).where(Parcel.id == row))


def _role_files(
    store: Store, repository: ImageRepository, needs: Needs, now: int
) -> list[Garbage]:
    """Superseded role files that have expired; every other one needs the images that it lists."""
    current = _current(repository)
    found = []
    for name in store.names():
        named, raw = read_name(name), store.read(name) or b""
        if not isinstance(named, RoleName):
            continue
        role = read_role(raw, named.type)
        newest = current.get(named.number, 0)
        superseded = not newest or named.version < newest
        if named.type in (ids.SNAPSHOT, ids.TARGETS) and superseded and _expired(role, now):
            by = f"superseded by version {newest}" if newest else "of a role that is no more"
            found.append(Garbage(name, f"{by}, expired {_date(role)}", len(raw), name))
        elif isinstance(role, Targets):
            for number in role.images:
                needs.need(number, f"{name} lists it")
    return found


def _current(repository: ImageRepository) -> dict[int, int]:
    """Role -> the version that counts."""
    raw = repository.read(ids.KIND_METADATA, ids.SNAPSHOT, 0) or b""
    snapshot = repository.authority.verify(raw, ids.SNAPSHOT)
    versions = snapshot.versions if isinstance(snapshot, Snapshot) else {}
    return {**versions, ids.SNAPSHOT: snapshot.version}


def _images(store: Store, needs: Needs) -> Iterator[Garbage]:
    for name in store.names():
        named = read_name(name)
        if isinstance(named, ImageName) and not named.spent and named.number not in needs.images:
            why = "no file lists it, and no vehicle may run or is to install it"
            raw = store.read(name) or b""
            yield Garbage(f"image {named.number}", why, len(raw), name)


def _director_files(session: Session, needs: Needs, now: int) -> tuple[list[Garbage], list[Entry]]:
    """Superseded role files of the Director that have expired, and the entries of all others."""
    found, entries = [], []
    newest: dict[tuple[str, int], int] = {}
    query = select(RoleFile).order_by(RoleFile.vehicle_id, RoleFile.role, RoleFile.version.desc())
    for row in session.scalars(query.execution_options(yield_per=100)):
        role = read_role(row.raw, row.role)
        latest = newest.setdefault((row.vehicle_id, row.role), row.version)
        if row.version < latest and _expired(role, now):
            what = f"{RoleName(row.role, row.version)} of {row.vehicle_id}"
            why = f"superseded by version {latest}, expired {_date(role)}"
            key = (row.vehicle_id, row.role, row.version)
            found.append(Garbage(what, why, len(row.raw), row=key))
        elif isinstance(role, Targets):
            for number, entry in role.images.items():
                needs.need(number, f"the Director lists it for {row.vehicle_id}")
                entries.append(entry)
    return found, entries


def _parcels(session: Session, needs: Needs, entries: list[Entry]) -> Iterator[Garbage]:
    """What travels in the place of an image that its vehicle has, or from a base that nobody has,
    and that no entry names."""
    named = {digest for entry in entries for digest in _digests(entry.custom)}
    query = select(
        Parcel.id, Parcel.vehicle_id, Parcel.image, Parcel.base, Parcel.digest,
        func.length(Parcel.raw),
    )  # fmt: skip
    for row, vehicle, image, base, digest, length in session.execute(query):
        if digest not in named and not needs.has_use_for(image, base, vehicle):
            kind = "delta to" if base else "ciphertext or pieces of"
            whose = f" for {vehicle}" if vehicle else ""
            why = "nobody is to install it from what is installed"
            yield Garbage(f"{kind} image {image}{whose}", why, length, row=row)


def _digests(value: object) -> Iterator[bytes]:
    """Every byte string in a custom."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _digests(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _digests(item)


def _expired(role: Role | None, now: int) -> bool:
    return role is not None and role.expires <= now


def _date(role: Role | None) -> str:
    at = 0 if role is None else role.expires
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
