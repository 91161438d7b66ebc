"""How a Director's entry describes a delta: what stands under CUSTOM_DELTA in its custom.

It is read only by an ECU that wants a delta; for every other one custom stays unread. It does NOT
say whether the entry is to be believed, nor whether the layout is this board's: `in_place` does.
Rules: S-27, T-34, E-81.
"""

from uptane.errors import UnknownHash, UnsupportedDelta
from uptane.ids import (
    ALG_SHA256,
    DELTA_ALGORITHM,
    DELTA_BASE,
    DELTA_HASHES,
    DELTA_IN_PLACE,
    DELTA_LAYOUT,
    DELTA_LENGTH,
    DELTA_SEQUENTIAL,
    DELTA_WINDOW,
)
from uptane.image.plan import Plan
from uptane.limits import DELTA_LOOKAHEAD_BITS_MAX, DELTA_WINDOW_BITS_MAX, IMAGE_BYTES_MAX
from uptane.meta.shape import NUMBER_MAX, Fields, read_hashes, read_list, read_map, read_number


def read_delta(value: object, new_length: int) -> "tuple[Plan, bytes]":
    """(plan, SHA-256 of the base) of a delta to an image of that length.

    Refusals: BadShape, UnknownHash (none but SHA-256 is known), UnsupportedDelta (an algorithm or
    window that is not known, or is too large)."""
    fields = Fields(dict(read_map(value)))  # an entry is read as often as ECUs are to have it
    algorithm = read_number(fields.take(DELTA_ALGORITHM), 0, NUMBER_MAX)
    if algorithm not in (DELTA_SEQUENTIAL, DELTA_IN_PLACE):
        raise UnsupportedDelta
    length = read_number(fields.take(DELTA_LENGTH), 1, IMAGE_BYTES_MAX)
    digest = _read_digest(fields.take(DELTA_HASHES))
    base = read_list(fields.take(DELTA_BASE), 2, 2)
    old_length = read_number(base[0], 1, IMAGE_BYTES_MAX)
    window, lookahead = read_list(fields.take(DELTA_WINDOW), 2, 2)
    if read_number(window, 0, NUMBER_MAX) > DELTA_WINDOW_BITS_MAX:
        raise UnsupportedDelta
    if read_number(lookahead, 0, NUMBER_MAX) > DELTA_LOOKAHEAD_BITS_MAX:
        raise UnsupportedDelta
    layout = None
    if algorithm == DELTA_IN_PLACE:
        memory, segment, shift = read_list(fields.take(DELTA_LAYOUT), 3, 3)
        layout = (
            read_number(memory, 0, NUMBER_MAX),
            read_number(segment, 0, NUMBER_MAX),
            read_number(shift, 0, NUMBER_MAX),
        )
    fields.end()
    return Plan(digest, length, old_length, new_length, layout), _read_digest(base[1])


def _read_digest(value: object) -> bytes:
    """The SHA-256, of hashes that are all known (T-34)."""
    hashes = read_hashes(value)
    if list(hashes) != [ALG_SHA256]:
        raise UnknownHash
    return hashes[ALG_SHA256]
