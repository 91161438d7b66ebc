"""Delegations: which ranges of image numbers a Targets file leaves to whom, and their bytes.

They stand by priority in the Targets of the Image repository, top-level or delegated. The models
read back exactly what they write and hold what docs/pouf.cddl cannot say: order, and thresholds
that can be met. Nothing is searched here: see `lookup`.
Rules: V-15, V-16, V-17, T-20, T-25, T-26, T-27, R-36, E-42.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from muptane.oem.fields import U32, Strict, ascending
from muptane.oem.keys import Holders, Key
from uptane import ids, limits

RoleNumber = Annotated[int, Field(ge=ids.DELEGATED_FIRST, le=ids.DELEGATED_LAST)]
Range = tuple[U32, U32]


class Delegate(Strict):
    """One role of a delegation: its number, and `threshold` of `keys`."""

    number: RoleNumber
    threshold: int
    keys: Annotated[tuple[Key, ...], Field(min_length=1, max_length=limits.KEYS_MAX)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 1 <= self.threshold <= len(set(self.keys)) == len(self.keys):
            raise ValueError(f"role {self.number}: {self.threshold} of {len(set(self.keys))} keys")
        return self

    @classmethod
    def of(cls, number: int, holders: Holders) -> "Delegate":
        return cls(number=number, threshold=holders.threshold, keys=holders.keys)

    def as_list(self) -> list[object]:
        return [self.number, self.threshold, sorted(key.kid for key in self.keys)]


class Delegation(Strict):
    """Images of `ranges` ((first, last), ...; ascending and apart), for `hardware` (None: all),
    are left to `roles` by priority; of several, `agreement` have to say the same. A `terminating`
    one ends a search that finds nothing in it."""

    ranges: Annotated[tuple[Range, ...], Field(min_length=1, max_length=limits.RANGES_MAX)]
    roles: Annotated[
        tuple[Delegate, ...], Field(min_length=1, max_length=limits.DELEGATED_ROLES_MAX)
    ]
    hardware: Annotated[tuple[U32, ...], Field(min_length=1)] | None = None
    terminating: bool = False
    agreement: int | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        bounds = [bound for first, last in self.ranges for bound in (2 * first, 2 * last + 1)]
        if not ascending(bounds):
            raise ValueError("ranges ascend and do not meet")
        if self.hardware is not None and not ascending(self.hardware):
            raise ValueError("hardware ids ascend, each once")
        if len(set(self.numbers())) != len(self.roles):
            raise ValueError("a role is named twice")
        if (self.agreement is None) != (len(self.roles) == 1):
            raise ValueError("several roles, and only they, say how many have to agree")
        if self.agreement is not None and not 1 <= self.agreement <= len(self.roles):
            raise ValueError(f"{self.agreement} of {len(self.roles)} roles cannot agree")
        return self

    def numbers(self) -> list[int]:
        """The numbers of its roles."""
        return [role.number for role in self.roles]

    def covers(self, number: int, hardware: Iterable[int]) -> bool:
        """Whether it is about this image on all of this hardware (V-76.4.1)."""
        allowed = self.hardware is None or set(hardware) <= set(self.hardware)
        return allowed and any(first <= number <= last for first, last in self.ranges)

    def as_map(self) -> dict[int, object]:
        made: dict[int, object] = {
            ids.DELEGATION_RANGES: self.ranges,
            ids.DELEGATION_ROLES: [role.as_list() for role in self.roles],
        }
        if self.hardware is not None:
            made[ids.DELEGATION_HARDWARE] = self.hardware
        if self.terminating:
            made[ids.DELEGATION_TERMINATING] = True
        if self.agreement is not None:
            made[ids.DELEGATION_AGREEMENT] = self.agreement
        return made

    @classmethod
    def from_map(cls, found: dict[int, Any], by_kid: dict[bytes, Key]) -> "Delegation":
        hardware = found.get(ids.DELEGATION_HARDWARE)
        return cls(
            ranges=tuple((first, last) for first, last in found[ids.DELEGATION_RANGES]),
            roles=tuple(
                Delegate(number=number, threshold=threshold, keys=_keys(kids, by_kid))
                for number, threshold, kids in found[ids.DELEGATION_ROLES]
            ),
            hardware=None if hardware is None else tuple(hardware),
            terminating=found.get(ids.DELEGATION_TERMINATING, False),
            agreement=found.get(ids.DELEGATION_AGREEMENT),
        )


Delegations = Annotated[tuple[Delegation, ...], Field(max_length=limits.DELEGATIONS_MAX)]


def write_delegations(delegations: Sequence[Delegation]) -> list[object]:
    """[keys, delegations] as they stand in a payload; every key once, by ascending kid."""
    known = {key for made in delegations for role in made.roles for key in role.keys}
    keys = sorted(known, key=lambda key: key.kid)
    return [[key.cose_key for key in keys], [made.as_map() for made in delegations]]


def read_delegations(found: Any) -> tuple[Delegation, ...]:
    """The reverse; whoever calls compares what it writes again."""
    cose_keys, listed = found
    by_kid = {key.kid: key for key in (Key.from_cose(cose_key) for cose_key in cose_keys)}
    return tuple(Delegation.from_map(made, by_kid) for made in listed)


def _keys(kids: Iterable[bytes], by_kid: dict[bytes, Key]) -> tuple[Key, ...]:
    return tuple(by_kid[kid] for kid in kids)
