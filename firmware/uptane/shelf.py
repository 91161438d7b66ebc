"""What a Primary can hand to one of its Secondaries: the source of its feeding.

What it holds itself, and on the Secondary's behalf what it does not: an intermediate Root, a map,
files of a repository that is on the Secondary's map only. Numbers and hashes come from the
Secondary, so nothing but metadata and verified images is ever reached by them. It does NOT decide
what anybody should have: the Secondary asks, and verifies.
Rules: V-47, V-49, V-50, V-92.
"""

from uptane import cose
from uptane.ids import (
    DELEGATED_FIRST,
    DELEGATED_LAST,
    DIRECTOR,
    IMAGE,
    KIND_DELTA,
    KIND_IMAGE,
    KIND_MAP,
    KIND_METADATA,
    KIND_TIME,
    RECORD_MAP,
    ROOT,
    TARGETS,
)
from uptane.limits import MAP_BYTES_MAX, REPOSITORIES_MAX, ROOT_BYTES_MAX, TARGETS_BYTES_MAX
from uptane.meta.files import record_of
from uptane.meta.roles import Head
from uptane.meta.wants import Want
from uptane.uds.feeding import Held

if False:  # for the type checker
    from errand import Cycle
    from uptane.main import Ecu
    from uptane.primary import Peer
    from uptane.store.records import Records
    from uptane.uds.feeding import Found


class Shelf:
    """What a Primary can hand to a Secondary: the source of its feeding."""

    def __init__(self, ecu: "Ecu", peer: "Peer") -> None:
        self._ecu = ecu
        self._peer = peer
        self.raw_time: bytes | None = None

    def take(self, file: bytes, raw: bytes) -> "Cycle[None]":
        self._peer.take(raw)
        return
        yield

    def find(self, file: bytes, detail: object, offset: int) -> "Cycle[Found | None]":
        kind = file[1]
        number = int.from_bytes(file[2:], "big")
        raw = None
        if kind == KIND_TIME:
            raw = self.raw_time
        elif kind == KIND_METADATA:
            raw = yield from self._metadata(file[0], number, detail)
        elif kind == KIND_MAP and isinstance(detail, bytes):
            raw = yield from self._map(number, detail)
        elif kind in (KIND_IMAGE, KIND_DELTA) and isinstance(detail, bytes):
            return (yield from self._image(detail, offset))
        return None if raw is None or offset >= len(raw) else Held(raw, offset)

    def _metadata(self, repository: int, role: int, version: object) -> "Cycle[bytes | None]":
        """What we hold; or, on the Secondary's behalf, an intermediate Root that we no longer
        hold, and any file of a repository that is on its map and not on ours."""
        raw_root = stored(self._ecu.records, repository, ROOT)
        if type(version) is not int or version < 0:
            return None
        if raw_root is None:
            if DIRECTOR <= repository <= REPOSITORIES_MAX:
                return (yield Want(repository, KIND_METADATA, role, version, TARGETS_BYTES_MAX))
            return None
        if role != ROOT:
            return stored(self._ecu.records, repository, role)
        ours = Head(cose.read_sign(raw_root).payload, ROOT).version
        if version >= ours:
            return raw_root if version == ours else None
        return (yield Want(repository, KIND_METADATA, ROOT, version, ROOT_BYTES_MAX))

    def _image(self, digest: bytes, offset: int) -> "Cycle[Found | None]":
        """What the depot holds, or a part of what comes once more and flows through."""
        depot = self._ecu.depot
        parcel = depot.passed.get(digest)
        if parcel is None or offset >= parcel.length:
            return depot.find(digest, offset)
        return (yield from depot.stream(parcel, offset))

    def _map(self, number: int, digest: bytes) -> "Cycle[bytes | None]":
        """Our map if it is that one, else whatever comes under that number."""
        raw = self._ecu.records.read(RECORD_MAP)
        if raw is not None:
            hash = self._ecu.suite.sha256()
            hash.update(raw)
            if hash.digest() == digest:
                return raw
        return (yield Want(IMAGE, KIND_MAP, number, digest, MAP_BYTES_MAX))


def stored(records: "Records", repository: int, role: int) -> "bytes | None":
    """The stored file of a role, to be relayed; None if there is none. The numbers come from a
    Secondary: no other record than of metadata is ever reached by them."""
    if not DIRECTOR <= repository <= REPOSITORIES_MAX:
        return None
    if not ROOT <= role <= TARGETS and not DELEGATED_FIRST <= role <= DELEGATED_LAST:
        return None
    return records.read(record_of(repository, role))
