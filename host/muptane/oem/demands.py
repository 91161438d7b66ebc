"""What an image asks of the rest of its vehicle: whom it needs there, and whom it conflicts with.

A demand speaks of hardware and of releases, not of images: "release 2 or later on every ECU of
hardware 30" stays true when release 3 comes. It holds against every ECU of the vehicle with that
hardware but the one that the image itself runs on. This module knows no database and decides
nothing: `resolving` looks for images that go together, `staging` for what may go now.
Rules: R-14, S-14.
"""

from collections.abc import Iterable
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from muptane.oem.fields import U32, Strict
from uptane.limits import VERSION_MAX

NEEDS, CONFLICTS = "needs", "conflicts"
DEMANDS_MAX = 64  # of one image

Release = Annotated[int, Field(ge=0, le=VERSION_MAX)]


class Demand(Strict):
    """`kind`: what runs on `hardware` has to be of a release from `lowest` to `highest`, or must
    not be. Who needs hardware needs it to be there."""

    kind: Literal["needs", "conflicts"]
    hardware: U32
    lowest: Release = 0
    highest: Release = VERSION_MAX

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.lowest > self.highest:
            raise ValueError(f"no release is from {self.lowest} to {self.highest}")
        return self

    def holds(self, release: int) -> bool:
        """Whether a release on that hardware is one that the demand can live with."""
        return (self.lowest <= release <= self.highest) == (self.kind == NEEDS)

    def __str__(self) -> str:
        verb = "needs" if self.kind == NEEDS else "conflicts with"
        releases = f"release {self.lowest} to {self.highest}"
        if self.highest == VERSION_MAX:
            releases = f"release {self.lowest} or later" if self.lowest else "any release"
        elif self.lowest == self.highest:
            releases = f"release {self.lowest}"
        return f"{verb} {releases} on hardware {self.hardware}"


class Piece(NamedTuple):
    """What runs on an ECU, or may."""

    ecu: int
    hardware: int
    image: int
    release: int
    demands: tuple[Demand, ...] = ()

    def __str__(self) -> str:
        return f"image {self.image} on ECU {self.ecu}"


def clash(one: Piece, other: Piece) -> str | None:
    """Why these two cannot run in one vehicle, in words; None: they can. An ECU runs one."""
    if one.ecu == other.ecu:
        return None
    for asks, there in ((one, other), (other, one)):
        for demand in asks.demands:
            if demand.hardware == there.hardware and not demand.holds(there.release):
                return f"{asks} {demand}, and {there} is of release {there.release}"
    return None


def lacking(piece: Piece, vehicle: Iterable[tuple[int, int]]) -> str | None:
    """Why the vehicle, (ECU, hardware) of each, has not what `piece` needs; None: it has."""
    there = {hardware for ecu, hardware in vehicle if ecu != piece.ecu}
    for demand in piece.demands:
        if demand.kind == NEEDS and demand.hardware not in there:
            return f"{piece} {demand}, and the vehicle has none"
    return None
