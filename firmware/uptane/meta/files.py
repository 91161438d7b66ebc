"""The stored files of one repository, and the candidates that a cycle has for replacing them.

Knows the record numbers, the floors under every version (what was accepted before, expired or
not) and the high-water mark, which remembers the newest Director Targets that held nothing for
this ECU while the previous one is kept (V-60, T-19). It writes nothing: `changes` is for a
Commit. It does NOT verify signatures; `trusted` does, before anything becomes a candidate.
Rules: V-51, V-60, V-72.3, V-73.4, V-74.4, R-43, T-09, T-17, T-19, T-40, T-42, E-08, E-12, E-15.
"""

from uptane import cbor
from uptane.errors import Rollback, SameVersionDiffers
from uptane.ids import (
    DELEGATED_FIRST,
    DELEGATED_LAST,
    DIRECTOR,
    RECORD_HIGH_WATER,
    RECORD_METADATA,
    TARGETS,
)
from uptane.limits import DIGEST_BYTES, KEYS_MAX, KID_BYTES, VERSION_MAX
from uptane.meta.policy import SAME_PAYLOAD
from uptane.meta.shape import read_bytes, read_list, read_number

if False:  # for the type checker
    from errand import Changes, Codec, Envelope, Signatures, Stored
    from uptane.crypto.suite import Suite
    from uptane.meta.policy import Policy


def record_of(repository: int, role: int) -> int:
    """Return the number of the record that holds a role's file."""
    return RECORD_METADATA + 0x100 * (repository - DIRECTOR) + role


class Mark:
    """The high-water mark: version and digest of a Targets, and the kids that signed it.

    Refusals: those of `cbor.loads`; BadShape.
    """

    def __init__(self, raw: bytes) -> None:
        version, digest, kids = read_list(cbor.loads(raw), 3, 3)
        self.version = read_number(version, 1, VERSION_MAX)
        self.digest = read_bytes(digest, DIGEST_BYTES)
        self.kids = [read_bytes(kid, KID_BYTES) for kid in read_list(kids, 1, KEYS_MAX)]


class Files:
    """Files of `repository`; `stored` reads a record by number.

    codec        reads and writes them; on devices the module `targets` or `delegation`
    changes      {record number: bytes, or None to delete}, the candidates so far
    mark_record  where the high-water mark is
    """

    def __init__(
        self, suite: "Suite", codec: "Codec", policy: "Policy", repository: int, stored: "Stored"
    ) -> None:
        self.changes: Changes = {}
        self.mark_record = RECORD_HIGH_WATER + 0x100 * (repository - DIRECTOR)
        self.suite = suite
        self.codec = codec
        self.policy = policy
        self.repository = repository
        self._stored = stored

    def record(self, role: int) -> int:
        """Return the number of the record that holds the file of a role of this repository."""
        return record_of(self.repository, role)

    def read(self, role: int) -> "Envelope | None":
        """Return the stored file of a role, or None."""
        raw = self._stored(self.record(role))
        return None if raw is None else self.codec.read_sign(raw)

    def read_mark(self) -> "Mark | None":
        """Return the high-water mark; only a Director has one."""
        raw = self._stored(self.mark_record) if self.repository & 1 == DIRECTOR else None
        return None if raw is None else Mark(raw)

    def digest(self, payload: bytes) -> bytes:
        """Return the SHA-256 of a payload."""
        hash = self.suite.sha256()
        hash.update(payload)
        return hash.digest()

    def check_version(self, role: int, version: int, payload: bytes) -> None:
        """Hold a file against everything accepted before: Rollback, SameVersionDiffers (T-09)."""
        stored = self.read(role)
        if stored is not None:
            floor = self.codec.Head(stored.payload, role).version
            self._check_floor(floor, self.digest(stored.payload), version, payload)
        mark = self.read_mark() if role == TARGETS else None
        if mark is not None:
            self._check_floor(mark.version, mark.digest, version, payload)

    def _check_floor(self, floor: int, digest: bytes, version: int, payload: bytes) -> None:
        if version < floor:
            raise Rollback
        if version > floor or self.policy.t09_equal_version != SAME_PAYLOAD:
            return
        if self.digest(payload) != digest:
            raise SameVersionDiffers

    def keep(self, role: int, payload: bytes, signatures: "Signatures") -> None:
        """Make a verified file a candidate, with the signatures that counted, unless it is stored.

        A Targets that is kept has outgrown the high-water mark.
        """
        stored = self.read(role)
        if stored is None or stored.payload != payload:
            self.changes[self.record(role)] = self.codec.write_sign(payload, signatures)
            if role == TARGETS and self.read_mark() is not None:
                self.changes[self.mark_record] = None

    def drop_unlisted(self, versions: "dict[int, int]") -> None:
        """Delete the delegated files that a Snapshot without a predecessor no longer names: the
        only way in which a delegation is forgotten (R-43, T-40).
        """
        for role in range(DELEGATED_FIRST, DELEGATED_LAST + 1):
            if role not in versions and self._stored(self.record(role)) is not None:
                self.changes[self.record(role)] = None

    def set_targets_aside(self) -> None:
        """Keep the previous Targets and only raise the mark: the candidate held nothing for me."""
        raw = self.changes.pop(self.record(TARGETS), None)
        if raw is None:
            return
        self.changes.pop(self.mark_record, None)
        envelope = self.codec.read_sign(raw)
        version = self.codec.Head(envelope.payload, TARGETS).version
        kids = [kid for kid, _ in envelope.signatures]
        mark = cbor.dumps([version, self.digest(envelope.payload), kids])
        if mark != self._stored(self.mark_record):  # flash wears (V-88)
            self.changes[self.mark_record] = mark
