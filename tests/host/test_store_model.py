"""Records against a plain dictionary, on the geometries of four real parts.

Hypothesis commits, deletes, reads, resets, cuts the power in strokes that tear, and flips stored
bits. After a cut the dictionary is the older one or the newer one; a flipped bit never shows an
older value: it costs nothing, or the number is refused until it is written again.
The seed is fixed: the same run every time, so the command of a failure plays it again.
Rules: E-79, E-87, T-17.
"""

import io
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from boards.unix.nor import TEARS, Geometry, Nor, PowerCut
from uptane.errors import NoSpace, Rotten
from uptane.store.area import Area
from uptane.store.records import Records

# name: erase block bytes, blocks, program unit, most that one stroke programs
GEOMETRIES = {
    "stm32f4": (16384, 2, 4, 4),
    "stm32h7": (131072, 2, 32, 32),
    "rp2040": (4096, 8, 256, 256),
    "spi_nor": (4096, 5, 1, 256),
}
NUMBERS = [1, 4, 5, 0x100, 0x103, 0x200, 0x203]

Values = dict[int, bytes]
Changes = dict[int, bytes | None]

lengths = st.sampled_from([0, 1, 3, 4, 11, 12, 16, 31, 200, 255, 256, 257, 1000, 2000])
new_values = st.builds(
    lambda n, fill: bytes([fill]) * n, lengths, st.sampled_from([0, 1, 90, 255])
)
commits = st.dictionaries(st.sampled_from(NUMBERS), st.none() | new_values, max_size=4)


class Store(RuleBasedStateMachine):
    """`self.values` is the model; `self.refused` the numbers that rot may have made unreadable."""

    name = ""

    def __init__(self) -> None:
        super().__init__()
        note(f"play it again: pytest tests/host/test_store_model.py -k {self.name}")
        self.block_bytes, self.blocks, unit, page = GEOMETRIES[self.name]
        self.unit = unit
        regions = [(0, self.block_bytes, self.blocks, 1000)]
        self.nor = Nor(io.BytesIO(), Geometry(regions, unit, 10, page), lambda us: None)
        self.values: Values = {}
        self.refused: set[int] = set()
        self.mount()

    def fresh(self) -> Records:
        self.nor.power_on()
        return Records(Area(self.nor, 0, self.block_bytes, self.blocks, self.unit))

    def mount(self) -> None:
        """What a reset does."""
        self.records = self.fresh()
        self.records.mount()

    def stored(self, changes: Changes) -> None:
        """For another machine that follows this one: that was committed."""

    def full(self, changes: Changes) -> None:
        """... or found no room."""

    def apply(self, changes: Changes) -> None:
        self.values.update({n: v for n, v in changes.items() if v is not None})
        for number, value in changes.items():
            self.refused.discard(number)
            if value is None:
                self.values.pop(number, None)

    @rule(changes=commits)
    def commit(self, changes: Changes) -> None:
        try:
            self.records.commit(changes)
        except NoSpace:
            self.full(changes)
            return
        self.apply(changes)
        self.stored(changes)

    @rule(
        changes=commits,
        stroke=st.integers(0, 300),
        tear=st.integers(0, TEARS - 1),
        again=st.none() | st.integers(0, 40),
    )
    def commit_and_cut(self, changes: Changes, stroke: int, tear: int, again: int | None) -> None:
        old = dict(self.values)
        self.nor.cut_after(stroke, tear, stroke)
        try:
            self.commit(changes)
            self.nor.power_on()
            return
        except PowerCut:
            pass
        if again is not None:
            self.records = self.fresh()
            self.nor.cut_after(again, TEARS - 1 - tear, stroke)
            try:
                self.records.mount()
            except PowerCut:
                pass
        self.mount()
        if self.found() != self.readable(old):
            self.apply(changes)
            assert self.found() == self.readable(self.values)

    @rule()
    def reset(self) -> None:
        self.mount()

    @rule(place=st.integers(0, 999), spread=st.integers(0, 40), bit=st.integers(0, 7))
    def rot_one_bit_and_reset(self, place: int, spread: int, bit: int) -> None:
        """Anywhere where something was written, or just behind; the mount that finds it heals
        whatever lives twice."""
        image = bytearray(self.nor.geometry.end)
        self.nor.peek(0, image)
        written = [match.start() for match in re.finditer(b"[^\xff]", image)]
        if written:
            at = min(written[place * len(written) // 1000] + spread, len(image) - 1)
            self.nor.poke(at, bytes([image[at] ^ 1 << bit]))
        self.reset()
        for number in self.values:
            try:
                self.records.read(number)
            except Rotten:
                assert number >= 0x100 and number & 0xFF
                self.refused.add(number)

    def readable(self, values: Values) -> Values:
        return {n: v for n, v in values.items() if n not in self.refused}

    def found(self) -> Values:
        found: Values = {}
        for number in self.records.numbers():
            try:
                value = self.records.read(number)
            except Rotten:
                assert number in self.refused
                continue
            assert value is not None
            if number not in self.refused:
                found[number] = value
        return found

    @invariant()
    def reads_like_the_dictionary(self) -> None:
        assert self.found() == self.readable(self.values)
        assert set(self.records.numbers()) == set(self.values)
        for number in NUMBERS:
            if number not in self.values:
                assert self.records.read(number) is None


@pytest.mark.parametrize("name", GEOMETRIES)
def test_records_behave_like_a_dictionary(name: str) -> None:
    machine: Any = type(f"Store_{name}", (Store,), {"name": name})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
