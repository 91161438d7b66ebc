"""boards/<board>/board.toml: what a board is, checked before anything believes it.

`load_board(name)` gives a `BoardSpec`; a file that is wrong is a `BadBoard` whose text names the
file, the place and the numbers. `muptane.flash` checks the flash and its map; `shortfalls` says
what a role lacks on it. It does not run anything: the bench takes its figures from here, and so
does `make flash`.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from muptane.flash import Bytes, Flash, Microseconds, Strict
from uptane import limits

BOARDS = Path(__file__).resolve().parents[2] / "boards"

RoleName = Literal["partial", "full", "primary"]

# Measured on a corpus of 49 KB of .mpy (32-bit): heap that code takes, as a share of its bytes.
HEAP_OF_LOADED_CODE = 1.48
HEAP_OF_FROZEN_CODE = 0.60
FLASH_OF_FROZEN_CODE = 1.3  # [est]
HEAP_OF_32_BITS = 0.7  # of what the same session needs on x64
SMALL_RECORDS_BYTES = 2048  # identity, boot, release, counter, time, attacks, and headers
REGION_RECORD_BYTES = 296  # of one region: two assemblies, twice (uptane.store.regions)

METADATA_BYTES: dict[RoleName, int] = {
    "partial": limits.ROOT_BYTES_MAX + limits.TARGETS_BYTES_MAX,
    "full": 2
    * (
        limits.ROOT_BYTES_MAX
        + limits.TIMESTAMP_BYTES_MAX
        + limits.SNAPSHOT_BYTES_MAX
        + limits.TARGETS_BYTES_MAX
    ),
}
METADATA_BYTES["primary"] = METADATA_BYTES["full"]
CODE_BYTES_MAX: dict[RoleName, int] = {"partial": 49_152, "full": 65_536, "primary": 98_304}


class BadBoard(Exception):
    """A board file that is wrong; the text says where, with the numbers."""


class Mcu(Strict):
    name: str
    clock_hz: Annotated[int, Field(ge=1_000_000, le=2_000_000_000)]
    ram_bytes: Bytes
    heap_bytes: Bytes  # of MicroPython on the board, nothing loaded
    firmware_bytes: Bytes  # MicroPython itself

    @model_validator(mode="after")
    def _heap_fits(self) -> Self:
        if self.heap_bytes > self.ram_bytes:
            raise ValueError(f"heap_bytes {self.heap_bytes} > ram_bytes {self.ram_bytes}")
        return self


class Heap(Strict):
    """Budget above code of the updater's session, bytes on x64."""

    partial: Bytes
    full: Bytes
    primary: Bytes


class Can(Strict):
    controller: Literal["bxcan", "fdcan", "flexcan", "mcp2515", "mcp2518fd", "slcan"]
    tx_queue: Annotated[int, Field(ge=1, le=64)]
    rx_queue: Annotated[int, Field(ge=1, le=255)]  # hardware FIFO and the driver's ring
    equal_ids: Literal["fifo", "one_in_flight"]  # frames of one identifier in the controller
    fd: bool = False  # it can be on a bus with CAN FD
    bitrates: Annotated[list[Literal[125_000, 250_000, 500_000, 1_000_000]], Field(min_length=1)]


class Costs(Strict):
    """Microseconds of the processor."""

    ed25519_verify: Microseconds
    ed25519_sign: Microseconds
    x25519_agree: Microseconds  # where images are decrypted
    p256_verify: Microseconds  # where the suite is built with it
    sha256_block: Microseconds  # 64 bytes
    sha512_block: Microseconds  # 128 bytes
    chacha20_block: Microseconds  # 64 bytes
    frame: Microseconds  # to send or receive one
    wake: Microseconds  # from idle to running


class Role(Strict):
    holds: bool
    code: Literal["frozen", "filesystem", "card"] | None = None  # where the .mpy files must lie
    metadata_bytes: Bytes | None = None  # what is stored at most; None: all that limits.py allows
    why: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _code_has_a_place(self) -> Self:
        if self.holds == (self.code is None):
            raise ValueError("code says where the code lies: for roles that are held, only")
        return self


class Roles(Strict):
    partial: Role
    full: Role
    primary: Role


class BoardSpec(Strict):
    name: str
    title: str
    port: Literal["stm32", "rp2", "unix"]
    arch: Literal["armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensawin", "x64"]
    mcu: Mcu
    heap: Heap
    flash: Flash
    can: Can
    costs: Costs
    roles: Roles

    def slot_bytes(self) -> int:
        """The largest image: what fits either slot."""
        return min(area[1] * area[2] for area in (self.flash.map.slot_a, self.flash.map.slot_b))

    def records_lack(self, role: RoleName, deltas: bool = False, regions: int = 0) -> str:
        """What the records' area lacks to hold a role, one that patches with `deltas`, one with so
        many regions beside the application; or ""."""
        spec: Role = getattr(self.roles, role)
        stored = (spec.metadata_bytes or METADATA_BYTES[role]) + SMALL_RECORDS_BYTES
        if deltas:
            stored += limits.CHECKPOINT_BYTES_MAX
        if regions:
            stored += REGION_RECORD_BYTES * (regions + 1)
        _, block_bytes, blocks = self.flash.map.records
        room = block_bytes * (blocks - 1)  # one block is always being erased
        return f"records: {stored} bytes in {room}" if stored > room else ""

    def shortfalls(self, role: RoleName, code_bytes: int) -> list[str]:
        """What the part lacks to hold a role whose .mpy files have so many bytes."""
        spec: Role = getattr(self.roles, role)
        lacks = []
        session = int(getattr(self.heap, role) * HEAP_OF_32_BITS)
        loaded = spec.code in ("filesystem", "card")
        share = HEAP_OF_LOADED_CODE if loaded else HEAP_OF_FROZEN_CODE
        heap = int(code_bytes * share) + session
        if heap > self.mcu.heap_bytes:
            lacks.append(f"heap: code and session need {heap}, the part has {self.mcu.heap_bytes}")
        if spec.code == "frozen":
            needed = self.mcu.firmware_bytes + int(code_bytes * FLASH_OF_FROZEN_CODE)
            room = sum(length for _, length in self.flash.map.firmware)
            if needed > room:
                lacks.append(f"firmware: {needed} bytes in {room}")
        elif spec.code == "filesystem":
            room = self.flash.map.filesystem[1] if self.flash.map.filesystem else 0
            if code_bytes * 1.1 > room:  # blocks half full, directories
                lacks.append(f"filesystem: {code_bytes} bytes of .mpy in {room}")
        if lack := self.records_lack(role):
            lacks.append(lack)
        if role == "primary" and not self.flash.map.depot:
            lacks.append("depot: no cell for Secondaries' images")
        return lacks

    @model_validator(mode="after")
    def _roles_fit(self) -> Self:
        for role, code_bytes in CODE_BYTES_MAX.items():
            if getattr(self.roles, role).holds:
                for lack in self.shortfalls(role, code_bytes):
                    raise ValueError(f"roles.{role} is not held: {lack}")
        return self


def board_names() -> list[str]:
    return sorted(path.parent.name for path in BOARDS.glob("*/board.toml"))


def load_board(name: str, folder: Path = BOARDS) -> BoardSpec:
    """The board of that name. BadBoard: there is none, or its file is wrong."""
    path = folder / name / "board.toml"
    if not path.is_file():
        raise BadBoard(
            f"no board {name!r}: {path} is missing; there are {', '.join(board_names())}"
        )
    try:
        spec = BoardSpec.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise BadBoard(f"{path}: {error}") from error
    except ValidationError as error:
        raise BadBoard(_explain(path, error)) from error
    if spec.name != name:
        raise BadBoard(f"{path}: name is {spec.name!r}, the folder is {name!r}")
    return spec


def _explain(path: Path, error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        given = problem["input"]
        shown = f" (is {given!r})" if isinstance(given, int | str | float | bool) else ""
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{path}: {where + ': ' if where else ''}{message}{shown}")
    return "\n".join(lines)
