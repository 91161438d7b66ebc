"""What reports say of a campaign, and what follows: who may still be told, and when it stops.

A vehicle has *installed* what is wanted when each ECU concerned reports it confirmed, bytes and
all; it has *failed* when one of them went back since it joined, and has not installed it after
all. An ECU says that it went back until its next trial, so only the first such report counts, one
behind a report that says otherwise. A vehicle that failed is told no more by that campaign; a
campaign of which too many failed stops by itself, in the transaction that takes the report.
Rules: S-16, S-17, R-34.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from muptane.oem.campaign_tables import Campaign, CampaignStep, Member
from muptane.oem.database import Work
from muptane.oem.errors import UnknownCampaign
from muptane.oem.fleet import newest_assignment
from muptane.oem.inventory import Ecu, Image, ReportReceived
from muptane.oem.states import VehicleState
from uptane import ids

RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"
INSTALLED, FAILED, WAITING = "installed", "failed", "waiting"
WENT_BACK = (ids.BOOT_REVERTED, ids.BOOT_UNDONE, ids.BOOT_REWRITING)


@dataclass(frozen=True)
class Tally:
    """Vehicles; who was left out is not a member."""

    members: int
    installed: int
    failed: int
    left_out: int

    def fails_too_often(self, campaign: Campaign) -> bool:
        ended = max(self.installed + self.failed, campaign.sample)
        return self.failed * 100 > campaign.failures * ended


def campaign_of(session: Session, name: str) -> Campaign:
    """Refuses with UnknownCampaign."""
    found = session.scalars(select(Campaign).where(Campaign.name == name)).first()
    if found is None:
        raise UnknownCampaign(f"there is no campaign {name!r}")
    return found


def newest_step(session: Session, campaign: Campaign) -> CampaignStep:
    """The last one, or that which stopped it: what was written behind that by somebody who did
    not know of it yet does not count."""
    query = select(CampaignStep).where(CampaignStep.campaign_id == campaign.id)
    order = ((CampaignStep.state == STOPPED).desc(), CampaignStep.id.desc())
    return session.scalars(query.order_by(*order).limit(1)).one()


def take_step(
    session: Session, campaign: Campaign, to: tuple[str, int], sentence: str, now: int
) -> None:
    """`to`: state and wave."""
    state, wave = to
    said = {"made_s": now, "state": state, "wave": wave, "sentence": sentence}
    session.add(CampaignStep(campaign_id=campaign.id, **said))


def tally(session: Session, campaign: Campaign, wave: int | None = None) -> Tally:
    """Of one wave, or of all."""
    query = select(Member).where(Member.campaign_id == campaign.id)
    if wave is not None:
        query = query.where(Member.wave == wave)
    members = list(session.scalars(query))
    taking = [member for member in members if not member.left_out]
    ends = list(_ends(session, taking).values())
    return Tally(
        len(taking), ends.count(INSTALLED), ends.count(FAILED), len(members) - len(taking)
    )


def halted(work: Work, state: VehicleState, chosen: Mapping[int, Image]) -> dict[int, str]:
    """{ECU: why what was chosen for it does not go}, of wishes of campaigns that do not run, or
    that failed here."""
    runs = {one.ecu.id: one.report.image for one in state.ecus if one.report is not None}
    news = {ecu: image for ecu, image in chosen.items() if runs.get(ecu) != image.number}
    if not news or not state.campaigned:
        return {}
    session = work.session
    found: dict[int, str] = {}
    for member in _members(session, state.vehicle):
        why = _why(session, member)
        for ecu, _, wish in member.wishes if why else ():
            newest = newest_assignment(session, ecu)
            if ecu in news and newest is not None and newest.id == wish:
                found[ecu] = why
    return found


def dropped(session: Session, vehicle: str) -> set[int]:
    """Assignments on this vehicle of campaigns that were stopped, or that failed here: nobody
    counts on them any more."""
    found: set[int] = set()
    for member in _members(session, vehicle):
        step = newest_step(session, session.get_one(Campaign, member.campaign_id))
        if step.state == STOPPED or _ends(session, [member])[member.id] == FAILED:
            found.update(wish for _, _, wish in member.wishes)
    return found


def heed(work: Work, state: VehicleState, now: int) -> list[str]:
    """Stop the campaigns of which too many failed, now that this vehicle has reported; returns
    what a person should read."""
    back = any(one.report is not None and one.report.boot in WENT_BACK for one in state.ecus)
    if not back or not state.campaigned:
        return []
    session = work.session
    remarks = []
    for member in _members(session, state.vehicle):
        campaign = session.get_one(Campaign, member.campaign_id)
        step = newest_step(session, campaign)
        whole = tally(session, campaign)
        if step.state != STOPPED and whole.fails_too_often(campaign):
            sentence = (
                f"it stopped by itself: {whole.failed} of {whole.members} vehicles went back"
            )
            take_step(session, campaign, (STOPPED, step.wave), sentence, now)
            session.flush()
            remarks.append(f"campaign {campaign.name}: {sentence}")
    return remarks


def _members(session: Session, vehicle: str) -> list[Member]:
    query = select(Member).where(Member.vehicle_id == vehicle, Member.left_out == "")
    return list(session.scalars(query.order_by(Member.id)))


def _why(session: Session, member: Member) -> str:
    """Why nothing goes to this member any more; "": it goes."""
    campaign = session.get_one(Campaign, member.campaign_id)
    step = newest_step(session, campaign)
    if step.state != RUNNING:
        return f"campaign {campaign.name} is {step.state}"
    if _ends(session, [member])[member.id] == FAILED:
        return f"this vehicle went back from what campaign {campaign.name} wants"
    return ""


def _ends(session: Session, members: Iterable[Member]) -> dict[int, str]:
    """{member: INSTALLED, FAILED or WAITING}, of members of one campaign."""
    listed = list(members)
    vehicles = select(Member.vehicle_id).where(Member.id.in_([one.id for one in listed[:1]]))
    if len(listed) > 1:
        vehicles = select(Member.vehicle_id).where(Member.campaign_id == listed[0].campaign_id)
    ecus = select(Ecu.id).where(Ecu.vehicle_id.in_(vehicles))
    last = (
        select(ReportReceived.ecu_id, func.max(ReportReceived.counter).label("counter"))
        .where(ReportReceived.ecu_id.in_(ecus))
        .group_by(ReportReceived.ecu_id)
        .subquery()
    )
    newest = (
        select(ReportReceived.ecu_id, Image.number)
        .join(
            last,
            (ReportReceived.ecu_id == last.c.ecu_id) & (ReportReceived.counter == last.c.counter),
        )
        .join(
            Image,
            (Image.number == ReportReceived.image) & (Image.sha256 == ReportReceived.sha256),
        )
        .where(ReportReceived.boot == ids.BOOT_CONFIRMED)
    )
    before = func.lag(ReportReceived.boot, 1, ids.BOOT_CONFIRMED).over(
        partition_by=ReportReceived.ecu_id, order_by=ReportReceived.counter
    )
    said = (
        select(
            ReportReceived.ecu_id, ReportReceived.id, ReportReceived.boot, before.label("before")
        )
        .where(ReportReceived.ecu_id.in_(ecus))
        .subquery()
    )
    back = (
        select(said.c.ecu_id, func.max(said.c.id))
        .where(said.c.boot.in_(WENT_BACK), said.c.before.not_in(WENT_BACK))
        .group_by(said.c.ecu_id)
    )
    runs, went = _by_ecu(session, newest), _by_ecu(session, back)
    return {member.id: _end(member, runs, went) for member in listed}


def _by_ecu(session: Session, pairs: Select[int, int]) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(pairs)}


def _end(member: Member, runs: Mapping[int, int], went: Mapping[int, int]) -> str:
    missing = [ecu for ecu, image, _ in member.wishes if runs.get(ecu) != image]
    if not missing:
        return INSTALLED
    if any(went.get(ecu, 0) >= member.first_report for ecu in missing):
        return FAILED
    return WAITING
