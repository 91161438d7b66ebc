"""What an attack is: its name in the literature, the rules it tests, and the verdict it expects.

An attack file makes one `Attack` and a function that plays it. Attacks that succeed by design are
here too and mark the edge of the promise. Documents, command line and demo are made from these
objects. Rules: V-36.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from uptane.errors import Refusal

INSTALLS = "installs"


@dataclass(frozen=True)
class Attack:
    """`aim`, `power` (what the attacker needs) and `limit` (what a success by design means) are
    sentences; `expected` maps "full" and "partial" to a refusal class or to INSTALLS."""

    name: str
    ids: tuple[str, ...]
    aim: str
    power: str
    limit: str
    expected: Mapping[str, type[Refusal] | str]

    def verdict(self, verification: str) -> int | str:
        """The number of the expected refusal, or INSTALLS."""
        expected = self.expected[verification]
        return expected if isinstance(expected, str) else expected.number


@dataclass(frozen=True)
class Outcome:
    """One attack played against one ECU; `observed` as `Attack.verdict`."""

    name: str
    ecu: str
    verification: str
    expected: int | str
    observed: int | str

    @property
    def ok(self) -> bool:
        return self.observed == self.expected
