"""Two implementations of the records on one part, and a dictionary beside them.

The device's and the one of `muptane.bench.records`, written by docs/flash.md: whatever is
committed, they leave the same bytes; whatever a cut or rot leaves, they read the same of it, and
mending it they write the same again. On the geometries of four real parts.
The seed is fixed: the same run every time, so the command of a failure plays it again.
Rules: E-79, E-87, T-17.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from test_store_model import GEOMETRIES, Changes, Store

from muptane.bench.records import BankFull, Part, Records
from uptane.errors import Rotten


class Twice(Store):
    """The machine of test_store_model, with the host's records beside the device's."""

    def mount(self) -> None:
        """Both mend what lies there, each a copy of its own."""
        self.nor.power_on()
        note(f"play it again: pytest tests/host/test_store_twice.py -k {self.name}")
        self.host = Records(Part(self.cells(), self.block_bytes, self.unit))
        self.host.mount()
        super().mount()

    def cells(self) -> bytearray:
        image = bytearray(self.block_bytes * self.blocks)
        self.nor.peek(0, image)
        return image

    def stored(self, changes: Changes) -> None:
        self.host.commit(changes)

    def full(self, changes: Changes) -> None:
        with pytest.raises(BankFull):
            self.host.commit(changes)

    @invariant()
    def both_say_the_same(self) -> None:
        assert self.records.numbers() == self.host.numbers()
        for number in (*range(1, 16), *self.host.numbers()):
            assert said(self.records, number) == said(self.host, number), hex(number)

    @invariant()
    def both_leave_the_same_bytes(self) -> None:
        assert self.host.part.flash == self.cells()


def said(records: Any, number: int) -> bytes | str | None:
    try:
        found: bytes | None = records.read(number)
    except Rotten:
        return "rotten"
    return found


@pytest.mark.parametrize("name", GEOMETRIES)
def test_two_implementations_agree(name: str) -> None:
    """E-79, E-87, T-17: byte for byte, through commits, cuts and rot."""
    machine = type(name, (Twice,), {"name": name})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
