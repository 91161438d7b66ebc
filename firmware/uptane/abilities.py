"""What an ECU does beyond the least: regions, one place, deltas, encryption, broadcast, DTCs.

Each is imported only where its board is built for it (`shapes.Board`), because most have no room
for it. It decides nothing else.
Rules: S-25, S-29.
"""

from uptane import secondary
from uptane.ids import PARTIAL, PRIMARY
from uptane.limits import BLOCK_BYTES, LONG_BLOCK_BYTES
from uptane.link.sending import CLASSIC_BYTES
from uptane.store.slots import Slots
from uptane.uds.transfer import Transfer

if False:  # for the type checker
    from types import ModuleType

    from shapes import Board
    from uptane.identity import Identity
    from uptane.image.intake import Intake
    from uptane.image.rewriting import Rewriting
    from uptane.link.broadcast import Air
    from uptane.main import Ecu
    from uptane.store.records import Records
    from uptane.traffic import Traffic
    from uptane.uds.diagnosis import Diagnosis


def slots_of(board: "Board", records: "Records") -> Slots:
    """Two slots, those of several regions, or the one place that a board has."""
    areas = board.slot_areas
    if board.region_areas:
        from uptane.store.regions import Regions  # here, because most have one region

        return Regions(areas, board.region_areas, records)
    if len(areas) > 1:
        return Slots(areas, records)
    from uptane.store.sole import Sole  # here, because most have a spare slot

    return Sole(areas[0], records)


def intake_of(ecu: "Ecu") -> "Intake | Rewriting | None":
    """How images come in other ways than whole and in the clear; None: they do not."""
    board = ecu.board
    if len(board.slot_areas) == 1:
        from uptane.image.rewriting import Rewriting  # here, because most have a spare slot

        return Rewriting(ecu)
    if board.deltas or board.secrecy is not None:
        from uptane.image.intake import Intake  # here, because most take images as they are

        return Intake(ecu)
    return None


def blocks_of(board: "Board", verification: int) -> "tuple[int, bool]":
    """How many bytes a block of a transfer may have, and is there room for two? A partial
    Secondary has no heap for that, and where blocks of flash are erased in between, frames of the
    next one would be lost."""
    two = verification != PARTIAL and board.overlaps and len(board.slot_areas) > 1
    return LONG_BLOCK_BYTES if two and board.can.frame_bytes > CLASSIC_BYTES else BLOCK_BYTES, two


def ear_of(board: "Board", identity: "Identity", traffic: "Traffic") -> "Air | None":
    """What it hears of the blocks that are for several ECUs; None: nothing. Who overwrites what it
    runs is brought pieces of its own."""
    if identity.verification == PRIMARY or len(board.slot_areas) == 1:
        return None
    return traffic.share(identity.broadcast_id[0], False) if identity.broadcast_id else None


def transfer_of(ecu: "Ecu") -> "Transfer":
    """How files come and go."""
    if ecu.heard is None:
        return Transfer(ecu)
    from uptane.uds.hearing import Hearing  # here, because not every vehicle has a broadcast

    return Hearing(ecu, ecu.heard)


def diagnosis_of(ecu: "Ecu") -> "Diagnosis | None":
    """What a workshop may ask for besides; None: nothing."""
    if ecu.board.diagnosis:
        from uptane.uds.diagnosis import Diagnosis  # here, because not all have room for it

        return Diagnosis(ecu, ecu.services)
    return None


def cycle_of(board: "Board") -> "ModuleType":
    """The cycle of a Secondary."""
    if len(board.slot_areas) > 1:
        return secondary
    from uptane import lone  # here, because most have a spare slot

    return lone
