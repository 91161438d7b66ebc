"""Rot: every stored bit of what a flow leaves, flipped alone, and what the store makes of it.

`Bits` holds the flash of one ECU after a flow and knows which bits are stored: the written part of
its records, and the image in the slot that runs. `judge` flips one, lets the device's own store
boot from it, reads every value, goes on committing, and takes another image if the one that runs
has rotted. It is the ECU's store alone, in this process; whole vehicles with a flipped bit are
the fault *rot*, of which a sample is played. Two shortcuts: a bit of an image leaves the records
alone, so these are not read again for each; and where a bit of the records costs nothing, neither
a value nor a repair, the next commit is tried for one bit of each byte, a different one each time.
Rules: E-79, V-88.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from io import BytesIO

from boards.unix import layout
from muptane.bench.faults.judge import (
    BRICKED,
    CORRUPT,
    RECOVERED,
    REFUSED,
    ROLLED_BACK,
    Bad,
    Verdict,
)
from muptane.bench.faults.patient import Patient
from uptane import ids
from uptane.errors import Refusal, Rotten
from uptane.identity import Identity
from uptane.store.area import Area
from uptane.store.boot import Installed
from uptane.store.records import Records
from uptane.store.regions import Regions
from uptane.store.slots import Slots
from uptane.store.sole import Sole

NEXT_IMAGE = bytes(range(256)) * 2
NEXT_PARTS = [(ids.REGION_APPLICATION, 256), (ids.REGION_CALIBRATION, 256)]
NEXT_NUMBER = 0x7FFF_FFF0
NEXT_VALUE = b"\x7f\xff\xff\xff"
CRASHES = (Refusal, LookupError, ValueError, TypeError, struct.error)  # what ends an ECU's boot
BLANK = b"\xff" * 64


class Hashing:
    sha256 = staticmethod(sha256)


class Undone(BytesIO):
    """A store that forgets what was written to it since `mark`."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._before: list[tuple[int, bytes]] = []
        self.writes = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.writes += 1
        at = self.tell()
        size = len(data)
        self._before.append((at, self.read(size)))
        self.seek(at)
        return super().write(data)

    def undo(self) -> None:
        while self._before:
            at, cells = self._before.pop()
            self.seek(at)
            super().write(cells)


class Bits:
    """The stored bits of an ECU that is off, or of one that is at rest."""

    def __init__(self, patient: Patient, name: str) -> None:
        self.name = name
        self._store = Undone(patient.content(name))
        self._settings, self._nor = patient.part_on(name, self._store)
        records, slots = self._boot()
        self._values = {number: records.read(number) for number in records.numbers()}
        image, slot = slots.installed(), slots.running()
        if image is None or slot is None:
            raise Bad(BRICKED, f"{name} has no image")
        self._slot = slot
        self._records = self._written()
        self._places = self._held(slots)
        self._image = self._content()
        self.ranges = [*self._records, *self._places]
        self.count = 8 * sum(size for _, size in self.ranges)
        _, self._ready = records, slots
        self._store.undo()

    def _written(self) -> list[tuple[int, int]]:
        """(address, bytes) of what is written in each half of the records."""
        address, block_bytes, blocks = self._settings["records"]
        bank = block_bytes * (blocks // 2)
        area = Area(self._nor, address, block_bytes, blocks, 1)
        found = []
        for start in range(0, bank * (blocks // (blocks // 2)), bank):
            end = start + bank
            while end > start and area.blank(end - len(BLANK), len(BLANK)):
                end -= len(BLANK)
            mark = end == start + bank  # the last bytes of a retired bank
            while mark and end > start and not area.blank(end - len(BLANK), len(BLANK)):
                end -= len(BLANK)
            if mark:
                found.append((address + end, start + bank - end))
                while end > start and area.blank(end - len(BLANK), len(BLANK)):
                    end -= len(BLANK)
            found.append((address + start, end - start))
        return [(at, size) for at, size in found if size]

    def place(self, bit: int) -> tuple[int, int]:
        """(address, mask) of the bit with that index."""
        byte = bit // 8
        for address, size in self.ranges:
            if byte < size:
                return address + byte, 1 << bit % 8
            byte -= size
        raise IndexError(bit)

    def _boot(self) -> tuple[Records, Slots]:
        records = Records(layout.area(self._settings, self._nor, "records"))
        records.mount()
        areas = layout.areas(self._settings, self._nor, "slots")
        regions = layout.regions(self._settings, self._nor)
        slots: Slots
        if regions:
            slots = Regions(areas, regions, records)
        else:
            slots = Slots(areas, records) if len(areas) > 1 else Sole(areas[0], records)
        slots.boot()
        return records, slots

    def _held(self, slots: Slots) -> list[tuple[int, int]]:
        """(address, bytes) of each part of the image that runs."""
        regions = [region for region, _ in slots.contents()] or [ids.REGION_APPLICATION]
        places = [slots.place(region) for region in regions]
        return [(area.address, length) for area, length in places]

    def _content(self) -> list[bytes]:
        """What lies in those places."""
        found = []
        for address, size in self._places:
            cells = bytearray(size)
            self._nor.peek(address, cells)
            found.append(bytes(cells))
        return found

    def judge(self, bit: int) -> Verdict:
        """What comes of that bit being the other way round."""
        address, mask = self.place(bit)
        cell = bytearray(1)
        self._nor.peek(address, cell)
        self._nor.poke(address, bytes((cell[0] ^ mask,)))
        spot = self._spot(bit)
        try:
            if self._is_image(bit) and not spot:
                return self._judge_image()
            return self._judge(spot)
        except Bad as bad:
            return Verdict(bad.verdict, str(bad))
        except CRASHES as fault:
            return Verdict(BRICKED, repr(fault))
        finally:
            self._store.undo()

    def _is_image(self, bit: int) -> bool:
        return bit >= 8 * sum(size for _, size in self._records)

    def _spot(self, bit: int) -> bool:
        """Is everything tried with this bit?"""
        if self._is_image(bit):
            return bit % 1021 == 0
        return bit % 8 == bit // 8 % 8

    def _judge_image(self) -> Verdict:
        slots = self._ready
        slots.rotten = 0
        for _ in slots.check(Hashing):
            pass
        if not slots.rotten:
            raise Bad(CORRUPT, "another image runs")
        return Verdict(REFUSED, "image")

    def _judge(self, spot: bool) -> Verdict:
        before = self._store.writes
        records, slots = self._boot()
        Identity(records.read(ids.RECORD_IDENTITY))
        rotten = self._read(records, dict(self._values))
        for _ in slots.check(Hashing):
            pass
        if slots.running() != self._slot:
            raise Bad(ROLLED_BACK, f"slot {slots.running()} boots")
        if not slots.rotten and self._content() != self._image:
            raise Bad(CORRUPT, "another image runs")
        if spot or rotten or self._store.writes > before:
            self._go_on(records, rotten)
        if slots.rotten:
            self._update()
        detected = [f"record {number:#06x}" for number in rotten]
        detected += ["image"] * bool(slots.rotten)
        return Verdict(REFUSED if detected else RECOVERED, ", ".join(detected))

    def _read(self, records: Records, values: dict[int, bytes | None]) -> list[int]:
        """Every value is what it was, or refused; the numbers of those."""
        rotten = []
        if set(records.numbers()) - set(values):
            raise Bad(ROLLED_BACK, "a value that was deleted is back")
        for number, value in values.items():
            try:
                found = records.read(number)
            except Rotten:
                rotten.append(number)
                continue
            if found != value:
                raise Bad(CORRUPT, f"record {number:#06x} has another value")
        return rotten

    def _go_on(self, records: Records, rotten: list[int]) -> None:
        """The next commit stores what it says, and heals what is written anew."""
        changes: dict[int, bytes | None] = dict.fromkeys(rotten, NEXT_VALUE)
        changes[ids.RECORD_COUNTER] = NEXT_VALUE
        records.commit(changes)
        again, _ = self._boot()
        if self._read(again, {**self._values, **changes}):
            raise Bad(BRICKED, "what was written anew is still refused")

    def _update(self) -> None:
        """The next honest update goes into the other slot, or into the only one, and is confirmed
        there."""
        _, slots = self._boot()
        digest = sha256(NEXT_IMAGE).digest()
        if isinstance(slots, Regions):
            slots.choose(NEXT_PARTS, NEXT_NUMBER, digest)
        try:
            for _ in slots.begin(Installed(NEXT_NUMBER, len(NEXT_IMAGE), digest, slots.release())):
                pass
            slots.write(0, NEXT_IMAGE)
            for _ in slots.finish(Hashing):
                pass
            slots.start_trial()
        except Refusal as refusal:
            raise Bad(BRICKED, f"no update any more: {refusal!r}") from refusal
        _, slots = self._boot()
        slots.confirm()
        for _ in slots.check(Hashing):
            pass
        if slots.rotten or slots.running() == self._slot:
            raise Bad(BRICKED, "the next update does not boot")
