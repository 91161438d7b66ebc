"""The Roots of one repository and the keys behind them: who may sign, and who signs now.

An Authority never changes: rotating keys makes a new one with one Root more, which takes the
old one's place when that Root is safely stored. A Root is signed by a threshold of the Root
keys before and after it. It keeps nothing: the repository stores `roots`.
Rules: V-08, V-71, R-37, R-38, R-39, R-63, T-10, E-40.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from muptane.oem.check import verify_next_root, verify_role, verify_root_1
from muptane.oem.envelopes import Context
from muptane.oem.errors import BadKey, NoSigner
from muptane.oem.keys import Holders, Key, Signer
from muptane.oem.metadata import Role, Root, sign_by, sign_role
from uptane import ids

DAY_S = 86400
YEAR_S = 365 * DAY_S

# How long a file is valid, seconds (R-38: the Director is online, the Image repository is not).
DIRECTOR_LIFETIMES_S: Mapping[int, int] = MappingProxyType(
    {ids.ROOT: YEAR_S, ids.TARGETS: DAY_S, ids.SNAPSHOT: DAY_S, ids.TIMESTAMP: DAY_S}
)
IMAGE_LIFETIMES_S: Mapping[int, int] = MappingProxyType(
    {ids.ROOT: YEAR_S, ids.TARGETS: 90 * DAY_S, ids.SNAPSHOT: 7 * DAY_S, ids.TIMESTAMP: DAY_S}
)


@dataclass(frozen=True)
class Authority:
    """`roots`: every Root file, Root 1 first. `root`: the newest. `holders`: role -> Holders.
    `identity`: SHA-256 of the payload of Root 1. `lifetimes_s`: role -> seconds."""

    roots: tuple[bytes, ...]
    root: Root
    holders: Mapping[int, Holders]
    identity: bytes
    lifetimes_s: Mapping[int, int]

    @classmethod
    def found(
        cls, holders: Mapping[int, Holders], now: int, lifetimes_s: Mapping[int, int]
    ) -> "Authority":
        """A new repository. Refuses with NoSigner, and BadKey when two roles share a key."""
        _check_unique(holders)
        root = Root.of(1, now + lifetimes_s[ids.ROOT], holders)
        identity = root.identity()
        raw = sign_role(root, holders[ids.ROOT], identity)
        return cls((raw,), root, dict(holders), identity, lifetimes_s)

    @classmethod
    def reopen(
        cls, roots: Sequence[bytes], signers: Iterable[Signer], lifetimes_s: Mapping[int, int]
    ) -> "Authority":
        """The repository that `roots` (Root 1 first) describe, each verified after the other.

        `signers`: whatever private keys are at hand; each goes where the Root names it.
        """
        root = verify_root_1(roots[0])
        identity = root.identity()
        for raw in roots[1:]:
            root = verify_next_root(raw, root, identity)
        at_hand = {signer.key: signer for signer in signers}
        holders = {role: _holders(root, role, at_hand) for role in root.roles}
        return cls(tuple(roots), root, holders, identity, lifetimes_s)

    def rotated(self, changes: Mapping[int, Holders], now: int) -> "Authority":
        """The Authority after one more Root, in which `changes` (role -> Holders) hold.

        No changes: the same keys for another lifetime.
        """
        holders = {**self.holders, **changes}
        _check_unique(holders)
        root = Root.of(self.root.version + 1, now + self.lifetimes_s[ids.ROOT], holders)
        before, after = self.holders[ids.ROOT].ready(), holders[ids.ROOT].ready()
        signers = {signer.key: signer for signer in (*before, *after)}
        raw = sign_by(root, tuple(signers.values()), self.identity)
        return Authority((*self.roots, raw), root, holders, self.identity, self.lifetimes_s)

    def sign(self, role: Role) -> bytes:
        """The file of a role other than Root, by the signers at hand."""
        return sign_role(role, self.holders[role.type], self.identity)

    def verify(self, raw: bytes, role: int) -> Role:
        """A file of one of the other top-level roles, by the keys of the newest Root."""
        holders = self.holders[role]
        context = Context(role, self.identity, role)
        return verify_role(raw, holders.keys, holders.threshold, context)

    def expiry(self, role: int, now: int) -> int:
        return now + self.lifetimes_s[role]

    def read_root(self, version: int) -> bytes | None:
        """The Root file of `version`, 0 for the newest."""
        if version == 0:
            return self.roots[-1]
        return self.roots[version - 1] if 1 <= version <= len(self.roots) else None


def _holders(root: Root, role: int, at_hand: Mapping[Key, Signer]) -> Holders:
    public = root.holders(role)
    signers = tuple(at_hand[key] for key in public.keys if key in at_hand)
    return Holders(public.threshold, public.keys, signers)


def _check_unique(holders: Mapping[int, Holders]) -> None:
    """A key of two roles could be stolen for the one and used for the other (R-37)."""
    keys = [key for held in holders.values() for key in held.keys]
    if len(set(keys)) != len(keys):
        raise BadKey("the same key holds two roles")
    strangers = [held for held in holders.values() if not _own(held)]
    if strangers:
        raise NoSigner("a signer at hand is not among the keys of its role")


def _own(held: Holders) -> bool:
    return all(signer.key in held.keys for signer in held.signers)
