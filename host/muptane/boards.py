"""boards/<board>/board.toml: what a board is, checked before anything believes it.

`load_board(name)` gives a `BoardSpec`; a file that is wrong is a `BadBoard` whose text names the
file, the place and the numbers. The flash map is checked for overlap, for erase blocks that exist
in the part, and for room; `shortfalls` says what a role lacks on it. It does not run anything: the
bench takes its figures from here, and so does `make flash`.
"""

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from uptane import limits

BOARDS = Path(__file__).resolve().parents[2] / "boards"

Count = Annotated[int, Field(ge=1)]
Address = Annotated[int, Field(ge=0, lt=1 << 32)]
Bytes = Annotated[int, Field(ge=1, lt=1 << 31)]
Microseconds = Annotated[int, Field(ge=1, le=100_000_000)]
Range = tuple[Address, Bytes]  # address, length
Blocks = tuple[Address, Bytes, Count]  # address, block bytes, blocks
RoleName = Literal["partial", "full", "primary"]

# Measured on a corpus of 49 KB of .mpy (32-bit): heap that code takes, as a share of its bytes.
HEAP_OF_LOADED_CODE = 1.48
HEAP_OF_FROZEN_CODE = 0.60
FLASH_OF_FROZEN_CODE = 1.3  # [est]
HEAP_OF_32_BITS = 0.7  # of what the same session needs on x64
SMALL_RECORDS_BYTES = 2048  # identity, boot, release, counter, time, attacks, and headers

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


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mcu(_Strict):
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


class Heap(_Strict):
    """Budget above code of the updater's session, bytes on x64."""

    partial: Bytes
    full: Bytes
    primary: Bytes


class FlashMap(_Strict):
    firmware: Annotated[list[Range], Field(min_length=1)]
    filesystem: Range | None = None
    records: Blocks
    slot_a: Blocks
    slot_b: Blocks
    depot: list[Blocks] = []

    def areas(self) -> list[tuple[str, Blocks]]:
        """What is ours to erase and program."""
        named = [("records", self.records), ("slot_a", self.slot_a), ("slot_b", self.slot_b)]
        return named + [(f"depot[{at}]", cell) for at, cell in enumerate(self.depot)]

    def ranges(self) -> list[tuple[str, int, int]]:
        """(name, start, end) of everything."""
        named = [(f"firmware[{at}]", *part) for at, part in enumerate(self.firmware)]
        if self.filesystem is not None:
            named.append(("filesystem", *self.filesystem))
        named += [(name, area[0], area[1] * area[2]) for name, area in self.areas()]
        return sorted(
            [(name, start, start + length) for name, start, length in named],
            key=lambda part: part[1],
        )


class FlashTimes(_Strict):
    program_us: Microseconds  # one program unit
    erase_us: dict[int, Microseconds]  # by block bytes


class Flash(_Strict):
    size: Bytes
    program_bytes: Literal[1, 2, 4, 8, 16, 32, 256]
    erasures: Count  # that a block stands, by its data sheet
    sectors: Annotated[list[Blocks], Field(min_length=1)]
    map: FlashMap
    times: FlashTimes

    def sector_at(self, address: int) -> tuple[int, int] | None:
        """(start, block bytes) of the erase block that holds an address."""
        for start, block_bytes, blocks in self.sectors:
            if start <= address < start + block_bytes * blocks:
                return address - (address - start) % block_bytes, block_bytes
        return None

    @model_validator(mode="after")
    def _sectors_are_the_part(self) -> Self:
        total = sum(block_bytes * blocks for _, block_bytes, blocks in self.sectors)
        if total != self.size:
            raise ValueError(f"sectors add up to {total} bytes, size says {self.size}")
        end = None
        for start, block_bytes, blocks in self.sectors:
            if end is not None and start != end:
                raise ValueError(f"sectors: 0x{start:08x} follows 0x{end:08x}")
            end = start + block_bytes * blocks
            if block_bytes not in self.times.erase_us:
                raise ValueError(f"times.erase_us has no figure for blocks of {block_bytes} bytes")
        return self

    @model_validator(mode="after")
    def _map_fits(self) -> Self:
        ranges = self.map.ranges()
        for name, start, end in ranges:
            for edge in (start, end - 1):
                if self.sector_at(edge) is None:
                    raise ValueError(f"map.{name}: 0x{edge:08x} is not in the part")
        for (name, start, end), (other, begin, _) in pairwise(ranges):
            if begin < end:
                raise ValueError(
                    f"map.{name} 0x{start:08x}..0x{end:08x} overlaps"
                    f" map.{other} from 0x{begin:08x}"
                )
        for name, (address, block_bytes, blocks) in self.map.areas():
            for block in range(blocks):
                at = address + block * block_bytes
                if self.sector_at(at) != (at, block_bytes):
                    raise ValueError(
                        f"map.{name}: no erase block of {block_bytes} bytes starts at 0x{at:08x}"
                    )
        # An erase of ours must not reach into what is not ours.
        for name, start, end in ranges:
            if (sector := self.sector_at(start)) and sector[0] != start:
                raise ValueError(f"map.{name}: 0x{start:08x} is not the start of an erase block")
            if (sector := self.sector_at(end)) and sector[0] != end:
                raise ValueError(f"map.{name}: 0x{end:08x} is not the end of an erase block")
        if self.map.records[2] < 2:
            raise ValueError(f"map.records has {self.map.records[2]} block, needs 2")
        return self


class Can(_Strict):
    controller: Literal["bxcan", "fdcan", "flexcan", "mcp2515", "mcp2518fd", "slcan"]
    tx_queue: Annotated[int, Field(ge=1, le=64)]
    rx_queue: Annotated[int, Field(ge=1, le=255)]  # hardware FIFO and the driver's ring
    equal_ids: Literal["fifo", "one_in_flight"]  # frames of one identifier in the controller
    bitrates: Annotated[list[Literal[125_000, 250_000, 500_000, 1_000_000]], Field(min_length=1)]


class Costs(_Strict):
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


class Role(_Strict):
    holds: bool
    code: Literal["frozen", "filesystem", "card"] | None = None  # where the .mpy files must lie
    metadata_bytes: Bytes | None = None  # what is stored at most; None: all that limits.py allows
    why: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _code_has_a_place(self) -> Self:
        if self.holds == (self.code is None):
            raise ValueError("code says where the code lies: for roles that are held, only")
        return self


class Roles(_Strict):
    partial: Role
    full: Role
    primary: Role


class BoardSpec(_Strict):
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

    def records_lack(self, role: RoleName, deltas: bool = False) -> str:
        """What the records' area lacks to hold a role, one that patches with `deltas`; or ""."""
        spec: Role = getattr(self.roles, role)
        stored = (spec.metadata_bytes or METADATA_BYTES[role]) + SMALL_RECORDS_BYTES
        if deltas:
            stored += limits.CHECKPOINT_BYTES_MAX
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
