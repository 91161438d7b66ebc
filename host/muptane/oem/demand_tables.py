"""The table of what images ask of their vehicles; append-only like the rest of the inventory.

It decides nothing: `demands` says what a row means.
Rules: R-14, R-17, R-32, S-14, E-90.
"""

from typing import Literal

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from muptane.oem.base import Base
from muptane.oem.demands import NEEDS, Demand


class DemandMade(Base):
    """One demand of an image."""

    __tablename__ = "demands"

    id: Mapped[int] = mapped_column(primary_key=True)
    image: Mapped[int] = mapped_column(ForeignKey("images.number"), index=True)
    needed: Mapped[bool]  # or it conflicts
    hardware: Mapped[int]
    lowest: Mapped[int]
    highest: Mapped[int]

    @classmethod
    def of(cls, image: int, demand: Demand) -> "DemandMade":
        return cls(
            image=image,
            needed=demand.kind == NEEDS,
            hardware=demand.hardware,
            lowest=demand.lowest,
            highest=demand.highest,
        )

    @property
    def demand(self) -> Demand:
        kind: Literal["needs", "conflicts"] = "needs" if self.needed else "conflicts"
        return Demand(
            kind=kind,
            hardware=self.hardware,
            lowest=self.lowest,
            highest=self.highest,
        )
