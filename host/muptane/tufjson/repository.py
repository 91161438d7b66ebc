"""One JSON repository: what the device's Trusted and Files decide, and what only JSON's do.

Only what a policy record chooses, and a device has one way for, is added here: Timestamps of the
stored version (T-09), names without length or hashes and with them for Targets (T-14), be a file
fetched or stored, storing role by role (T-17). It does NOT fetch or store.
Rules: V-71..V-75, T-09, T-12, T-14, T-17, T-40, E-08..E-16, E-87.
"""

from muptane.tufjson.dialect import ALG_SHA512, EACH_ROLE, MANDATORY, STORED_COUNTS
from muptane.tufjson.names import ROLES
from uptane.errors import (
    BelowThreshold,
    NotProvisioned,
    Refusal,
    Rollback,
    UnknownHash,
    VersionMismatch,
    WrongHash,
    WrongLength,
)
from uptane.ids import (
    ALG_SHA256,
    RECORD_METADATA,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from uptane.meta.files import Files
from uptane.meta.trusted import Trusted
from uptane.meta.wants import Commit, Want

if False:  # for the type checker
    from typing import Any

    from errand import Cycle, Work


def record_of(repository: int, role: int) -> int:
    """Return the record of a role's file; roles may have more numbers than on a device."""
    return RECORD_METADATA + ROLES * repository + role


class JsonFiles(Files):
    """Stored files that anybody could have written to: one that is no file of its role is none,
    nor is one of the version that the Snapshot lists with another length or hash (T-14).

    fallen: the roles whose stored file counts no more, and is not deleted either.
    listed: what the Snapshot of this cycle says, {role: (version, length or None, hashes)}.
    """

    def __init__(self, *given: "Any") -> None:
        super().__init__(*given)
        self.fallen: set[int] = set()
        self.listed: dict[int, Any] = {}

    def record(self, role: int) -> int:
        """Return the number of the record that holds a role's file."""
        return record_of(self.repository, role)

    def read(self, role: int) -> "Any":
        """Return the stored file of a role, or None; the refusals of a Root come through."""
        if role in self.fallen:
            return None
        try:
            envelope = super().read(role)
            if envelope is not None:
                self._look(role, envelope.payload)
        except Refusal:
            if role == ROOT:
                raise
            return None
        return envelope

    def _look(self, role: int, payload: bytes) -> None:
        if role == TIMESTAMP:
            self.codec.Timestamp(payload)
        elif role == SNAPSHOT:
            self.codec.Snapshot(payload)
        else:
            version = self.codec.Head(payload, role).version
            # one of another version is not what is listed, but a floor all the same (V-74.4)
            if role in self.listed and version == self.listed[role][0]:
                self.check_listed(role, payload)

    def check_listed(self, role: int, raw: bytes) -> None:
        """Hold a Targets file against length and hashes of the Snapshot, where it gives them.
        Refusals: VersionMismatch, WrongLength, UnknownHash, WrongHash."""
        if role not in self.listed:
            raise VersionMismatch
        _, length, hashes = self.listed[role]
        if length is not None and len(raw) != length:
            raise WrongLength
        if not has_hashes(self.suite, self.policy, raw, hashes):
            raise WrongHash

    def drop_unlisted(self, versions: "dict[int, int]") -> None:
        """Forget the floors of delegated files: without a Snapshot before it, this one alone says
        which versions there are (T-12, T-40)."""
        for role in versions:
            envelope = self.read(role) if role > TARGETS else None
            if envelope is None:
                continue
            if self.codec.Head(envelope.payload, role).version > versions[role]:
                self.fallen.add(role)


class Repository(Trusted):
    """The trusted set of a JSON repository; `identity` is that of its stored Root."""

    def check_stored_root(self) -> "Work[None]":
        """Verify the Root that this client began with: BelowThreshold, NotProvisioned."""
        envelope = self.files.read(ROOT)
        if envelope is None:
            raise NotProvisioned
        yield from self.verify(envelope, ROOT, self.root.keyholders(ROOT))

    def check_stored(self) -> "Work[None]":
        """Let fall what the newest Root no longer authorises, where no step of Root deletes it
        (T-12, T-17)."""
        files: Any = self.files
        fallen: list[int] = []
        for role in (TIMESTAMP, SNAPSHOT, TARGETS):
            envelope = files.read(role)
            if envelope is None:
                continue
            try:
                yield from self._verify(envelope, role)
            except BelowThreshold:
                fallen += self.policy.t12_falls_with[role]
        files.fallen.update(fallen)

    def _find_revoked(self, root: "Any") -> "Work[Any]":
        policy: Any = self.policy
        if policy.t17_commits == EACH_ROLE:
            return {}
        return (yield from super()._find_revoked(root))

    def update_timestamp(self, raw: bytes, now: int) -> "Work[None]":
        """Take a Timestamp. Besides the device's refusals: Rollback if it names an older Snapshot
        than the stored one did, which may be stored without its Snapshot (T-17); by T-09 the
        stored one is taken instead of another of the same version."""
        stored = self.files.read(TIMESTAMP)
        if stored is not None:
            envelope = self.open(raw, TIMESTAMP)
            yield from self._verify(envelope, TIMESTAMP)
            codec: Any = self.files.codec
            before, after = codec.Timestamp(stored.payload), codec.Timestamp(envelope.payload)
            if after.version == before.version and self._is_no_news():
                raw = stored.payload
            elif after.version > before.version and _is_older(after, before):
                raise Rollback
        yield from super().update_timestamp(raw, now)

    def reuse_snapshot(self, now: int) -> "Work[bool]":
        """As the device; from then on files are held against what it lists (T-14)."""
        reused = yield from super().reuse_snapshot(now)
        if reused:
            self._hold()
        return reused

    def update_snapshot(self, raw: bytes, now: int) -> "Work[None]":
        """As the device; from then on files are held against what it lists (T-14)."""
        yield from super().update_snapshot(raw, now)
        self._hold()

    def check_answer(self, role: int, raw: bytes) -> None:
        """Hold a file that came against the Snapshot, if it is one that the Snapshot lists.
        Refusals: those of JsonFiles.check_listed."""
        files: Any = self.files
        if role >= TARGETS and self._snapshot is not None:
            files.check_listed(role, raw)

    def _hold(self) -> None:
        files: Any = self.files
        snapshot: Any = self._snapshot
        files.listed = snapshot.named

    def _is_no_news(self) -> bool:
        return bool(self.policy.t09_equal_version == STORED_COUNTS)

    def _is_named(self, payload: bytes) -> bool:
        named: Any = self._named()
        head = self.files.codec.Head(payload, SNAPSHOT)
        if head.version != named.snapshot_version or not self._has_hashes(payload, named.hashes):
            return False
        return named.length is None or named.length == len(payload)

    def _cap(self, role: int) -> int:
        policy: Any = self.policy
        if role == SNAPSHOT and policy.t14_named != MANDATORY and self._named().length is None:
            cap: int = policy.t52_bytes_max[SNAPSHOT]
            return cap
        return super()._cap(role)

    def _has_hashes(self, raw: bytes, hashes: "Any") -> bool:
        return has_hashes(self.files.suite, self.policy, raw, hashes)


def _is_older(timestamp: "Any", other: "Any") -> bool:
    older: bool = timestamp.snapshot_version < other.snapshot_version
    return older


def has_hashes(suite: "Any", policy: "Any", raw: bytes, hashes: "dict[Any, bytes]") -> bool:
    """Do all listed hashes fit? Refusal: UnknownHash (T-34)."""
    makers = {ALG_SHA256: suite.sha256, ALG_SHA512: suite.sha512}
    for algorithm in hashes:
        if algorithm not in policy.t34_hashes:
            raise UnknownHash
        digest = makers[algorithm]()
        digest.update(raw)
        if digest.digest() != hashes[algorithm]:
            return False
    return True


def staged(cycle: "Cycle[Any]", repositories: "list[Repository]") -> "Cycle[Any]":
    """Run a cycle of the device's; by T-17 store what is verified before each want and at the
    end, however it ends, and by T-14 hold each answer against the Snapshot."""
    answer = None
    try:
        while True:
            said = cycle.send(answer)
            answer = None
            if isinstance(said, Want):
                yield from _stored(repositories)
                answer = yield said
                for repository in repositories:
                    if answer is not None and repository.repository == said.repository:
                        repository.check_answer(said.number, answer)
            elif said is not None:
                yield said
    except StopIteration as end:
        yield from _stored(repositories)
        return end.value
    except Refusal:
        yield from _stored(repositories)
        raise


def _stored(repositories: "list[Repository]") -> "Cycle[None]":
    for repository in repositories:
        files: Any = repository.files
        policy: Any = repository.policy
        if policy.t17_commits == EACH_ROLE and files.changes:
            changes = dict(files.changes)
            files.changes.clear()
            for record in changes:
                files.fallen.discard((record - record_of(0, 0)) % ROLES)
            yield Commit(changes)
