"""The tables of campaigns: what was decided, wave by wave, and who takes part.

Append-only like the rest of the inventory; the newest step of a campaign says how it stands.
It decides nothing.
Rules: R-17, R-32, S-16, S-17, E-90.
"""

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from muptane.oem.base import Base


class Reserved(Base):
    """A vehicle of the maker's own, on which every campaign begins."""

    __tablename__ = "reserved"

    vehicle_id: Mapped[str] = mapped_column(ForeignKey("vehicles.id"), primary_key=True)
    reserved_s: Mapped[int]


class Campaign(Base):
    """`waves`: of all vehicles behind the reserved ones, percent, ascending to 100."""

    __tablename__ = "campaigns"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    made_s: Mapped[int]
    images: Mapped[list[int]] = mapped_column(JSON)
    waves: Mapped[list[int]] = mapped_column(JSON)
    enough: Mapped[int]  # percent of a wave that has to have installed it before the next
    failures: Mapped[int]  # percent of who ended that may fail
    sample: Mapped[int]  # who ended are taken for so many at least


class CampaignStep(Base):
    """`wave`: the last one that was begun, 0 for that of the reserved vehicles."""

    __tablename__ = "campaign_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey(Campaign.id), index=True)
    made_s: Mapped[int]
    state: Mapped[str]  # RUNNING, PAUSED or STOPPED
    wave: Mapped[int]
    sentence: Mapped[str]


class Member(Base):
    """A vehicle that takes part, with what is wanted on it: [[ecu, image], ...]; of none: why."""

    __tablename__ = "campaign_members"
    __table_args__ = (UniqueConstraint("campaign_id", "vehicle_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey(Campaign.id))
    vehicle_id: Mapped[str] = mapped_column(ForeignKey("vehicles.id"), index=True)
    wave: Mapped[int]
    joined_s: Mapped[int]
    wishes: Mapped[list[list[int]]] = mapped_column(JSON)
    left_out: Mapped[str]  # "": it takes part
    first_report: Mapped[int]  # id of the first report that may be about it
