"""The Image repository: every image that was released, signed the same for all vehicles.

Files stand in a store under the names of V-21: `3.root.cbor`, `timestamp.cbor`,
`5.snapshot.cbor`, `5.targets.cbor`, `5.targets.16.cbor` for a supplier's role, and
`<sha256>.<number>` for an image. Its state is what the store holds, read back and verified at
opening. Images and deliveries are added first and published together. It does not know which
vehicle needs what.
Rules: R-02, R-04, R-05, R-06, R-07, R-30, R-41, R-43, V-15, V-18, V-21, V-75, V-85, T-14, T-40,
T-41, T-53.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from muptane.oem.authority import IMAGE_LIFETIMES_S, Authority
from muptane.oem.delegations import Delegation
from muptane.oem.deliveries import Deliveries
from muptane.oem.errors import ImageNumberUsed, Malformed, UnknownImage
from muptane.oem.fields import sha256
from muptane.oem.keys import Holders, Signer
from muptane.oem.maps import Listing, map_name, read_map
from muptane.oem.metadata import Role, Snapshot, Timestamp
from muptane.oem.storage import Store
from muptane.oem.targets import Entry, Targets, entry_of
from muptane.regions import Joined
from uptane import ids
from uptane.limits import DIGEST_BYTES, VERSION_MAX

NAMES = ("root", "timestamp", "snapshot", "targets")
TIMESTAMP_NAME = "timestamp.cbor"


def role_name(role: int, version: int) -> str:
    """The name of a role file (V-21); the Timestamp has no version in it."""
    if role >= ids.DELEGATED_FIRST:
        return f"{version}.{NAMES[ids.TARGETS]}.{role}.cbor"
    return TIMESTAMP_NAME if role == ids.TIMESTAMP else f"{version}.{NAMES[role]}.cbor"


def image_name(number: int, digest: bytes) -> str:
    return f"{digest.hex()}.{number}"


@dataclass(frozen=True)
class Roles:
    """The three files that stand at one time."""

    targets: Targets
    snapshot: Snapshot
    timestamp: Timestamp


class ImageRepository:
    """One repository in one store."""

    def __init__(
        self, store: Store, authority: Authority, roles: Roles, deliveries: Deliveries
    ) -> None:
        """Use `create` or `open`."""
        self._store = store
        self._authority = authority
        self._roles = roles
        self._deliveries = deliveries
        self._added: dict[str, bytes] = {}
        self._images = dict(roles.targets.images)
        self._maps = dict(roles.targets.maps)

    @classmethod
    def create(cls, store: Store, holders: Mapping[int, Holders], now: int) -> "ImageRepository":
        """A new repository: Root 1 and the other roles, without images."""
        authority = Authority.found(holders, now, IMAGE_LIFETIMES_S)
        deliveries = Deliveries(authority.identity)
        roles = _next_roles(authority, None, ({}, deliveries, {}), now)
        store.publish(_files(authority, roles, deliveries))
        return cls(store, authority, roles, deliveries)

    @classmethod
    def open(cls, store: Store, signers: Iterable[Signer]) -> "ImageRepository":
        """What `store` holds, verified. Refuses like `check` when it was tampered with."""
        authority = Authority.reopen(_stored_roots(store), signers, IMAGE_LIFETIMES_S)
        timestamp = _stored(store, authority, TIMESTAMP_NAME, Timestamp)
        name = role_name(ids.SNAPSHOT, timestamp.snapshot)
        snapshot = _stored(store, authority, name, Snapshot)
        name = role_name(ids.TARGETS, snapshot.versions[ids.TARGETS])
        targets = _stored(store, authority, name, Targets)
        raws = {
            role: store.read(role_name(role, version)) or b""
            for role, version in snapshot.versions.items()
            if role != ids.TARGETS
        }
        deliveries = Deliveries.reopened(authority.identity, targets.delegations, raws)
        return cls(store, authority, Roles(targets, snapshot, timestamp), deliveries)

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

    @property
    def deliveries(self) -> Deliveries:
        """What suppliers delivered, as it will be published next."""
        return self._deliveries

    def add_image(
        self, number: int, image: bytes | Joined, hardware: Iterable[int], release: int
    ) -> Entry:
        """List an image at the next publication. The same image again changes nothing.

        Refuses with ImageNumberUsed when the number ever named something else (V-85).
        """
        entry = entry_of(image, hardware, release)
        content = Joined.of(image).content
        known = self._images.get(number)
        if known is not None and known != entry:
            raise ImageNumberUsed(f"image {number} is something else already")
        self._added[self._free_name(number, content)] = content
        self._images[number] = entry
        return entry

    def _free_name(self, number: int, content: bytes) -> str:
        name = image_name(number, sha256(content))
        for used in (*self._store.names(), *self._added):
            if used.endswith(f".{number}") and used != name:
                raise ImageNumberUsed(f"image {number} was something else once")
        return name

    def delegate(
        self, delegation: Delegation, raws: Iterable[bytes], images: Mapping[int, bytes], now: int
    ) -> dict[int, Entry]:
        """Leave images to suppliers, after all that is delegated already, from the next
        publication on. `raws`: the first files of its roles; else as `deliver`."""
        return self._take(self._deliveries.delegated(delegation, raws, now), images)

    def deliver(
        self, raws: Iterable[bytes], images: Mapping[int, bytes], now: int
    ) -> dict[int, Entry]:
        """Take newer files of suppliers, and images that these or older ones list; return the
        entries of the images (R-06, E-91). Refuses like Deliveries, UnknownImage,
        ImageNumberUsed; then nothing is taken."""
        return self._take(self._deliveries.accepted(raws, now), images)

    def _take(self, deliveries: Deliveries, images: Mapping[int, bytes]) -> dict[int, Entry]:
        entries = {number: deliveries.entry(number, images[number]) for number in images}
        for number, entry in entries.items():
            if self._images.get(number, entry) != entry:
                raise ImageNumberUsed(f"image {number} is something else already")
        added = {self._free_name(number, images[number]): images[number] for number in images}
        self._deliveries = deliveries
        self._added.update(added)
        return entries

    def end_delegation(self, role: int) -> None:
        """Take a supplier's word away. The Snapshot goes on listing its last file until its and
        the Timestamp's keys are rotated together (R-43, T-40)."""
        self._deliveries = self._deliveries.ended(role)

    def find(self, number: int, hardware: Iterable[int]) -> Entry | None:
        """What a device finds published for an image meant for all of `hardware` (V-76)."""
        return self._deliveries.find(self._roles.targets, number, hardware)

    def withdraw_image(self, number: int) -> None:
        """List it no more (R-41). Its number stays used, its bytes stay in the store."""
        if self._images.pop(number, None) is None:
            raise UnknownImage(f"image {number} is not listed")

    def list_map(self, raw: bytes) -> None:
        """Agree to a map from the next publication on (T-45). Refuses like `read_map`, and with
        ImageNumberUsed."""
        number = read_map(raw).number
        if self._maps.setdefault(number, Listing.of(raw)) != Listing.of(raw):
            raise ImageNumberUsed(f"map {number} is something else already")
        self._added[map_name(number)] = raw

    def publish(self, now: int) -> None:
        """Everything added, with a fresh Timestamp, at once. After a fault of the store this
        object is done for: open the repository again, it stands before or after."""
        contents = self._images, self._deliveries, self._maps
        self._commit(self._authority, _next_roles(self._authority, self._roles, contents, now))

    def rotate(self, changes: Mapping[int, Holders], now: int) -> None:
        """One more Root with `changes`, and every other file signed anew, at once."""
        authority = self._authority.rotated(changes, now)
        spent = _spent(self._roles, {ids.TIMESTAMP, ids.SNAPSHOT} <= set(changes))
        contents = self._images, self._deliveries, self._maps
        self._commit(authority, _next_roles(authority, spent, contents, now))

    def read(self, kind: int, number: int, detail: object) -> bytes | None:
        """What a feeder asks for: metadata by role and version (0: the newest), an image by
        number and SHA-256, a map by number. None: there is no such file."""
        if kind == ids.KIND_METADATA and isinstance(detail, int):
            return self._read_role(number, detail)
        if kind == ids.KIND_IMAGE and isinstance(detail, bytes) and len(detail) == DIGEST_BYTES:
            return self._store.read(image_name(number, detail)) if number >= 0 else None
        return self._store.read(map_name(number)) if kind == ids.KIND_MAP else None

    def _read_role(self, role: int, version: int) -> bytes | None:
        if role == ids.ROOT:
            return self._authority.read_root(version)
        newest = {
            **self._roles.snapshot.versions,
            ids.TIMESTAMP: self._roles.timestamp.version,
            ids.SNAPSHOT: self._roles.snapshot.version,
        }
        if role not in newest or not 0 <= version <= VERSION_MAX:
            return None
        if role == ids.TIMESTAMP and version not in (0, newest[role]):
            return None
        return self._store.read(role_name(role, version or newest[role]))

    def _commit(self, authority: Authority, roles: Roles) -> None:
        made = _files(authority, roles, self._deliveries)
        self._store.publish({**self._added, **made})
        self._authority, self._roles = authority, roles
        self._added = {}


Contents = tuple[Mapping[int, Entry], Deliveries, Mapping[int, Listing]]


def _next_roles(authority: Authority, old: Roles | None, contents: Contents, now: int) -> Roles:
    """The roles after `old`: a file changes when what it says does or half its life is over."""
    images, delegations, maps = dict(contents[0]), contents[1].delegations, dict(contents[2])
    targets = old.targets if old is not None else None
    said = None if targets is None else (targets.images, targets.delegations, targets.maps)
    if targets is None or said != (images, delegations, maps) or _ages(authority, targets, now):
        targets = Targets(
            version=targets.version + 1 if targets is not None else 1,
            expires=authority.expiry(ids.TARGETS, now),
            images=images,
            delegations=delegations,
            maps=maps,
        )
    snapshot = old.snapshot if old is not None else None
    before = snapshot.versions if snapshot is not None else {}
    named = {**before, **contents[1].versions(), ids.TARGETS: targets.version}
    if snapshot is None or snapshot.versions != named or _ages(authority, snapshot, now):
        version = snapshot.version + 1 if snapshot is not None else 1
        expires = authority.expiry(ids.SNAPSHOT, now)
        snapshot = Snapshot(version=version, expires=expires, versions=named)
    version = old.timestamp.version + 1 if old is not None else 1
    timestamp = Timestamp.of(version, authority.expiry(ids.TIMESTAMP, now), snapshot)
    return Roles(targets, snapshot, timestamp)


def _spent(roles: Roles, forgets: bool) -> Roles:
    """The same files at the end of their lives, so that all of them have to change. `forgets`:
    new keys of Snapshot and Timestamp let roles be dropped that nobody delegates to (R-43)."""
    targets = roles.targets.model_copy(update={"expires": 0})
    versions = {ids.TARGETS: targets.version} if forgets else roles.snapshot.versions
    snapshot = roles.snapshot.model_copy(update={"expires": 0, "versions": versions})
    return Roles(targets, snapshot, roles.timestamp)


def _ages(authority: Authority, role: Role, now: int) -> bool:
    return role.expires - now < authority.lifetimes_s[role.type] // 2


def _files(authority: Authority, roles: Roles, deliveries: Deliveries) -> dict[str, bytes]:
    """Name -> bytes. Ed25519 signs the same twice, so unchanged files come out unchanged."""
    made = {role_name(ids.ROOT, authority.root.version): authority.roots[-1]}
    for number, version in deliveries.versions().items():
        made[role_name(number, version)] = deliveries.files[number]
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
