"""Lies told to the back office: reports withheld, edited, replayed, or by somebody else.

Rules: E-06, E-72 to E-75, R-10, R-12, R-13, V-43, V-44, V-45.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import cbor2

from muptane.bench.attacks.attack import ACCEPTED, BACKOFFICE, DETECTED, attack
from muptane.bench.attacks.places import AS_PRIMARY, BENIGN
from muptane.bench.attacks.stage import Stage
from muptane.bench.factory import seed_of
from muptane.bench.feeder import OfficeSource
from muptane.bench.plan import EcuPlan
from muptane.oem.enrolment import NewEcu
from muptane.oem.envelopes import Context, seal
from muptane.oem.errors import OemRefusal
from muptane.oem.keys import Signer
from uptane import ids
from uptane.errors import NoReply

REFUSED = {BACKOFFICE: DETECTED}


class Thief(OfficeSource):
    """A feeder that keeps the vehicle version manifest for itself."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.office, stage.vin, lambda carried: None)
        self.kept = b""

    def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
        self.kept = raw
        return
        yield


def vehicle_manifest(stage: Stage) -> bytes:
    """A vehicle version manifest that the vehicle makes now, and the office has not seen."""
    thief = Thief(stage)
    stage.feed(thief, stage.maker.plan.primary().name)
    return thief.kept


def hand_in(stage: Stage, raw: bytes) -> str:
    """Give a file to the office: DETECTED if it refuses or notes it, else ACCEPTED."""
    known = len(stage.office.director.oddities())
    try:
        stage.office.accept_manifest(stage.vin, raw)
    except OemRefusal:
        return "detected"
    return "detected" if len(stage.office.director.oddities()) > known else ACCEPTED


def two_secondaries(stage: Stage) -> tuple[EcuPlan, EcuPlan]:
    """The first two of the vehicle, which its attack has asked for."""
    first, second, *_ = stage.maker.plan.secondaries()
    return first, second


def opened(raw: bytes) -> dict[int, Any]:
    """The content of a manifest or of a report."""
    fields: dict[int, Any] = cbor2.loads(cbor2.loads(raw)[0])
    return fields


def key_of(stage: Stage, ecu: EcuPlan) -> Signer:
    """The signing key of an ECU, which its thief has read out."""
    return Signer(seed_of(stage.maker.plan, ecu))


def sealed(stage: Stage, fields: dict[int, Any], kind: int, signer: Signer) -> bytes:
    """A manifest or report of these fields, signed."""
    context = Context(kind, stage.office.director.identity, kind)
    return seal(cbor2.dumps(dict(sorted(fields.items()))), signer, context)


def by_the_primary(stage: Stage, fields: dict[int, Any]) -> bytes:
    """A manifest that the compromised Primary signs."""
    return sealed(stage, fields, ids.TYPE_VEHICLE, key_of(stage, stage.victim))


@attack(ids=("V-43", "R-12"), expected={BACKOFFICE: ACCEPTED}, power=BENIGN)
def honest_manifest(stage: Stage) -> str:
    """take what an honest vehicle says"""
    return hand_in(stage, vehicle_manifest(stage))


@attack(ids=("E-72", "R-12", "T-36"), expected=REFUSED, power=AS_PRIMARY)
def report_withheld(stage: Stage) -> str:
    """hide an ECU from the Director"""
    fields = opened(vehicle_manifest(stage))
    stage.look()
    fields[ids.VEHICLE_REPORTS].pop()
    return hand_in(stage, by_the_primary(stage, fields))


@attack(ids=("E-72", "V-44", "R-12"), expected=REFUSED, power=AS_PRIMARY)
def report_edited(stage: Stage) -> str:
    """say of a Secondary that it runs what it does not"""
    fields = opened(vehicle_manifest(stage))
    stage.look()
    content, seal_of = cbor2.loads(fields[ids.VEHICLE_REPORTS][1])
    report = cbor2.loads(content)
    report[ids.REPORT_IMAGE][3] += 1
    lie = cbor2.dumps([cbor2.dumps(report), seal_of])
    fields[ids.VEHICLE_REPORTS][1] = lie
    return hand_in(stage, by_the_primary(stage, fields))


@attack(ids=("E-72", "E-76", "V-44"), expected=REFUSED, power=AS_PRIMARY, secondaries=2)
def attack_flag_cut_out(stage: Stage) -> str:
    """take the attacks that a Secondary saw out of its report"""
    fields = opened(vehicle_manifest(stage))
    stage.look()
    content, seal_of = cbor2.loads(fields[ids.VEHICLE_REPORTS][2])
    report = cbor2.loads(content)
    report[ids.REPORT_ATTACKS] = [] if report[ids.REPORT_ATTACKS] else [NoReply.number]
    fields[ids.VEHICLE_REPORTS][2] = cbor2.dumps([cbor2.dumps(report), seal_of])
    return hand_in(stage, by_the_primary(stage, fields))


@attack(ids=("E-73", "R-13", "V-45"), expected=REFUSED, power=AS_PRIMARY)
def manifest_replayed(stage: Stage) -> str:
    """play an old manifest again, so that the Director repeats itself"""
    raw = vehicle_manifest(stage)
    hand_in(stage, raw)
    stage.look()
    return hand_in(stage, raw)


@attack(ids=("E-73", "R-13", "V-45", "T-37"), expected=REFUSED, power=AS_PRIMARY)
def report_replayed(stage: Stage) -> str:
    """put a Secondary's old report into a new manifest"""
    old = vehicle_manifest(stage)
    hand_in(stage, old)
    fields = opened(vehicle_manifest(stage))
    stage.look()
    fields[ids.VEHICLE_REPORTS][1] = opened(old)[ids.VEHICLE_REPORTS][1]
    return hand_in(stage, by_the_primary(stage, fields))


@attack(ids=("E-74", "R-12"), expected=REFUSED, power=AS_PRIMARY)
def report_by_another_ecu(stage: Stage) -> str:
    """speak for a Secondary with another ECU's key"""
    fields = opened(vehicle_manifest(stage))
    stage.look()
    report = opened(fields[ids.VEHICLE_REPORTS][1])
    signer = key_of(stage, stage.victim)
    fields[ids.VEHICLE_REPORTS][1] = sealed(stage, report, ids.TYPE_REPORT, signer)
    return hand_in(stage, by_the_primary(stage, fields))


@attack(ids=("E-74", "R-12"), expected=REFUSED, power=AS_PRIMARY, secondaries=2)
def report_under_another_name(stage: Stage) -> str:
    """have two reports by one ECU, one of them under another's name"""
    fields = opened(vehicle_manifest(stage))
    stage.look()
    report = opened(fields[ids.VEHICLE_REPORTS][1])
    first, second = two_secondaries(stage)
    report[ids.REPORT_ID] = second.number
    signer = key_of(stage, first)
    fields[ids.VEHICLE_REPORTS][2] = sealed(stage, report, ids.TYPE_REPORT, signer)
    return hand_in(stage, by_the_primary(stage, fields))


@attack(ids=("E-74", "R-12"), expected=REFUSED, power=AS_PRIMARY)
def report_of_an_unknown_ecu(stage: Stage) -> str:
    """bring an ECU into the vehicle that the maker never built in"""
    fields = opened(vehicle_manifest(stage))
    stage.look()
    stranger = Signer.from_seed(b"stranger")
    report = opened(fields[ids.VEHICLE_REPORTS][1])
    report[ids.REPORT_ID] = 77
    fields[ids.VEHICLE_REPORTS].append(sealed(stage, report, ids.TYPE_REPORT, stranger))
    return hand_in(stage, by_the_primary(stage, fields))


@attack(ids=("E-74", "R-10", "R-12"), expected=REFUSED, power=AS_PRIMARY)
def manifest_of_another_vehicle(stage: Stage) -> str:
    """hand in one vehicle's manifest as another's"""
    fields = opened(vehicle_manifest(stage))
    stage.look()
    fields[ids.VEHICLE_ID] = "MUPTANE0STRANGER1"
    return hand_in(stage, by_the_primary(stage, fields))


@attack(
    ids=("E-74", "R-12", "V-43"), expected=REFUSED, power="a compromised Secondary", secondaries=2
)
def manifest_by_a_secondary(stage: Stage) -> str:
    """speak for a vehicle with a Secondary's key"""
    fields = opened(vehicle_manifest(stage))
    stage.look()
    raw = sealed(stage, fields, ids.TYPE_VEHICLE, key_of(stage, two_secondaries(stage)[0]))
    return hand_in(stage, raw)


@attack(ids=("E-47", "E-74"), expected=REFUSED, power=AS_PRIMARY)
def report_as_manifest(stage: Stage) -> str:
    """pass a report as the manifest"""
    fields = opened(vehicle_manifest(stage))
    stage.look()
    return hand_in(stage, bytes(fields[ids.VEHICLE_REPORTS][0]))


@attack(
    ids=("E-75", "R-42"),
    expected=REFUSED,
    power="the Director's private interface",
)
def ecu_registered_again(stage: Stage) -> str:
    """give an ECU that is known a key of the attacker's own"""
    thief = NewEcu(
        ecu=stage.victim.number,
        public=Signer.from_seed(b"thief").key.public,
        hardware=stage.victim.hardware,
        verification=ids.PRIMARY,
    )
    try:
        stage.office.register_vehicle("MUPTANE0STRANGER1", [thief])
    except OemRefusal:
        return DETECTED
    return ACCEPTED


@attack(
    ids=("E-06",),
    expected=REFUSED,
    secondaries=2,
    power="a place between the Primary and one Secondary",
)
def partial_bundle_seen(stage: Stage) -> str:
    """have one ECU updated and another not, and nobody know"""
    updated, cut_off = two_secondaries(stage)
    for ecu in (updated, cut_off):
        stage.maker.release(ecu, stage.release)
        stage.maker.assign(ecu, stage.release)
    stage.redirect()
    stage.feed(name=updated.name)
    raw = vehicle_manifest(stage)
    stage.look()
    reports = [opened(report) for report in opened(raw)[ids.VEHICLE_REPORTS]]
    releases = {report[ids.REPORT_ID]: report[ids.REPORT_IMAGE][3] for report in reports}
    seen = releases[updated.number] == stage.release and releases[cut_off.number] == 2
    return DETECTED if seen else ACCEPTED
