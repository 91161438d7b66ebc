"""The inventory database: vehicles, their ECUs, images, and everything that happened (R-17).

SQLite or PostgreSQL through SQLAlchemy's typed models. Nothing here is ever changed or deleted:
triggers in the database refuse both, so an automatic service that was taken over can add lies but
not remove truths (R-32, E-90; `privileges` says which). The newest row counts. A model that
changes needs a revision (`migrations`). It decides and verifies nothing.
Rules: R-10, R-11, R-13, R-17, R-32, R-34, R-42, R-44, V-24, T-36, T-43, T-51, E-75, E-90.
"""

from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from muptane.oem import campaign_tables, contract_tables, demand_tables
from muptane.oem.base import Base
from muptane.oem.database import Work, open_database, work
from muptane.oem.fields import Custom
from muptane.oem.keys import Key
from muptane.oem.targets import Entry
from muptane.regions import Extents
from uptane import ids


class Vehicle(Base):
    __tablename__ = "vehicles"

    id: Mapped[str] = mapped_column(primary_key=True)
    registered_s: Mapped[int]


Place = tuple[int, int] | None


def place_of(place_bytes: int | None, block_bytes: int | None) -> Place:
    """Bytes of the only place for an image and of its erase block; None: it has another."""
    return None if place_bytes is None or block_bytes is None else (place_bytes, block_bytes)


class Ecu(Base):
    """An ECU id is unique among all vehicles, and so is a key (R-17, V-24). Of a symmetric key
    there is only the kid: the key server has it (R-44)."""

    __tablename__ = "ecus"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    vehicle_id: Mapped[str] = mapped_column(ForeignKey(Vehicle.id), index=True)
    public: Mapped[bytes | None] = mapped_column(unique=True)  # Ed25519; None: symmetric
    kid: Mapped[bytes] = mapped_column(unique=True)
    decryption: Mapped[bytes | None] = mapped_column(unique=True)  # X25519; None: it has none
    primary: Mapped[bool]
    verification: Mapped[int]  # ids.PARTIAL, FULL or PRIMARY
    hardware: Mapped[int]
    deltas: Mapped[bool]  # can it make an image of a delta?
    place_bytes: Mapped[int | None]  # of the only place for an image; None: there is a spare slot
    block_bytes: Mapped[int | None]  # that it erases there at once
    decrypts: Mapped[bool]  # can it open an image that is encrypted for it?
    regions: Mapped[list[list[int]]] = mapped_column(JSON)  # [[REGION_..., bytes], ...]; []: one

    @property
    def place(self) -> Place:
        return place_of(self.place_bytes, self.block_bytes)

    @property
    def key(self) -> Key | None:
        """Of its signatures; None: its key is symmetric, and it signs nothing."""
        return None if self.public is None else Key.known(self.public, self.kid)


class Replacement(Base):
    """An ECU that is in its vehicle no more, and the one in its place (R-42)."""

    __tablename__ = "replacements"

    ecu_id: Mapped[int] = mapped_column(ForeignKey(Ecu.id), primary_key=True, autoincrement=False)
    successor_id: Mapped[int] = mapped_column(ForeignKey(Ecu.id), unique=True)
    made_s: Mapped[int]


class Image(Base):
    __tablename__ = "images"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    length: Mapped[int]
    sha256: Mapped[bytes]
    hardware: Mapped[list[int]] = mapped_column(JSON)
    release: Mapped[int]
    confidential: Mapped[bool]  # never leaves in the clear
    regions: Mapped[list[list[int]]] = mapped_column(JSON)  # as its entry has them

    def parts(self) -> Extents:
        """(REGION_..., bytes) of each region that it replaces."""
        named = tuple((region, length) for region, length in self.regions)
        return named or ((ids.REGION_APPLICATION, self.length),)

    def entry(self, ecus: tuple[int, ...], custom: Custom | None = None) -> Entry:
        """The Director's entry that tells `ecus` to install this; `custom`: how it travels."""
        return Entry(
            length=self.length,
            hashes={ids.ALG_SHA256: self.sha256},
            hardware=tuple(self.hardware),
            release=self.release,
            regions=tuple((region, length) for region, length in self.regions),
            ecus=ecus,
            custom=custom or {},
        )


class BundleMade(Base):
    """A bundle of images for one vehicle; see `muptane.oem.bundles`."""

    __tablename__ = "bundles"
    __table_args__ = (UniqueConstraint("vehicle_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str] = mapped_column(ForeignKey(Vehicle.id))
    number: Mapped[int]
    kind: Mapped[int]  # ids.BUNDLE_...
    trials: Mapped[int]
    images: Mapped[list[list[int]]] = mapped_column(JSON)  # [[ecu, image], ...]
    made_s: Mapped[int]


class Assignment(Base):
    """What the OEM wants on an ECU; the newest row counts (of bundles: `muptane.oem.bundles`)."""

    __tablename__ = "assignments"

    id: Mapped[int] = mapped_column(primary_key=True)
    ecu_id: Mapped[int] = mapped_column(ForeignKey(Ecu.id), index=True)
    image: Mapped[int] = mapped_column(ForeignKey(Image.number))
    made_s: Mapped[int]
    bundle_id: Mapped[int | None] = mapped_column(ForeignKey(BundleMade.id))


class ManifestReceived(Base):
    """A vehicle version manifest that was accepted, as it came. Each Primary counts its own."""

    __tablename__ = "manifests"
    __table_args__ = (UniqueConstraint("vehicle_id", "primary_id", "counter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str] = mapped_column(ForeignKey(Vehicle.id))
    primary_id: Mapped[int] = mapped_column(ForeignKey(Ecu.id))
    received_s: Mapped[int]
    counter: Mapped[int]
    raw: Mapped[bytes]


class ReportReceived(Base):
    """What an ECU last said of itself. A counter occurs once for each ECU (R-13)."""

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("ecu_id", "counter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    manifest_id: Mapped[int] = mapped_column(ForeignKey(ManifestReceived.id))
    ecu_id: Mapped[int] = mapped_column(ForeignKey(Ecu.id))
    counter: Mapped[int]
    image: Mapped[int]
    release: Mapped[int]
    sha256: Mapped[bytes]
    boot: Mapped[int]
    attacks: Mapped[list[int]] = mapped_column(JSON)
    tried: Mapped[list[int] | None] = mapped_column(JSON)  # [bundle, image, trials]: bundles
    regions: Mapped[list[list[int]]] = mapped_column(JSON)  # [[REGION_..., image], ...]; []: one


class DecisionMade(Base):
    """What the Director decided on, and on which manifest (R-34)."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str] = mapped_column(ForeignKey(Vehicle.id), index=True)
    manifest_id: Mapped[int | None] = mapped_column(ForeignKey(ManifestReceived.id))
    made_s: Mapped[int]
    targets_version: Mapped[int]
    directions: Mapped[list[list[int]]] = mapped_column(JSON)  # [[ecu, image], ...]
    withheld: Mapped[list[list[Any]]] = mapped_column(JSON)  # [[ecu, image, why], ...]


class RoleFile(Base):
    """A Director's Targets, Snapshot or Timestamp, made for one vehicle (T-51)."""

    __tablename__ = "role_files"
    __table_args__ = {"sqlite_with_rowid": False}

    vehicle_id: Mapped[str] = mapped_column(ForeignKey(Vehicle.id), primary_key=True)
    role: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    raw: Mapped[bytes]


class RootFile(Base):
    """A Root of the Director."""

    __tablename__ = "root_files"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    raw: Mapped[bytes]


class MapListed(Base):
    """A map that the Director agreed to for a vehicle; the highest number counts (T-45)."""

    __tablename__ = "maps"

    id: Mapped[int] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str] = mapped_column(ForeignKey(Vehicle.id), index=True)
    number: Mapped[int]
    raw: Mapped[bytes]
    made_s: Mapped[int]


class ContentKey(Base):
    """That a content key was used, and for which ciphertext: never twice (V-13). Only its SHA-256
    is kept."""

    __tablename__ = "content_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(unique=True)  # SHA-256 of the key
    kind: Mapped[int]  # ids.KIND_...
    number: Mapped[int]
    plaintext: Mapped[bytes]  # SHA-256
    ciphertext: Mapped[bytes]  # SHA-256
    made_s: Mapped[int]


class Parcel(Base):
    """What travels in the place of an image: for everybody (`vehicle_id` empty), or a ciphertext
    for one vehicle; either may be cut into pieces. Without bytes: a delta that was tried, and is
    not worth it."""

    __tablename__ = "parcels"

    id: Mapped[int] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str] = mapped_column(index=True)
    image: Mapped[int] = mapped_column(ForeignKey(Image.number), index=True)
    base: Mapped[bytes]  # SHA-256 of the image that a delta is made from, else empty
    shape: Mapped[str]  # "place/block" bytes of an in-place delta; then how it is cut: `dispatch`
    kind: Mapped[int]  # ids.KIND_...
    digest: Mapped[bytes] = mapped_column(index=True)  # SHA-256 of `raw`
    custom: Mapped[bytes]  # what the Director's entry says of it, CBOR
    raw: Mapped[bytes]
    made_s: Mapped[int]


class Oddity(Base):
    """Something that a person of the OEM should look at (R-34)."""

    __tablename__ = "oddities"

    id: Mapped[int] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str]  # as claimed, so possibly of no vehicle of ours
    seen_s: Mapped[int]
    sentence: Mapped[str]
    raw: Mapped[bytes]


ELSEWHERE = (  # tables of the same base
    contract_tables.Arrival,
    demand_tables.DemandMade,
    campaign_tables.Campaign,
)
TABLES = ELSEWHERE[0].metadata  # all of them


class Inventory:
    """A database at a SQLAlchemy URL; the default one is gone with the process. A new one is made;
    one of another schema is refused with WrongSchema, and stays as it is."""

    def __init__(self, url: str = "sqlite://") -> None:
        self._engine = open_database(url, TABLES)

    def work(self) -> AbstractContextManager[Work]:
        """A transaction of a request; what was not committed when it ends did not happen."""
        return work(self._engine)

    def begin(self) -> Session:
        """A session to use in `with`; what was not committed when it ends did not happen."""
        return Session(self._engine)

    def close(self) -> None:
        self._engine.dispose()
