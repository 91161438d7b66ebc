"""The Image repository as it stands, held against a backup of it: what changed, came, or is gone.

Everything new has to be signed by whoever may: role files by their keys, images and maps by a file
that lists them. What is gone has to be what `garbage` takes. Names carry versions and hashes, so
nothing but the Timestamp ever changes under its name; a role file may be signed anew, and says the
same. It does not read the inventory, except for who needs an image.
Rules: V-50, V-85, S-18, S-19, S-20, E-61, T-53.
"""

from collections.abc import Iterator, Mapping

from muptane.oem.backup.contents import Blob
from muptane.oem.backup.finding import Finding, bad, news
from muptane.oem.backup.signed import Signed, role_files
from muptane.oem.errors import OemRefusal
from muptane.oem.image_repository import ImageRepository, image_name
from muptane.oem.maps import Listing, map_name
from muptane.oem.metadata import Snapshot
from muptane.oem.needs import Needs
from muptane.oem.published import ImageName, RoleName, read_name, spent_name
from muptane.oem.storage import Store
from muptane.oem.targets import Targets
from uptane import ids

Names = Mapping[str, Blob]


class Files:
    """`before` and `now`: every file by name; `old`: the signed ones of the backup; `store`: reads
    what stands; `needs`: who needs an image; `now_s`: seconds since 1970."""

    def __init__(
        self, sides: tuple[Names, Names], old: Signed, store: Store, needs: Needs, now_s: int
    ) -> None:
        """Refuses with an OemRefusal when the Roots that stand are not a chain."""
        self._before, self._now = sides
        self._old = old
        self._new = Signed(role_files(store), old)
        self._store = store
        self._needs = needs
        self._now_s = now_s
        self._current: dict[int, int] = {}
        self.listed = self._old.listed | self._new.listed  # (number, SHA-256) of every image

    def findings(self) -> Iterator[Finding]:
        """Everything, in the order of the names."""
        if self._new.identity != self._old.identity:
            yield bad("another repository stands here: its Root 1 is not the one of the backup")
            return
        yield from self._standing()
        for name in sorted({*self._before, *self._now}):
            if name not in self._now:
                yield from self._removed(name)
            elif name not in self._before:
                yield from self._added(name)
            elif self._before[name] != self._now[name]:
                yield from self._changed(name)

    def _standing(self) -> Iterator[Finding]:
        """What counts now: that it verifies, went forwards, and has all of its images."""
        try:
            repository = ImageRepository.open(self._store, ())
        except OemRefusal as refusal:
            yield bad(f"what stands does not verify: {refusal}")
            return
        self._current = current_versions(repository)
        before = newest_versions(self._old)
        for number, version in sorted(self._current.items()):
            role, stood = RoleName(number, version), before.get(number, 0)
            if version < stood:
                yield bad(f"{role}: version {stood} stood here, it went back")
            elif version > stood:
                yield news(f"{role}: newer than {stood}, signed as it must be")
        yield from self._listed()

    def _listed(self) -> Iterator[Finding]:
        """Images that somebody may come for, because a file lists them that counts, or that has
        not expired."""
        for name, role in sorted(self._new.genuine.items()):
            named = read_name(name)
            if not isinstance(named, RoleName) or not isinstance(role, Targets):
                continue
            counts = self._current.get(named.number) == named.version
            for number, entry in role.images.items():
                if counts or role.expires > self._now_s:
                    self._needs.need(number, f"{name} lists it")
                image = image_name(number, entry.hashes.get(ids.ALG_SHA256, b""))
                if counts and image not in self._now and image not in self._before:
                    yield bad(f"image {number} is listed by {name}, and is not there")

    def _changed(self, name: str) -> Iterator[Finding]:
        named = read_name(name)
        was, found = self._old.genuine.get(name), self._new.genuine.get(name)
        if not isinstance(named, RoleName):
            yield bad(f"{name}: its bytes were changed")
        elif found is None:
            yield bad(f"{name} was changed, and nobody who speaks for its role signed it")
        elif was is None or (named.version == 0 and found.version > was.version):
            return  # the Timestamp, of which `_standing` told
        elif found.version == was.version and found.payload() != was.payload():
            yield bad(f"{name}: version {was.version} says something else now, validly signed")

    def _removed(self, name: str) -> Iterator[Finding]:
        named, was = read_name(name), self._old.genuine.get(name)
        if isinstance(named, RoleName):
            newest = self._current.get(named.number, named.version + 1)
            superseded = bool(self._current) and named.version < newest
            mortal = named.type in (ids.SNAPSHOT, ids.TARGETS)
            if mortal and superseded and was is not None and was.expires <= self._now_s:
                yield news(f"{name} was collected: it is superseded, and has expired")
            else:
                yield bad(f"{name} was removed: it counts, or has not expired, or is a Root")
        elif isinstance(named, ImageName) and not named.spent:
            why = self._needs.images.get(named.number)
            if why is not None:
                yield bad(f"image {named.number} was removed, and {why}")
            elif spent_name(named) not in self._now:
                yield bad(f"image {named.number} was removed, and its number could be used again")
            else:
                yield news(f"image {named.number} was collected")
        else:
            yield bad(f"{name} was removed")

    def _added(self, name: str) -> Iterator[Finding]:
        named = read_name(name)
        if isinstance(named, RoleName):
            if name not in self._new.genuine:
                yield bad(f"{name} was planted: nobody who speaks for its role signed it")
            elif self._current and named.version > self._current.get(named.number, 0):
                yield bad(f"{name} was planted: validly signed, and a version that never counted")
        elif isinstance(named, ImageName):
            yield from self._added_image(name, named)
        elif not self._is_listed_map(name):
            yield bad(f"{name} was planted: a file that no signed file knows of")

    def _added_image(self, name: str, named: ImageName) -> Iterator[Finding]:
        known = (named.number, named.digest) in self.listed
        same = image_name(named.number, named.digest) in self._before
        if named.spent and not (known or same):
            yield bad(f"{name} was planted: there was no such image")
        elif not named.spent and self._now[name].digest != named.digest:
            yield bad(f"image {named.number} is not what its name says")
        elif not named.spent and not known:
            yield bad(f"image {named.number} was planted: no signed file lists it")
        elif not named.spent:
            yield news(f"image {named.number} is new, listed by a signed file")

    def _is_listed_map(self, name: str) -> bool:
        raw = self._store.read(name) or b""
        return any(
            name == map_name(number) and listing == Listing.of(raw)
            for number, listing in self._new.maps
        )


def current_versions(repository: ImageRepository) -> dict[int, int]:
    """Role -> the version that counts, of the Timestamp and Root too."""
    found = {ids.ROOT: repository.authority.root.version}
    for role in (ids.TIMESTAMP, ids.SNAPSHOT):
        raw = repository.read(ids.KIND_METADATA, role, 0) or b""
        said = repository.authority.verify(raw, role)
        found[role] = said.version
        if isinstance(said, Snapshot):
            found.update(said.versions)
    return found


def newest_versions(signed: Signed) -> dict[int, int]:
    """Role -> the highest version there is of it."""
    found: dict[int, int] = {}
    for name, role in signed.genuine.items():
        named = read_name(name)
        if isinstance(named, RoleName):
            found[named.number] = max(found.get(named.number, 0), role.version)
    return found
