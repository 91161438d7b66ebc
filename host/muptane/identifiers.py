"""CAN identifiers: as people write them, as the bench has them, as a device has them.

On the bench bit 31 marks one of 29 bits, as in SocketCAN, python-can and their traces; a vehicle
file and whoever reads a line of ours sees no mark. It knows no frame and no bus.
Source: linux/can.h.
"""

EXTENDED = 1 << 31  # in a CAN identifier: it has 29 bits
STANDARD_MAX = 0x7FF
EXTENDED_MAX = 0x1FFFFFFF


def marked(can_id: int) -> int:
    """A plain number as an identifier: one above STANDARD_MAX has 29 bits."""
    return can_id if can_id <= STANDARD_MAX else can_id | EXTENDED


def spelled(can_id: int) -> str:
    """An identifier as people write it: 7E0, or 18DA01F1 for one of 29 bits."""
    return f"{can_id & EXTENDED_MAX:08X}" if can_id & EXTENDED else f"{can_id:03X}"


def on_device(can_id: int) -> int:
    """An identifier as a device has it: there bit 29 is the mark, for a number that is no object
    on a board of 32-bit words."""
    return can_id ^ EXTENDED ^ EXTENDED >> 2 if can_id & EXTENDED else can_id
