"""What a person of the OEM should look at: manifests that were refused, and what ECUs refused.

An ECU keeps the number of a refusal in its reports until the Director has acknowledged it, and so
reports it several times; here it stands once, when it was first received, until a report comes
without it. What the Director remarked itself stands beside that as it was written down. It reads
the inventory and changes nothing, and does not know what a number means.
Rules: R-12, R-13, R-34, E-72, E-76.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from muptane.oem.inventory import Inventory, ManifestReceived, Oddity, ReportReceived

REPEATED = " refused: "  # the Director's remark of numbers that stand here one by one


@dataclass(frozen=True)
class Anomaly:
    """`seen_s`: seconds since 1970; `vehicle`: as claimed, of an oddity; `ecu` and `refusal`: a
    number that this ECU reported; otherwise `sentence` says what there is."""

    seen_s: int
    vehicle: str
    ecu: int | None = None
    refusal: int | None = None
    sentence: str = ""


def anomalies(inventory: Inventory, vehicle: str | None = None, since_s: int = 0) -> list[Anomaly]:
    """Of one vehicle or of all, oldest first."""
    with inventory.begin() as session:
        found = [*_reported(session, vehicle), *_remarked(session, vehicle)]
    return sorted((one for one in found if one.seen_s >= since_s), key=lambda one: one.seen_s)


def _reported(session: Session, vehicle: str | None) -> Iterator[Anomaly]:
    query = select(
        ManifestReceived.received_s,
        ManifestReceived.vehicle_id,
        ReportReceived.ecu_id,
        ReportReceived.attacks,
    ).join(ManifestReceived, ManifestReceived.id == ReportReceived.manifest_id)
    if vehicle is not None:
        query = query.where(ManifestReceived.vehicle_id == vehicle)
    known: dict[int, set[int]] = {}
    for received_s, vehicle_id, ecu, attacks in session.execute(query.order_by(ReportReceived.id)):
        for number in attacks:
            if number not in known.get(ecu, set()):
                yield Anomaly(received_s, vehicle_id, ecu, number)
        known[ecu] = set(attacks)


def _remarked(session: Session, vehicle: str | None) -> Iterator[Anomaly]:
    query = select(Oddity).order_by(Oddity.id)
    if vehicle is not None:
        query = query.where(Oddity.vehicle_id == vehicle)
    for oddity in session.scalars(query):
        if REPEATED not in oddity.sentence:
            yield Anomaly(oddity.seen_s, oddity.vehicle_id, sentence=oddity.sentence)
