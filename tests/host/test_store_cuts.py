"""The power goes in every stroke of a commit, of a move and of an install, torn in eight ways.

After each cut: the older values or all of the new ones, never a mixture and never a refusal, and
the next commit works. A failure prints the command that plays it again. Rules: E-79, E-87, T-17.
"""

import hashlib
import io
import sys
from collections.abc import Callable

import pytest

from boards.unix.nor import TEARS, Geometry, Nor, PowerCut
from uptane.store.area import Area
from uptane.store.boot import Installed, State
from uptane.store.records import Records
from uptane.store.slots import Slots

# name: erase block bytes, blocks for the records, program unit, most that one stroke programs
GEOMETRIES = {
    "stm32f4": (16384, 2, 4, 4),
    "stm32h7": (131072, 2, 32, 32),
    "rp2040": (4096, 4, 256, 256),
    "spi_nor": (4096, 3, 1, 256),
}
REPLAY = "PYTHONPATH=firmware:host:. python tests/host/test_store_cuts.py"

Values = dict[int, bytes]
Changes = dict[int, bytes | None]

BEFORE: Changes = {1: b"identity", 2: b"boot", 0x100: b"root 1" * 9, 0x103: b"targets 1" * 30}


class Part:
    """A flash whose content can be put back, and the records on it."""

    def __init__(self, name: str, image: bytes = b"") -> None:
        self.block_bytes, self.blocks, self.unit, page = GEOMETRIES[name]
        self.store = io.BytesIO(image)
        regions = [(0, self.block_bytes, self.blocks, 1000)]
        self.nor = Nor(self.store, Geometry(regions, self.unit, 10, page), lambda us: None)
        self.records = self.mount()

    def mount(self) -> Records:
        self.nor.power_on()
        records = Records(Area(self.nor, 0, self.block_bytes, self.blocks, self.unit))
        records.mount()
        return records

    def image(self) -> bytes:
        return self.store.getvalue()


def values(records: Records) -> Values:
    found = {number: records.read(number) for number in records.numbers()}
    return {number: value for number, value in found.items() if value is not None}


def nearly_full(name: str) -> Part:
    """The next commit has to move house."""
    part = Part(name)
    part.records.commit(BEFORE)
    moved = list(part.nor.erased)
    while True:
        image = part.image()
        part.records.commit({0x102: b"filler" * (part.block_bytes // 60)})
        if part.nor.erased != moved:
            return Part(name, image)


def fresh(name: str) -> Part:
    part = Part(name)
    part.records.commit(BEFORE)
    return part


SCENARIOS: dict[str, tuple[Callable[[str], Part], Changes]] = {
    "first": (Part, {1: b"identity", 0x100: b"root"}),
    "one": (fresh, {2: b"boot, changed"}),
    "several": (
        fresh,
        {2: b"b", 3: b"\1\0\0\0", 0x100: b"root 2" * 5, 0x103: None, 0x102: b"s" * 99},
    ),
    "move": (nearly_full, {2: b"moved", 0x102: b"filler" * 4, 0x103: b"targets 2" * 20}),
}


def play(name: str, scenario: str, image: bytes, stroke: int, tear: int) -> bool:
    """Cut in that stroke; False if the commit has fewer."""
    changes = SCENARIOS[scenario][1]
    part = Part(name, image)
    old = values(part.records)
    new = {n: v for n, v in {**old, **changes}.items() if v is not None}
    part.nor.cut_after(stroke, tear, stroke * TEARS + tear)
    try:
        part.records.commit(changes)
        assert stroke > 0 and values(part.records) == new
        return False
    except PowerCut:
        pass
    part.nor.power_on()
    part.nor.cut_after(stroke % 5, 7 - tear, stroke)  # and once more while it recovers
    try:
        Records(Area(part.nor, 0, part.block_bytes, part.blocks, part.unit)).mount()
    except PowerCut:
        pass
    records = part.mount()
    found = values(records)
    assert found in (old, new), "a mixture"
    assert values(part.mount()) == found, "a second reset sees something else"
    records = part.mount()
    records.commit({4: b"next"})
    assert values(records) == {**found, 4: b"next"}
    assert values(part.mount()) == {**found, 4: b"next"}
    return True


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_cut_in_any_stroke_of_a_commit_leaves_old_or_new(name: str, scenario: str) -> None:
    image = SCENARIOS[scenario][0](name).image()
    for tear in range(TEARS):
        stroke = 0
        try:
            while play(name, scenario, image, stroke, tear):
                stroke += 1
        finally:
            print(f"play it again: {REPLAY} {name} {scenario} {stroke} {tear}")
        assert stroke >= 3


# --- installing ---------------------------------------------------------------------------------

BLOCK = 1024
OLD = b"old image" * 100
NEW = bytes(i * 7 & 0xFF for i in range(2100))  # 66 program units in three erase blocks


class Suite:
    sha256 = staticmethod(hashlib.sha256)


class Ecu:
    """Four blocks of records, two slots of three blocks; a program unit of 32 bytes."""

    def __init__(self, image: bytes = b"") -> None:
        self.store = io.BytesIO(image)
        self.nor = Nor(self.store, Geometry([(0, BLOCK, 10, 1000)], 32, 10), lambda us: None)
        self.start()

    def start(self) -> None:
        self.nor.power_on()
        self.records = Records(Area(self.nor, 0, BLOCK, 4, 32))
        self.records.mount()
        self.slots = Slots(
            [Area(self.nor, at * BLOCK, BLOCK, 3, 32) for at in (4, 7)], self.records
        )

    def install(self) -> None:
        slots = self.slots
        if slots.staged() is None:
            list(slots.begin(Installed(2, len(NEW), hashlib.sha256(NEW).digest(), 2)))
            for at in range(slots.resume_offset(), len(NEW), 200):
                slots.write(at, NEW[at : at + 200])
            list(slots.finish(Suite))
        slots.start_trial()

    def trial(self) -> None:
        """Reset and, if something is on trial, confirm it."""
        self.start()
        if self.slots.boot()[1]:
            self.slots.confirm()


def provisioned() -> bytes:
    ecu = Ecu()
    ecu.slots.areas[0].program(0, OLD + b"\xff" * (-len(OLD) % 32))
    ecu.slots.provision(1, len(OLD), hashlib.sha256(OLD).digest(), 1)
    return ecu.store.getvalue()


def play_install(image: bytes, stroke: int, tear: int) -> bool:
    ecu = Ecu(image)
    assert ecu.slots.boot() == (0, False)
    ecu.nor.cut_after(stroke, tear, stroke * TEARS + tear)
    try:
        ecu.install()
        ecu.trial()
        return False
    except PowerCut:
        ecu.start()
    slot, on_trial = ecu.slots.boot()
    expected = NEW if slot else OLD
    assert slot is not None and ecu.slots.areas[slot].read(0, len(expected)) == expected
    state = State(ecu.records.read(2))
    assert ecu.slots.release() == (2 if state.slot == 1 else 1)
    assert not on_trial or (state.slot, state.boots >= 1) == (0, True)
    if on_trial:
        ecu.slots.confirm()
    elif slot == 0:
        ecu.install()
        ecu.trial()
    ecu.start()
    assert ecu.slots.boot() == (1, False) and ecu.slots.release() == 2
    assert ecu.slots.areas[1].read(0, len(NEW)) == NEW
    return True


def test_a_cut_in_any_stroke_of_an_install_leaves_an_ecu_that_boots_and_can_be_updated() -> None:
    """E-79, T-21."""
    image = provisioned()
    for tear in range(TEARS):
        stroke = 0
        try:
            while play_install(image, stroke, tear):
                stroke += 1
        finally:
            print(f"play it again: {REPLAY} install {stroke} {tear}")
        assert stroke > 64


if __name__ == "__main__":
    where, at, how = sys.argv[1:-2], int(sys.argv[-2]), int(sys.argv[-1])
    if where == ["install"]:
        play_install(provisioned(), at, how)
    else:
        play(where[0], where[1], SCENARIOS[where[1]][0](where[0]).image(), at, how)
