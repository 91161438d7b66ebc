"""One attack on one ECU: an honest update, and the liar in its path.

For a Primary the liar is its feeder; for a Secondary he has taken its Primary's place on the bus.
He brings every file, each honest unless the attack has replaced it; reports end with him. `Stage`
is what an attack function is handed: `director` and `image` (repositories that lie), `images` and
`time` (what else he brings), `feed` (one cycle of the victim), and all that `Update` can do.

It does not judge: `observed` says what happened, `attack.Outcome` whether that is as expected.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from muptane.bench.attacks.attack import ACCEPTED, INSTALLS, Attack
from muptane.bench.attacks.update import SUPPLIER_ROLE, Update
from muptane.bench.liar import LiveRole, LyingRepository
from muptane.bench.maker import Maker, image_number
from muptane.bench.vehicle import Vehicle
from muptane.oem.keys import Signer
from muptane.oem.office import Office
from muptane.oem.time_server import TimeServer
from uptane import ids
from uptane.errors import Refusal
from uptane.uds.codes import DID_BOOT, DID_IMAGE, DID_REFUSALS
from uptane.uds.feeding import Held

TRAVELLING = (ids.KIND_IMAGE, ids.KIND_DELTA)
EVIL = b"not an image of this maker " * 40
ROLES = {
    "root": ids.ROOT,
    "timestamp": ids.TIMESTAMP,
    "snapshot": ids.SNAPSHOT,
    "targets": ids.TARGETS,
}
REPOSITORIES = ("director", "image")
# What an attacker may have stolen: a role's keys, a supplier's, or those of the time source.
KEYS = (*(f"{name}.{role}" for name in REPOSITORIES for role in ROLES), "supplier", "time")

Time = Callable[[Sequence[bytes]], bytes | None]
Past = Mapping[int, Mapping[int, bytes]]  # {repository: {role: file}}


def newest_files(office: Office, vin: str, repository: int) -> dict[int, bytes]:
    """{role: its newest file}."""
    roles = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS, SUPPLIER_ROLE)
    found = {role: office.answer(vin, repository, ids.KIND_METADATA, role, 0) for role in roles}
    return {role: raw for role, raw in found.items() if raw is not None}


class Stage(Update):
    """An update under attack. `past`: files that are older than what the vehicle has."""

    def __init__(
        self,
        maker: Maker,
        vehicle: Vehicle,
        attack: Attack,
        victim: str,
        past: Past | None = None,
    ) -> None:
        super().__init__(maker, vehicle, attack, victim)
        old = dict(past or {ids.DIRECTOR: {}, ids.IMAGE: {}})
        if attack.supplied:
            self.supply()
            old[ids.IMAGE] = newest_files(self.office, self.vin, ids.IMAGE)
            self._deliver_and_settle()
        last = {number: newest_files(self.office, self.vin, number) for number in old}
        self.offer(self.release)
        self.director = self._liar(ids.DIRECTOR, old, last)
        self.image = self._liar(ids.IMAGE, old, last)
        self.images: dict[int, bytes | None] = {}  # however they travel
        self.time: Time = self.attest
        self.withheld: set[int] = set()  # kinds of file that nobody brings
        for key in attack.keys:
            self.steal(key)
        self.look()

    # --- what the liar has ---------------------------------------------------------------------

    def _deliver_and_settle(self) -> None:
        """The supplier's first image for the victim, installed; the next one is at stake."""
        self.offer(self.release)
        self.settle()
        self.release += 1
        self.content = self.maker.content(self.victim, self.release)

    def _liar(self, number: int, past: Past, last: Past) -> LyingRepository:
        part = self.office.director if number == ids.DIRECTOR else self.office.images
        read = self._reader(number)
        return LyingRepository(number, part.identity, read, past[number], last[number])

    def _reader(self, repository: int) -> Callable[[int, int], bytes | None]:
        def read(role: int, version: int) -> bytes | None:
            return self.office.answer(self.vin, repository, ids.KIND_METADATA, role, version)

        return read

    def holders(self, key: str) -> tuple[Signer, ...]:
        """The private keys that `key` of KEYS stands for."""
        if key == "supplier":
            return self.supplier.holders.ready()
        director = self.office.director.authority
        if key == "time":
            return director.holders[ids.TIME].ready()
        repository, role = key.split(".")
        authority = director if repository == "director" else self.office.images.authority
        return authority.holders[ROLES[role]].ready()

    def steal(self, key: str) -> None:
        """Give the liar what `key` of KEYS stands for."""
        if key == "supplier":
            self.image.steal(SUPPLIER_ROLE, self.holders(key))
        elif key != "time":
            repository, role = key.split(".")
            liar = self.director if repository == "director" else self.image
            liar.steal(ROLES[role], self.holders(key))

    # --- what he edits -------------------------------------------------------------------------

    @property
    def directed(self) -> dict[int, Any]:
        """The Director's entry of the victim's new image, to edit."""
        return self.director.targets.images[self.number]

    def direct(self, number: int, entry: Mapping[int, Any]) -> dict[int, Any]:
        """Let the Director send an image to the victim instead of the one at stake; returns its
        entry, to edit."""
        self.director.targets.images.pop(self.number)
        made = {**entry, ids.ENTRY_ECUS: [self.victim.number]}
        self.director.targets.images[number] = made
        return made

    @property
    def custom(self) -> dict[int, Any]:
        """What the Director's entry of the victim's new image says of how it travels, to edit."""
        custom: dict[int, Any] = self.directed[ids.ENTRY_CUSTOM]
        return custom

    @property
    def listed(self) -> dict[int, Any]:
        """The Image repository's entry of it, to edit; the supplier's, if it is his."""
        return self.lister.images[self.number]

    @property
    def lister(self) -> LiveRole:
        """The file in which that entry stands."""
        return self.image.role(SUPPLIER_ROLE if self.supplied else ids.TARGETS)

    def parcel(self, number: int) -> bytes:
        """What travels in the place of an image that is directed, as the office has it."""
        custom = self.director.targets.images[number][ids.ENTRY_CUSTOM]
        kind = ids.KIND_DELTA if ids.CUSTOM_DELTA in custom else ids.KIND_IMAGE
        if ids.CUSTOM_CHAIN in custom:
            digest = custom[ids.CUSTOM_CHAIN][0]
        elif ids.CUSTOM_ENCRYPTED in custom:
            digest = custom[ids.CUSTOM_ENCRYPTED][1]
        else:
            digest = custom[ids.CUSTOM_DELTA][ids.DELTA_HASHES][ids.ALG_SHA256]
        raw = self.office.dispatch.read(self.vin, kind, number, digest)
        if raw is None:
            raise ValueError(f"nothing travels in the place of image {number}")
        return raw

    @staticmethod
    def version_held(liar: LyingRepository, role: int) -> int:
        """The version of a role that the vehicle has."""
        return LiveRole(role, liar.last[role], liar.identity).version

    def root_version(self) -> int:
        """Of the Director's newest Root."""
        return self.office.director.authority.root.version

    def attest(
        self, nonces: Sequence[bytes], ahead_s: int = 0, signer: Signer | None = None
    ) -> bytes:
        """A time file for these nonces, as honest as `ahead_s` and `signer` are."""
        identity = self.office.director.identity
        server = self.office.time_server if signer is None else TimeServer(signer, identity)
        return server.attest(nonces, self.office.now() + ahead_s)

    # --- what he brings ------------------------------------------------------------------------

    def find(self, file: bytes, detail: object, offset: int) -> Generator[Any, Any, Held | None]:
        raw = self._answer(file, detail)
        return None if raw is None or offset >= len(raw) else Held(raw, offset)
        yield

    def _answer(self, file: bytes, detail: object) -> bytes | None:
        repository, kind, number = file[0], file[1], int.from_bytes(file[2:], "big")
        if kind in self.withheld:
            return None
        if kind == ids.KIND_METADATA and repository in (ids.DIRECTOR, ids.IMAGE):
            liar = self.director if repository == ids.DIRECTOR else self.image
            return liar.answer(number, detail) if isinstance(detail, int) else None
        if kind == ids.KIND_TIME and isinstance(detail, list):
            return self.time(detail)
        if kind in TRAVELLING and number in self.images:
            return self.images[number]
        return self.maker.alliance.answer(self.vin, repository, kind, number, detail)

    def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
        """Reports end with the liar."""
        return
        yield

    # --- what is played ------------------------------------------------------------------------

    def feed(self, source: object = None, name: str = "") -> None:
        """One cycle of the victim (or of the ECU called `name`), served by the liar (or by
        `source`)."""
        super().feed(source or self, name)

    def feed_the_image(self) -> str:
        """One cycle; INSTALLS if the victim runs the image at stake then, and nothing else."""
        self.feed()
        return INSTALLS if self.runs(self.content) else ACCEPTED

    def informed(self) -> None:
        """The victim has all metadata of the update and only the image is missing: what follows
        is about the image alone."""
        self.withheld.update(TRAVELLING)
        self.feed()
        self.withheld.clear()
        self.look()

    def misinform(self) -> None:
        """Sign what was edited of the directions and let the victim have them, as `informed`."""
        self.director.publish()
        self.informed()

    def hand_on(self) -> tuple[int, bytes]:
        """Have the victim, as its Primary, hand on the next image of a Secondary too, of which it
        has the metadata already; returns the number and the content of that image."""
        other = self.maker.plan.secondaries()[0]
        content = self.maker.release(other, self.release)
        self.maker.assign(other, self.release)
        self.redirect()
        self.informed()
        return image_number(other, self.release), content

    def settle_and_offer(self) -> None:
        """Settle on the image at stake, and put the next one at stake."""
        self.settle()
        self.release += 1
        self.number = self.number_of(self.release)
        self.content = self.maker.content(self.victim, self.release)
        for liar in (self.director, self.image):
            liar.last = newest_files(self.office, self.vin, liar.number)
        self.offer(self.release)
        for liar in (self.director, self.image):
            liar.forget()
        self.look()

    def told(self) -> Iterator[str]:
        """What each ECU says of itself, for whoever looks for what went wrong."""
        for name in self.vehicle.ecus:
            station = self.vehicle.station(name)
            try:
                image = int.from_bytes(station.read(DID_IMAGE)[:4], "big")
                boot, noted = station.read(DID_BOOT)[0], list(station.read(DID_REFUSALS))
            except Refusal as refusal:
                yield f"{name} does not answer ({type(refusal).__name__})"
                continue
            yield f"{name} runs image {image}, boot state {boot}, refused {noted}"

    def recovers(self) -> bool:
        """Does the next honest update install?"""
        if self.attack.heal is not None:
            self.attack.heal(self)
        self.offer(self.release + 1)
        self.feed(self.source(), self.maker.plan.primary().name)
        try:
            image = self.vehicle.station(self.victim.name).read(DID_IMAGE)
        except Refusal:
            return False  # it does not even answer
        return int.from_bytes(image[:4], "big") == self.number_of(self.release + 1)
