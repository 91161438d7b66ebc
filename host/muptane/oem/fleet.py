"""What people of the OEM tell the inventory: vehicles, images, and which image goes where.

This is the private side (R-32): nothing here is reachable for a vehicle. Each act is one
transaction. An image is recorded here after the Image repository published it.
Rules: R-17, R-31, R-32, R-41, S-25, V-24, V-85, V-86, E-75.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from muptane.oem.enrolment import NewEcu
from muptane.oem.errors import (
    AlreadyRegistered,
    BadVehicle,
    ImageNumberUsed,
    OemRefusal,
    ReleaseDowngrade,
    ReleaseLeap,
    UnknownEcu,
    UnknownImage,
    UnknownVehicle,
    WrongHardware,
    WrongRegion,
)
from muptane.oem.fields import is_vehicle_id
from muptane.oem.inventory import (
    Assignment,
    Ecu,
    Image,
    Inventory,
    MapListed,
    Replacement,
    ReportReceived,
    Vehicle,
)
from muptane.oem.states import AnyEcu, AnyReport, KnownEcu
from muptane.oem.targets import Entry
from muptane.regions import named
from uptane import ids, limits

One = TypeVar("One", Ecu, KnownEcu)


def register_vehicle(inventory: Inventory, vehicle: str, ecus: Sequence[NewEcu], now: int) -> None:
    """A vehicle with all its ECUs, exactly one of which is the Primary.

    Refuses with AlreadyRegistered (E-75), BadVehicle, BadKey, Malformed.
    """
    _check_vehicle(vehicle, ecus)
    with inventory.begin() as session:
        if session.get(Vehicle, vehicle) is not None:
            raise AlreadyRegistered(f"vehicle {vehicle} is registered already")
        session.add(Vehicle(id=vehicle, registered_s=now))
        for new in ecus:
            check_new(session, new)
            session.add(new.row(vehicle))
            session.flush()
        session.commit()


def record_image(
    inventory: Inventory, number: int, entry: Entry, confidential: bool = False
) -> None:
    """Make an image known that the Image repository lists; a confidential one travels encrypted.
    The same again changes nothing.

    Refuses with ImageNumberUsed.
    """
    with inventory.begin() as session:
        known = session.get(Image, number)
        if known is not None:
            if known.entry(entry.ecus) != entry or known.confidential != confidential:
                raise ImageNumberUsed(f"image {number} is something else already")
            return
        session.add(
            Image(
                number=number,
                length=entry.length,
                sha256=entry.hashes[ids.ALG_SHA256],
                hardware=list(entry.hardware),
                release=entry.release,
                confidential=confidential,
                regions=[list(part) for part in entry.regions],
            )
        )
        session.commit()


def assign(inventory: Inventory, vehicle: str, ecu: int, image: int, now: int) -> None:
    """From now on the OEM wants `image` on `ecu` of `vehicle`.

    Refuses with UnknownVehicle, UnknownEcu, UnknownImage, WrongHardware, ReleaseDowngrade,
    ReleaseLeap, WrongRegion.
    """
    with inventory.begin() as session:
        found = ecu_of(ecus_of(session, vehicle), ecu)
        wanted = session.get(Image, image)
        if wanted is None:
            raise UnknownImage(f"no image {image} was released")
        refusal = misfit(found, wanted, last_report(session, ecu))
        if refusal is not None:
            raise refusal
        session.add(Assignment(ecu_id=ecu, image=image, made_s=now))
        session.commit()


def ecus_of(session: Session, vehicle: str) -> list[Ecu]:
    """Every ECU of a vehicle (R-11), in ascending order of id, without those that were replaced
    (R-42); else UnknownVehicle."""
    if not is_vehicle_id(vehicle) or session.get(Vehicle, vehicle) is None:
        raise UnknownVehicle(f"vehicle {vehicle!r} is not in the inventory")
    gone = select(Replacement.ecu_id).where(Replacement.ecu_id == Ecu.id)
    query = select(Ecu).where(Ecu.vehicle_id == vehicle, ~gone.exists()).order_by(Ecu.id)
    return list(session.scalars(query))


def ecu_of(ecus: Iterable[One], ecu: int) -> One:
    for known in ecus:
        if known.id == ecu:
            return known
    raise UnknownEcu(f"ECU {ecu} is not in the inventory of this vehicle")


def last_report(session: Session, ecu: int) -> ReportReceived | None:
    """The newest report of an ECU, which has the highest counter (R-13)."""
    query = select(ReportReceived).where(ReportReceived.ecu_id == ecu)
    return session.scalars(query.order_by(ReportReceived.counter.desc()).limit(1)).first()


def newest_assignment(session: Session, ecu: int) -> Assignment | None:
    """The last wish for an ECU."""
    query = select(Assignment).where(Assignment.ecu_id == ecu)
    return session.scalars(query.order_by(Assignment.id.desc()).limit(1)).first()


def is_confidential(inventory: Inventory, number: int) -> bool:
    """May this image not leave in the clear?"""
    with inventory.begin() as session:
        image = session.get(Image, number)
        return image is not None and image.confidential


def newest_map(session: Session, vehicle: str) -> MapListed | None:
    """The map that the Director agreed to last for a vehicle."""
    query = select(MapListed).where(MapListed.vehicle_id == vehicle)
    return session.scalars(query.order_by(MapListed.number.desc()).limit(1)).first()


def misfit(ecu: AnyEcu, image: Image, report: AnyReport | None) -> OemRefusal | None:
    """Why `image` must not go to `ecu`, which last reported `report`; None: it may."""
    if ecu.hardware not in image.hardware:
        return WrongHardware(f"image {image.number} is not for hardware {ecu.hardware}")
    if report is not None and image.release < report.release:
        return ReleaseDowngrade(
            f"ECU {ecu.id} runs release {report.release}, image {image.number} has {image.release}"
        )
    if report is not None and image.release - report.release > limits.RELEASE_STEP_MAX:
        return ReleaseLeap(
            f"ECU {ecu.id} runs release {report.release} and refuses {image.release} of image "
            f"{image.number}: count up by {limits.RELEASE_STEP_MAX} at most"
        )
    return _misplaced(ecu, image)


def _misplaced(ecu: AnyEcu, image: Image) -> OemRefusal | None:
    """Why the regions of `image` are not those of `ecu`; None: they are (S-25)."""
    rooms: dict[int, int | None] = {one[0]: one[1] for one in ecu.regions}
    rooms = rooms or {ids.REGION_APPLICATION: None}
    for region, length in image.parts():
        if region not in rooms:
            has = ", ".join(map(named, rooms))
            return WrongRegion(
                f"image {image.number} replaces region {named(region)}, ECU {ecu.id} has {has}"
            )
        room = rooms[region]
        if room is not None and length > room:
            return WrongRegion(
                f"image {image.number} has {length} bytes for region {named(region)},"
                f" ECU {ecu.id} has room for {room}"
            )
    return None


def _check_vehicle(vehicle: str, ecus: Sequence[NewEcu]) -> None:
    primaries = [new for new in ecus if new.verification == ids.PRIMARY]
    if len(primaries) != 1:
        raise BadVehicle(f"vehicle {vehicle} has {len(primaries)} Primaries, needs one")
    if len(ecus) > limits.SECONDARIES_MAX + 1:
        raise BadVehicle(f"vehicle {vehicle} has {len(ecus)} ECUs")
    if not is_vehicle_id(vehicle):
        raise BadVehicle(f"{vehicle!r} is no vehicle id")


def check_new(session: Session, new: NewEcu) -> None:
    """Refuse with AlreadyRegistered a number or a key that any ECU has, or had (E-75)."""
    known = session.get(Ecu, new.ecu)
    if known is not None:
        raise AlreadyRegistered(f"ECU {new.ecu} is registered already, in {known.vehicle_id}")
    same = [Ecu.kid == new.key_id()]
    if new.decryption is not None:
        same.append(Ecu.decryption == new.decryption)
    holder = session.scalars(select(Ecu).where(or_(*same))).first()
    if holder is not None:
        raise AlreadyRegistered(f"the key of ECU {new.ecu} belongs to ECU {holder.id} already")
