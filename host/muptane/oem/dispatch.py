"""How images travel: whole or as a delta, in the clear or encrypted, for the ECUs of one vehicle.

The Director asks when it directs. A delta is made where every ECU that still needs the image runs
the same older one, can patch, and did not just refuse a delta; and only if it is smaller. A
confidential image is encrypted, or not sent at all. What was made is kept with what the entry says
of it, so a vehicle that goes on with a transfer finds the same bytes, and a delta in the clear
serves every vehicle (S-31: made when it is first needed; S-32: `prepare` makes it before).
To an ECU without a spare slot all of that travels in pieces, and the entry says how the image
comes back that it runs until then (V-58).
It does NOT decide which ECU gets which image.
Rules: V-13, V-58, R-09, R-16, S-26, S-27, S-28, S-29, S-31, S-32, T-32, E-80, E-81.
"""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import select

from muptane.oem import deltas
from muptane.oem.chain import chained
from muptane.oem.database import Work
from muptane.oem.encoding import decode, encode
from muptane.oem.encryption import Encryption
from muptane.oem.errors import NoDecryptionKey, NoDelta, UnknownImage
from muptane.oem.fields import Custom, sha256
from muptane.oem.inventory import Image, Inventory, Parcel, Place
from muptane.oem.states import AnyEcu, AnyReport, EcuState
from uptane import ids, limits

# (image number, SHA-256) -> its bytes, or None
Content = Callable[[int, bytes], bytes | None]

# WrongHash, WrongBase, UnsupportedDelta, BadDelta: after these an ECU gets the whole image
DELTA_REFUSALS = frozenset((56, 120, 121, 122))
CHAINED = "+chain"  # at the end of a parcel's shape


class Dispatch:
    """`content` reads released images; `encryption` makes ciphertexts and wraps."""

    def __init__(self, inventory: Inventory, content: Content, encryption: Encryption) -> None:
        self._inventory = inventory
        self._content = content
        self._encryption = encryption

    def custom(self, work: Work, image: Image, states: Sequence[EcuState], now: int) -> Custom:
        """What the Director's entry of an image for these ECUs, of one vehicle, says of how it
        travels; {}: it does so as it is. Refuses with NoDecryptionKey, ContentKeyUsed."""
        reports = {one.ecu.id: one.report for one in states}
        takers: list[AnyEcu] = [one.ecu for one in states if not _runs(one.report, image)]
        if not takers:
            return {}
        base = _one(_base(work, reports[ecu.id], image) for ecu in takers)
        refused = any(_refused_a_delta(reports[ecu.id]) for ecu in takers)
        parcel = None if refused else self._delta(work, base, image, takers, now)
        if image.confidential:
            parcel = self._sealed(work, image, takers, parcel, now)
        said = {} if parcel is None else _said(parcel)
        lone = [ecu for ecu in takers if ecu.place_bytes is not None]
        if lone:
            chain = self._chained(work, image, parcel, now)
            said[ids.CUSTOM_CHAIN] = [*_said(chain)[ids.CUSTOM_CHAIN], sorted(e.id for e in lone)]
            before = _one(_base(work, reports[ecu.id], image) for ecu in lone)
            recovery = self._recovery(work, before, lone, now)
            if recovery is not None:
                said[ids.CUSTOM_RECOVERY] = recovery
        return said

    def prepare(self, old: tuple[int, bytes], number: int, now: int) -> int:
        """Make the delta from an older image (number, SHA-256) to a released one before a vehicle
        asks (S-32). Returns its bytes, 0 if it would not be smaller. Refuses with UnknownImage."""
        with self._inventory.work() as work:
            image = work.session.get(Image, number)
            if image is None or self._content(*old) is None:
                raise UnknownImage(f"no image {number if image is None else old[0]} was released")
            made = self._known_delta(work, old, image, None, now)
            made_bytes = 0 if made is None else len(made.raw)
            work.commit()
        return made_bytes

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
        self,
        work: Work,
        base: tuple[int, bytes] | None,
        image: Image,
        takers: Sequence[AnyEcu],
        now: int,
    ) -> Parcel | None:
        """A delta from what all of them run, which all of them can apply where they keep images;
        None: there is none."""
        places = {ecu.place for ecu in takers}
        if base is None or len(places) > 1 or not all(ecu.deltas for ecu in takers):
            return None
        return self._known_delta(work, base, image, places.pop(), now)

    def _known_delta(
        self, work: Work, old: tuple[int, bytes], image: Image, place: Place, now: int
    ) -> Parcel | None:
        """The delta in the clear, kept or made now; None: none that is smaller than the image."""
        known = self._known(work, "", image, old[1], _shape(place))
        if known is None:
            known = self._made(old, image, place, now)
            work.session.add(known)
            work.session.flush()
        return known if known.raw else None

    def _made(self, old: tuple[int, bytes], image: Image, place: Place, now: int) -> Parcel:
        """The row of a delta; without bytes if there is none."""
        row = Parcel(
            vehicle_id="", image=image.number, base=old[1], kind=ids.KIND_DELTA, made_s=now,
            shape=_shape(place), digest=b"", custom=encode({}), raw=b"",
        )  # fmt: skip
        before = self._content(*old)
        after = self._content(image.number, image.sha256)
        if before is None or after is None:
            return row
        try:
            if place is None:
                delta = deltas.sequential(before, after)
            else:
                delta = deltas.in_place(before, after, *place)
        except NoDelta:
            return row
        if len(delta.patch) < len(after):
            row.raw, row.digest = delta.patch, sha256(delta.patch)
            row.custom = encode({ids.CUSTOM_DELTA: delta.description.as_map()})
        return row

    # --- confidential images --------------------------------------------------------------------

    def _sealed(
        self, work: Work, image: Image, takers: list[AnyEcu], delta: Parcel | None, now: int
    ) -> Parcel:
        """A ciphertext, of the image or of a delta, that all of them can open."""
        vehicle = takers[0].vehicle_id
        base, shape = (b"", "") if delta is None else (delta.base, delta.shape)
        known = self._known(work, vehicle, image, base, shape)
        if known is None or not _opens(known, takers):
            kind = ids.KIND_IMAGE if delta is None else ids.KIND_DELTA
            plain = self._content(image.number, image.sha256) if delta is None else delta.raw
            if plain is None:
                raise NoDecryptionKey(f"the bytes of confidential image {image.number} are gone")
            made = self._encryption.encrypt(work.session, (kind, image.number), plain, takers, now)
            custom = made.custom(vehicle)
            if delta is not None:
                custom.update(_said(delta))
            known = Parcel(
                vehicle_id=vehicle, image=image.number, base=base, kind=kind, made_s=now,
                shape=shape, digest=sha256(made.ciphertext), custom=encode(custom),
                raw=made.ciphertext,
            )  # fmt: skip
            work.session.add(known)
            work.session.flush()
        return known

    # --- ECUs without a spare slot --------------------------------------------------------------

    def _chained(self, work: Work, image: Image, parcel: Parcel | None, now: int) -> Parcel:
        """The same in pieces, for whoever overwrites what it runs. `parcel`: None for an image as
        it is. Refuses with UnknownImage."""
        vehicle, base, inner = ("", b"", "")
        raw, kind = self._content(image.number, image.sha256), ids.KIND_IMAGE
        if parcel is not None:
            vehicle, base, inner = parcel.vehicle_id, parcel.base, parcel.shape
            raw, kind = parcel.raw, parcel.kind
        if not raw:
            raise UnknownImage(f"image {image.number} has no bytes that could overwrite another")
        travels, head = chained(raw)
        digest = sha256(travels)
        known = self._known(work, vehicle, image, base, inner + CHAINED)
        if known is None or known.digest != digest:
            known = Parcel(
                vehicle_id=vehicle, image=image.number, base=base, kind=kind, made_s=now,
                shape=inner + CHAINED, digest=digest, raw=travels,
                custom=encode({ids.CUSTOM_CHAIN: [digest, head]}),
            )  # fmt: skip
            work.session.add(known)
            work.session.flush()
        return known

    def _recovery(
        self, work: Work, base: tuple[int, bytes] | None, lone: list[AnyEcu], now: int
    ) -> bytes | None:
        """How the image comes back that all of these run; None: no such image was released, or
        nothing of it that they could take (V-58 is a SHOULD)."""
        image = None if base is None else work.session.get(Image, base[0])
        if image is None or base is None or image.sha256 != base[1]:
            return None
        said: Custom = {}
        if image.confidential:
            try:
                said = _said(self._sealed(work, image, lone, None, now))
            except NoDecryptionKey:
                return None
        raw = encode([image.number, image.entry((), said).as_map()])
        return raw if len(raw) <= limits.RECOVERY_BYTES_MAX else None

    def _known(
        self, work: Work, vehicle: str, image: Image, base: bytes, shape: str
    ) -> Parcel | None:
        """The newest that was made; of the same base, `b""` for a whole image."""
        query = select(Parcel).where(
            Parcel.vehicle_id == vehicle,
            Parcel.image == image.number,
            Parcel.base == base,
            Parcel.shape == shape,
        )
        return work.session.scalars(query.order_by(Parcel.id.desc()).limit(1)).first()


def _shape(place: Place) -> str:
    return "" if place is None else f"{place[0]}/{place[1]}"


def _runs(report: AnyReport | None, image: Image) -> bool:
    if report is None or report.boot == ids.BOOT_REWRITING:
        return False
    return (report.image, report.sha256) == (image.number, image.sha256)


def _base(work: Work, report: AnyReport | None, image: Image) -> tuple[int, bytes] | None:
    """(number, SHA-256) of what is where `image` goes: the image that runs, or ran last; of an
    ECU with several regions, the image of just that region. None: no such image."""
    if report is None:
        return None
    if not report.regions:
        return None if image.regions else (report.image, report.sha256)
    replaced = [region for region, _ in image.parts()]
    numbers = [number for region, number in report.regions if region == replaced[0]]
    held = work.session.get(Image, numbers[0]) if numbers else None
    if held is None or [region for region, _ in held.parts()] != replaced or len(replaced) > 1:
        return None
    return held.number, held.sha256


def _one(bases: Iterable[tuple[int, bytes] | None]) -> tuple[int, bytes] | None:
    """What all of them have; None: not the same."""
    found = set(bases)
    return found.pop() if len(found) == 1 else None


def _refused_a_delta(report: AnyReport | None) -> bool:
    return report is not None and bool(DELTA_REFUSALS.intersection(report.attacks))


def _said(parcel: Parcel) -> Custom:
    found: Custom = decode(parcel.custom, limits.TARGETS_BYTES_MAX)  # type: ignore[assignment]
    return found


def _opens(parcel: Parcel, takers: Iterable[AnyEcu]) -> bool:
    _, _, wraps = _said(parcel)[ids.CUSTOM_ENCRYPTED]
    return all(ecu.id in wraps for ecu in takers)
