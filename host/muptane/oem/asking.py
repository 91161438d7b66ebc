"""What images ask of their vehicles, in the inventory: kept, solved for a wish, heeded at each
decision.

A wish is solved when it is made (`resolving`) and refused there and then, in words, if nothing
goes; what has to come with it is wanted too. What of it may go is found anew with every manifest
(`staging`), because only a report says what a vehicle has installed meanwhile.
Rules: R-14, R-35, R-41, S-14.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from muptane.oem.authority import DIRECTOR_LIFETIMES_S
from muptane.oem.bundles import vehicle_bundle
from muptane.oem.campaign_gates import dropped
from muptane.oem.database import Work
from muptane.oem.demand_tables import DemandMade
from muptane.oem.demands import DEMANDS_MAX, Demand, Piece
from muptane.oem.errors import AlreadyWanted, Malformed, UnknownImage
from muptane.oem.fleet import ecu_of, ecus_of, last_report, misfit, newest_assignment
from muptane.oem.inventory import Assignment, DecisionMade, Ecu, Image, Inventory
from muptane.oem.needs import may_run
from muptane.oem.resolving import Place, resolve
from muptane.oem.staging import Standing, check_reachable, held_back
from muptane.oem.states import AnyEcu, AnyReport, EcuState, VehicleState
from uptane import ids

NO_IMAGE = 0  # what the factory left on an ECU that has not reported yet


def record_demands(inventory: Inventory, number: int, demands: Sequence[Demand]) -> None:
    """Make known what image `number` asks, before it is wanted anywhere. The same again changes
    nothing.

    Refuses with UnknownImage, Malformed, AlreadyWanted.
    """
    with inventory.begin() as session:
        if session.get(Image, number) is None:
            raise UnknownImage(f"no image {number} was released")
        if len(demands) > DEMANDS_MAX:
            raise Malformed(f"image {number} asks for more than {DEMANDS_MAX} things")
        if demands_of(session, [number]).get(number, ()) == tuple(demands):
            return
        wish = select(Assignment.id).where(Assignment.image == number).limit(1)
        asked = select(DemandMade.id).where(DemandMade.image == number).limit(1)
        if session.scalar(wish) is not None or session.scalar(asked) is not None:
            raise AlreadyWanted(
                f"image {number} is wanted already, or asks for something else: what it asks is"
                " said once, before it goes anywhere"
            )
        session.add_all([DemandMade.of(number, demand) for demand in demands])
        session.commit()


def want(
    inventory: Inventory, vehicle: str, wishes: Mapping[int, int], now: int
) -> dict[int, int]:
    """From now on the OEM wants `wishes` (ECU -> image) on `vehicle`, with what they need; returns
    all that is wanted by that. What was wanted before and is not installed yet stays wanted.

    Refuses like `fleet.assign`, and with Unsolvable; then nothing is wanted that was not before.
    """
    with inventory.begin() as session:
        made = wished(session, Catalogue(session), (vehicle, wishes), now)
        session.commit()
        return {wish.ecu_id: wish.image for wish in made}


class Catalogue:
    """Every image that was released, and what each asks, read once."""

    def __init__(self, session: Session) -> None:
        ordered = session.scalars(select(Image).order_by(Image.release, Image.number))
        self.images = {image.number: image for image in ordered}
        self.demands = demands_of(session, self.images)
        self._for: dict[int, list[Image]] = {}
        for image in self.images.values():
            for hardware in image.hardware:
                self._for.setdefault(hardware, []).append(image)

    def fitting(self, hardware: int) -> Sequence[Image]:
        """By release."""
        return self._for.get(hardware, ())

    def piece(self, ecu: AnyEcu, image: Image) -> Piece:
        return self.running(ecu, image.number, image.release)

    def running(self, ecu: AnyEcu, number: int, release: int) -> Piece:
        """What an ECU runs, or may; of an image that is not ours nothing is asked."""
        return Piece(ecu.id, ecu.hardware, number, release, self.demands.get(number, ()))


def wished(
    session: Session,
    catalogue: Catalogue,
    what: tuple[str, Mapping[int, int]],
    now: int,
) -> list[Assignment]:
    """As `want`, of (vehicle, wishes), for who commits; the assignments have their ids."""
    vehicle, wishes = what
    ecus = ecus_of(session, vehicle)
    for ecu in wishes:
        ecu_of(ecus, ecu)
    pieces = _Pieces(session, catalogue, dropped(session, vehicle))
    places = [pieces.place(ecu, wishes.get(ecu.id)) for ecu in ecus]
    goal = resolve(places)
    runs = {place.ecu: place.candidates[0] for place in places if pieces.reported(place.ecu)}
    check_reachable(runs, goal)
    made = [
        Assignment(ecu_id=ecu, image=piece.image, made_s=now)
        for ecu, piece in sorted(goal.items())
        if ecu in wishes or piece.image != pieces.known(ecu)
    ]
    session.add_all(made)
    session.flush()
    return made


class _Pieces:
    """Images as they would run on the ECUs of a vehicle. `dropped`: wishes that count no more."""

    def __init__(self, session: Session, catalogue: Catalogue, dropped: set[int]) -> None:
        self._session = session
        self._catalogue = catalogue
        self._dropped = dropped
        self._reports: dict[int, AnyReport | None] = {}
        self._known: dict[int, int | None] = {}

    def reported(self, ecu: int) -> bool:
        return self._reports[ecu] is not None

    def known(self, ecu: int) -> int | None:
        """What an ECU runs, or is to run by a wish before."""
        return self._known[ecu]

    def place(self, ecu: Ecu, wish: int | None) -> Place:
        report = self._reports[ecu.id] = last_report(self._session, ecu.id)
        before = newest_assignment(self._session, ecu.id)
        if before is not None and before.id in self._dropped:
            before = None
        runs = None if report is None else report.image
        pending = before.image if before is not None and before.image != runs else None
        self._known[ecu.id] = pending or runs
        known = self._catalogue
        if wish is None:
            wanted = None if pending is None else known.images.get(pending)
        else:
            wanted = self._wanted(ecu, wish, report)
        there = () if report is None else (known.running(ecu, report.image, report.release),)
        fits = [
            known.piece(ecu, image)
            for image in known.fitting(ecu.hardware)
            if report is not None and image.number != runs and misfit(ecu, image, report) is None
        ]
        return Place(ecu.id, (*there, *fits), None if wanted is None else known.piece(ecu, wanted))

    def _wanted(self, ecu: Ecu, wish: int, report: AnyReport | None) -> Image:
        image = self._catalogue.images.get(wish)
        if image is None:
            raise UnknownImage(f"no image {wish} was released")
        refusal = misfit(ecu, image, report)
        if refusal is not None:
            raise refusal
        return image


def demands_of(session: Session, images: Iterable[int]) -> dict[int, tuple[Demand, ...]]:
    """Of those images that ask for something."""
    found: dict[int, tuple[Demand, ...]] = {}
    wanted = set(images)
    for row in session.scalars(select(DemandMade).order_by(DemandMade.id)):
        if row.image in wanted:
            found[row.image] = (*found.get(row.image, ()), row.demand)
    return found


def held(work: Work, state: VehicleState, chosen: Mapping[int, Image], now: int) -> dict[int, str]:
    """{ECU: why what was chosen for it does not go yet}, by what images ask of each other. What
    was directed counts for as long as it has not expired: who keeps a vehicle from newer
    directions can let it install older ones (E-06)."""
    news = [ecu for ecu, image in chosen.items() if not _runs(state, ecu, image)]
    if not news or not state.asked:
        return {}
    session = work.session
    catalogue = Catalogue(session)
    directed = _directed(session, state.vehicle, now - DIRECTOR_LIFETIMES_S[ids.TARGETS])
    bundle = vehicle_bundle(session, state.vehicle) if state.bundled else None
    whole: set[int] = set()
    if bundle is not None and bundle.kind == ids.BUNDLE_TOGETHER:
        whole = {ecu for ecu, _ in bundle.images}
    vehicle = []
    for one in state.ecus:
        ecu, image = one.ecu, chosen.get(one.ecu.id)
        numbers = {number for number, _ in may_run(session, ecu, catalogue.images)}
        possible = _possible(one, numbers | directed.get(ecu.id, set()), catalogue)
        goes = None if image is None else catalogue.piece(ecu, image)
        vehicle.append(Standing(ecu.id, possible, goes, ecu.id in whole))
    return held_back(vehicle)


def _runs(state: VehicleState, ecu: int, image: Image) -> bool:
    return any(
        one.ecu.id == ecu and one.report is not None and one.report.image == image.number
        for one in state.ecus
    )


def _directed(session: Session, vehicle: str, since_s: int) -> dict[int, set[int]]:
    """{ECU: images} of every decision after `since_s`."""
    found: dict[int, set[int]] = {}
    query = select(DecisionMade.directions).where(DecisionMade.vehicle_id == vehicle)
    for directions in session.scalars(query.where(DecisionMade.made_s > since_s)):
        for ecu, image in directions:
            found.setdefault(ecu, set()).add(image)
    return found


def _possible(one: EcuState, numbers: Iterable[int], known: Catalogue) -> tuple[Piece, ...]:
    """What an ECU may run: less what its release counter would refuse (R-35, V-63)."""
    ecu, report, floor = one.ecu, one.report, 0
    there = [known.running(ecu, NO_IMAGE, 0)]
    if report is not None:
        there = [known.running(ecu, report.image, report.release)]
        if report.boot == ids.BOOT_CONFIRMED:
            floor = report.release
    for number in sorted(numbers):
        image = known.images.get(number)
        release = 0 if image is None else image.release  # of one that is not ours nobody knows
        if release >= floor:
            there.append(known.running(ecu, number, release))
    return tuple(dict.fromkeys(there))
