"""How images travel: whole or as a delta, in the clear or encrypted, for the ECUs of one vehicle.

The Director asks when it directs. A delta is made where every ECU that still needs the image runs
the same older one, can patch, and did not just refuse a delta; and only if it is smaller. A
confidential image is encrypted, or not sent at all. What was made is kept with what the entry says
of it, so a vehicle that goes on with a transfer finds the same bytes, and a delta in the clear
serves every vehicle (S-31: made when it is first needed; S-32: `prepare` makes it before).
It does NOT decide which ECU gets which image.
Rules: V-13, R-09, R-16, S-26, S-27, S-28, S-31, S-32, E-80, E-81.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from muptane.oem import deltas
from muptane.oem.deltas import Delta
from muptane.oem.encoding import decode, encode
from muptane.oem.encryption import Encryption
from muptane.oem.errors import NoDecryptionKey, NoDelta, UnknownImage
from muptane.oem.fields import Custom, sha256
from muptane.oem.fleet import last_report
from muptane.oem.inventory import Ecu, Image, Inventory, Parcel, ReportReceived
from uptane import ids, limits

# (image number, SHA-256) -> its bytes, or None
Content = Callable[[int, bytes], bytes | None]

# WrongHash, WrongBase, UnsupportedDelta, BadDelta: after these an ECU gets the whole image
DELTA_REFUSALS = frozenset((56, 120, 121, 122))


class Dispatch:
    """`content` reads released images; `encryption` makes ciphertexts and wraps."""

    def __init__(self, inventory: Inventory, content: Content, encryption: Encryption) -> None:
        self._inventory = inventory
        self._content = content
        self._encryption = encryption

    def custom(self, session: Session, image: Image, ecus: Sequence[Ecu], now: int) -> Custom:
        """What the Director's entry of an image for these ECUs, of one vehicle, says of how it
        travels; {}: it does so as it is. Refuses with NoDecryptionKey, ContentKeyUsed."""
        reports = {ecu.id: last_report(session, ecu.id) for ecu in ecus}
        takers = [ecu for ecu in ecus if not _runs(reports[ecu.id], image)]
        if not takers:
            return {}
        delta = None
        base = _base([reports[ecu.id] for ecu in takers])
        if base is not None and all(ecu.deltas for ecu in takers):
            delta = self._delta(session, base, image, now)
        if image.confidential:
            return self._sealed(session, image, takers, delta, now)
        if delta is None:
            return {}
        return {ids.CUSTOM_DELTA: delta.description.as_map()}

    def prepare(self, old: tuple[int, bytes], number: int, now: int) -> int:
        """Make the delta from an older image (number, SHA-256) to a released one before a vehicle
        asks (S-32). Returns its bytes, 0 if it would not be smaller. Refuses with UnknownImage."""
        with self._inventory.begin() as session:
            image = session.get(Image, number)
            if image is None or self._content(*old) is None:
                raise UnknownImage(f"no image {number if image is None else old[0]} was released")
            made = self._delta(session, old, image, now)
            session.commit()
        return 0 if made is None else len(made.patch)

    def read(self, vehicle: str, kind: int, number: int, digest: bytes) -> bytes | None:
        """What travels under this SHA-256 to this vehicle, or None. The delta to a confidential
        image, of which a ciphertext was made, does not leave either."""
        query = select(Parcel.raw).where(
            Parcel.digest == digest, Parcel.kind == kind, Parcel.image == number
        )
        with self._inventory.begin() as session:
            image = session.get(Image, number)
            if image is None or not vehicle:
                return None
            whose = (vehicle,) if image.confidential else ("", vehicle)
            return session.scalars(query.where(Parcel.vehicle_id.in_(whose)).limit(1)).first()

    # --- deltas --------------------------------------------------------------------------------

    def _delta(
        self, session: Session, old: tuple[int, bytes], image: Image, now: int
    ) -> Delta | None:
        """The delta in the clear, kept or made now; None: none that is smaller than the image."""
        known = self._known(session, "", image, old[1])
        if known is None:
            known = self._made(old, image, now)
            session.add(known)
            session.flush()
        said = _said(known)
        if not said:
            return None
        description = deltas.Description.from_map(said[ids.CUSTOM_DELTA])
        return Delta(patch=known.raw, description=description)

    def _made(self, old: tuple[int, bytes], image: Image, now: int) -> Parcel:
        """The row of a delta; without bytes if there is none."""
        row = Parcel(
            vehicle_id="", image=image.number, base=old[1], kind=ids.KIND_DELTA, made_s=now,
            digest=b"", custom=encode({}), raw=b"",
        )  # fmt: skip
        before = self._content(*old)
        after = self._content(image.number, image.sha256)
        if before is None or after is None:
            return row
        try:
            delta = deltas.sequential(before, after)
        except NoDelta:
            return row
        if len(delta.patch) < len(after):
            row.raw, row.digest = delta.patch, sha256(delta.patch)
            row.custom = encode({ids.CUSTOM_DELTA: delta.description.as_map()})
        return row

    # --- confidential images --------------------------------------------------------------------

    def _sealed(
        self, session: Session, image: Image, takers: list[Ecu], delta: Delta | None, now: int
    ) -> Custom:
        """What the entry says of a ciphertext that all of them can open."""
        vehicle = takers[0].vehicle_id
        base = b"" if delta is None else delta.description.base_hashes[ids.ALG_SHA256]
        known = self._known(session, vehicle, image, base)
        if known is None or not _opens(known, takers):
            kind = ids.KIND_IMAGE if delta is None else ids.KIND_DELTA
            plain = self._content(image.number, image.sha256) if delta is None else delta.patch
            if plain is None:
                raise NoDecryptionKey(f"the bytes of confidential image {image.number} are gone")
            made = self._encryption.encrypt(session, (kind, image.number), plain, takers, now)
            custom = made.custom(vehicle)
            if delta is not None:
                custom[ids.CUSTOM_DELTA] = delta.description.as_map()
            known = Parcel(
                vehicle_id=vehicle, image=image.number, base=base, kind=kind, made_s=now,
                digest=sha256(made.ciphertext), custom=encode(custom), raw=made.ciphertext,
            )  # fmt: skip
            session.add(known)
            session.flush()
        return _said(known)

    def _known(self, session: Session, vehicle: str, image: Image, base: bytes) -> Parcel | None:
        """The newest that was made; of the same base, `b""` for a whole image."""
        query = select(Parcel).where(
            Parcel.vehicle_id == vehicle, Parcel.image == image.number, Parcel.base == base
        )
        return session.scalars(query.order_by(Parcel.id.desc()).limit(1)).first()


def _runs(report: ReportReceived | None, image: Image) -> bool:
    return report is not None and (report.image, report.sha256) == (image.number, image.sha256)


def _base(reports: Iterable[ReportReceived | None]) -> tuple[int, bytes] | None:
    """(number, SHA-256) of the image that all of them run, and can take a delta to; or None."""
    known = list(reports)
    bases = {None if one is None else (one.image, one.sha256) for one in known}
    if len(bases) != 1 or any(one and DELTA_REFUSALS.intersection(one.attacks) for one in known):
        return None
    return bases.pop()


def _said(parcel: Parcel) -> Custom:
    found: Custom = decode(parcel.custom, limits.TARGETS_BYTES_MAX)  # type: ignore[assignment]
    return found


def _opens(parcel: Parcel, takers: Iterable[Ecu]) -> bool:
    _, _, wraps = _said(parcel)[ids.CUSTOM_ENCRYPTED]
    return all(ecu.id in wraps for ecu in takers)
