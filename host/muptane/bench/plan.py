"""A vehicle as its TOML file says it: ECUs, their boards, their identifiers, the bus.

`load` checks the whole file by a schema and refuses with the file, the line and what to do
(`BadVehicle`); what it returns can be built. It builds nothing and knows no running thing.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from uptane.ids import FULL, PARTIAL, PRIMARY
from uptane.limits import SECONDARIES_MAX


class BadVehicle(ValueError):
    """A vehicle file that cannot be built; the message names the line."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


CanId = Annotated[int, Field(ge=1, le=0x7FF)]
U32 = Annotated[int, Field(ge=1, le=0xFFFFFFFF)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class BusPlan(Strict):
    """`bitrate` in bits per second, classic CAN."""

    bitrate: Annotated[int, Field(ge=10_000, le=1_000_000)] = 500_000


class EcuPlan(Strict):
    """One ECU. `hardware` is its hardware id; `request` and `response` are its UDS identifiers;
    `application` names the example it runs (firmware/apps/NAME_RELEASE)."""

    name: Name
    number: U32
    role: Literal["primary", "secondary"]
    verification: Literal["full", "partial"]
    board: Name
    hardware: U32
    request: CanId
    response: CanId
    application: Name

    def level(self) -> int:
        """PARTIAL, FULL or PRIMARY, as the identity record has it."""
        if self.role == "primary":
            return PRIMARY
        return FULL if self.verification == "full" else PARTIAL


class VehiclePlan(Strict):
    """`vin` is the vehicle id, `seed` decides every key and nonce of the emulated vehicle."""

    vin: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,32}$")]
    seed: Annotated[int, Field(ge=0)] = 1
    bus: BusPlan = BusPlan()
    ecu: Annotated[list[EcuPlan], Field(min_length=1, max_length=SECONDARIES_MAX + 1)]

    @model_validator(mode="after")
    def _one_vehicle(self) -> VehiclePlan:
        primaries = [ecu.name for ecu in self.ecu if ecu.role == "primary"]
        if len(primaries) != 1:
            raise ValueError(f"one ECU must have role = 'primary', this file has {primaries}")
        if self.primary().verification != "full":
            raise ValueError("a Primary verifies fully: set verification = 'full' (V-34)")
        named: list[tuple[str, list[str] | list[int]]] = [
            ("name", [ecu.name for ecu in self.ecu]),
            ("number", [ecu.number for ecu in self.ecu]),
            ("request or response", [i for e in self.ecu for i in (e.request, e.response)]),
        ]
        for what, values in named:
            twice = [value for value, count in Counter(map(str, values)).items() if count > 1]
            if twice:
                raise ValueError(f"{what} {twice[0]} stands twice; each must be unique")
        return self

    def primary(self) -> EcuPlan:
        return next(ecu for ecu in self.ecu if ecu.role == "primary")

    def secondaries(self) -> list[EcuPlan]:
        return [ecu for ecu in self.ecu if ecu.role == "secondary"]


def load(path: Path) -> VehiclePlan:
    """Read and check a vehicle file. BadVehicle names the line of each thing that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadVehicle(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return VehiclePlan.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadVehicle(f"{path}: {error}") from error
    except ValidationError as error:
        # What is unknown comes first: it is often what is missing, misspelt.
        found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        told = [_explain(one["type"], one["loc"], one["msg"]) for one in found]
        lines = [line_of(text, one["loc"]) for one in found]
        sentences = [f"{path}:{line}: {what}" for line, what in zip(lines, told, strict=True)]
        raise BadVehicle("\n".join(sentences)) from error


def _explain(kind: str, place: tuple[int | str, ...], message: str) -> str:
    named = ".".join(str(part) for part in place) or "the file"
    if kind == "extra_forbidden":
        return f"{named}: unknown key; known here: {', '.join(_known(place))}"
    return f"{named}: {message.removeprefix('Value error, ')}"


def _known(place: tuple[int | str, ...]) -> list[str]:
    models: dict[str, type[BaseModel]] = {"ecu": EcuPlan, "bus": BusPlan}
    model = models.get(str(place[0]), VehiclePlan) if len(place) > 1 else VehiclePlan
    return list(model.model_fields)


def line_of(text: str, place: tuple[int | str, ...]) -> int:
    """The line (from 1) of a key or table, given as pydantic gives it: ('ecu', 1, 'board')."""
    table: list[int | str] = []
    counts: dict[str, int] = {}
    best, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[\[([\w.-]+)\]\]", line):
            counts[found[1]] = counts.get(found[1], -1) + 1
            table = [found[1], counts[found[1]]]
            here = tuple(table)
        elif found := re.match(r"\s*\[([\w.-]+)\]", line):
            table = [found[1]]
            here = tuple(table)
        elif found := re.match(r"\s*([\w-]+)\s*=", line):
            here = (*table, found[1])
        else:
            continue
        if place[: len(here)] == here and len(here) > depth:
            best, depth = number, len(here)
    return best
