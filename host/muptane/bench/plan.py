"""A vehicle as its TOML file says it: ECUs, their boards, their identifiers, the bus.

`load` checks the whole file by a schema and refuses with the file, the line and what to do
(`BadVehicle`); what it returns can be built. It builds nothing and knows no running thing.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from muptane.boards import BoardSpec, load_board
from muptane.identifiers import EXTENDED_MAX, marked, spelled
from muptane.regions import OtherRegion
from uptane.ids import FULL, PARTIAL, PRIMARY
from uptane.limits import REPOSITORIES_MAX, SECONDARIES_MAX


class BadVehicle(ValueError):
    """A vehicle file that cannot be built; the message names the line."""


class Conflict(ValueError):
    """Two lines that are right each by itself; `place` is the one to change."""

    def __init__(self, why: str, *place: int | str) -> None:
        super().__init__(why)
        self.place = place


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# One above 0x7FF has 29 bits, and is marked as SocketCAN does (muptane.identifiers).
CanId = Annotated[int, Field(ge=1, le=EXTENDED_MAX), AfterValidator(marked)]
NUMBER_MAX = 0xFFFFFFFF // 1000  # the demo makes image numbers of it
U32 = Annotated[int, Field(ge=1, le=0xFFFFFFFF)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class BusPlan(Strict):
    """Bits per second; with `data_bitrate`, that of the data phase, the bus has CAN FD, and every
    ECU's board has to. `functional`: the identifier of UDS requests to all ECUs at once;
    `broadcast`: that of files that several Secondaries want, 0: each is brought its own."""

    bitrate: Annotated[int, Field(ge=10_000, le=1_000_000)] = 500_000
    data_bitrate: Annotated[int, Field(ge=10_000, le=8_000_000)] | Literal[0] = 0
    functional: CanId = 0x7DF
    broadcast: CanId | Literal[0] = 0

    def traits(self) -> list[str]:
        """What every ECU on it does for it, as boards.unix.boot is told."""
        has = {"fd": self.data_bitrate, "broadcast": self.broadcast}
        return [trait for trait in has if has[trait]]


class EcuPlan(Strict):
    """One ECU. `hardware` is its hardware id; `request` and `response` are its UDS identifiers;
    `application` names the example it runs (firmware/apps/NAME_RELEASE). `key` says how it seals
    its version reports; a Primary signs. `p256`: it can check ES256 beside Ed25519. `decrypts`:
    its images may come encrypted; `deltas`: as deltas, made from the one that it runs.
    `in_place`: it has no spare slot, and overwrites what it runs. `regions`: those of its board
    that it has beside the application."""

    name: Name
    number: Annotated[int, Field(ge=1, le=NUMBER_MAX)]
    role: Literal["primary", "secondary"]
    verification: Literal["full", "partial"]
    board: Name
    hardware: U32
    request: CanId
    response: CanId
    application: Name
    key: Literal["asymmetric", "symmetric"] = "asymmetric"
    p256: bool = False
    decrypts: bool = False
    deltas: bool = False
    in_place: bool = False
    regions: list[OtherRegion] = []

    def level(self) -> int:
        """PARTIAL, FULL or PRIMARY, as the identity record has it."""
        if self.role == "primary":
            return PRIMARY
        return FULL if self.verification == "full" else PARTIAL

    def traits(self) -> list[str]:
        """Its role and what else it does, as boards.unix.boot is told."""
        role = "primary" if self.role == "primary" else self.verification
        has = {
            "symmetric": self.key == "symmetric",
            "es256": self.p256,
            "deltas": self.deltas,
            "decrypts": self.decrypts,
            "in_place": self.in_place,
            "regions": bool(self.regions),
        }
        return [role, *(trait for trait in has if has[trait])]


class RepositoryPlan(Strict):
    """A repository beyond the maker's two, which has a say on every image: an odd number is a
    Director's, an even one an Image repository's. `owner` is whose it is."""

    number: Annotated[int, Field(ge=3, le=REPOSITORIES_MAX)]
    owner: Name


# What no two lines of a vehicle may share, and what it is then called.
UNIQUE = (
    ("name", "the name"),
    ("number", "the number"),
    ("request", "a CAN identifier"),
    ("response", "a CAN identifier"),
)


class VehiclePlan(Strict):
    """`vin` is the vehicle id, `seed` decides every key and nonce of the emulated vehicle."""

    vin: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,32}$")]
    seed: Annotated[int, Field(ge=0)] = 1
    bus: BusPlan = BusPlan()
    repository: list[RepositoryPlan] = []
    ecu: Annotated[list[EcuPlan], Field(min_length=1, max_length=SECONDARIES_MAX + 1)]

    @model_validator(mode="after")
    def _one_vehicle(self) -> VehiclePlan:
        if 0 < self.bus.data_bitrate < self.bus.bitrate:
            why = f"slower than the bit rate, {self.bus.bitrate}; CAN FD is faster in its data"
            raise Conflict(why, "bus", "data_bitrate")
        primaries = [at for at, ecu in enumerate(self.ecu) if ecu.role == "primary"]
        if not primaries:
            raise Conflict("no ECU is the Primary; give one of them role = 'primary'", "ecu", 0)
        if len(primaries) > 1:
            why = "a second Primary; a vehicle has one, give this ECU role = 'secondary'"
            raise Conflict(why, "ecu", primaries[1], "role")
        if self.primary().verification != "full":
            why = "a Primary verifies fully; set verification = 'full' (V-34)"
            raise Conflict(why, "ecu", primaries[0], "verification")
        if self.primary().key != "asymmetric":
            why = "a Primary signs its manifests; only a Secondary's key may be symmetric"
            raise Conflict(why, "ecu", primaries[0], "key")
        if self.primary().in_place:
            why = "a Primary has a spare slot; only a Secondary may overwrite what it runs"
            raise Conflict(why, "ecu", primaries[0], "in_place")
        for at, ecu in enumerate(self.ecu):
            if ecu.in_place and ecu.regions:
                why = "an ECU without a spare slot has one region; drop regions, or in_place"
                raise Conflict(why, "ecu", at, "regions")
            if len(set(ecu.regions)) < len(ecu.regions):
                raise Conflict("a region is named twice; name each once", "ecu", at, "regions")
        if self.bus.broadcast == self.bus.functional:
            why = f"{spelled(self.bus.broadcast)} is the functional identifier; choose another"
            raise Conflict(why, "bus", "broadcast")
        seen: dict[object, str] = {("a CAN identifier", self.bus.functional): "all ECUs"}
        seen["a CAN identifier", self.bus.broadcast] = "the broadcast"
        for at, ecu in enumerate(self.ecu):
            for key, kind in UNIQUE:
                known = (kind, getattr(ecu, key))
                if known in seen:
                    whose = f"{kind} of {seen[known]} already"
                    why = f"{known[1]!r} is {whose}; choose another"
                    raise Conflict(why, "ecu", at, key)
                seen[known] = f"the ECU {ecu.name!r}"
        numbers = [one.number for one in self.repository]
        for at, number in enumerate(numbers):
            if number in numbers[:at]:
                why = f"repository {number} is there already; choose another number"
                raise Conflict(why, "repository", at, "number")
        return self

    def primary(self) -> EcuPlan:
        return next(ecu for ecu in self.ecu if ecu.role == "primary")

    def secondaries(self) -> list[EcuPlan]:
        return [ecu for ecu in self.ecu if ecu.role == "secondary"]


def load(path: Path) -> VehiclePlan:
    """Read and check a vehicle file. BadVehicle names the line of the first thing wrong."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise BadVehicle(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadVehicle(f"{path}:{line}: not UTF-8; save the file as UTF-8") from error
    try:
        plan = VehiclePlan.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        raise BadVehicle(f"{path}:{line}: not TOML: {error}") from error
    except ValidationError as error:
        wrong = sorted(_explained(text, details) for details in error.errors())
        raise BadVehicle("\n".join(f"{path}:{line}: {why}" for _, line, why in wrong)) from error
    for at, ecu in enumerate(plan.ecu):
        if plan.bus.data_bitrate and (lack := fd_lack(plan, ecu, load_board(ecu.board))):
            line = line_of(text, ("ecu", at, "board"))
            raise BadVehicle(f"{path}:{line}: ecu.{at}.board: {lack}")
    return plan


def fd_lack(plan: VehiclePlan, ecu: EcuPlan, spec: BoardSpec) -> str:
    """What that ECU's board lacks to be on the bus of CAN FD that the vehicle has, or ""."""
    if plan.bus.data_bitrate and not spec.can.fd:
        return f"{ecu.board} has no CAN FD; use a board that has, or drop data_bitrate of the bus"
    return ""


def _explained(text: str, details: ErrorDetails) -> tuple[bool, int, str]:
    """One mistake: is a key missing (which may be the one that is misspelt, so it comes last),
    the line, and what is wrong there with what to do."""
    place = details["loc"]
    why = details["msg"]
    conflict = details.get("ctx", {}).get("error")
    if isinstance(conflict, Conflict):
        place, why = conflict.place, str(conflict)
    elif details["type"] == "extra_forbidden":
        why = f"unknown key; known here: {', '.join(_known(place))}"
    elif details["type"] == "missing":
        why = "is missing; add it"
    named = ".".join(str(part) for part in place) or "the file"
    return details["type"] == "missing", line_of(text, place), f"{named}: {why}"


def _known(place: tuple[int | str, ...]) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "ecu": EcuPlan,
        "bus": BusPlan,
        "repository": RepositoryPlan,
    }
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
        elif found := re.match(r"\s*([\w.-]+)\s*=", line):
            here = (*table, *found[1].split("."))
        else:
            continue
        if place[: len(here)] == here and len(here) > depth:
            best, depth = number, len(here)
    return best
