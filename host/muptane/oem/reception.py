"""What the Director accepts from a vehicle: one manifest, checked against the inventory.

A manifest counts as a whole: one report that is missing, forged or old, and all of it is
dropped (R-12, R-13). Counters have to rise, which is stricter than never to repeat: a report
that someone held back is refused too (T-37). It decides nothing about images.
Rules: R-10, R-11, R-12, R-13, R-34, R-44, V-24, T-36, T-37, E-72, E-73, E-74.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from muptane.oem.check import Report, VehicleManifest, check_seal, read_manifest, read_report
from muptane.oem.database import Work
from muptane.oem.errors import EcuTwice, ForeignVehicle, NotThePrimary, Replayed, ReportMissing
from muptane.oem.fleet import ecu_of
from muptane.oem.inventory import Image, ManifestReceived, ReportReceived
from muptane.oem.key_server import Verify
from muptane.oem.states import (
    INSERTS,
    Cause,
    KnownEcu,
    KnownImages,
    KnownReport,
    VehicleState,
    vehicle_state,
)
from uptane import ids

CLOCK_AHEAD_MAX_S = 300  # an ECU whose verified time is further ahead of ours is remarkable


@dataclass(frozen=True)
class Reader:
    """For whom manifests are sealed, who checks the MACs of ECUs with symmetric keys, and the
    images that ECUs may say they run."""

    identity: bytes
    verify_mac: Verify
    images: KnownImages


@dataclass(frozen=True)
class Accepted:
    """A manifest that is stored with this transaction: which one, its reports, and sentences worth
    reading. `state`: of its vehicle, with these reports as the newest."""

    state: VehicleState
    cause: Cause
    reports: tuple[Report, ...]
    remarks: tuple[str, ...]


def accept(work: Work, reader: Reader, sent: tuple[str, bytes], now: int) -> Accepted:
    """Check and store what `sent` holds: the vehicle as its transport named it, and the bytes.

    Refuses with UnknownVehicle, ForeignVehicle, NotThePrimary, BadSeal, UnknownEcu, EcuTwice,
    ReportMissing, Replayed and everything that reading refuses; then nothing is stored.
    """
    vehicle, raw = sent
    state = vehicle_state(work, vehicle)
    ecus = {one.ecu.id: one for one in state.ecus}
    vehicle_manifest = _verified_manifest(raw, state, reader.identity)
    if vehicle_manifest.counter <= state.counter:
        raise Replayed(
            f"manifest {vehicle_manifest.counter} of {vehicle} came after {state.counter}"
        )
    reports = _verified_reports(vehicle_manifest, [one.ecu for one in state.ecus], reader)
    for report in reports:
        _check_fresh(ecus[report.ecu].report, report)
    cause = Cause(vehicle, vehicle_manifest.primary, vehicle_manifest.counter)
    received = {
        "vehicle_id": vehicle,
        "primary_id": vehicle_manifest.primary,
        "received_s": now,
        "counter": vehicle_manifest.counter,
        "raw": raw,
    }
    work.add(INSERTS[ManifestReceived.__tablename__], [received])
    known = [_known(report) for report in reports]
    for one in known:
        ecus[one.ecu_id].report = one
    caused = cause._asdict()
    work.add(INSERTS[ReportReceived.__tablename__], [caused | one._asdict() for one in known])
    ours = reader.images.of(work, [report.image for report in reports])
    remarks = [remark for report in reports for remark in _remarks(report, ours, now)]
    return Accepted(state, cause, reports, tuple(remarks))


def _verified_manifest(raw: bytes, state: VehicleState, identity: bytes) -> VehicleManifest:
    (primary,) = (one.ecu for one in state.ecus if one.ecu.primary)
    claimed, sealed = read_manifest(raw)
    if claimed.vehicle != state.vehicle:
        raise ForeignVehicle(f"{state.vehicle} sent a manifest of {claimed.vehicle}")
    if claimed.primary != primary.id:
        raise NotThePrimary(f"ECU {claimed.primary} is not the Primary of {state.vehicle}")
    if primary.key is None:
        raise NotThePrimary(f"ECU {primary.id} has no key to sign a manifest with")
    check_seal(sealed, primary.key, identity, ids.TYPE_VEHICLE)
    return claimed


def _verified_reports(
    vehicle_manifest: VehicleManifest, ecus: list[KnownEcu], reader: Reader
) -> tuple[Report, ...]:
    """The reports, exactly one of every ECU of the inventory, sealed as its kind of key does."""
    found: dict[int, Report] = {}
    for raw in vehicle_manifest.reports:
        claimed, sealed = read_report(raw)
        if claimed.ecu in found:
            raise EcuTwice(f"ECU {claimed.ecu} reports twice")
        key = ecu_of(ecus, claimed.ecu).key
        if key is None:
            found[claimed.ecu] = reader.verify_mac(raw, reader.identity)
        else:
            check_seal(sealed, key, reader.identity, ids.TYPE_REPORT)
            found[claimed.ecu] = claimed
    missing = [ecu.id for ecu in ecus if ecu.id not in found]
    if missing:
        raise ReportMissing(f"no report of ECU {', '.join(map(str, missing))}")
    return tuple(found.values())


def _check_fresh(last: KnownReport | None, report: Report) -> None:
    if last is not None and report.counter <= last.counter:
        raise Replayed(f"report {report.counter} of ECU {report.ecu} came after {last.counter}")


def _known(report: Report) -> KnownReport:
    """As the inventory keeps it."""
    return KnownReport(
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


def _remarks(report: Report, ours: Mapping[int, Image], now: int) -> list[str]:
    """What is allowed and yet odd about a report. `ours`: images that were released."""
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
    known = ours.get(report.image)
    if known is not None and report.hashes.get(ids.ALG_SHA256) != known.sha256:
        made.append(f"ECU {report.ecu} runs an image {report.image} that is not ours")
    return made
