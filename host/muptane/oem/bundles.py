"""Bundles: images that the OEM wants on several ECUs of one vehicle, and what came of them.

A bundle has a number, counted for each vehicle, and one of three ways (S-43 to S-45). Directing
the same images anew is a new bundle. A vehicle has one at a time, the newest, as long as no other
wish has overtaken one of its own; one that has to go together is directed as a whole or not at
all, and what is overtaken of it counts only where it runs already. What ECUs say of their trials
is in their reports; who holds them against each other sees a vehicle that is mixed.
Rules: S-43, S-44, S-45, E-06, E-23, R-17, R-34.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from muptane.oem.errors import Malformed, UnknownEcu, UnknownImage
from muptane.oem.fleet import ecus_of, last_report, misfit, newest_assignment
from muptane.oem.inventory import (
    Assignment,
    BundleMade,
    Ecu,
    Image,
    Inventory,
    Replacement,
    ReportReceived,
)
from muptane.oem.targets import Bundle
from uptane import ids

WAITING = "waiting"  # nothing of it was tried
ON_TRIAL = "on trial"
HELD = "held"  # seen healthy, not confirmed
INSTALLED = "installed"
FAILED = "failed"  # tried, and the ECU went back by itself
UNDONE = "undone"  # seen healthy, and given up with its bundle


@dataclass(frozen=True)
class Result:
    """What one ECU made of its part of a bundle, by its own reports."""

    ecu: int
    image: int
    state: str
    trials: int


def assign_bundle(
    inventory: Inventory, vehicle: str, images: Mapping[int, int], way: tuple[int, int], now: int
) -> int:
    """From now on the OEM wants `images` (ECU -> image) on `vehicle` as one bundle; returns its
    number. `way`: ids.BUNDLE_..., and how many trials an image may have.

    Refuses with Malformed, UnknownVehicle, UnknownEcu, UnknownImage, WrongHardware,
    ReleaseDowngrade, ReleaseLeap; then nothing is wanted that was not before.
    """
    kind, trials = way
    with inventory.begin() as session:
        ecus = {ecu.id: ecu for ecu in ecus_of(session, vehicle)}
        newest = select(func.max(BundleMade.number)).where(BundleMade.vehicle_id == vehicle)
        number = (session.scalar(newest) or 0) + 1
        _check(session, vehicle, ecus, images)
        _read(number, kind, trials, images)
        made = BundleMade(
            vehicle_id=vehicle,
            number=number,
            kind=kind,
            trials=trials,
            images=[list(wish) for wish in sorted(images.items())],
            made_s=now,
        )
        session.add(made)
        session.flush()
        for ecu, image in sorted(images.items()):
            session.add(Assignment(ecu_id=ecu, image=image, made_s=now, bundle_id=made.id))
        session.commit()
    return number


def vehicle_bundle(session: Session, vehicle: str) -> BundleMade | None:
    """The newest bundle of a vehicle, unless a later wish overtook a part of it, or an ECU of it
    was replaced."""
    query = select(BundleMade).where(BundleMade.vehicle_id == vehicle)
    made = session.scalars(query.order_by(BundleMade.number.desc()).limit(1)).first()
    if made is None:
        return None
    if any(session.get(Replacement, ecu) is not None for ecu, _ in made.images):
        return None
    wishes = [newest_assignment(session, ecu) for ecu, _ in made.images]
    return made if all(wish and wish.bundle_id == made.id for wish in wishes) else None


def wanted_image(session: Session, ecu: int) -> Image | None:
    """The image that the OEM wants on an ECU: of its newest wish that counts."""
    query = select(Assignment).where(Assignment.ecu_id == ecu).order_by(Assignment.id.desc())
    for wish in session.scalars(query):
        if wish.bundle_id is not None:
            made = session.get_one(BundleMade, wish.bundle_id)
            report = last_report(session, ecu)
            runs = report is not None and report.image == wish.image
            overtaken = vehicle_bundle(session, made.vehicle_id) is not made
            if made.kind == ids.BUNDLE_TOGETHER and overtaken and not runs:
                continue
        return session.get(Image, wish.image)
    return None


def results(inventory: Inventory, vehicle: str) -> tuple[Result, ...]:
    """What each ECU made of the vehicle's newest bundle; empty without one."""
    with inventory.begin() as session:
        query = select(BundleMade).where(BundleMade.vehicle_id == vehicle)
        made = session.scalars(query.order_by(BundleMade.number.desc()).limit(1)).first()
        return () if made is None else results_of(session, made)


def results_of(session: Session, made: BundleMade) -> tuple[Result, ...]:
    return tuple(_result(session, made.number, ecu, image) for ecu, image in made.images)


def broken(session: Session, vehicle: str) -> str | None:
    """A sentence, if the vehicle is mixed: some ECUs confirmed a bundle that goes together, and
    others have gone back (E-06)."""
    made = vehicle_bundle(session, vehicle)
    if made is None or made.kind != ids.BUNDLE_TOGETHER:
        return None
    found = results_of(session, made)
    there = [one for one in found if one.state == INSTALLED and one.trials]
    back = [one for one in found if one.state in (FAILED, UNDONE)]
    if not there or not back:
        return None
    return f"bundle {made.number} is broken: {_listed(there)} confirmed, {_listed(back)} went back"


def _listed(found: Sequence[Result]) -> str:
    return ", ".join(f"ECU {one.ecu} image {one.image}" for one in found)


def _result(session: Session, number: int, ecu: int, image: int) -> Result:
    query = select(ReportReceived).where(ReportReceived.ecu_id == ecu)
    said = [
        (report.boot, report.tried[2])
        for report in session.scalars(query.order_by(ReportReceived.counter.desc()))
        if report.tried is not None and report.tried[:2] == [number, image]
    ]
    report = last_report(session, ecu)
    trials = said[0][1] if said else 0
    state = WAITING
    if report is not None and report.image == image:
        state = {ids.BOOT_TRIAL: ON_TRIAL, ids.BOOT_HELD: HELD}.get(report.boot, INSTALLED)
    elif said:
        state = UNDONE if (ids.BOOT_UNDONE, trials) in said else FAILED
    return Result(ecu, image, state, trials)


def _read(number: int, kind: int, trials: int, ecus: Iterable[int]) -> Bundle:
    try:
        return Bundle(number=number, kind=kind, trials=trials, ecus=tuple(sorted(ecus)))
    except ValueError as fault:
        raise Malformed(f"not a bundle: {fault}") from fault


def _check(
    session: Session, vehicle: str, ecus: Mapping[int, Ecu], images: Mapping[int, int]
) -> None:
    if not images:
        raise Malformed("a bundle has an image at least")
    strangers = [str(ecu) for ecu in sorted(images) if ecu not in ecus]
    if strangers:
        named = ", ".join(strangers)
        raise UnknownEcu(f"the bundle names ECU {named}, which vehicle {vehicle} has not")
    for ecu, number in images.items():
        image = session.get(Image, number)
        if image is None:
            raise UnknownImage(f"no image {number} was released, which the bundle wants on {ecu}")
        refusal = misfit(ecus[ecu], image, last_report(session, ecu))
        if refusal is not None:
            raise refusal
