"""The honest update that an attack is about: who makes it, for which ECU, and what comes of it.

The maker has released the next image for the victim and the Director wants it there. `Update` can
have the vehicle take a cycle, look at its state before and after, and tell whether the next honest
update still installs. `muptane.bench.attacks.stage` puts a liar into its path.
"""

from __future__ import annotations

from hashlib import sha256

from muptane.bench.attacks.attack import ACCEPTED, BACKOFFICE, INSTALLS, PARTIAL, PRIMARY, Attack
from muptane.bench.attacks.state import Picture, changes, state_of_office, state_of_vehicle
from muptane.bench.feeder import BLOCK_BYTES, OfficeSource, feed
from muptane.bench.maker import Maker, image_number
from muptane.bench.plan import BadVehicle, EcuPlan, VehiclePlan
from muptane.bench.vehicle import Vehicle
from muptane.oem.delegations import Delegation
from muptane.oem.keys import Holders, Signer
from muptane.oem.supplier import Supplier
from muptane.oem.targets import entry_of
from uptane.errors import PeerRefused, Refusal
from uptane.uds.codes import DID_IMAGE, DID_REFUSALS

SUPPLIER_ROLE = 16
AT_STAKE = 3  # the release; 1 left the factory, 2 was an honest update
SETTLE_S = 3.0  # for a trial to be confirmed
SESSION_S = 6.0  # for the session that a broken cycle left open to end
CYCLE_S = 3600.0


class Update:
    """`maker` and `vehicle` as they are after an honest update; the vehicle is on. `victim` is
    the name of the ECU that is attacked. `release`, `number` and `content` are the image at stake.
    """

    def __init__(self, maker: Maker, vehicle: Vehicle, attack: Attack, victim: str) -> None:
        self.maker = maker
        self.vehicle = vehicle
        self.office = maker.office
        self.vin = maker.plan.vin
        self.attack = attack
        self.victim: EcuPlan = vehicle.ecus[victim].plan
        self.supplied = attack.supplied
        self.release = AT_STAKE
        self.number = image_number(self.victim, self.release)
        self.content = maker.content(self.victim, self.release)
        self.ended: int | None = None  # the refusal that ended the last cycle
        self.block_bytes = BLOCK_BYTES  # of the longest request to the victim
        self.before: Picture = {}
        self._noted: list[int] = []
        self._runs = b""
        holders = Holders.of(Signer.from_seed(b"supplier", victim))
        self.supplier = Supplier(SUPPLIER_ROLE, holders, self.office.images.identity)

    # --- the maker -----------------------------------------------------------------------------

    def offer(self, release: int) -> None:
        """Release the next image for the victim and direct it there."""
        if self.supplied:
            self._deliver(release)
        else:
            self.maker.release(self.victim, release)
            self.maker.assign(self.victim, release)
        self.office.director.welcome(self.vin, self.office.now())

    def supply(self) -> None:
        """Leave the victim's images to a supplier, who delivers one that nobody wants yet."""
        first = self.victim.number * 100
        self.delegation = Delegation(
            ranges=((first + 50, first + 89),),
            hardware=(self.victim.hardware,),
            roles=(self.supplier.delegate,),
        )
        content = self.content + b"\0"
        listed = {first + 50: entry_of(content, [self.victim.hardware], self.release - 1)}
        self._listed = listed
        raw = self.supplier.sign(listed, self.office.now())
        self.office.delegate(self.delegation, [raw], {first + 50: content})

    def _deliver(self, release: int) -> None:
        self.number = self.victim.number * 100 + 50 + release
        content = self.maker.content(self.victim, release)
        entry = entry_of(content, [self.victim.hardware], release)
        self._listed = {**self._listed, self.number: entry}
        raw = self.supplier.sign(self._listed, self.office.now())
        self.office.deliver([raw], {self.number: content})
        self.office.assign(self.vin, self.victim.number, self.number)

    def number_of(self, release: int) -> int:
        """The number of the victim's image of that release."""
        own = image_number(self.victim, release)
        return own + 50 if self.supplied else own

    def redirect(self) -> None:
        """The Director says once more what it wants, under today's date; the liar begins anew."""
        self.office.director.welcome(self.vin, self.office.now())
        self.look()

    def source(self) -> OfficeSource:
        """The maker's office, as an honest feeder brings it."""
        return OfficeSource(self.maker.alliance, self.vin, lambda carried: None)

    # --- the vehicle ---------------------------------------------------------------------------

    def feed(self, source: object, name: str = "") -> None:
        """One cycle of the victim (or of the ECU called `name`), served by `source`, and time
        for what it may have put on trial."""
        station = self.vehicle.station(name or self.victim.name)
        self.ended = None
        try:
            task = feed(station, source, block_bytes=self.block_bytes)  # type: ignore[arg-type]
            station.run(task, CYCLE_S)
        except PeerRefused as refusal:
            self.ended = refusal.args[0]
        except Refusal as refusal:
            self.ended = refusal.number
        self.vehicle.run(SETTLE_S if self.ended is None else SESSION_S)

    def settle(self) -> None:
        """An honest cycle of the whole vehicle; what follows is held against its end."""
        Update.feed(self, self.source(), self.maker.plan.primary().name)
        self.look()

    def later(self, days: float) -> None:
        """The vehicle is off for so long."""
        self.vehicle.power_off()
        self.vehicle.world.epoch_s += int(days * 86400)
        self.vehicle.power_on()
        self.vehicle.run(0.5)

    def restart(self) -> None:
        """Power off and on again."""
        self.later(0)

    # --- what is seen --------------------------------------------------------------------------

    def look(self) -> None:
        """From here on the state has to stay as it is."""
        self.before = {**state_of_vehicle(self.vehicle), **state_of_office(self.office)}
        self._noted = self.noted()
        self._runs = self.running()

    def running(self) -> bytes:
        """SHA-256 of what the victim runs, as it says itself."""
        return self.vehicle.station(self.victim.name).read(DID_IMAGE)[12:]

    def runs(self, content: bytes) -> bool:
        """Does the victim run exactly these bytes?"""
        return self.running() == sha256(content).digest()

    def noted(self) -> list[int]:
        """The refusals that the victim will name in its next report, oldest first."""
        return list(self.vehicle.station(self.victim.name).read(DID_REFUSALS))

    def observed(self) -> int | str:
        """What happened since `look`: INSTALLS, the first refusal that the victim noted, that
        which ended its cycle, or ACCEPTED."""
        if self.running() != self._runs:
            return INSTALLS
        fresh = [number for number in self.noted() if number not in self._noted]
        if fresh:
            return fresh[0]
        return ACCEPTED if self.ended is None else self.ended

    def changes(self) -> list[str]:
        """The parts of the state that are not what they were at `look`."""
        after = {**state_of_vehicle(self.vehicle), **state_of_office(self.office)}
        return changes(self.before, after, self.office.now())

    def is_partial(self) -> bool:
        return self.victim.verification == "partial"


def victim_of(plan: VehiclePlan, verification: str) -> str:
    """The ECU of a plan that an attack on that kind of verification is played against.
    BadVehicle if it has none."""
    if verification in (PRIMARY, BACKOFFICE):
        return plan.primary().name
    for ecu in plan.secondaries():
        if (ecu.verification == "partial") == (verification == PARTIAL):
            return ecu.name
    raise BadVehicle(f"this vehicle has no Secondary of {verification} verification")
