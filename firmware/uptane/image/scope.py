"""Which regions of an ECU an image replaces (S-25): what stands under MATCH_REGIONS of its entry.

The parts of an image lie one behind the other, each for one region; without a word of regions all
of it is the application. It is must-match data, so no Director alone can say that calibration is
code. It is read only by an ECU that has more than one region: every other one refuses it unread.
It does NOT say whether the entry is to be believed.
Rules: V-12, V-86, S-25.
"""

from uptane.errors import BadShape
from uptane.ids import REGION_APPLICATION
from uptane.limits import IMAGE_BYTES_MAX, REGION_ALIGN, REGIONS_MAX
from uptane.meta.shape import read_list, read_number

if False:  # for the type checker
    from uptane.meta.targets import Entry
    from uptane.store.regions import Regions
    from uptane.store.slots import Slots

REGION_MAX = 255


def choose(slots: "Slots", entry: "Entry") -> None:
    """Make ready for an image that replaces what its entry says; nothing is erased. `slots` are
    Regions. Refusals: BadShape; NoRegion; TooLarge; ImageReused (T-53)."""
    regions: Regions = slots  # type: ignore[assignment]
    regions.choose(parts_of(entry.regions, entry.length), entry.number, entry.digest)


def parts_of(value: object, length: int) -> "list[tuple[int, int]]":
    """[(REGION_..., bytes), ...] of an image of that length, in its order. BadShape."""
    if value is None:
        return [(REGION_APPLICATION, length)]
    parts = []
    last = end = 0
    for item in read_list(value, 1, REGIONS_MAX):
        number, n = read_list(item, 2, 2)
        if end % REGION_ALIGN:
            raise BadShape  # no part may begin where the last one ends
        last = read_number(number, last + 1, REGION_MAX)
        n = read_number(n, 1, IMAGE_BYTES_MAX)
        parts.append((last, n))
        end += n
    if end != length:
        raise BadShape
    return parts
