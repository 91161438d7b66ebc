"""What one repository has proved so far: the trusted set of roles, for the length of one cycle.

Files go in as they were received, in the Standard's order; each is believed only after every
check of its role, and is then a *candidate*: `files.changes` are the candidates, for one Commit
at the end of the cycle, so a refusal leaves the records as they were. Only a Root step commits by
itself, together with the stored files that the new Root no longer authorises; therefore every
stored file is signed under the stored Root, expired or not, and its version is a floor (T-42).
Before a stored file takes the place of a fetched one it is verified again. It does NOT compare
repositories, resolve delegations or choose images.
Rules: V-71, V-72, V-73, V-74, T-09, T-10, T-11, T-12, T-14, T-15, T-17, T-19, T-42, E-08..E-16,
E-19, E-24, E-39, E-40, E-48, E-53, E-86, E-87.
"""

from uptane.errors import (
    BelowThreshold,
    DirectorDelegates,
    NotProvisioned,
    Refusal,
    RoleDropped,
    Rollback,
    RootSkipped,
    SnapshotMismatch,
    TooLong,
    UnknownHash,
    VersionMismatch,
    Withheld,
)
from uptane.ids import (
    DIRECTOR,
    KIND_METADATA,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from uptane.limits import ENVELOPE_BYTES_MAX
from uptane.meta.verify import verify_threshold
from uptane.meta.wants import Commit, Want

if False:  # for the type checker
    from errand import Changes, Clock, Cycle, Envelope, Keyholders, Signatures, Work
    from uptane.meta.files import Files
    from uptane.meta.roles import Root, Snapshot, Timestamp
    from uptane.meta.targets import Targets


class Trusted:
    """The trusted set of the repository whose `files` are given; made anew for each cycle.

    identity: SHA-256 of the payload of the repository's Root 1.
    Refusal: NotProvisioned without a Root, or with a first one that is not the identity.
    """

    def __init__(self, files: "Files", identity: bytes) -> None:
        self.policy = files.policy
        self.repository = files.repository
        self.files = files
        self._codec = files.codec
        self._identity = identity
        self._timestamp: Timestamp | None = None
        self._snapshot: Snapshot | None = None
        envelope = files.read(ROOT)
        if envelope is None:
            raise NotProvisioned
        self.root = self._codec.Root(files.suite, envelope.payload)
        if self.root.version == 1 and files.digest(envelope.payload) != identity:
            raise NotProvisioned

    # --- Root ---------------------------------------------------------------------------------

    def follow_root(self, clock: "Clock", ticks_ms: int) -> "Cycle[None]":
        """Take Root after Root until the next is absent; then refuse one that expired (V-71).

        Intermediate Roots may be expired (T-11). A Director's Root that drops the time key resets
        the clock in the same Commit (T-31). Refusals: as update_root; Expired; TooLong after
        ROOT_STEPS_MAX steps, which are kept, so that the next cycle goes on from there.
        """
        for _ in range(self.policy.t23_search[0]):
            raw = yield self.want(ROOT, self.root.version + 1)
            if raw is None:
                break
            updating, raw = self.update_root(raw), None  # neither is kept: the heap is small
            commit = yield from updating
            if self.repository == DIRECTOR:
                commit.changes.update(clock.root_changed(self.root))
            yield commit
            del updating, commit
        else:
            raise TooLong
        self.root.check_expiry(clock.now(ticks_ms))

    def update_root(self, raw: bytes) -> "Work[Commit]":
        """Take the Root after the trusted one and return its Commit, to be stored at once.

        Refusals: TooLong, BelowThreshold under the old or the new keys, those of `Root`; Rollback
        or RootSkipped for any version but the next (V-71.2, T-10).
        """
        envelope = self.open(raw, ROOT)
        del raw
        signatures = yield from self.verify(envelope, ROOT, self.root.keyholders(ROOT))
        root = self._codec.Root(self.files.suite, envelope.payload)
        for signature in (yield from self.verify(envelope, ROOT, root.keyholders(ROOT))):
            if signature not in signatures:
                signatures.append(signature)  # whoever is one Root behind needs both thresholds
        if root.version <= self.root.version:
            raise Rollback
        if root.version != self.root.version + 1:
            raise RootSkipped
        changes = yield from self._find_revoked(root)
        changes[self.files.record(ROOT)] = self._codec.write_sign(envelope.payload, signatures)
        self.root = root
        return Commit(changes)

    def _find_revoked(self, root: "Root") -> "Work[Changes]":
        """Return the deletions of what `root` no longer authorises (fast-forward recovery)."""
        changes: Changes = {}
        for role in (TIMESTAMP, SNAPSHOT, TARGETS):
            keyholders = root.keyholders(role)
            if keyholders == self.root.keyholders(role):
                continue  # stored under the trusted Root, so good under this one
            envelope = self.files.read(role)
            if envelope is None:
                continue
            try:
                yield from self.verify(envelope, role, keyholders)
            except BelowThreshold:
                for fallen in self.policy.t12_falls_with[role]:
                    changes[self.files.record(fallen)] = None
        mark = self.files.read_mark()
        threshold, keys = root.keyholders(TARGETS)
        if mark is not None and len([kid for kid in mark.kids if kid in keys]) < threshold:
            changes[self.files.mark_record] = None
        return changes

    # --- Timestamp ----------------------------------------------------------------------------

    def update_timestamp(self, raw: bytes, now: int) -> "Work[None]":
        """Take a Timestamp. Refusals in the order of V-72: TooLong, BelowThreshold, Rollback,
        SameVersionDiffers, Expired; those of `Timestamp`.
        """
        envelope = self.open(raw, TIMESTAMP)
        signatures = yield from self._verify(envelope, TIMESTAMP)
        timestamp = self._codec.Timestamp(envelope.payload)
        self.files.check_version(TIMESTAMP, timestamp.version, envelope.payload)
        timestamp.check_expiry(now)
        self.files.keep(TIMESTAMP, envelope.payload, signatures)
        self._timestamp = timestamp

    # --- Snapshot -----------------------------------------------------------------------------

    def snapshot_named(self) -> int:
        """Return the version of the Snapshot that the Timestamp names."""
        return self._named().snapshot_version

    def reuse_snapshot(self, now: int) -> "Work[bool]":
        """Is the stored Snapshot the one that the Timestamp names, still signed and not expired?

        If so, take it (V-75.4, V-75.8, T-15). Refusal: UnknownHash.
        """
        envelope = self.files.read(SNAPSHOT)
        if envelope is None or not self._is_named(envelope.payload):
            return False
        try:
            yield from self._verify(envelope, SNAPSHOT)
            snapshot = self._codec.Snapshot(envelope.payload)
            snapshot.check_expiry(now)
        except Refusal:
            return False
        self._snapshot = snapshot
        return True

    def update_snapshot(self, raw: bytes, now: int) -> "Work[None]":
        """Take a Snapshot. Refusals in the order of V-73: TooLong, SnapshotMismatch, UnknownHash,
        BelowThreshold, Rollback, SameVersionDiffers, RoleDropped, Expired; those of `Snapshot`.
        """
        envelope = self.open(raw, SNAPSHOT)
        if not self._is_named(envelope.payload):
            raise SnapshotMismatch
        signatures = yield from self._verify(envelope, SNAPSHOT)
        snapshot = self._codec.Snapshot(envelope.payload)
        self.files.check_version(SNAPSHOT, snapshot.version, envelope.payload)
        stored = self.files.read(SNAPSHOT)
        if stored is not None:
            previous = self._codec.Snapshot(stored.payload).versions
            for role in previous:
                if role not in snapshot.versions:
                    raise RoleDropped
                if snapshot.versions[role] < previous[role]:
                    raise Rollback
        else:
            self.files.drop_unlisted(snapshot.versions)
        snapshot.check_expiry(now)
        self.files.keep(SNAPSHOT, envelope.payload, signatures)
        self._snapshot = snapshot

    def _named(self) -> "Timestamp":
        if self._timestamp is None:
            raise Withheld
        return self._timestamp

    def _is_named(self, payload: bytes) -> bool:
        """Is this the payload that the Timestamp names, by length, every hash and version?"""
        named = self._named()
        for algorithm in named.hashes:
            if algorithm not in self.policy.t34_hashes:
                raise UnknownHash
            if named.hashes[algorithm] != self.files.digest(payload):
                return False
        if named.length != len(payload):
            return False
        return self._codec.Head(payload, SNAPSHOT).version == named.snapshot_version

    # --- Targets ------------------------------------------------------------------------------

    def listed_version(self, role: int) -> int:
        """Return the version that the Snapshot names of TARGETS or of a delegated role (T-41).
        Refusal: VersionMismatch.
        """
        version = None if self._snapshot is None else self._snapshot.versions.get(role)
        if version is None:
            raise VersionMismatch
        return version

    def reuse_targets(self, now: int) -> "Work[Targets | None]":
        """Return the stored Targets if the Snapshot names it and it is still signed and not
        expired, else None (T-15, E-86, E-87).
        """
        envelope = self.files.read(TARGETS)
        if envelope is None:
            return None
        try:
            head = self._codec.Head(envelope.payload, TARGETS)
            if head.version != self.listed_version(TARGETS):
                return None
            yield from self._verify(envelope, TARGETS)
            head.check_expiry(now)
            return self._read_targets(envelope.payload)
        except Refusal:
            return None

    def update_targets(self, raw: bytes, now: int) -> "Work[Targets]":
        """Take a top-level Targets and return it. Refusals in the order of V-74: TooLong,
        VersionMismatch (not without a Snapshot: partial verification), BelowThreshold, Rollback,
        SameVersionDiffers, Expired, DirectorDelegates, EcuTwice; those of `Targets`.
        """
        return (yield from self.take_targets(self.open(raw, TARGETS), now))

    def take_targets(self, envelope: "Envelope", now: int) -> "Work[Targets]":
        """As `update_targets`, for who has it open and no longer holds what came."""
        head = self._codec.Head(envelope.payload, TARGETS)
        if self._snapshot is not None and head.version != self.listed_version(TARGETS):
            raise VersionMismatch
        signatures = yield from self._verify(envelope, TARGETS)
        self.files.check_version(TARGETS, head.version, envelope.payload)
        head.check_expiry(now)
        targets = self._read_targets(envelope.payload)
        self.files.keep(TARGETS, envelope.payload, signatures)
        return targets

    def _read_targets(self, payload: bytes) -> "Targets":
        targets = self._codec.Targets(payload, self.repository)
        if targets.delegations is not None and self.repository & 1 == DIRECTOR:
            raise DirectorDelegates
        return targets

    # --- every role ---------------------------------------------------------------------------

    def want(self, role: int, version: int) -> Want:
        """Return the want for a role's file; its cap is that of T-52, and of a Snapshot that of
        the Timestamp, too. Version 0: the newest.
        """
        return Want(self.repository, KIND_METADATA, role, version, self._cap(role))

    def _cap(self, role: int) -> int:
        cap = self.policy.t52_bytes_max[min(role, TARGETS)]
        if role == SNAPSHOT:
            cap = min(cap, self._named().length + ENVELOPE_BYTES_MAX)
        return cap

    def open(self, raw: bytes, role: int) -> "Envelope":
        """Return the envelope that came for a role: TooLong, those of the codec."""
        if len(raw) > self._cap(role):
            raise TooLong
        return self._codec.read_sign(raw)

    def _verify(self, envelope: "Envelope", role: int) -> "Work[Signatures]":
        return self.verify(envelope, role, self.root.keyholders(role))

    def verify(
        self, envelope: "Envelope", role: int, keyholders: "Keyholders"
    ) -> "Work[Signatures]":
        """Return the signatures that make up the threshold of `keyholders`: BelowThreshold."""
        kind = TARGETS if role > TARGETS else role
        aad = self._codec.context(kind, self._identity, role)
        suite, sign_parts = self.files.suite, self._codec.sign_parts
        return verify_threshold(suite, sign_parts, envelope, keyholders, aad)
