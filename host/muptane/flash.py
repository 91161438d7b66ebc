"""The flash of a board, as its board.toml has it: the part, and what lies where in it.

Checked are overlap, erase blocks that exist in the part, and room for two banks of records; a
mistake is a ValueError with the numbers, which `muptane.boards` explains with the file and place.
Rules: S-25, E-79.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from muptane.regions import OtherRegion

Count = Annotated[int, Field(ge=1)]
Address = Annotated[int, Field(ge=0, lt=1 << 32)]
Bytes = Annotated[int, Field(ge=1, lt=1 << 31)]
Microseconds = Annotated[int, Field(ge=1, le=100_000_000)]
Range = tuple[Address, Bytes]  # address, length
Blocks = tuple[Address, Bytes, Count]  # address, block bytes, blocks


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FlashMap(Strict):
    firmware: Annotated[list[Range], Field(min_length=1)]
    filesystem: Range | None = None
    records: Blocks
    slot_a: Blocks
    slot_b: Blocks
    depot: list[Blocks] = []
    regions: dict[OtherRegion, tuple[Blocks, Blocks]] = {}  # beside the application, each twice

    def areas(self) -> list[tuple[str, Blocks]]:
        """What is ours to erase and program."""
        named = [("records", self.records), ("slot_a", self.slot_a), ("slot_b", self.slot_b)]
        named += [(f"depot[{at}]", cell) for at, cell in enumerate(self.depot)]
        for name, places in self.regions.items():
            named += [(f"regions.{name}[{at}]", place) for at, place in enumerate(places)]
        return named

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


class FlashTimes(Strict):
    program_us: Microseconds  # one program unit
    erase_us: dict[int, Microseconds]  # by block bytes


class Flash(Strict):
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
        for region, (place, twin) in self.map.regions.items():
            if place[1:] != twin[1:]:
                raise ValueError(
                    f"map.regions.{region}: {place[2]} blocks of {place[1]} bytes,"
                    f" and {twin[2]} of {twin[1]}; its two places are alike"
                )
        if self.map.records[2] < 2:
            raise ValueError(f"map.records has {self.map.records[2]} block, needs 2")
        return self
