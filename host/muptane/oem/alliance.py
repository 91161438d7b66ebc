"""An office and its partners: the other repositories that a vehicle's map may name.

A fleet may have a Director of its own (S-46, S-47), a supplier or an authority an Image repository
of its own. Each has its own keys; a Director has an inventory of its own, and takes the manifests
that the vehicle seals for the office's Director, so the two decide apart from each other and agree
out of band. An `Alliance` answers a feeder like an office. Its partners are kept in memory.
Rules: V-20, V-78, R-03, R-45, S-46, S-47, T-45, E-83.
"""

from collections.abc import Iterable, Mapping, Sequence

from muptane.oem import fleet
from muptane.oem.director import Decision, Director
from muptane.oem.enrolment import NewEcu
from muptane.oem.errors import Malformed, OemRefusal
from muptane.oem.image_repository import ImageRepository
from muptane.oem.inventory import Inventory
from muptane.oem.keys import Holders
from muptane.oem.keystore import MemoryKeys
from muptane.oem.maps import Map, Rule, is_director
from muptane.oem.office import IMAGE_ROLES, Mint, Office
from muptane.oem.storage import MemoryStore
from uptane import ids


class FleetDirector:
    """The Director of somebody else, with his own idea of what his vehicles should run."""

    def __init__(self, office: Office, holders: Mapping[int, Holders]) -> None:
        self.inventory = Inventory()
        self.director = Director.create(self.inventory, holders, office.now())
        self.director.reports_for = office.director.identity
        self.director.verify_mac = office.key_server.verify
        self._office = office

    def register_vehicle(self, vehicle: str, ecus: Sequence[NewEcu]) -> None:
        fleet.register_vehicle(self.inventory, vehicle, ecus, self._office.now())
        self.director.welcome(vehicle, self._office.now())

    def assign(self, vehicle: str, ecu: int, image: int) -> None:
        """Want an image that the office's Image repository publishes on `ecu`."""
        listed = self._office.images.images.get(image)
        if listed is not None:
            fleet.record_image(self.inventory, image, listed)
        fleet.assign(self.inventory, vehicle, ecu, image, self._office.now())


class Alliance:
    """`office` is repositories 1 and 2; `directors` and `stores` are the others by number."""

    def __init__(self, office: Office, seed: bytes | None = None) -> None:
        self.office = office
        self.directors: dict[int, FleetDirector] = {}
        self.stores: dict[int, ImageRepository] = {}
        self._mint = Mint(MemoryKeys(), seed)

    def add_director(self, number: int) -> FleetDirector:
        """A Director under an odd number. The time stays that of the office's Director, whose key
        this one's Root names too (R-63)."""
        if not is_director(number) or number in (ids.DIRECTOR, *self.directors):
            raise Malformed(f"{number} is no free number for a Director")
        holders = self._mint.holders(number, IMAGE_ROLES, 1)
        time = self.office.director.authority.holders[ids.TIME]
        holders[ids.TIME] = Holders(time.threshold, time.keys)
        self.directors[number] = FleetDirector(self.office, holders)
        return self.directors[number]

    def add_image_repository(self, number: int) -> ImageRepository:
        """An Image repository under an even number."""
        if is_director(number) or number in (ids.LOCAL, ids.IMAGE, *self.stores):
            raise Malformed(f"{number} is no free number for an Image repository")
        holders = self._mint.holders(number, IMAGE_ROLES, 1)
        made = ImageRepository.create(MemoryStore(), holders, self.office.now())
        self.stores[number] = made
        return made

    def identity(self, repository: int) -> bytes:
        """SHA-256 of the payload of its Root 1."""
        if is_director(repository):
            return self._director(repository).identity
        return self._store(repository).identity

    def charter(
        self, number: int, repositories: Iterable[int], mappings: Sequence[Rule] = ()
    ) -> bytes:
        """The file of a map of these repositories; without mappings all agree on every image."""
        identities = {other: self.identity(other) for other in sorted(repositories)}
        if not mappings:
            return Map.of_all(number, identities).content()
        return Map(number=number, repositories=identities, mappings=tuple(mappings)).content()

    def list_map(self, raw: bytes, vehicle: str, by: Iterable[int]) -> None:
        """Let the repositories of `by` agree to a map for a vehicle. Every Director's word
        goes out after the next manifest, an Image repository's at once."""
        now = self.office.now()
        for repository in by:
            if is_director(repository):
                self._director(repository).list_map(vehicle, raw, now)
            else:
                self._store(repository).list_map(raw)
                self._store(repository).publish(now)

    def accept_manifest(self, vehicle: str, raw: bytes) -> Decision:
        """Let each Director decide; the office's decision is returned. Refuses like each of them,
        after all have heard it."""
        refusals = []
        for partner in self.directors.values():
            try:
                partner.director.receive_manifest(vehicle, raw, self.office.now())
            except OemRefusal as refusal:
                refusals.append(refusal)
        decision = self.office.accept_manifest(vehicle, raw)
        if refusals:
            raise refusals[0]
        return decision

    def answer(
        self, vehicle: str, repository: int, kind: int, number: int, detail: object
    ) -> bytes | None:
        """The file that a vehicle wants, whole, or None; as Office.answer."""
        if repository in self.directors and kind == ids.KIND_METADATA:
            if isinstance(detail, int):
                return self.directors[repository].director.read(vehicle, number, detail)
        elif repository in self.stores:
            return self.stores[repository].read(kind, number, detail)
        elif repository == ids.IMAGE and kind == ids.KIND_MAP:
            return self.office.images.read(kind, number, detail)
        return self.office.answer(vehicle, repository, kind, number, detail)

    def _director(self, number: int) -> Director:
        if number == ids.DIRECTOR:
            return self.office.director
        return self.directors[number].director

    def _store(self, number: int) -> ImageRepository:
        return self.office.images if number == ids.IMAGE else self.stores[number]
