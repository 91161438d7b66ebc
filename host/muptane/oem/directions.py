"""What one vehicle is to install, before it is signed: images, how they travel, and the bundle.

Of every ECU the wanted image is taken, unless it would do harm or cannot travel; then it is
withheld, with the reason. A bundle that goes together goes as a whole, or not. It does NOT sign,
and records nothing: `director` does.
Rules: R-14, R-16, S-45, T-48, E-76, E-80.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from muptane.oem.bundles import vehicle_bundle, wanted_image
from muptane.oem.errors import NoDecryptionKey, OemRefusal
from muptane.oem.fields import Custom
from muptane.oem.fleet import ecus_of, last_report, misfit
from muptane.oem.inventory import Ecu, Image
from muptane.oem.targets import Bundle, Entry
from uptane import ids

# (session, image, its ECUs of one vehicle, now) -> what the entry says of how it travels
Travel = Callable[[Session, Image, Sequence[Ecu], int], Custom]


def as_it_is(session: Session, image: Image, ecus: Sequence[Ecu], now: int) -> Custom:
    """Every image travels whole and in the clear; a confidential one does not."""
    if image.confidential:
        raise NoDecryptionKey(f"image {image.number} is confidential, and nothing encrypts it")
    return {}


class Directions:
    """`chosen`: ECU id -> image; `withheld`: (ECU, image, why) of wishes that do not go;
    `acknowledged`: ECU id -> counter of the report that was heard; `bundle`, or None."""

    def __init__(self, session: Session, vehicle: str) -> None:
        self._session = session
        self._ecus = ecus_of(session, vehicle)
        self.chosen: dict[int, Image] = {}
        self.withheld: list[tuple[int, int, str]] = []
        self.acknowledged: dict[int, int] = {}
        self.bundle: Bundle | None = None
        self._ways: dict[int, Custom] = {}

    @classmethod
    def of(cls, session: Session, vehicle: str, travel: Travel, now: int) -> "Directions":
        """Decide, for every ECU of a vehicle."""
        made = cls(session, vehicle)
        for ecu in made._ecus:
            made._choose(ecu)
        for image in {image.number: image for image in made.chosen.values()}.values():
            made._send(image, travel, now)
        made._bind(vehicle)
        return made

    def entries(self) -> dict[int, Entry]:
        """The Director's entries, by image number."""
        return {
            image.number: image.entry(self._installers(image), self._ways[image.number])
            for image in self.chosen.values()
        }

    def _installers(self, image: Image) -> tuple[int, ...]:
        return tuple(sorted(ecu for ecu, one in self.chosen.items() if one is image))

    def _choose(self, ecu: Ecu) -> None:
        """Put the wanted image of `ecu` where it belongs: it goes, or it would do harm."""
        report = last_report(self._session, ecu.id)
        if report is not None and report.attacks:
            self.acknowledged[ecu.id] = report.counter
        wanted = wanted_image(self._session, ecu.id)
        if wanted is None:
            return
        refusal = misfit(ecu, wanted, report)
        if refusal is None:
            self.chosen[ecu.id] = wanted
        else:
            self.withheld.append((ecu.id, wanted.number, str(refusal)))

    def _send(self, image: Image, travel: Travel, now: int) -> None:
        """Find how an image travels to those who are to have it; if it cannot, they do not."""
        takers = [ecu for ecu in self._ecus if self.chosen.get(ecu.id) is image]
        try:
            self._ways[image.number] = travel(self._session, image, takers, now)
        except OemRefusal as refusal:
            for ecu in takers:
                self._withhold(ecu.id, image.number, str(refusal))

    def _bind(self, vehicle: str) -> None:
        """Find the bundle among the directions. One that goes together and cannot go as a whole
        is withheld as a whole (S-45)."""
        made = vehicle_bundle(self._session, vehicle)
        if made is None:
            return
        ecus = tuple(ecu for ecu, _ in made.images if ecu in self.chosen)
        missing = [ecu for ecu, _ in made.images if ecu not in self.chosen]
        if made.kind == ids.BUNDLE_TOGETHER and missing:
            why = (
                f"bundle {made.number} goes as a whole, and ECU {missing[0]} cannot take its part"
            )
            for ecu, image in made.images:
                self._withhold(ecu, image, why)
        elif ecus:
            self.bundle = Bundle(number=made.number, kind=made.kind, trials=made.trials, ecus=ecus)

    def _withhold(self, ecu: int, image: int, why: str) -> None:
        if self.chosen.pop(ecu, None) is not None:
            self.withheld.append((ecu, image, why))
