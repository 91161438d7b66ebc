"""One run of the client, as decisions: what to fetch and store, and how it ends.

The device's `full` and `resolver` drive; `port` does for them what they cannot: fetch a file,
read and store files, and verify signatures that are not Ed25519. A TUF repository is followed to
its newest Targets and searched for a path; with a Director, both repositories are followed as an
ECU of full verification does.
Rules: V-71..V-76, V-80, T-17, T-22, T-24.
"""

from muptane.tufjson.codec import Codec
from muptane.tufjson.dialect import TUF, UPTANE_JSON, JsonPolicy
from muptane.tufjson.names import ROLES, Names
from muptane.tufjson.repository import JsonFiles, Repository, record_of, staged
from muptane.tufjson.text import unhex
from uptane.crypto.suite import Suite
from uptane.errors import BadShape, NoImage, NotOnImageRepository, NotProvisioned, UnknownHash
from uptane.ids import DIRECTOR, IMAGE, ROOT, TIMESTAMP
from uptane.meta import decision, full
from uptane.meta.resolver import Resolver
from uptane.meta.wants import Want

if False:  # for the type checker
    from typing import Any

    from errand import Cycle


class PortSuite(Suite):
    """Ed25519 is verified by the device's code; every other kind of key by the port."""

    def __init__(self, port: "Any") -> None:
        super().__init__()
        self._port = port

    def verify(self, public: "Any", parts: "Any", signature: bytes) -> "Any":
        """Return whether a signature over the joined parts is by a key (type, scheme, public)."""
        kind, scheme, text = public
        if (kind, scheme) == ("ed25519", "ed25519"):
            return (yield from super().verify(_raw(text), parts, signature))
        good: bool = self._port.verify(kind, scheme, text, b"".join(parts), signature)
        return good

    def identity(self, public: "Any") -> "Any":
        """Return what is equal for all keys (type, scheme, public) of one private key."""
        kind, scheme, text = public
        if (kind, scheme) == ("ed25519", "ed25519"):
            return _raw(text) or text
        return self._port.identity(text)


class SystemClock:
    """The system's time: not attested, so never fresh, and no key can take it back."""

    fresh = False

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def now(self, ticks_ms: int) -> int:
        """Return seconds since 1970."""
        return self._seconds

    def root_changed(self, root: "Any") -> "Any":
        """Return what to store with a new Root of the Director: nothing."""
        return {}


class Wanted:
    """What the top-level Targets and delegations are asked for: a path."""

    def __init__(self, path: str) -> None:
        self.number = path
        self.hardware: list[str] = []


class Everybody:
    """The ECUs of a vehicle where nobody said which: whoever the Director names."""

    def __contains__(self, ecu: str) -> bool:
        return True

    def __getitem__(self, ecu: str) -> None:
        return None


class Pair:
    """The map of a client that knows two repositories, which agree on every path."""

    number = 0
    raw = None

    def of_kind(self, kind: int) -> "list[int]":
        """The numbers of all Directors, or of all Image repositories."""
        return [DIRECTOR if kind == DIRECTOR else IMAGE]

    def agreeing(self, image: object, kind: int) -> "list[int]":
        """Those of a kind that must agree on an image: the same."""
        return self.of_kind(kind)


class Session:
    """`port`: stored(repository, file) -> bytes or None; fetch(repository, file, cap) -> bytes or
    None; commit(repository, {file: bytes or None}); verify(...) -> bool. now: seconds since 1970.
    """

    def __init__(self, port: "Any", now: int) -> None:
        self._port = port
        self._suite = PortSuite(port)
        self._clock: Any = SystemClock(now)
        self._now = now
        self._names = {DIRECTOR: Names(), IMAGE: Names()}
        self._repositories: dict[int, Repository] = {}

    def refresh(self, path: "str | None") -> "dict[str, Any] | None":
        """Follow a TUF repository; return what it says of the path. Refusals: of the cycle."""
        repository = self._open(IMAGE, TUF)
        found: dict[str, Any] | None = self._run(self._follow(repository, path), [repository])
        return found

    def follow_director(self, ecu: "dict[str, Any]", path: "str | None") -> "Any":
        """Follow Director and Image repository by full verification; return what they say of the
        path for this ECU: {"id", "hardware", "vehicle"}, each or None."""
        director = self._open(DIRECTOR, UPTANE_JSON)
        image = self._open(IMAGE, UPTANE_JSON)
        everybody: Any = Everybody() if ecu["id"] is None else None
        mine: Any = decision.Ecu(ecu["id"], ecu["hardware"], ecu["vehicle"], None, everybody)
        return self._run(self._direct(director, image, mine, path), [director, image])

    def check_roots(self, is_uptane: bool) -> None:
        """Refuse to begin with a stored Root that its own keys have not signed, or that is none;
        of a TUF repository or of both of Uptane. Expiry is no matter (T-11)."""
        policy: JsonPolicy = UPTANE_JSON if is_uptane else TUF
        for number in (DIRECTOR, IMAGE) if is_uptane else (IMAGE,):
            repository = self._open(number, policy)
            cycle: Any = repository.check_stored_root()
            self._run(cycle, [repository])

    def _open(self, number: int, policy: JsonPolicy) -> Repository:
        codec: Any = Codec(self._names[number], policy)
        files = JsonFiles(self._suite, codec, policy, number, self._read)
        raw = self._read(record_of(number, ROOT))
        if raw is None:
            raise NotProvisioned
        self._repositories[number] = Repository(files, files.digest(raw))
        return self._repositories[number]

    def _follow(self, repository: Repository, path: "str | None") -> "Cycle[Any]":
        yield from repository.check_stored_root()
        yield from repository.follow_root(self._clock, 0)
        yield from repository.check_stored()
        targets = yield from full.bring_targets(repository, self._now)
        if path is None:
            return None
        wanted: Any = Wanted(path)
        entry = yield from Resolver(repository, targets, self._now).find(wanted)
        if entry is None:
            raise NotOnImageRepository
        decision.check_entry(repository.policy, entry, None)
        return entry

    def _direct(
        self, director: Repository, image: Repository, ecu: "Any", path: "str | None"
    ) -> "Cycle[Any]":
        yield from director.check_stored_root()
        yield from image.check_stored_root()
        both: Any = {DIRECTOR: director, IMAGE: image}
        pair: Any = Pair()
        decided = yield from full.refresh(both, pair, ecu, self._clock, 0)
        if path is None:
            return None
        for entry in decided.entries.values():
            number: Any = entry.number
            if number == path:
                return entry
        raise NoImage

    def _run(self, cycle: "Cycle[Any]", repositories: "list[Repository]") -> "Any":
        cycle = staged(cycle, repositories)
        answer = None
        while True:
            try:
                said = cycle.send(answer)
            except StopIteration as end:
                return None if end.value is None else self._told(end.value)
            answer = None
            if isinstance(said, Want):
                file = self._address(said)
                answer = self._port.fetch(said.repository, file, said.cap)
            elif said is not None:
                self._store(said)

    def _told(self, entry: "Any") -> "dict[str, Any]":
        hashes = {}
        for algorithm in entry.hashes:
            if algorithm not in TUF.t34_hashes:
                raise UnknownHash
            hashes[str(algorithm)] = entry.hashes[algorithm]
        root: Any = self._repositories[IMAGE].root
        return {"length": entry.length, "hashes": hashes, "consistent": root.is_consistent}

    def _address(self, want: Want) -> str:
        file = self._names[want.repository].file(want.number)
        root: Any = self._repositories[want.repository].root
        if want.number == ROOT or (want.number != TIMESTAMP and root.is_consistent):
            file = f"{want.detail}.{file}"
        return file

    def _place(self, record: int) -> "tuple[int, str]":
        repository, role = divmod(record - record_of(0, 0), ROLES)
        return repository, self._names[repository].file(role)

    def _read(self, record: int) -> "bytes | None":
        if record < record_of(DIRECTOR, 0):
            return None  # the high-water mark of a device
        raw: bytes | None = self._port.stored(*self._place(record))
        return raw

    def _store(self, commit: "Any") -> None:
        for number in self._repositories:
            files = {}
            for record in commit.changes:
                if record < record_of(DIRECTOR, 0):
                    continue
                repository, file = self._place(record)
                if repository == number:
                    files[file] = commit.changes[record]
            if files:
                self._port.commit(number, files)


def _raw(text: str) -> bytes:
    try:
        return unhex(text)
    except BadShape:
        return b""
