"""Campaigns: images go to reserved test vehicles first, then in waves to all that are concerned.

A campaign is made with its first wave, the reserved vehicles; a person promotes it, wave by wave,
and each promotion passes a gate: enough vehicles of the wave before report that they run what was
wanted. It can be paused and goes on; it is stopped, by a person or by itself (`campaign_gates`),
for good. While it does not run its wishes go to no vehicle that has not installed them yet.
A whole wave is one transaction.
Rules: S-04, S-16, S-17, R-14, R-17.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from muptane.oem.campaign_gates import (
    PAUSED,
    STOPPED,
    Tally,
    campaign_of,
    newest_step,
    take_step,
    tally,
)
from muptane.oem.campaign_tables import Campaign, CampaignStep, Member, Reserved
from muptane.oem.campaign_waves import begin, concerned, next_of
from muptane.oem.errors import (
    CampaignEnded,
    CampaignNameUsed,
    GateClosed,
    NoTestVehicles,
    UnknownImage,
    UnknownVehicle,
)
from muptane.oem.fields import U32, Strict
from muptane.oem.inventory import Image, Inventory, Vehicle

Percent = Annotated[int, Field(ge=0, le=100)]
WAVES_MAX = 16
IMAGES_MAX = 16


class Plan(Strict):
    """What a campaign is to be. `waves`: percent of the vehicles concerned that have it when each
    has begun, ascending to 100; `enough`: percent of a wave that have to have installed it before
    the next, of the reserved vehicles always all; it stops by itself when more than `failures`
    percent of those that ended failed, who ended being taken for `sample` at least."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    images: Annotated[tuple[U32, ...], Field(min_length=1, max_length=IMAGES_MAX)]
    waves: Annotated[tuple[Percent, ...], Field(min_length=1, max_length=WAVES_MAX)] = (1, 10, 100)
    enough: Percent = 90
    failures: Percent = 2
    sample: Annotated[int, Field(ge=1, le=1_000_000)] = 50

    @model_validator(mode="after")
    def _check(self) -> Self:
        if list(self.waves) != sorted(set(self.waves)) or self.waves[-1] != 100:
            raise ValueError("waves ascend to 100")
        if 0 in self.waves:
            raise ValueError("a wave of 0 % has nobody")
        if len(set(self.images)) != len(self.images):
            raise ValueError("an image stands there twice")
        return self


@dataclass(frozen=True)
class Status:
    """How a campaign stands: `waves[n]` counts who joined in wave n."""

    name: str
    images: tuple[int, ...]
    state: str
    wave: int
    sentence: str
    waves: tuple[Tally, ...]
    of_waves: int


def reserve(inventory: Inventory, vehicle: str, now: int) -> None:
    """Campaigns begin on this vehicle from now on. The same again changes nothing.

    Refuses with UnknownVehicle."""
    with inventory.begin() as session:
        if session.get(Vehicle, vehicle) is None:
            raise UnknownVehicle(f"vehicle {vehicle!r} is not in the inventory")
        if session.get(Reserved, vehicle) is None:
            session.add(Reserved(vehicle_id=vehicle, reserved_s=now))
            session.commit()


def make(inventory: Inventory, plan: Plan, now: int) -> Status:
    """Begin a campaign on the reserved vehicles.

    Refuses with CampaignNameUsed, UnknownImage, NoTestVehicles; then nothing is wanted.
    """
    with inventory.begin() as session:
        if session.scalar(select(Campaign.id).where(Campaign.name == plan.name)) is not None:
            raise CampaignNameUsed(f"there is a campaign {plan.name} already")
        for number in plan.images:
            if session.get(Image, number) is None:
                raise UnknownImage(f"no image {number} was released")
        fields = plan.model_dump()
        lists = {name: list(fields.pop(name)) for name in ("images", "waves")}
        campaign = Campaign(made_s=now, **lists, **fields)
        session.add(campaign)
        session.flush()
        found = concerned(session, campaign)
        reserved = sorted(set(session.scalars(select(Reserved.vehicle_id))) & found.keys())
        if not reserved:
            raise NoTestVehicles(
                f"no reserved vehicle is concerned by campaign {plan.name}: reserve one"
            )
        begin(session, campaign, {vehicle: found[vehicle] for vehicle in reserved}, 0, now)
        session.commit()
    return status(inventory, plan.name)


def promote(inventory: Inventory, name: str, now: int) -> Status:
    """Begin the next wave.

    Refuses with UnknownCampaign, CampaignEnded, GateClosed; then nothing is wanted.
    """
    with inventory.begin() as session:
        campaign = campaign_of(session, name)
        step = newest_step(session, campaign)
        check_gate(session, campaign, step)
        wave = step.wave + 1
        try:
            begin(session, campaign, next_of(session, campaign, wave), wave, now)
            session.commit()
        except IntegrityError as fault:
            raise GateClosed(f"somebody else promoted campaign {name} just now") from fault
    return status(inventory, name)


def turn(inventory: Inventory, name: str, state: str, now: int, sentence: str = "") -> Status:
    """Pause a campaign, let it go on, or stop it: `state` is PAUSED, RUNNING or STOPPED. The same
    again changes nothing. `sentence`: why.

    Refuses with UnknownCampaign, CampaignEnded.
    """
    with inventory.begin() as session:
        campaign = campaign_of(session, name)
        step = newest_step(session, campaign)
        if step.state != state:
            check_goes_on(campaign, step)
            take_step(session, campaign, (state, step.wave), sentence, now)
            session.commit()
    return status(inventory, name)


def status(inventory: Inventory, name: str) -> Status:
    """Refuses with UnknownCampaign."""
    with inventory.begin() as session:
        return _status(session, campaign_of(session, name))


def statuses(inventory: Inventory) -> list[Status]:
    """Of every campaign, oldest first."""
    with inventory.begin() as session:
        made = session.scalars(select(Campaign).order_by(Campaign.id))
        return [_status(session, campaign) for campaign in made]


def check_goes_on(campaign: Campaign, step: CampaignStep) -> None:
    if step.state == STOPPED:
        why = f": {step.sentence}" if step.sentence else ""
        raise CampaignEnded(f"campaign {campaign.name} was stopped{why}")


def check_gate(session: Session, campaign: Campaign, step: CampaignStep) -> None:
    """Refuse a wave that must not begin yet."""
    check_goes_on(campaign, step)
    if step.state == PAUSED:
        raise GateClosed(f"campaign {campaign.name} is paused: let it go on first")
    if step.wave == len(campaign.waves):
        raise GateClosed(f"wave {step.wave} of campaign {campaign.name} is the last")
    wave = tally(session, campaign, step.wave)
    enough = 100 if step.wave == 0 else campaign.enough
    if wave.installed * 100 < enough * wave.members or (step.wave == 0 and not wave.installed):
        raise GateClosed(
            f"{wave.installed} of {wave.members} vehicles of wave {step.wave} run what campaign"
            f" {campaign.name} wants, {wave.failed} went back; {enough} % have to"
        )
    whole = tally(session, campaign)
    if whole.fails_too_often(campaign):
        raise GateClosed(f"campaign {campaign.name} fails too often: {whole.failed} went back")


def _status(session: Session, campaign: Campaign) -> Status:
    step = newest_step(session, campaign)
    return Status(
        campaign.name,
        tuple(campaign.images),
        step.state,
        step.wave,
        step.sentence,
        tuple(_waves(session, campaign, step.wave)),
        len(campaign.waves),
    )


def _waves(session: Session, campaign: Campaign, last: int) -> Iterator[Tally]:
    return (tally(session, campaign, wave) for wave in range(last + 1))


def members(inventory: Inventory, name: str) -> dict[str, int]:
    """{vehicle: wave} of those that take part. Refuses with UnknownCampaign."""
    with inventory.begin() as session:
        campaign = campaign_of(session, name)
        query = select(Member).where(Member.campaign_id == campaign.id, Member.left_out == "")
        return {one.vehicle_id: one.wave for one in session.scalars(query.order_by(Member.id))}


def history(inventory: Inventory, name: str) -> Sequence[tuple[int, str, int, str]]:
    """(seconds, state, wave, sentence) of every step of a campaign. Refuses with
    UnknownCampaign."""
    with inventory.begin() as session:
        campaign = campaign_of(session, name)
        query = select(CampaignStep).where(CampaignStep.campaign_id == campaign.id)
        rows = session.scalars(query.order_by(CampaignStep.id))
        return [(row.made_s, row.state, row.wave, row.sentence) for row in rows]
