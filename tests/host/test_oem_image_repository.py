"""The Image repository and its stores: names, versions, atomic publication, rotation."""

import os

import pytest
from grammar import conforms
from oem_vehicle import NOW

from muptane.oem.authority import DAY_S
from muptane.oem.check import verify_next_root, verify_root_1
from muptane.oem.errors import BelowThreshold, ImageNumberUsed, Malformed, OemRefusal, UnknownImage
from muptane.oem.fields import sha256
from muptane.oem.image_repository import ImageRepository
from muptane.oem.keys import Holders, Signer
from muptane.oem.storage import DirectoryStore, Disk, MemoryStore
from uptane import ids

SIGNERS = [Signer.from_seed(b"image tests", name) for name in "rtsgx"]
HOLDERS = {role: Holders.of(signer) for role, signer in enumerate(SIGNERS[:4])}
ROLES = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


@pytest.fixture(params=["memory", "directory"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path)


def versions(repository):
    found = []
    for role in ROLES:
        raw = repository.read(ids.KIND_METADATA, role, 0)
        conforms("role-file", raw)
        if role == ids.ROOT:
            found.append(repository.authority.root.version)
        else:
            found.append(repository.authority.verify(raw, role).version)
    return found


def test_a_new_repository_is_complete_and_empty(store):
    repository = ImageRepository.create(store, HOLDERS, NOW)
    assert versions(repository) == [1, 1, 1, 1]
    assert store.names() == [
        "1.root.cbor", "1.snapshot.cbor", "1.targets.cbor", "timestamp.cbor"
    ]  # fmt: skip
    first = verify_root_1(repository.read(ids.KIND_METADATA, ids.ROOT, 1))
    assert first.identity() == repository.identity == sha256(first.payload())


def test_images_appear_when_they_are_published(store):
    """S-08, R-07, T-07, R-04, V-21."""
    repository = ImageRepository.create(store, HOLDERS, NOW)
    repository.add_image(7, b"brake", [21, 20, 21], 3)
    digest = sha256(b"brake")
    assert repository.read(ids.KIND_IMAGE, 7, digest) is None
    repository.publish(NOW)
    assert repository.read(ids.KIND_IMAGE, 7, digest) == b"brake"
    assert repository.read(ids.KIND_IMAGE, 8, digest) is None
    assert f"{digest.hex()}.7" in store.names()
    assert versions(repository) == [1, 2, 2, 2]
    targets = repository.authority.verify(repository.read(ids.KIND_METADATA, 3, 0), 3)
    assert targets.vehicle is None and targets.images[7].hardware == (20, 21)
    for kind, number, detail in ((0, 3, 3), (0, 4, 0), (0, 1, 1), (0, 2, -1), (2, 7, digest)):
        assert repository.read(kind, number, detail) is None
    assert repository.read(ids.KIND_METADATA, ids.TARGETS, 1) is not None


def test_a_role_is_signed_anew_when_half_its_life_is_over(store):
    repository = ImageRepository.create(store, HOLDERS, NOW)
    repository.publish(NOW + DAY_S)
    assert versions(repository) == [1, 2, 1, 1]
    repository.publish(NOW + 4 * DAY_S)
    assert versions(repository) == [1, 3, 2, 1]
    repository.publish(NOW + 50 * DAY_S)
    assert versions(repository) == [1, 4, 3, 2]


def test_an_image_number_is_never_used_again(store):
    """R-41, V-85, T-53."""
    repository = ImageRepository.create(store, HOLDERS, NOW)
    entry = repository.add_image(7, b"brake", [20], 3)
    assert repository.add_image(7, b"brake", [20], 3) == entry
    for content, hardware, release in ((b"x", [20], 3), (b"brake", [21], 3), (b"brake", [20], 4)):
        with pytest.raises(ImageNumberUsed):
            repository.add_image(7, content, hardware, release)
    repository.publish(NOW)
    repository.withdraw_image(7)
    with pytest.raises(UnknownImage):
        repository.withdraw_image(7)
    repository.publish(NOW)
    assert repository.images == {}
    with pytest.raises(ImageNumberUsed):
        repository.add_image(7, b"other", [20], 3)
    repository.add_image(17, b"other", [20], 3)  # 17 ends in 7 and is another number


def test_a_repository_is_opened_as_it_was_left(store):
    repository = ImageRepository.create(store, HOLDERS, NOW)
    repository.add_image(7, b"brake", [20], 3)
    repository.publish(NOW)
    again = ImageRepository.open(store, SIGNERS)
    assert versions(again) == versions(repository) and again.images == repository.images
    again.publish(NOW)
    assert versions(again) == [1, 3, 2, 2]


def test_a_store_that_was_tampered_with_is_not_opened(store):
    repository = ImageRepository.create(store, HOLDERS, NOW)
    for name in store.names():
        good = store.read(name)
        for bad in (good[:-1] + bytes([good[-1] ^ 1]), good[:-1], b""):
            store.publish({name: bad})
            with pytest.raises(OemRefusal):
                ImageRepository.open(store, SIGNERS)
        store.publish({name: good})
    assert ImageRepository.open(store, SIGNERS).identity == repository.identity
    with pytest.raises(Malformed):
        ImageRepository.open(MemoryStore(), SIGNERS)


@pytest.mark.parametrize("role", ROLES)
def test_the_key_of_any_role_can_be_replaced(store, role):
    """V-71, R-39, E-39."""
    repository = ImageRepository.create(store, HOLDERS, NOW)
    repository.add_image(7, b"brake", [20], 3)
    repository.publish(NOW)
    old = repository.read(ids.KIND_METADATA, role, 0)
    repository.rotate({role: Holders.of(SIGNERS[4])}, NOW)
    assert versions(repository) == [2, 3, 3, 3]
    root_1 = verify_root_1(repository.read(ids.KIND_METADATA, ids.ROOT, 1))
    raw = repository.read(ids.KIND_METADATA, ids.ROOT, 2)
    assert verify_next_root(raw, root_1, repository.identity).holders(role).keys == (
        SIGNERS[4].key,
    )
    with pytest.raises(BelowThreshold):
        repository.authority.verify(old, role)
    assert list(ImageRepository.open(store, SIGNERS).images) == [7]


def test_names_that_leave_the_folder_are_refused(store):
    """V-21, E-61."""
    for name in ("../x.y", "a/b.c", "a", ".a", "A.b", "a.b\n", "", "a..b"):
        with pytest.raises(Malformed):
            store.publish({name: b""})


class Cut(Exception):
    """The power went."""


class MortalDisk(Disk):
    """A disk that fails at stroke `last`; a write leaves half its bytes behind."""

    def __init__(self, last: int) -> None:
        self.left = last

    def _stroke(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cut

    def make_folder(self, path):
        self._stroke()
        super().make_folder(path)

    def write(self, path, content):
        if self.left == 0:
            path.write_bytes(content[: len(content) // 2])
        self._stroke()
        super().write(path, content)

    def link(self, old, new):
        self._stroke()
        super().link(old, new)

    def settle(self, folder):
        self._stroke()
        super().settle(folder)

    def point(self, link, target):
        self._stroke()
        super().point(link, target)

    def replace(self, draft, final):
        self._stroke()
        super().replace(draft, final)

    def remove(self, folder):
        if self.left == 0:
            next(folder.iterdir()).unlink(missing_ok=True)
        self._stroke()
        super().remove(folder)


def prepared(folder):
    repository = ImageRepository.create(DirectoryStore(folder), HOLDERS, NOW)
    repository.add_image(7, b"brake", [20], 3)
    repository.publish(NOW)


@pytest.mark.parametrize("rotates", [False, True])
def test_a_cut_at_any_stroke_leaves_the_store_before_or_after(tmp_path, rotates):
    """T-17, E-87: never a Timestamp without its Snapshot, never an image without its entry."""
    seen = []
    for stroke in range(100):
        folder = tmp_path / str(stroke)
        prepared(folder)
        repository = ImageRepository.open(DirectoryStore(folder, MortalDisk(stroke)), SIGNERS)
        repository.add_image(8, b"door", [30], 1)
        try:
            if rotates:
                repository.rotate({ids.TIMESTAMP: Holders.of(SIGNERS[4])}, NOW)
            else:
                repository.publish(NOW)
            done = True
        except Cut:
            done = False
        again = ImageRepository.open(DirectoryStore(folder), SIGNERS)
        after = 8 in again.images
        door = again.read(ids.KIND_IMAGE, 8, sha256(b"door"))
        assert (door == b"door") is after and again.images[7].release == 3
        assert again.authority.root.version == (2 if rotates and after else 1)
        again.add_image(8, b"door", [30], 1)
        again.publish(NOW)
        assert sorted(again.images) == [7, 8]
        assert len(os.listdir(folder / "generations")) <= 2
        seen.append(after)
        if done:
            break
    assert done and seen == sorted(seen) and seen.count(False) > 8
