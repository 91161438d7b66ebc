"""The Image repository: every image that was released, signed the same for all vehicles.

Files stand in a store under the names of V-21: `3.root.cbor`, `timestamp.cbor`,
`5.snapshot.cbor`, `5.targets.cbor` and `<sha256>.<number>` for an image. Its state is what the
store holds, read back and verified at opening. Images are added first and published together.
It has no delegations yet, and does not know which vehicle needs what.
Rules: R-02, R-04, R-05, R-07, R-30, R-41, V-21, V-75, V-85, T-14, T-53.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from muptane.oem.authority import IMAGE_LIFETIMES_S, Authority
from muptane.oem.errors import ImageNumberUsed, Malformed, UnknownImage
from muptane.oem.fields import hashes_of, sha256
from muptane.oem.keys import Holders, Signer
from muptane.oem.metadata import Role, Snapshot, Timestamp
from muptane.oem.storage import Store
from muptane.oem.targets import Entry, Targets
from uptane import ids
from uptane.limits import DIGEST_BYTES, VERSION_MAX

NAMES = ("root", "timestamp", "snapshot", "targets")
TIMESTAMP_NAME = "timestamp.cbor"


def role_name(role: int, version: int) -> str:
    """The name of a role file (V-21); the Timestamp has no version in it."""
    return TIMESTAMP_NAME if role == ids.TIMESTAMP else f"{version}.{NAMES[role]}.cbor"


def image_name(number: int, digest: bytes) -> str:
    return f"{digest.hex()}.{number}"


def entry_of(content: bytes, hardware: Iterable[int], release: int) -> Entry:
    """What metadata says about an image."""
    ascending = tuple(sorted(set(hardware)))
    return Entry(
        length=len(content), hashes=hashes_of(content), hardware=ascending, release=release
    )


@dataclass(frozen=True)
class Roles:
    """The three files that stand at one time."""

    targets: Targets
    snapshot: Snapshot
    timestamp: Timestamp


class ImageRepository:
    """One repository in one store."""

    def __init__(self, store: Store, authority: Authority, roles: Roles) -> None:
        """Use `create` or `open`."""
        self._store = store
        self._authority = authority
        self._roles = roles
        self._added: dict[str, bytes] = {}
        self._images = dict(roles.targets.images)

    @classmethod
    def create(cls, store: Store, holders: Mapping[int, Holders], now: int) -> "ImageRepository":
        """A new repository: Root 1 and the other roles, without images."""
        authority = Authority.found(holders, now, IMAGE_LIFETIMES_S)
        roles = _next_roles(authority, None, {}, now)
        store.publish(_files(authority, roles))
        return cls(store, authority, roles)

    @classmethod
    def open(cls, store: Store, signers: Iterable[Signer]) -> "ImageRepository":
        """What `store` holds, verified. Refuses like `check` when it was tampered with."""
        authority = Authority.reopen(_stored_roots(store), signers, IMAGE_LIFETIMES_S)
        timestamp = _stored(store, authority, TIMESTAMP_NAME, Timestamp)
        name = role_name(ids.SNAPSHOT, timestamp.snapshot)
        snapshot = _stored(store, authority, name, Snapshot)
        name = role_name(ids.TARGETS, snapshot.versions[ids.TARGETS])
        targets = _stored(store, authority, name, Targets)
        return cls(store, authority, Roles(targets, snapshot, timestamp))

    @property
    def identity(self) -> bytes:
        return self._authority.identity

    @property
    def authority(self) -> Authority:
        return self._authority

    @property
    def images(self) -> Mapping[int, Entry]:
        """The images as they will be published next, by number."""
        return dict(self._images)

    def add_image(
        self, number: int, content: bytes, hardware: Iterable[int], release: int
    ) -> Entry:
        """List `content` at the next publication. The same image again changes nothing.

        Refuses with ImageNumberUsed when the number ever named something else (V-85).
        """
        entry = entry_of(content, hardware, release)
        known = self._images.get(number)
        if known is not None and known != entry:
            raise ImageNumberUsed(f"image {number} is something else already")
        name = image_name(number, sha256(content))
        for used in (*self._store.names(), *self._added):
            if used.endswith(f".{number}") and used != name:
                raise ImageNumberUsed(f"image {number} was something else once")
        self._added[name] = content
        self._images[number] = entry
        return entry

    def withdraw_image(self, number: int) -> None:
        """List it no more (R-41). Its number stays used, its bytes stay in the store."""
        if self._images.pop(number, None) is None:
            raise UnknownImage(f"image {number} is not listed")

    def publish(self, now: int) -> None:
        """Everything added, with a fresh Timestamp, at once. After a fault of the store this
        object is done for: open the repository again, it stands before or after."""
        roles = _next_roles(self._authority, self._roles, self._images, now)
        self._commit(self._authority, roles)

    def rotate(self, changes: Mapping[int, Holders], now: int) -> None:
        """One more Root with `changes`, and every other file signed anew, at once."""
        authority = self._authority.rotated(changes, now)
        self._commit(authority, _next_roles(authority, _spent(self._roles), self._images, now))

    def read(self, kind: int, number: int, detail: object) -> bytes | None:
        """What a feeder asks for: metadata by role and version (0: the newest), an image by
        number and SHA-256. None: there is no such file."""
        if kind == ids.KIND_METADATA and isinstance(detail, int):
            return self._read_role(number, detail)
        if kind == ids.KIND_IMAGE and isinstance(detail, bytes) and len(detail) == DIGEST_BYTES:
            return self._store.read(image_name(number, detail)) if number >= 0 else None
        return None

    def _read_role(self, role: int, version: int) -> bytes | None:
        if role == ids.ROOT:
            return self._authority.read_root(version)
        newest: dict[int, Role] = {
            ids.TIMESTAMP: self._roles.timestamp,
            ids.SNAPSHOT: self._roles.snapshot,
            ids.TARGETS: self._roles.targets,
        }
        if role not in newest or not 0 <= version <= VERSION_MAX:
            return None
        if role == ids.TIMESTAMP and version not in (0, newest[role].version):
            return None
        return self._store.read(role_name(role, version or newest[role].version))

    def _commit(self, authority: Authority, roles: Roles) -> None:
        self._store.publish({**self._added, **_files(authority, roles)})
        self._authority, self._roles = authority, roles
        self._added = {}


def _next_roles(
    authority: Authority, old: Roles | None, images: Mapping[int, Entry], now: int
) -> Roles:
    """The roles after `old`: a file changes when what it says does or half its life is over."""
    targets = old.targets if old is not None else None
    if targets is None or targets.images != images or _ages(authority, targets, now):
        version = targets.version + 1 if targets is not None else 1
        expires = authority.expiry(ids.TARGETS, now)
        targets = Targets(version=version, expires=expires, images=dict(images))
    named = {ids.TARGETS: targets.version}
    snapshot = old.snapshot if old is not None else None
    if snapshot is None or snapshot.versions != named or _ages(authority, snapshot, now):
        version = snapshot.version + 1 if snapshot is not None else 1
        expires = authority.expiry(ids.SNAPSHOT, now)
        snapshot = Snapshot(version=version, expires=expires, versions=named)
    version = old.timestamp.version + 1 if old is not None else 1
    timestamp = Timestamp.of(version, authority.expiry(ids.TIMESTAMP, now), snapshot)
    return Roles(targets, snapshot, timestamp)


def _spent(roles: Roles) -> Roles:
    """The same files at the end of their lives, so that all of them have to change."""
    targets = roles.targets.model_copy(update={"expires": 0})
    snapshot = roles.snapshot.model_copy(update={"expires": 0})
    return Roles(targets, snapshot, roles.timestamp)


def _ages(authority: Authority, role: Role, now: int) -> bool:
    return role.expires - now < authority.lifetimes_s[role.type] // 2


def _files(authority: Authority, roles: Roles) -> dict[str, bytes]:
    """Name -> bytes. Ed25519 signs the same twice, so unchanged files come out unchanged."""
    made = {role_name(ids.ROOT, authority.root.version): authority.roots[-1]}
    for role in (roles.targets, roles.snapshot, roles.timestamp):
        made[role_name(role.type, role.version)] = authority.sign(role)
    return made


def _stored_roots(store: Store) -> list[bytes]:
    found: list[bytes] = []
    while (raw := store.read(role_name(ids.ROOT, len(found) + 1))) is not None:
        found.append(raw)
    if not found:
        raise Malformed("there is no repository in this store")
    return found


R = TypeVar("R", bound=Role)


def _stored(store: Store, authority: Authority, name: str, model: type[R]) -> R:
    raw = store.read(name)
    if raw is None:
        raise Malformed(f"{name} is missing from the store")
    made = authority.verify(raw, model.type)
    if not isinstance(made, model):
        raise Malformed(f"{name} holds another role")
    return made
