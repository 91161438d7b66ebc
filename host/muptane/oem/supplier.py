"""A first-tier supplier: one delegated role of the Image repository, with keys of its own.

It signs which images there are within what the car maker left to it, and may leave a part of that
to others. It has no part in the repository's other roles: the maker takes what it signs, checks
it and publishes it. Dates of expiry are the maker's to set (R-36).
Rules: V-15, R-36, R-37.
"""

from collections.abc import Iterable, Mapping

from muptane.oem.authority import DAY_S
from muptane.oem.delegations import Delegate, Delegation
from muptane.oem.keys import Holders
from muptane.oem.metadata import sign_role
from muptane.oem.targets import Entry, Targets

LIFETIME_S = 90 * DAY_S


class Supplier:
    """Role `number`, whose keys `holders` has, in the repository of `identity`."""

    def __init__(
        self, number: int, holders: Holders, identity: bytes, lifetime_s: int = LIFETIME_S
    ) -> None:
        self.number = number
        self.holders = holders
        self.version = 0
        self._identity = identity
        self._lifetime_s = lifetime_s

    @property
    def delegate(self) -> Delegate:
        """What the maker puts into a delegation."""
        return Delegate.of(self.number, self.holders)

    def sign(
        self, images: Mapping[int, Entry], now: int, delegations: Iterable[Delegation] = ()
    ) -> bytes:
        """The next version of its file, to be handed to the maker."""
        return sign_role(self.draft(images, now, delegations), self.holders, self._identity)

    def draft(
        self, images: Mapping[int, Entry], now: int, delegations: Iterable[Delegation] = ()
    ) -> Targets:
        """The same, for others to sign: the keys need not be here."""
        self.version += 1
        return Targets(
            version=self.version,
            expires=now + self._lifetime_s,
            number=self.number,
            images=dict(images),
            delegations=tuple(delegations),
        )
