"""Named flash geometries, with the figures of real parts, on which every flow is replayed.

A geometry alters the figures of each ECU's board before the vehicle is built: its blocks, its
program unit, what one stroke programs and how long strokes take, and where records, slots and the
depot lie. The image at stake has `image_bytes`: at least 64 strokes, over two erase blocks or
more; the update after a fault brings one of `next_bytes`. Both slots are one piece of flash: the
only place for an image that an ECU has without a spare slot. An ECU of several regions has a
calibration beside them; one that comes alone lies in two blocks of it.

Sources: data sheets of STM32F429, STM32H743, W25Q16JV (as on a Pico) and W25Q80DV, and ESP-IDF's
spi_flash (4 bytes, 4 KB sectors). Times are the typical ones.
It does NOT model the chip around the flash: costs of computing are those of the plan's boards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from uptane import ids

KB = 1024
DATA_BYTES = 700
Place = tuple[int, int, int]  # address, block bytes, blocks


@dataclass(frozen=True)
class Geometry:
    """`regions`: (address, block bytes, blocks, us to erase one), ascending; `program_us` is the
    time of a stroke of `page_bytes`."""

    name: str
    regions: tuple[tuple[int, int, int, int], ...]
    program_bytes: int
    page_bytes: int
    program_us: int
    records: Place
    slots: tuple[Place, Place]
    depot: tuple[Place, ...]
    calibration: tuple[Place, Place]
    image_bytes: int
    next_bytes: int

    def change(self, settings: dict[str, Any]) -> None:
        """Give an ECU's board this flash (see muptane.bench.settings)."""
        settings["flash"] = {
            "path": settings["flash"]["path"],
            "regions": [list(region) for region in self.regions],
            "program_bytes": self.program_bytes,
            "program_us": self.program_us,
            "page_bytes": self.page_bytes,
        }
        settings["records"] = list(self.records)
        lone = len(settings["slots"]) == 1
        settings["slots"] = [list(slot) for slot in ((self.place(),) if lone else self.slots)]
        settings["depot"] = [list(cell) for cell in self.depot]
        if settings["regions"]:
            settings["regions"] = [[ids.REGION_CALIBRATION, *map(list, self.calibration)]]

    def rooms(self) -> tuple[tuple[int, int], ...]:
        """(REGION_..., bytes) of an ECU with several regions."""
        code, data = self.slots[0], self.calibration[0]
        return (
            (ids.REGION_APPLICATION, code[1] * code[2]),
            (ids.REGION_CALIBRATION, data[1] * data[2]),
        )

    def data_bytes(self) -> int:
        """Of a calibration that comes alone: 64 strokes or more, in two blocks or more."""
        return max(self.calibration[0][1], 16 * KB) + DATA_BYTES

    def place(self) -> Place:
        """The only one, where there is no spare slot."""
        (address, block_bytes, blocks), second = self.slots
        return address, block_bytes, blocks + second[2]


def _small_blocks(name: str, program_bytes: int, program_us: int, erase_us: int) -> Geometry:
    """A serial NOR with 4 KB sectors and pages of 256 bytes."""
    block = 4 * KB
    return Geometry(
        name,
        regions=((0, block, 128, erase_us),),
        program_bytes=program_bytes,
        page_bytes=256,
        program_us=program_us,
        records=(0, block, 8),
        slots=((16 * block, block, 8), (24 * block, block, 8)),
        depot=((32 * block, block, 8), (40 * block, block, 8)),
        calibration=((48 * block, block, 8), (56 * block, block, 8)),
        image_bytes=16 * KB + 700,
        next_bytes=4 * KB + 100,
    )


STM32F4 = Geometry(
    "stm32f4",  # STM32F429: two banks, each of 16, 64 and 128 KB sectors; words of 4 bytes
    regions=(
        (0x0800_0000, 16 * KB, 4, 250_000),
        (0x0801_0000, 64 * KB, 1, 550_000),
        (0x0802_0000, 128 * KB, 7, 1_000_000),
        (0x0810_0000, 16 * KB, 4, 250_000),
        (0x0811_0000, 64 * KB, 1, 550_000),
        (0x0812_0000, 128 * KB, 7, 1_000_000),
    ),
    program_bytes=4,
    page_bytes=256,
    program_us=1024,  # 64 words
    records=(0x0810_0000, 16 * KB, 2),
    slots=((0x0800_0000, 16 * KB, 2), (0x0800_8000, 16 * KB, 2)),
    depot=((0x0801_0000, 64 * KB, 1), (0x0811_0000, 64 * KB, 1)),
    calibration=((0x0802_0000, 128 * KB, 2), (0x0806_0000, 128 * KB, 2)),
    image_bytes=16 * KB + 700,
    next_bytes=1 * KB,
)
STM32H7 = Geometry(
    "stm32h7",  # STM32H743: 128 KB sectors, flash words of 256 bits
    regions=((0x0800_0000, 128 * KB, 16, 1_000_000),),
    program_bytes=32,
    page_bytes=256,
    program_us=8 * 100,
    records=(0x0800_0000, 128 * KB, 2),
    slots=((0x0804_0000, 128 * KB, 2), (0x0808_0000, 128 * KB, 2)),
    depot=((0x080C_0000, 128 * KB, 2), (0x0810_0000, 128 * KB, 2)),
    calibration=((0x0814_0000, 128 * KB, 2), (0x0818_0000, 128 * KB, 2)),
    image_bytes=128 * KB + 700,
    next_bytes=1 * KB,
)
RP2040 = _small_blocks("rp2040", 256, 400, 45_000)
ESP32 = _small_blocks("esp32", 4, 700, 45_000)
SPI_NOR = _small_blocks("spi_nor", 1, 800, 60_000)

GEOMETRIES = {one.name: one for one in (STM32F4, STM32H7, RP2040, ESP32, SPI_NOR)}
