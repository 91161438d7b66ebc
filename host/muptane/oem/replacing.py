"""An ECU is broken, and another one takes its place in the vehicle (R-42).

The new one has a number and keys of its own; nothing of the old one is changed or deleted, and its
reports count no more from the next vehicle version manifest on. What was wanted on the old one is
wanted on the new one, if it fits. A bundle that the old one was part of is overtaken. What a
new Primary sends is counted anew. This is the private side: people do it, or a
workshop that they trust (E-75), never a vehicle.
Rules: R-17, R-31, R-32, R-42, V-24, E-75.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from muptane.oem.bundles import wanted_image
from muptane.oem.enrolment import NewEcu
from muptane.oem.errors import AlreadyReplaced, BadVehicle, UnknownEcu
from muptane.oem.fleet import check_new, ecu_of, ecus_of, misfit
from muptane.oem.inventory import Assignment, Ecu, Inventory, Replacement


def replace_ecu(inventory: Inventory, vehicle: str, old: int, new: NewEcu, now: int) -> None:
    """From now on `new` is in the place of ECU `old` of `vehicle`.

    Refuses with UnknownVehicle, UnknownEcu, AlreadyReplaced, AlreadyRegistered (of a number or key
    that any ECU has or had), BadVehicle (a Primary for a Secondary, or the reverse), BadKey,
    Malformed; then nothing has changed.
    """
    with inventory.begin() as session:
        replaced = _replaced(session, vehicle, old)
        check_new(session, new)
        row = new.row(vehicle)
        if row.primary != replaced.primary:
            kind = "the Primary" if replaced.primary else "a Secondary"
            raise BadVehicle(f"ECU {old} is {kind} of {vehicle}, and so has to be ECU {new.ecu}")
        session.add(row)
        session.flush()
        session.add(Replacement(ecu_id=old, successor_id=new.ecu, made_s=now))
        session.flush()
        wanted = wanted_image(session, old)
        if wanted is not None and misfit(row, wanted, None) is None:
            session.add(Assignment(ecu_id=new.ecu, image=wanted.number, made_s=now))
        session.commit()


def history_of(inventory: Inventory, ecu: int) -> tuple[int, ...]:
    """The ECUs that were in the place of `ecu` before it, the newest first."""
    found: list[int] = []
    with inventory.begin() as session:
        before = _predecessor(session, ecu)
        while before is not None:
            found.append(before)
            before = _predecessor(session, before)
    return tuple(found)


def _replaced(session: Session, vehicle: str, old: int) -> Ecu:
    gone = session.get(Replacement, old)
    try:
        return ecu_of(ecus_of(session, vehicle), old)
    except UnknownEcu:
        if gone is None:
            raise
        raise AlreadyReplaced(f"ECU {gone.successor_id} took the place of ECU {old}") from None


def _predecessor(session: Session, ecu: int) -> int | None:
    query = select(Replacement.ecu_id).where(Replacement.successor_id == ecu)
    return session.scalars(query).first()
