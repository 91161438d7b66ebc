"""The waves of a campaign: which vehicles it concerns, who of them joins next, and their wishes.

Who joins is drawn by a hash of the campaign's and the vehicle's name, so it is nobody's choice. A
vehicle on which nothing goes that the campaign wants is left out, and somebody looks at it. It
passes no gate: `campaigns` does.
Rules: S-16, S-17, R-14, R-35.
"""

from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from muptane.oem.asking import Catalogue, wished
from muptane.oem.campaign_gates import RUNNING, take_step
from muptane.oem.campaign_tables import Campaign, Member
from muptane.oem.errors import OemRefusal
from muptane.oem.fleet import last_report, misfit
from muptane.oem.inventory import Ecu, Image, Oddity, Replacement, ReportReceived


def concerned(session: Session, campaign: Campaign) -> dict[str, dict[int, int]]:
    """{vehicle: {ECU: image}} of all that an image of the campaign is newer for."""
    gone = select(Replacement.ecu_id).where(Replacement.ecu_id == Ecu.id)
    images = [session.get_one(Image, number) for number in campaign.images]
    hardware = {one for image in images for one in image.hardware}
    ecus = select(Ecu).where(Ecu.hardware.in_(sorted(hardware)), ~gone.exists())
    found: dict[str, dict[int, int]] = {}
    for ecu in session.scalars(ecus.order_by(Ecu.id)):
        report = last_report(session, ecu.id)
        release = -1 if report is None else report.release
        fits = [
            one for one in images if one.release > release and misfit(ecu, one, report) is None
        ]
        if fits:
            newest = max(fits, key=lambda one: (one.release, one.number))
            found.setdefault(ecu.vehicle_id, {})[ecu.id] = newest.number
    return found


def next_of(session: Session, campaign: Campaign, wave: int) -> dict[str, dict[int, int]]:
    """Who joins in `wave`, counted from 1: as many as are missing of its percent."""
    found = concerned(session, campaign)
    joined = select(Member.vehicle_id, Member.wave).where(Member.campaign_id == campaign.id)
    known = {row.vehicle_id: row.wave for row in session.execute(joined)}
    left = [one for one in found if one not in known]
    before = sum(1 for in_wave in known.values() if in_wave)
    whole = before + len(left)
    missing = max(-(-whole * campaign.waves[wave - 1] // 100) - before, 0)
    drawn = sorted(left, key=lambda one: sha256(f"{campaign.name} {one}".encode()).digest())
    return {vehicle: found[vehicle] for vehicle in drawn[:missing]}


def begin(
    session: Session,
    campaign: Campaign,
    joining: Mapping[str, Mapping[int, int]],
    wave: int,
    now: int,
) -> None:
    """Want it on each; a vehicle on which it cannot be is left out, which somebody looks at."""
    first = (session.scalar(select(func.max(ReportReceived.id))) or 0) + 1
    catalogue = Catalogue(session)
    for vehicle, wishes in joining.items():
        made, why = _wish(session, catalogue, (vehicle, wishes), now)
        member = Member(
            campaign_id=campaign.id,
            vehicle_id=vehicle,
            wave=wave,
            joined_s=now,
            wishes=made,
            left_out=why,
            first_report=first,
        )
        session.add(member)
        if why:
            sentence = f"campaign {campaign.name} leaves this vehicle out: {why}"
            session.add(Oddity(vehicle_id=vehicle, seen_s=now, sentence=sentence, raw=b""))
    take_step(session, campaign, (RUNNING, wave), f"wave {wave}: {len(joining)} vehicles", now)


def _wish(
    session: Session, catalogue: Catalogue, what: tuple[str, Mapping[int, int]], now: int
) -> tuple[list[list[int]], str]:
    """([[ECU, image, assignment], ...], why not)."""
    try:
        made = wished(session, catalogue, what, now)
    except OemRefusal as refusal:
        return [], str(refusal)
    return [[one.ecu_id, one.image, one.id] for one in made], ""
