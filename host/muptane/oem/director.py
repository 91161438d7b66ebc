"""The Director: takes a vehicle's manifest, decides, and signs directions for this vehicle.

Each accepted manifest is answered by fresh Targets, Snapshot and Timestamp with versions of
their own for each vehicle (R-15, T-51). Targets lists the wanted image of every ECU, also where
it is installed already, so an empty list means that nothing was ever assigned or may go (E-51).
Receiving, deciding and issuing are one transaction. Delegations are not here (never, R-03), nor
are the keys of the Image repository.
Rules: R-03, R-08, R-10 to R-16, R-30, R-34, R-35, R-63, T-18, T-48, T-51, E-76.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from muptane.oem.authority import DIRECTOR_LIFETIMES_S, Authority
from muptane.oem.bundles import broken
from muptane.oem.campaign_gates import heed
from muptane.oem.check import MANIFEST_BYTES_MAX
from muptane.oem.database import Work
from muptane.oem.directions import Directions, Travel, as_it_is
from muptane.oem.errors import Malformed, OemRefusal, Overtaken, WrongVersion
from muptane.oem.fields import is_vehicle_id
from muptane.oem.fleet import newest_map
from muptane.oem.inventory import (
    DecisionMade,
    Inventory,
    MapListed,
    Oddity,
    RoleFile,
    RootFile,
    Vehicle,
)
from muptane.oem.key_server import Verify, no_key_server
from muptane.oem.keys import Holders, Signer
from muptane.oem.maps import Listing, read_map
from muptane.oem.metadata import Role, Snapshot, Timestamp
from muptane.oem.reception import Reader, accept
from muptane.oem.states import INSERTS, Cause, KnownImages, VehicleState, vehicle_state
from muptane.oem.targets import Targets
from uptane import ids
from uptane.limits import VERSION_MAX

AGAIN_MAX = 3  # how often a request begins anew because another one was quicker
CLAIM_CHARS_MAX = 64
ODDITIES = Oddity.__tablename__
Addressee = tuple[VehicleState, Cause]  # of directions, and what they answer


@dataclass(frozen=True)
class Decision:
    """What the newest Targets of a vehicle say. `directions`: ECU -> image; `withheld`: (ECU,
    image, why) of wishes that would do harm; `halted`: of those whose campaign does not run;
    `acknowledged`: ECU -> report counter."""

    vehicle: str
    targets_version: int
    directions: Mapping[int, int]
    withheld: tuple[tuple[int, int, str], ...]
    acknowledged: Mapping[int, int]
    halted: tuple[tuple[int, int, str], ...] = ()


class Director:
    """One Director for all vehicles of one inventory. `verify_mac` is what it may ask of the key
    server (R-44), if there is one; `travel` says how images come (`dispatch`)."""

    def __init__(self, inventory: Inventory, authority: Authority) -> None:
        """Use `create` or `open`."""
        self.reports_for = authority.identity  # of the Director 1 of the vehicles' map
        self.verify_mac: Verify = no_key_server
        self.travel: Travel = as_it_is
        self._images = KnownImages()
        self._inventory = inventory
        self._authority = authority

    @classmethod
    def create(cls, inventory: Inventory, holders: Mapping[int, Holders], now: int) -> "Director":
        """A new Director. `holders` has role 4 too: the time source (R-63), whose private key
        need not be at hand."""
        if ids.TIME not in holders:
            raise Malformed("a Director's Root names the key of the time source")
        authority = Authority.found(holders, now, DIRECTOR_LIFETIMES_S)
        with inventory.begin() as session:
            session.add(RootFile(version=1, raw=authority.roots[0]))
            session.commit()
        return cls(inventory, authority)

    @classmethod
    def open(cls, inventory: Inventory, signers: Iterable[Signer]) -> "Director":
        """The Director that `inventory` remembers; its Roots are verified."""
        with inventory.begin() as session:
            roots = list(session.scalars(select(RootFile.raw).order_by(RootFile.version)))
        if not roots:
            raise Malformed("this inventory has no Director")
        return cls(inventory, Authority.reopen(roots, signers, DIRECTOR_LIFETIMES_S))

    @property
    def identity(self) -> bytes:
        return self._authority.identity

    @property
    def authority(self) -> Authority:
        return self._authority

    def welcome(self, vehicle: str, now: int) -> Decision:
        """The first directions of a vehicle that was just registered, to be provisioned."""
        with self._inventory.work() as work:
            to = (vehicle_state(work, vehicle), Cause(vehicle, None, None))
            decision = self._direct(work, self._authority, to, now)
            work.commit()
        return decision

    def receive_manifest(self, vehicle: str, raw: bytes, now: int) -> Decision:
        """Take the manifest that `vehicle` sent and direct it anew.

        Refuses like `reception.accept`; then only the oddity is recorded.
        """
        try:
            for _ in range(AGAIN_MAX):
                try:
                    return self._receive(vehicle, raw, now)
                except Overtaken:
                    continue  # see what is new, and whether this is
            return self._receive(vehicle, raw, now)
        except OemRefusal as refusal:
            sentence = f"{type(refusal).__name__}: {refusal}"
            with self._inventory.work() as work:
                work.add(INSERTS[ODDITIES], [_oddity(vehicle, sentence, raw, now)])
                work.commit()
            raise

    def _receive(self, vehicle: str, raw: bytes, now: int) -> Decision:
        """All of it, or nothing."""
        reader = Reader(self.reports_for, self.verify_mac, self._images)
        with self._inventory.work() as work:
            accepted = accept(work, reader, (vehicle, raw), now)
            to = (accepted.state, accepted.cause)
            stopped = heed(work, accepted.state, now)
            decision = self._direct(work, self._authority, to, now)
            held = (why for _, _, why in decision.withheld)
            remarks = [*accepted.remarks, *stopped, *held]
            mixed = broken(work.session, vehicle) if accepted.state.bundled else None
            if mixed is not None:
                remarks.append(mixed)
            odd = [_oddity(vehicle, remark, b"", now) for remark in remarks]
            work.add(INSERTS[ODDITIES], odd)
            work.commit()
        return decision

    def list_map(self, vehicle: str, raw: bytes, now: int) -> None:
        """Agree to a map of repositories for `vehicle`, which learns it after its next manifest
        (T-45). Refuses like `read_map`, and with WrongVersion when the number is not higher."""
        number = read_map(raw).number
        with self._inventory.begin() as session:
            known = newest_map(session, vehicle)
            if known is not None and number <= known.number:
                raise WrongVersion(f"{vehicle} has map {known.number} already")
            session.add(MapListed(vehicle_id=vehicle, number=number, raw=raw, made_s=now))
            session.commit()

    def rotate(self, changes: Mapping[int, Holders], now: int) -> None:
        """One more Root with `changes` (role -> Holders, ids.TIME too), and new directions for
        every vehicle, which repeat the OEM's wishes rather than anything signed before."""
        authority = self._authority.rotated(changes, now)
        root = {"version": authority.root.version, "raw": authority.roots[-1]}
        with self._inventory.work() as work:
            work.add(INSERTS[RootFile.__tablename__], [root])
            for vehicle in work.session.scalars(select(Vehicle.id).order_by(Vehicle.id)).all():
                to = (vehicle_state(work, vehicle), Cause(vehicle, None, None))
                self._direct(work, authority, to, now)
            work.commit()
        self._authority = authority

    def advance(self, by: int, now: int) -> None:
        """Say the same again to every vehicle, `by` versions further: beyond what it may have seen
        since the backup that the inventory was restored from (R-39)."""
        with self._inventory.work() as work:
            for vehicle in work.session.scalars(select(Vehicle.id).order_by(Vehicle.id)).all():
                state = vehicle_state(work, vehicle)
                newest = {"vehicle_id": vehicle, "role": ids.TARGETS}
                newest["version"] = state.versions[ids.TARGETS]
                raw = work.session.scalars(select(RoleFile.raw).filter_by(**newest)).one()
                said = self._authority.verify(raw, ids.TARGETS)
                expires = self._authority.expiry(ids.TARGETS, now)
                changes = {"version": said.version + by, "expires": expires}
                if isinstance(said, Targets):
                    targets = said.model_copy(update=changes)
                    _issue(work, self._authority, (state, targets), now, by)
            work.commit()

    def read(self, vehicle: str, role: int, version: int) -> bytes | None:
        """A role file for `vehicle`, version 0 for the newest; None: there is no such file."""
        if role == ids.ROOT:
            return self._authority.read_root(version)
        if (
            role not in (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)
            or not 0 <= version <= VERSION_MAX
        ):
            return None
        if not is_vehicle_id(vehicle):
            return None
        query = select(RoleFile.raw).where(RoleFile.vehicle_id == vehicle, RoleFile.role == role)
        if version != 0:
            query = query.where(RoleFile.version == version)
        with self._inventory.begin() as session:
            return session.scalars(query.order_by(RoleFile.version.desc()).limit(1)).first()

    def oddities(self) -> list[tuple[int, str, str]]:
        """(seconds, vehicle, sentence) of everything a person should look at, oldest first."""
        with self._inventory.begin() as session:
            rows = session.scalars(select(Oddity).order_by(Oddity.id))
            return [(row.seen_s, row.vehicle_id, row.sentence) for row in rows]

    def _direct(self, work: Work, authority: Authority, to: Addressee, now: int) -> Decision:
        """Decide, record and sign."""
        state, cause = to
        made = Directions.of(work, state, self._images, self.travel, now)
        targets = Targets(
            version=state.versions[ids.TARGETS] + 1,
            expires=authority.expiry(ids.TARGETS, now),
            images=made.entries(),
            vehicle=state.vehicle,
            acknowledged=made.acknowledged,
            maps=_listings(work, state),
            bundle=made.bundle,
        )
        _issue(work, authority, (state, targets), now)
        directions = {ecu: image.number for ecu, image in made.chosen.items()}
        decided = {
            **cause._asdict(),
            "vehicle_id": state.vehicle,
            "made_s": now,
            "targets_version": targets.version,
            "directions": [list(direction) for direction in directions.items()],
            "withheld": [list(wish) for wish in (*made.withheld, *made.halted)],
        }
        work.add(INSERTS[DecisionMade.__tablename__], [decided])
        return Decision(
            state.vehicle,
            targets.version,
            directions,
            tuple(made.withheld),
            made.acknowledged,
            tuple(made.halted),
        )


def _listings(work: Work, state: VehicleState) -> dict[int, Listing]:
    known = newest_map(work.session, state.vehicle) if state.mapped else None
    return {} if known is None else {known.number: Listing.of(known.raw)}


def _issue(
    work: Work,
    authority: Authority,
    what: tuple[VehicleState, Targets],
    now: int,
    ahead: int = 1,
) -> None:
    """Sign and store Targets, with a Snapshot and a Timestamp for the same vehicle, their versions
    `ahead` of the ones before."""
    state, targets = what
    snapshot = Snapshot(
        version=state.versions[ids.SNAPSHOT] + ahead,
        expires=authority.expiry(ids.SNAPSHOT, now),
        versions={ids.TARGETS: targets.version},
    )
    timestamp = Timestamp.of(
        state.versions[ids.TIMESTAMP] + ahead, authority.expiry(ids.TIMESTAMP, now), snapshot
    )
    made: tuple[Role, ...] = (targets, snapshot, timestamp)
    rows = [
        {
            "vehicle_id": state.vehicle,
            "role": role.type,
            "version": role.version,
            "raw": authority.sign(role),
        }
        for role in made
    ]
    work.add(INSERTS[RoleFile.__tablename__], rows)


def _oddity(vehicle: str, sentence: str, raw: bytes, now: int) -> dict[str, Any]:
    """`vehicle`: as the transport named it, which may be anything."""
    claimed = vehicle if is_vehicle_id(vehicle) else ascii(vehicle)[:CLAIM_CHARS_MAX]
    raw = raw[:MANIFEST_BYTES_MAX]
    return {"vehicle_id": claimed, "seen_s": now, "sentence": sentence, "raw": raw}
