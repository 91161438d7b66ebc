"""An ECU of two slots or of regions, an update that goes on from wherever it stopped, and a judge.

`install` is the whole way from the first erase to the confirm, and stops at every step: whoever
drives it may leave it there, as a reset does. It begins with an image confirmed in the first slot
and another one staged in the second, which nobody wants any more. `made` is the way of a delta,
which keeps a checkpoint. `judge` raises Bad where the slots broke their word.
It plays no fault: scripts.guarding.slots does.
Rules: E-79, E-78, T-21.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from boards.unix.nor import Geometry, Nor
from muptane.bench.faults.judge import BRICKED, CORRUPT, ROLLED_BACK, Bad
from scripts.guarding.guards import Store
from uptane.errors import FlashFault, Refusal
from uptane.ids import (
    RECORD_BOOT,
    RECORD_CHECKPOINT,
    RECORD_TIME,
    REGION_APPLICATION,
    REGION_CALIBRATION,
)
from uptane.limits import TRIAL_BOOTS_MAX

BLOCK, UNIT, PAGE = 512, 8, 64
RECORD_BLOCKS, SLOT_BLOCKS = 4, 3
SLOT_A, SLOT_B = RECORD_BLOCKS * BLOCK, (RECORD_BLOCKS + SLOT_BLOCKS) * BLOCK
DATA_BLOCKS = 2
DATA_A = SLOT_B + SLOT_BLOCKS * BLOCK
DATA_B = DATA_A + DATA_BLOCKS * BLOCK
END = DATA_B + DATA_BLOCKS * BLOCK
CODE_BYTES = 768  # of an image of an ECU with regions; what follows are data
PIECE = 150
ALSO = b"noon"  # is stored in the commit that confirms

OLD = b"old image" * 120
STALE = bytes(i * 11 & 0x7F for i in range(1500))
NEW = bytes(i * 7 & 0xFF for i in range(1101))
IMAGES = {1: OLD, 2: STALE, 3: NEW}  # number, which is the release counter as well
NUMBER = 3


class Suite:
    sha256 = staticmethod(sha256)


class Ecu:
    """A part with that content, and what a reset makes of it."""

    def __init__(self, store: Store, content: bytes = b"") -> None:
        self.store = store
        self.cells = io.BytesIO(content)
        self.nor = Nor(
            self.cells, Geometry([(0, BLOCK, END // BLOCK, 900)], UNIT, 10, PAGE), _free
        )
        self.start()

    def start(self) -> None:
        """A reset."""
        area = self.store.area
        self.records = self.store.records(area(self.nor, 0, BLOCK, RECORD_BLOCKS, UNIT))
        self.records.mount()
        self.slots = self.made_slots()

    def made_slots(self) -> Any:
        return self.store.slots(self.places(SLOT_A, SLOT_B, SLOT_BLOCKS), self.records)

    def places(self, first: int, second: int, blocks: int) -> list[Any]:
        """The two areas that lie there."""
        return [self.store.area(self.nor, at, BLOCK, blocks, UNIT) for at in (first, second)]

    def choose(self, number: int) -> None:
        """Say which image comes."""

    def where(self, slot: int, at: int) -> int:
        """The address of that byte of an image in a slot."""
        return (SLOT_A, SLOT_B)[slot] + at

    def provision(self) -> None:
        """OLD runs, confirmed."""
        self.slots.areas[0].program(0, OLD + b"\xff" * (-len(OLD) % UNIT))
        self.slots.provision(1, len(OLD), sha256(OLD).digest(), 1)

    def boot(self) -> tuple[int | None, bool]:
        """A reset up to the moment at which the image would be started."""
        self.start()
        chosen: tuple[int | None, bool] = self.slots.boot()
        for _ in self.slots.check(Suite):
            pass
        return chosen

    def image(self, number: int) -> Any:
        content = IMAGES[number]
        return self.store.installed(number, len(content), sha256(content).digest(), number)

    # --- the way of an update -------------------------------------------------------------------

    def fill(self, number: int) -> Iterator[None]:
        """Until that image is staged; Refusal."""
        self.choose(number)
        yield from self.slots.begin(self.image(number))
        yield from self._give(number)

    def make(self, number: int) -> Iterator[None]:
        """The same out of a delta: where its first block ends there is a checkpoint."""
        raw = self.records.read(RECORD_CHECKPOINT)
        known, made = struct.unpack("<II", raw) if raw else (0, 0)
        self.choose(number)
        yield from self.slots.begin(self.image(number), made if known == number else 0)
        if self.slots.resume_offset() < BLOCK:
            yield from self._give(number, BLOCK)
            self.records.commit({RECORD_CHECKPOINT: struct.pack("<II", number, BLOCK)})
            yield
        yield from self._give(number)

    def _give(self, number: int, stop: int = 0) -> Iterator[None]:
        content = IMAGES[number]
        at, end = self.slots.resume_offset(), stop or len(content)
        while at < end:
            piece = content[at : min(at + PIECE, end)]
            try:
                self.slots.write(at, piece)
            except FlashFault:
                self._insist(at, piece)
                raise
            at += len(piece)
            yield
        if not stop:
            yield from self.slots.finish(Suite)

    def _insist(self, at: int, piece: bytes) -> None:
        """Whoever sends repeats what was not taken, and hears that it has to begin again. Bad."""
        try:
            self.slots.write(at, piece)
        except Refusal:
            return
        raise Bad(CORRUPT, "programs again where a program failed")

    def install(self, delta: bool = False) -> Iterator[None]:
        """From wherever it is to the confirmed image NUMBER; Refusal."""
        slot, on_trial = self.boot()
        yield
        if not on_trial and slot == 0:
            waits = self.slots.staged()
            if waits is None or waits.number != NUMBER:
                yield from self.make(NUMBER) if delta else self.fill(NUMBER)
            self.slots.start_trial()
            yield
            slot, on_trial = self.boot()
            yield
        if on_trial:
            self.slots.confirm({RECORD_TIME: ALSO})
            yield

    # --- judging --------------------------------------------------------------------------------

    def judge(self, may_rot: bool = False) -> None:
        """Something of the maker boots, or is refused if it may; nothing fell, and nothing is
        believed that is not there. Bad."""
        slot, on_trial = self.boot()
        installed = self.slots.installed()
        if slot is None or installed is None:
            raise Bad(BRICKED, "there is no image any more")
        if self.slots.rotten:
            if not may_rot:
                raise Bad(BRICKED, f"image {installed.number} does not start")
        elif not self._holds(slot, installed.number):
            raise Bad(CORRUPT, f"starts as image {installed.number} what is another")
        elif installed.number not in (1, NUMBER):
            raise Bad(ROLLED_BACK, "starts an image that nobody wanted any more")
        state = self.store.state(self.records.read(RECORD_BOOT))
        if self.slots.release() != state.confirmed.release:
            raise Bad(ROLLED_BACK, "the release counter is not that of the confirmed image")
        also = self.records.read(RECORD_TIME)
        if also != (ALSO if state.confirmed.number == NUMBER else None):
            raise Bad(ROLLED_BACK, "confirmed, or not, without what belongs to it")
        if on_trial and not state.boots:
            raise Bad(BRICKED, "a trial that is not counted")
        waits = self.slots.staged()
        if waits is not None and not may_rot and not self._holds(state.spare(), waits.number):
            raise Bad(CORRUPT, f"image {waits.number} is staged and is not there")

    def _holds(self, slot: int, number: int) -> bool:
        content = IMAGES[number]
        held = bytearray(len(content))
        for at in range(len(content)):
            self.nor.peek(self.where(slot, at), memoryview(held)[at : at + 1])
        return held == content

    def ends(self, delta: bool = False, tries: int = 1) -> None:
        """The update goes on, with so many refusals on its way, and is there. A trial that could
        not be counted was not begun: it is at the next reset. Bad."""
        while True:
            try:
                for _ in self.install(delta):
                    pass
                tries -= 1
                if not tries or self.slots.installed().number == NUMBER:
                    break
            except Refusal as refusal:
                tries -= 1
                if not tries:
                    raise Bad(BRICKED, f"the update does not install: {refusal!r}") from refusal
        self.judge()
        if self.slots.installed().number != NUMBER or self.slots.release() != NUMBER:
            raise Bad(BRICKED, "the update is not there")

    def crashes(self) -> None:
        """What is on trial never comes up: in the end the confirmed image is back. Bad."""
        for _ in range(TRIAL_BOOTS_MAX + 1):
            chosen = self.boot()
        if chosen != (0, False):
            raise Bad(BRICKED, "a trial that crashes goes on for ever")


class ZonedEcu(Ecu):
    """It has a calibration beside its application; every image brings both."""

    def made_slots(self) -> Any:
        data = (REGION_CALIBRATION, *self.places(DATA_A, DATA_B, DATA_BLOCKS))
        return self.store.regions(self.places(SLOT_A, SLOT_B, SLOT_BLOCKS), [data], self.records)

    def choose(self, number: int) -> None:
        parts = [(region, len(part)) for region, part in _parts(number)]
        self.slots.choose(parts, number, sha256(IMAGES[number]).digest())

    def where(self, slot: int, at: int) -> int:
        if at < CODE_BYTES:
            return super().where(slot, at)
        return (DATA_A, DATA_B)[slot] + at - CODE_BYTES

    def provision(self) -> None:
        areas = dict(zip((SLOT_A, DATA_A), _parts(1), strict=True))
        for address, (_, part) in areas.items():
            self.nor.poke(address, part)
        held = [(region, len(part), sha256(part).digest()) for region, part in _parts(1)]
        self.slots.furnish(held, 1, len(OLD), sha256(OLD).digest(), 1)


def _parts(number: int) -> list[tuple[int, bytes]]:
    """(region, bytes) of an image."""
    content = IMAGES[number]
    return [
        (REGION_APPLICATION, content[:CODE_BYTES]),
        (REGION_CALIBRATION, content[CODE_BYTES:]),
    ]


def _free(us: int) -> None:
    pass


def provisioned(store: Store) -> Ecu:
    """OLD is confirmed and runs; STALE is staged."""
    ecu = ZonedEcu(store) if store.zoned else Ecu(store)
    ecu.provision()
    ecu.boot()
    for _ in ecu.fill(2):
        pass
    return copied(ecu)


def copied(ecu: Ecu) -> Ecu:
    """Another ECU with the same cells, after its reset."""
    return type(ecu)(ecu.store, ecu.cells.getvalue())
