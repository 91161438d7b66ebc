"""Which file of the Image repository speaks for an image, and what it says of it.

The search goes down the delegations in the order of priority, asks for files as it comes to them,
verifies each by the keys of the file that named it, and makes it a candidate for the Commit. A
stored file is taken if the Snapshot names its version and it still passes. Depth, files and bytes
are bounded, and no file is searched twice for one image. It does NOT compare the repositories.
Rules: V-50, V-74, V-76, V-77, T-12, T-15, T-22, T-23, T-24, T-25, T-41, E-37, E-38, E-46,
E-56..E-59.
"""

from uptane.errors import (
    BelowThreshold,
    Refusal,
    Rollback,
    SameVersionDiffers,
    TooLong,
    VersionMismatch,
    Withheld,
)
from uptane.limits import SIGNATURES_MAX
from uptane.meta.policy import ABORTS, BEFORE_ITS_OWN

if False:  # for the type checker
    from typing import Any

    from errand import Cycle, Envelope, Keyholders, Signatures, Work
    from uptane.meta.delegation import Delegation, Delegations
    from uptane.meta.targets import Entry, Targets
    from uptane.meta.trusted import Trusted


class Search:
    """The search for one image below the top-level Targets. `seen`: roles searched already."""

    def __init__(self, wanted: "Entry", depth_max: int, visits_max: int) -> None:
        self.wanted = wanted
        self._depth_max = depth_max
        self._visits_max = visits_max
        self.seen: list[int] = []
        self.visits = 0
        self.is_over = False  # a terminating delegation yielded nothing

    def visit(self, role: int, depth: int) -> bool:
        """Is this role to be searched now? Refusal: TooLong beyond a bound (T-23, E-57)."""
        if role in self.seen:
            return False
        self.visits += 1
        if depth > self._depth_max or self.visits > self._visits_max:
            raise TooLong
        self.seen.append(role)
        return True


class Resolver:
    """Finds images in one cycle. `trusted` is the Image repository's, brought to its newest
    `targets`; `now` in seconds since 1970. Refusals: those of Delegations.
    """

    def __init__(self, trusted: "Trusted", targets: "Targets", now: int) -> None:
        self._trusted = trusted
        self._files = trusted.files
        self._codec = trusted.files.codec
        self._targets = targets
        self._delegations = self._open(targets)
        self._now = now
        self._bytes = 0
        self._verified: dict[int, list[Keyholders]] = {}  # in this cycle

    def find(self, wanted: "Entry") -> "Cycle[Entry | None]":
        """Return the Image repository's entry of the Director's `wanted`, or None (V-76).

        Refusals of an applicable delegated file (T-22), in the order of V-74: VersionMismatch,
        Withheld, TooLong, BelowThreshold, Rollback, SameVersionDiffers, Expired; those of
        Targets and of Delegations.
        """
        entry = self._targets.entry(wanted.number)
        if entry is None:
            _, depth_max, visits_max, _ = self._trusted.policy.t23_search
            search = Search(wanted, depth_max, visits_max)
            entry = yield from self._search(search, self._delegations, 1)
        return entry

    def _search(
        self, search: Search, delegations: "Delegations", depth: int
    ) -> "Cycle[Entry | None]":
        """Search the delegations of one file (V-76.4)."""
        for place in range(len(delegations)):
            delegation = delegations.at(place)
            if not delegation.covers(search.wanted):
                continue
            if len(delegation.roles) == 1:
                entry = yield from self._enter(search, delegation, 0, depth)
            else:
                entry = yield from self._agree(search, delegation, depth)
            if entry is not None:
                return entry
            if delegation.terminating:
                search.is_over = True
            if search.is_over:
                return None
        return None

    def _enter(
        self, search: Search, delegation: "Delegation", place: int, depth: int
    ) -> "Cycle[Entry | None]":
        """Look into the file of one of a delegation's roles and below it (V-76.1 to .3)."""
        role, keyholders = delegation.roles[place]
        if not search.visit(role, depth):
            return None
        policy = self._trusted.policy
        try:
            targets = yield from self._bring(role, keyholders)
            below = self._open(targets)
        except Refusal:
            if policy.t22_bad_delegation == ABORTS:
                raise
            return None
        entry = targets.entry(search.wanted.number)
        if entry is not None:
            return entry
        if delegation.terminating and policy.t24_terminating == BEFORE_ITS_OWN:
            return None
        return (yield from self._search(search, below, depth + 1))

    def _agree(
        self, search: Search, delegation: "Delegation", depth: int
    ) -> "Cycle[Entry | None]":
        """Ask each role for itself; return what enough of them say, and if that is more than one
        thing, what the earliest of those roles says (V-77).
        """
        said: list[Entry] = []
        seen = search.seen
        for place in range(len(delegation.roles)):
            search.seen = list(seen)
            entry = yield from self._enter(search, delegation, place, depth)
            search.is_over = False  # it was over for this role
            if entry is not None:
                said.append(entry)
        search.seen = seen
        for entry in said:
            alike = [other for other in said if entry.says_the_same(other)]
            if len(alike) >= delegation.agreement:
                return entry
        return None

    def _open(self, targets: "Targets") -> "Delegations":
        codec: Any = self._codec  # of a repository whose delegations are searched
        delegations: Delegations = codec.Delegations(self._files.suite, targets)
        return delegations

    # --- files --------------------------------------------------------------------------------

    def _bring(self, role: int, keyholders: "Keyholders") -> "Cycle[Targets]":
        """Return the file of a delegated role, stored or fetched (V-76.1, V-74)."""
        version = self._trusted.listed_version(role)
        targets = yield from self._reuse(role, version, keyholders)
        if targets is None:
            raw = yield self._trusted.want(role, version)
            if raw is None:
                raise Withheld
            targets = yield from self._update(role, version, keyholders, raw)
        return targets

    def _reuse(self, role: int, version: int, keyholders: "Keyholders") -> "Work[Targets | None]":
        """Return the file that is at hand if it is the one and is still good, else None (T-15)."""
        yield  # to read a file is a slice of its own, also where nothing is left to verify
        envelope = self._read_newest(role)
        if envelope is None:
            return None
        known = self._verified.get(role, [])
        try:
            head = self._codec.Head(envelope.payload, role)
            if head.version != version:
                return None
            if keyholders not in known:
                yield from self._trusted.verify(envelope, role, keyholders)
            head.check_expiry(self._now)
            targets = self._codec.Targets(envelope.payload, self._trusted.repository, role)
        except Refusal:
            return None
        if not known:
            self._count(len(envelope.payload))
        if keyholders not in known:
            self._verified[role] = known + [keyholders]
        return targets

    def _update(
        self, role: int, version: int, keyholders: "Keyholders", raw: bytes
    ) -> "Work[Targets]":
        """Take a delegated file in the order of V-74, with the keys of who delegates (.3)."""
        envelope = self._trusted.open(raw, role)
        head = self._codec.Head(envelope.payload, role)
        if head.version != version:
            raise VersionMismatch
        signatures = yield from self._trusted.verify(envelope, role, keyholders)
        try:
            self._files.check_version(role, version, envelope.payload)
        except (Rollback, SameVersionDiffers):
            if (yield from self._is_authorised(role, keyholders)):
                raise
        candidate = self._read_newest(role) if role in self._verified else None
        if candidate is not None and candidate.payload != envelope.payload:
            raise SameVersionDiffers  # what other keys of this role vouched for in this cycle
        head.check_expiry(self._now)
        targets = self._codec.Targets(envelope.payload, self._trusted.repository, role)
        self._count(len(envelope.payload))
        self._keep(role, envelope.payload, signatures)
        self._verified[role] = self._verified.get(role, []) + [keyholders]
        return targets

    def _read_newest(self, role: int) -> "Envelope | None":
        """Return the candidate of this cycle, else the stored file, or None."""
        files = self._files
        raw = files.changes.get(files.record(role))
        return files.read(role) if raw is None else self._codec.read_sign(raw)

    def _keep(self, role: int, payload: bytes, signatures: "Signatures") -> None:
        """Make a verified file a candidate. It keeps the signatures that counted before if they
        are for the same payload: other delegations may name other keys for the role.
        """
        before = self._read_newest(role)
        kept = list(signatures)
        if before is not None and before.payload == payload:
            for signature in before.signatures:
                if signature not in kept and len(kept) < SIGNATURES_MAX:
                    kept.append(signature)
        files = self._files
        files.changes[files.record(role)] = self._codec.write_sign(payload, sorted(kept))

    def _is_authorised(self, role: int, keyholders: "Keyholders") -> "Work[bool]":
        """Is the stored file, a floor for versions, by keys that still count? (T-12)"""
        stored = self._files.read(role)
        if stored is None:
            return False
        try:
            yield from self._trusted.verify(stored, role, keyholders)
        except BelowThreshold:
            return False
        return True

    def _count(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._trusted.policy.t23_search[3]:
            raise TooLong
