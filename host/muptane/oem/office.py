"""The whole back office in one object, for a command line or a bench.

It owns the keys, both repositories, the inventory and the time source, and gives a feeder the
one function it needs: `answer`. What the office does at a time, it does at the time its given
clock says. A real car maker would keep these parts on different machines, and the Root keys on
none that has a cable (R-37); here every key is at hand.
Rules: R-01, R-31, R-33, R-37, R-44, R-60.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from muptane.oem import asking, bundles, fleet, replacing
from muptane.oem.delegations import Delegation
from muptane.oem.demands import Demand
from muptane.oem.director import Decision, Director
from muptane.oem.dispatch import Dispatch
from muptane.oem.encryption import Encryption
from muptane.oem.enrolment import NewEcu
from muptane.oem.image_repository import ImageRepository
from muptane.oem.intake import Intake
from muptane.oem.inventory import Inventory
from muptane.oem.key_server import KeyServer, Secrets
from muptane.oem.keys import Holders, Signer
from muptane.oem.keystore import Keyring, MemorySecrets
from muptane.oem.premises import Premises
from muptane.oem.recovery import check_advanced
from muptane.oem.targets import Entry, entry_of
from muptane.oem.time_server import TimeServer
from muptane.regions import Joined
from uptane import algorithms, ids

ROLE_NAMES: Mapping[int, str] = {
    ids.ROOT: "root",
    ids.TIMESTAMP: "timestamp",
    ids.SNAPSHOT: "snapshot",
    ids.TARGETS: "targets",
    ids.TIME: "time",
}
REPOSITORY_NAMES: Mapping[int, str] = {ids.DIRECTOR: "director", ids.IMAGE: "image"}
DIRECTOR_ROLES = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS, ids.TIME)
IMAGE_ROLES = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


class Mint:
    """Makes signers and keeps each before anything is signed with it. With a seed, a name gives
    the same signer every time."""

    def __init__(
        self, keyring: Keyring, seed: bytes | None, algorithm: int = algorithms.ALG_EDDSA
    ) -> None:
        self.keyring = keyring
        self._seed = seed
        self._algorithm = algorithm

    def make(self, name: str) -> Signer:
        if self._seed is None:
            made = Signer.generate(self._algorithm)
        else:
            made = Signer.from_seed(self._seed, name, self._algorithm)
        self.keyring.save(name, made)
        return made

    def holders(self, repository: int, roles: Iterable[int], version: int) -> dict[int, Holders]:
        """One new key for each of `roles` (R-37), named after the Root that brings it in."""
        prefix = REPOSITORY_NAMES.get(repository, f"repository-{repository}")
        return {
            role: Holders.of(self.make(f"{prefix}.{ROLE_NAMES[role]}.{version}")) for role in roles
        }


class Office:
    """`images`, `intake` (of suppliers), `director`, `time_server`, `inventory`, `key_server`."""

    def __init__(
        self,
        clock: Callable[[], int],
        mint: Mint,
        images: ImageRepository,
        director: Director,
        inventory: Inventory,
    ) -> None:
        """Use `create` or `open`."""
        self._clock = clock
        self._mint = mint
        self.images = images
        self.director = director
        self.inventory = inventory
        self.time_server = TimeServer(_time_signer(director), director.identity)
        self.intake = Intake(images, inventory, mint, clock)
        self._furnish(MemorySecrets())

    def _furnish(self, secrets: Secrets) -> None:
        """Beside the Director: a key server, of which it gets to verify and nothing else (R-44),
        and what decides how images travel."""
        self.key_server = KeyServer(secrets)
        self.director.verify_mac = self.key_server.verify
        encryption = Encryption(self.inventory, self.director.identity, self.key_server.wrap)
        self.dispatch = Dispatch(self.inventory, self._content, encryption)
        self.director.travel = self.dispatch.custom

    def _content(self, number: int, digest: bytes) -> bytes | None:
        return self.images.read(ids.KIND_IMAGE, number, digest)

    @classmethod
    def create(
        cls,
        clock: Callable[[], int],
        premises: Premises | None = None,
        seed: bytes | None = None,
        algorithm: int = algorithms.ALG_EDDSA,
    ) -> "Office":
        """A new office. `clock` returns seconds since 1970; `seed` makes every key the same each
        time, for tests and demos; `algorithm` of every key: algorithms.ALG_EDDSA or ALG_ES256."""
        place = premises or Premises()
        mint, inventory = Mint(place.keyring(), seed, algorithm), place.inventory()
        directing = mint.holders(ids.DIRECTOR, DIRECTOR_ROLES, 1)
        storing = mint.holders(ids.IMAGE, IMAGE_ROLES, 1)
        director = Director.create(inventory, directing, clock())
        images = ImageRepository.create(place.store(), storing, clock())
        made = cls(clock, mint, images, director, inventory)
        made._furnish(place.secrets())
        return made

    @classmethod
    def open(
        cls, clock: Callable[[], int], premises: Premises, seed: bytes | None = None
    ) -> "Office":
        """The office that stands at `premises`; everything signed there is verified first."""
        check_advanced(premises.folder)
        keyring, inventory = premises.keyring(), premises.inventory()
        signers = list(keyring.signers().values())
        director = Director.open(inventory, signers)
        images = ImageRepository.open(premises.store(), signers)
        algorithm = director.authority.holders[ids.ROOT].keys[0].algorithm
        made = cls(clock, Mint(keyring, seed, algorithm), images, director, inventory)
        made._furnish(premises.secrets())
        made.intake.settle()
        return made

    def register_vehicle(self, vehicle: str, ecus: Sequence[NewEcu]) -> None:
        """A vehicle with all its ECUs, and first Director metadata to provision it with."""
        fleet.register_vehicle(self.inventory, vehicle, ecus, self._clock())
        self.director.welcome(vehicle, self._clock())

    def replace_ecu(self, vehicle: str, old: int, new: NewEcu) -> None:
        """Put `new` in the place of ECU `old` (R-42), and direct the vehicle anew, to name no ECU
        that is gone. Refuses like `replacing.replace_ecu`."""
        replacing.replace_ecu(self.inventory, vehicle, old, new, self._clock())
        self.director.welcome(vehicle, self._clock())

    def release_image(
        self,
        number: int,
        image: bytes | Joined,
        hardware: Iterable[int],
        release: int,
        confidential: bool = False,
    ) -> Entry:
        """Publish an image under a number that was never used; what is confidential is listed,
        and leaves only encrypted. The same again changes nothing."""
        entry = entry_of(image, hardware, release)
        if self.images.images.get(number) != entry:
            self.images.add_image(number, image, entry.hardware, release)
        self.images.publish(self._clock())
        fleet.record_image(self.inventory, number, entry, confidential)
        return entry

    def delegate(
        self, delegation: Delegation, raws: Iterable[bytes], images: Mapping[int, bytes]
    ) -> None:
        """Leave images to suppliers from now on, and publish the first files (role files as they
        signed them, images by number) that they delivered. Refuses like Deliveries."""
        self._publish(self.images.delegate(delegation, raws, images, self._clock()))

    def deliver(self, raws: Iterable[bytes], images: Mapping[int, bytes]) -> None:
        """Take newer files of suppliers and their images, and publish them (R-06)."""
        self._publish(self.images.deliver(raws, images, self._clock()))

    def _publish(self, entries: Mapping[int, Entry]) -> None:
        self.images.publish(self._clock())
        for number, entry in entries.items():
            fleet.record_image(self.inventory, number, entry)

    def demand(self, number: int, demands: Sequence[Demand]) -> None:
        """What image `number` asks of the rest of its vehicle (S-14), before it is wanted
        anywhere. Refuses like `asking.record_demands`."""
        asking.record_demands(self.inventory, number, demands)

    def want(self, vehicle: str, wishes: Mapping[int, int]) -> dict[int, int]:
        """Want `wishes` (ECU -> image), and whatever they need (R-14); returns all of it. Refuses
        like `asking.want`."""
        return asking.want(self.inventory, vehicle, wishes, self._clock())

    def assign(self, vehicle: str, ecu: int, image: int) -> None:
        """Want `image` on `ecu`; the vehicle learns it after its next manifest (R-35)."""
        fleet.assign(self.inventory, vehicle, ecu, image, self._clock())

    def assign_bundle(
        self,
        vehicle: str,
        images: Mapping[int, int],
        kind: int = ids.BUNDLE_TOGETHER,
        trials: int = 1,
    ) -> int:
        """Want `images` (ECU -> image) as one bundle (ids.BUNDLE_...), each tried `trials` times
        at most; returns the bundle's number. Refuses like `bundles.assign_bundle`."""
        way = (kind, trials)
        return bundles.assign_bundle(self.inventory, vehicle, images, way, self._clock())

    def bundle_results(self, vehicle: str) -> tuple[bundles.Result, ...]:
        """What each ECU made of the vehicle's newest bundle, by its reports."""
        return bundles.results(self.inventory, vehicle)

    def accept_manifest(self, vehicle: str, raw: bytes) -> Decision:
        """Take what `vehicle` sent; refuses with an OemRefusal."""
        return self.director.receive_manifest(vehicle, raw, self._clock())

    def answer(
        self, vehicle: str, repository: int, kind: int, number: int, detail: object
    ) -> bytes | None:
        """The file that a vehicle wants, whole, or None: there is no such file.

        `detail`: the version of metadata (0: the newest), the SHA-256 of an image or of what
        travels in its place, or the nonces to attest. An image comes from whichever repository it
        is wanted of.
        """
        if kind == ids.KIND_METADATA and repository == ids.DIRECTOR and isinstance(detail, int):
            return self.director.read(vehicle, number, detail)
        if kind == ids.KIND_METADATA and repository == ids.IMAGE:
            return self.images.read(kind, number, detail)
        if kind in (ids.KIND_IMAGE, ids.KIND_DELTA) and isinstance(detail, bytes):
            return self._image(vehicle, repository, (kind, number), detail)
        if kind == ids.KIND_TIME and isinstance(detail, (list, tuple)):
            return self.time_server.attest(detail, self._clock())
        return None

    def _image(
        self, vehicle: str, repository: int, file: tuple[int, int], digest: bytes
    ) -> bytes | None:
        """An image as it is, unless that is confidential; or what travels in its place, of which
        only the Director knows (S-28)."""
        kind, number = file
        if repository == ids.DIRECTOR:
            found = self.dispatch.read(vehicle, kind, number, digest)
            if found is not None:
                return found
        if kind != ids.KIND_IMAGE or repository not in REPOSITORY_NAMES:
            return None
        if fleet.is_confidential(self.inventory, number):
            return None
        return self.images.read(kind, number, digest)

    def rotate(self, repository: int, role: int) -> None:
        """Replace the keys of `role` by one new key, in a new Root of `repository`."""
        source = self.director if repository == ids.DIRECTOR else self.images
        version = source.authority.root.version + 1
        source.rotate(self._mint.holders(repository, (role,), version), self._clock())
        self.time_server = TimeServer(_time_signer(self.director), self.director.identity)

    def refresh(self) -> None:
        """A fresh Timestamp of the Image repository, as someone has to sign every day."""
        self.images.publish(self._clock())

    def now(self) -> int:
        """Seconds since 1970, by this office's clock."""
        return self._clock()

    def close(self) -> None:
        self.inventory.close()


def _time_signer(director: Director) -> Signer:
    return director.authority.holders[ids.TIME].ready()[0]
