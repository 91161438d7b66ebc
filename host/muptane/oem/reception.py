"""What the Director accepts from a vehicle: one manifest, checked against the inventory.

A manifest counts as a whole: one report that is missing, forged or old, and all of it is
dropped (R-12, R-13). Counters have to rise, which is stricter than never to repeat: a report
that someone held back is refused too (T-37). It decides nothing about images.
Rules: R-10, R-11, R-12, R-13, R-34, R-44, V-24, T-36, T-37, E-72, E-73, E-74.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from muptane.oem.check import (
    Report,
    VehicleManifest,
    read_manifest,
    read_report,
    verify_manifest,
    verify_report,
)
from muptane.oem.errors import EcuTwice, ForeignVehicle, NotThePrimary, Replayed, ReportMissing
from muptane.oem.fleet import ecu_of, ecus_of, last_report
from muptane.oem.inventory import Ecu, Image, ManifestReceived, ReportReceived
from muptane.oem.key_server import Verify
from uptane import ids

CLOCK_AHEAD_MAX_S = 300  # an ECU whose verified time is further ahead of ours is remarkable


@dataclass(frozen=True)
class Reader:
    """For whom manifests are sealed, and who checks the MACs of ECUs with symmetric keys."""

    identity: bytes
    verify_mac: Verify


@dataclass(frozen=True)
class Accepted:
    """A manifest that was stored: its row's id, its reports, and sentences worth reading."""

    manifest_id: int
    reports: tuple[Report, ...]
    remarks: tuple[str, ...]


def accept(session: Session, reader: Reader, sent: tuple[str, bytes], now: int) -> Accepted:
    """Check and store what `sent` holds: the vehicle as its transport named it, and the bytes.

    Refuses with UnknownVehicle, ForeignVehicle, NotThePrimary, BadSeal, UnknownEcu, EcuTwice,
    ReportMissing, Replayed and everything that reading refuses; then nothing is stored.
    """
    vehicle, raw = sent
    ecus = ecus_of(session, vehicle)
    vehicle_manifest = _verified_manifest(raw, ecus, reader.identity, vehicle)
    _check_counter(session, vehicle_manifest)
    reports = _verified_reports(vehicle_manifest, ecus, reader)
    for report in reports:
        _check_fresh(session, report)
    row = ManifestReceived(
        vehicle_id=vehicle,
        primary_id=vehicle_manifest.primary,
        received_s=now,
        counter=vehicle_manifest.counter,
        raw=raw,
    )
    session.add(row)
    session.flush()
    session.add_all(_row(report, row.id) for report in reports)
    session.flush()
    remarks = [remark for report in reports for remark in _remarks(session, report, now)]
    return Accepted(row.id, reports, tuple(remarks))


def _verified_manifest(
    raw: bytes, ecus: Sequence[Ecu], identity: bytes, vehicle: str
) -> VehicleManifest:
    (primary,) = (ecu for ecu in ecus if ecu.primary)
    claimed, _ = read_manifest(raw)
    if claimed.vehicle != vehicle:
        raise ForeignVehicle(f"{vehicle} sent a manifest of {claimed.vehicle}")
    if claimed.primary != primary.id:
        raise NotThePrimary(f"ECU {claimed.primary} is not the Primary of {vehicle}")
    if primary.key is None:
        raise NotThePrimary(f"ECU {primary.id} has no key to sign a manifest with")
    return verify_manifest(raw, primary.key, identity)


def _verified_reports(
    vehicle_manifest: VehicleManifest, ecus: Sequence[Ecu], reader: Reader
) -> tuple[Report, ...]:
    """The reports, exactly one of every ECU of the inventory, sealed as its kind of key does."""
    found: dict[int, Report] = {}
    for raw in vehicle_manifest.reports:
        claimed, _ = read_report(raw)
        if claimed.ecu in found:
            raise EcuTwice(f"ECU {claimed.ecu} reports twice")
        key = ecu_of(ecus, claimed.ecu).key
        if key is None:
            found[claimed.ecu] = reader.verify_mac(raw, reader.identity)
        else:
            found[claimed.ecu] = verify_report(raw, key, reader.identity)
    missing = [ecu.id for ecu in ecus if ecu.id not in found]
    if missing:
        raise ReportMissing(f"no report of ECU {', '.join(map(str, missing))}")
    return tuple(found.values())


def _check_counter(session: Session, vehicle_manifest: VehicleManifest) -> None:
    query = select(ManifestReceived.counter).where(
        ManifestReceived.vehicle_id == vehicle_manifest.vehicle
    )
    last = session.scalars(query.order_by(ManifestReceived.counter.desc()).limit(1)).first()
    if last is not None and vehicle_manifest.counter <= last:
        raise Replayed(
            f"manifest {vehicle_manifest.counter} of {vehicle_manifest.vehicle} came after {last}"
        )


def _check_fresh(session: Session, report: Report) -> None:
    last = last_report(session, report.ecu)
    if last is not None and report.counter <= last.counter:
        raise Replayed(f"report {report.counter} of ECU {report.ecu} came after {last.counter}")


def _row(report: Report, manifest_id: int) -> ReportReceived:
    return ReportReceived(
        manifest_id=manifest_id,
        ecu_id=report.ecu,
        counter=report.counter,
        image=report.image,
        release=report.release,
        sha256=report.hashes.get(ids.ALG_SHA256, b""),
        boot=report.boot,
        attacks=list(report.attacks),
        tried=None if report.tried is None else list(report.tried),
        regions=[list(held) for held in report.regions],
    )


def _remarks(session: Session, report: Report, now: int) -> list[str]:
    """What is allowed and yet odd about a report."""
    made = []
    if report.time > now + CLOCK_AHEAD_MAX_S:
        made.append(f"ECU {report.ecu} is {report.time - now} s ahead of our time")
    if report.attacks:
        numbers = ", ".join(map(str, report.attacks))
        made.append(f"ECU {report.ecu} refused: {numbers}")
    if report.boot in (ids.BOOT_REVERTED, ids.BOOT_UNDONE):
        made.append(f"ECU {report.ecu} went back to image {report.image}")
    if report.boot == ids.BOOT_REWRITING:
        made.append(f"ECU {report.ecu} has no image that runs; it had image {report.image}")
    known = session.get(Image, report.image)
    if known is not None and report.hashes.get(ids.ALG_SHA256) != known.sha256:
        made.append(f"ECU {report.ecu} runs an image {report.image} that is not ours")
    return made
