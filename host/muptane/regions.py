"""The regions of an ECU by name, and images of more than one part (S-25).

A board file names regions, a vehicle file says which of them an ECU has, an image says which it
replaces; on the wire they are numbers (`uptane.ids`, REGION_...). `joined` makes the bytes of an
image of its parts. It knows no ECU and signs nothing.
Rules: S-25.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from uptane import ids, limits

OtherRegion = Literal["bootloader", "library", "calibration", "user_data"]
RegionName = Literal["application"] | OtherRegion
NUMBERS: Mapping[str, int] = {
    "bootloader": ids.REGION_BOOTLOADER,
    "library": ids.REGION_LIBRARY,
    "application": ids.REGION_APPLICATION,
    "calibration": ids.REGION_CALIBRATION,
    "user_data": ids.REGION_USER_DATA,
}
NAMES = {number: name for name, number in NUMBERS.items()}

Extents = tuple[tuple[int, int], ...]  # (REGION_..., bytes), ascending: of an image, or rooms


def named(region: int) -> str:
    """As people read it: 4 (calibration)."""
    return f"{region} ({NAMES[region]})" if region in NAMES else str(region)


@dataclass(frozen=True)
class Joined:
    """An image of several parts, or for another region than the application: its bytes, and what
    its entry says of regions; (): it is the application alone."""

    content: bytes
    regions: Extents = ()

    @classmethod
    def of(cls, image: "bytes | Joined") -> "Joined":
        """Plain bytes are an application."""
        return image if isinstance(image, Joined) else cls(image)


def joined(parts: Mapping[int, bytes]) -> Joined:
    """The image that fills these regions. ValueError: no part, an empty one, or too many."""
    if not parts or not all(parts.values()) or len(parts) > limits.REGIONS_MAX:
        raise ValueError(f"an image has 1 to {limits.REGIONS_MAX} parts, none of them empty")
    content, regions = b"", []
    last = max(parts)
    for region in sorted(parts):
        part = parts[region]
        if region != last:  # the next one begins at a program unit of every flash
            part += b"\xff" * (-len(part) % limits.REGION_ALIGN)
        content += part
        regions.append((region, len(part)))
    if list(parts) == [ids.REGION_APPLICATION]:
        return Joined(content)
    return Joined(content, tuple(regions))
