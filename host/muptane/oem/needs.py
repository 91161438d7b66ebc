"""Who may still need an image: a vehicle that is to install it, or one that may run it.

An ECU may run whatever it reported since it last reported a confirmed image, that image, and
everything that it was directed to install since the decision before (R-35). One that never
reported may run anything for its hardware. What may run is the base of a delta and the image of a
recovery copy (V-58). It is meant to err on the side of keeping. What signed files list is
`garbage`'s affair.
Rules: V-58, R-35, S-20, S-31.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from muptane.oem.fleet import last_report
from muptane.oem.inventory import (
    Assignment,
    BundleMade,
    DecisionMade,
    Ecu,
    Image,
    ReportReceived,
)
from muptane.oem.states import AnyEcu
from uptane import ids

YET_TO_COME = 2**62  # above every decision: the one that answers a report received just now


class Needs:
    """`images`: number -> why it is needed, in words; `running` and `coming`: vehicle -> numbers
    that it may run, and that it is to install yet; `bases`: SHA-256 of everything that an ECU may
    run."""

    def __init__(self) -> None:
        self.images: dict[int, str] = {}
        self.running: dict[str, set[int]] = {}
        self.coming: dict[str, set[int]] = {}
        self.bases: set[bytes] = set()

    @classmethod
    def of(cls, session: Session) -> "Needs":
        """Of the whole fleet."""
        made = cls()
        released = {image.number: image for image in session.scalars(select(Image))}
        for ecu in session.scalars(select(Ecu).order_by(Ecu.id)):
            made._of_ecu(session, ecu, released)
        return made

    def need(self, number: int, why: str) -> None:
        self.images.setdefault(number, why)

    def has_use_for(self, image: int, base: bytes, vehicle: str) -> bool:
        """Of what travels to this vehicle, or to any: it is to install the image, from a base that
        somebody has; or runs it, and may want it back (V-58)."""
        if _has(self.coming, image, vehicle):
            return not base or base in self.bases
        return not base and _has(self.running, image, vehicle)

    def _of_ecu(self, session: Session, ecu: Ecu, released: dict[int, Image]) -> None:
        name = f"ECU {ecu.id} of {ecu.vehicle_id}"
        report = last_report(session, ecu.id)
        settled = report is not None and report.boot == ids.BOOT_CONFIRMED
        there = set() if report is None or not settled else _reported(report)
        for number in _may_be_wanted(session, ecu):
            self.need(number, f"{name} is to install it")
            if number not in there:
                self.coming.setdefault(ecu.vehicle_id, set()).add(number)
        for number, why in may_run(session, ecu, released):
            self.need(number, f"{name} {why}")
            self.running.setdefault(ecu.vehicle_id, set()).add(number)
            if number in released:
                self.bases.add(released[number].sha256)


def _has(numbers: dict[str, set[int]], image: int, vehicle: str) -> bool:
    if vehicle:
        return image in numbers.get(vehicle, ())
    return any(image in some for some in numbers.values())


def _reported(report: ReportReceived) -> set[int]:
    return {report.image, *(image for _, image in report.regions)}


def _may_be_wanted(session: Session, ecu: Ecu) -> Iterator[int]:
    """The newest wish, and older ones for as long as a wish depends on its bundle: what was part
    of one that goes together may count no more tomorrow (`bundles.wanted_image`)."""
    query = (
        select(Assignment.image, BundleMade.kind)
        .outerjoin(BundleMade, Assignment.bundle_id == BundleMade.id)
        .where(Assignment.ecu_id == ecu.id)
        .order_by(Assignment.id.desc())
    )
    for image, kind in session.execute(query):
        yield image
        if kind != ids.BUNDLE_TOGETHER:
            return


def may_run(
    session: Session, ecu: AnyEcu, released: Mapping[int, Image]
) -> Iterator[tuple[int, str]]:
    """(image, why) of everything that an ECU may run now (R-35)."""
    query = select(ReportReceived).where(ReportReceived.ecu_id == ecu.id)
    confirmed: ReportReceived | None = None
    for report in session.scalars(query.order_by(ReportReceived.counter.desc())):
        for number in sorted(_reported(report)):
            yield number, "reported that it runs it"
        if report.boot == ids.BOOT_CONFIRMED:
            confirmed = report
            break
    if confirmed is None:
        for image in released.values():
            if ecu.hardware in image.hardware:
                yield image.number, "has not reported a confirmed image yet, and may run it"
    for number in _directed_since(session, ecu, confirmed):
        yield number, "was directed to install it"


def _directed_since(session: Session, ecu: AnyEcu, confirmed: ReportReceived | None) -> set[int]:
    """Images that an ECU was directed to install since the decision before the one that answered
    this report."""
    decisions = select(DecisionMade).where(DecisionMade.vehicle_id == ecu.vehicle_id)
    if confirmed is not None:
        answer = (
            select(func.min(DecisionMade.id))
            .where(DecisionMade.vehicle_id == ecu.vehicle_id)
            .where(DecisionMade.manifest_id == confirmed.manifest_id)
        )
        before = (
            select(func.max(DecisionMade.id))
            .where(DecisionMade.vehicle_id == ecu.vehicle_id)
            .where(DecisionMade.id < func.coalesce(answer.scalar_subquery(), YET_TO_COME))
        )
        first = session.scalar(before)
        if first is not None:
            decisions = decisions.where(DecisionMade.id >= first)
    return {
        image
        for made in session.scalars(decisions)
        for who, image in made.directions
        if who == ecu.id
    }
