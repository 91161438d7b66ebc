"""ECUs with a fault in their store, for the judge of the fault engine to find. Not a test file."""

from typing import Any

from uptane import main
from uptane.store.area import Area
from uptane.store.log import HURT, WHOLE, Log
from uptane.store.slots import Slots
from uptane.store.sole import Sole


class Trusting(Area):
    """After a cut somebody goes on behind what looks written."""

    def reopen(self, length: int, made: int) -> Any:
        yield
        at = self.size
        while at and self.blank(at - self.program_bytes, self.program_bytes):
            at -= self.program_bytes
        return at


class Hasty(Slots):
    """Believes what flew by, and hashes nothing."""

    def finish(self, suite: Any) -> Any:
        yield
        state = self._load()
        state.phase = 3
        self._store(state)

    def check(self, suite: Any) -> Any:
        return
        yield


class HastyEcu(main.Ecu):
    def __init__(self, board: Any) -> None:
        board.slot_areas = [
            Trusting(one._flash, one.address, one.block_bytes, one.blocks, one.program_bytes)
            for one in board.slot_areas
        ]
        super().__init__(board)
        self.slots = Hasty(board.slot_areas, self.records)
        self.slots.boot()


class Single(Log):
    """Writes one copy of its directory; what stands for the second means nothing."""

    def write(self, at: int, sequence: int, flags: int, items: Any) -> None:
        super().write(at, sequence, flags, items)
        copy_bytes, _ = self._layout(items)
        second = self._area.address + at + self.grain + copy_bytes
        self._area._flash.poke(second, bytes(1))

    def look(self, at: int, limit: int) -> Any:
        state, copy, directory = super().look(at, limit)
        return WHOLE if state == HURT else state, copy, directory


class SingleEcu(main.Ecu):
    def __init__(self, board: Any) -> None:
        super().__init__(board)
        self.records._log = Single(board.records_area)


class Careless(Sole):
    """Starts whatever lies in its place."""

    def check(self, suite: Any) -> Any:
        return
        yield


class CarelessEcu(main.Ecu):
    def __init__(self, board: Any) -> None:
        super().__init__(board)
        if len(board.slot_areas) == 1:
            self.slots = Careless(board.slot_areas[0], self.records)
            self.slots.boot()
