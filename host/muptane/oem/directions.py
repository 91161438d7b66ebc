"""What one vehicle is to install, before it is signed: images, how they travel, and the bundle.

Of every ECU the wanted image is taken, unless it would do harm or cannot travel; then it is
withheld, with the reason; so is what could meet an image that it conflicts with (`asking`). A
bundle that goes together goes as a whole, or not. It does NOT sign, and records nothing:
`director` does.
Rules: R-14, R-16, R-35, S-45, T-48, E-76, E-80.
"""

from collections.abc import Callable, Sequence

from muptane.oem.asking import held
from muptane.oem.bundles import vehicle_bundle, wanted_image
from muptane.oem.campaign_gates import halted
from muptane.oem.database import Work
from muptane.oem.errors import NoDecryptionKey, OemRefusal
from muptane.oem.fields import Custom
from muptane.oem.fleet import misfit
from muptane.oem.inventory import Image
from muptane.oem.states import EcuState, KnownImages, VehicleState
from muptane.oem.targets import Bundle, Entry
from uptane import ids

# (work, image, its ECUs of one vehicle, now) -> what the entry says of how it travels
Travel = Callable[[Work, Image, Sequence[EcuState], int], Custom]


def as_it_is(work: Work, image: Image, ecus: Sequence[EcuState], now: int) -> Custom:
    """Every image travels whole and in the clear; a confidential one does not."""
    if image.confidential:
        raise NoDecryptionKey(f"image {image.number} is confidential, and nothing encrypts it")
    return {}


class Directions:
    """`chosen`: ECU id -> image; `withheld`: (ECU, image, why) of wishes that do not go; `halted`:
    the same of those whose campaign does not run; `acknowledged`: ECU id -> counter of the report
    that was heard; `bundle`, or None."""

    def __init__(self, work: Work, state: VehicleState, images: KnownImages) -> None:
        """Use `of`."""
        self._work = work
        self._state = state
        wishes = [one.wish.image for one in state.ecus if one.wish is not None]
        self._images = dict(images.of(work, wishes))
        self.chosen: dict[int, Image] = {}
        self.withheld: list[tuple[int, int, str]] = []
        self.halted: list[tuple[int, int, str]] = []
        self.acknowledged: dict[int, int] = {}
        self.bundle: Bundle | None = None
        self._ways: dict[int, Custom] = {}

    @classmethod
    def of(
        cls,
        work: Work,
        state: VehicleState,
        images: KnownImages,
        travel: Travel,
        now: int,
    ) -> "Directions":
        """Decide, for every ECU of a vehicle."""
        made = cls(work, state, images)
        for one in state.ecus:
            made._choose(one)
        for ecu, why in halted(work, state, made.chosen).items():
            made.halted.append((ecu, made.chosen.pop(ecu).number, why))
        for ecu, why in held(work, state, made.chosen, now).items():
            made._withhold(ecu, made.chosen[ecu].number, why)
        for image in {image.number: image for image in made.chosen.values()}.values():
            made._send(image, travel, now)
        if state.bundled:
            made._bind(state.vehicle)
        return made

    def entries(self) -> dict[int, Entry]:
        """The Director's entries, by image number."""
        return {
            image.number: image.entry(self._installers(image), self._ways[image.number])
            for image in self.chosen.values()
        }

    def _installers(self, image: Image) -> tuple[int, ...]:
        return tuple(sorted(ecu for ecu, one in self.chosen.items() if one is image))

    def _choose(self, one: EcuState) -> None:
        """Put the wanted image of an ECU where it belongs: it goes, or it would do harm."""
        ecu, report = one.ecu, one.report
        if report is not None and report.attacks:
            self.acknowledged[ecu.id] = report.counter
        wanted = self._wanted(one)
        if wanted is None:
            return
        refusal = misfit(ecu, wanted, report)
        if refusal is None:
            self.chosen[ecu.id] = wanted
        else:
            self.withheld.append((ecu.id, wanted.number, str(refusal)))

    def _wanted(self, one: EcuState) -> Image | None:
        """A wish of a bundle may have been overtaken, so that an older one counts."""
        if one.wish is None:
            return None
        if one.wish.bundle_id is None:
            return self._images[one.wish.image]
        counts = wanted_image(self._work.session, one.ecu.id)
        return None if counts is None else self._images.setdefault(counts.number, counts)

    def _send(self, image: Image, travel: Travel, now: int) -> None:
        """Find how an image travels to those who are to have it; if it cannot, they do not."""
        takers = [one for one in self._state.ecus if self.chosen.get(one.ecu.id) is image]
        try:
            self._ways[image.number] = travel(self._work, image, takers, now)
        except OemRefusal as refusal:
            for one in takers:
                self._withhold(one.ecu.id, image.number, str(refusal))

    def _bind(self, vehicle: str) -> None:
        """Find the bundle among the directions. One that goes together and cannot go as a whole
        is withheld as a whole (S-45)."""
        made = vehicle_bundle(self._work.session, vehicle)
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
