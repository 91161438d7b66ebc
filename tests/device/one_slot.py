"""An ECU with one slot, whose old image is patched where it lies. Not a test file."""

import io
from hashlib import sha256

from boards.unix.nor import Geometry, Nor
from claims import run
from patches import plan_of, vector
from uptane.image.in_place import InPlace
from uptane.store.area import Area
from uptane.store.records import Records

BLOCK = 512
UNIT = 8
PAGE = 128
RECORD = 0x0F00


class Suite:
    def sha256(self):
        return sha256()


class Memory:
    """An ECU with one slot: its flash, and the record that outlives a reset. `saved` counts as
    stored at once and whole, as store.records does."""

    def __init__(self, made, unit=UNIT):
        self.patch, self.old, self.new, self.layout = vector(made)
        memory = self.layout[0]
        geometry = Geometry([(0, BLOCK, memory // BLOCK, 900)], unit, 16, max(PAGE, unit))
        self.nor = Nor(io.BytesIO(), geometry, lambda us: None)
        self.nor.poke(0, self.old)
        self.area = Area(self.nor, 0, BLOCK, memory // BLOCK, unit)
        self.saved = []
        self.plan = plan_of(self.patch, self.old, len(self.new), self.layout)

    def work(self) -> InPlace:
        return InPlace(self.area, self.plan, self.saved.append)

    def boot(self) -> InPlace:
        """After a reset: what the record says, or from the start."""
        self.nor.power_on()
        work = self.work()
        if self.saved:
            work.restore(self.saved[-1])
        return work

    def give(self, work, piece_bytes=1024):
        at = work.resume_offset()
        for start in range(at, len(self.patch), piece_bytes):
            run(work.write(self.patch[start : start + piece_bytes]))
        run(work.finish(Suite(), sha256(self.new).digest()))

    def content(self, n):
        held = bytearray(n)
        self.nor.peek(0, held)
        return bytes(held)


class Recording(Memory):
    """... and the record lies in the same flash, behind the slot, where the power may go too."""

    def __init__(self, made):
        super().__init__(made)
        memory = self.layout[0]
        regions = [(0, BLOCK, memory // BLOCK, 900), (memory, 4096, 2, 900)]
        self.nor = Nor(io.BytesIO(), Geometry(regions, UNIT, 16, PAGE), lambda us: None)
        self.nor.poke(0, self.old)
        self.area = Area(self.nor, 0, BLOCK, memory // BLOCK, UNIT)
        self.records = self.mounted()

    def mounted(self) -> Records:
        records = Records(Area(self.nor, self.layout[0], 4096, 2, UNIT))
        records.mount()
        return records

    def work(self) -> InPlace:
        return InPlace(self.area, self.plan, self.save)

    def save(self, raw):
        self.records.commit({RECORD: raw})

    def boot(self) -> InPlace:
        self.nor.power_on()
        self.records = self.mounted()
        work = self.work()
        raw = self.records.read(RECORD)
        if raw is not None:
            work.restore(raw)
        return work
