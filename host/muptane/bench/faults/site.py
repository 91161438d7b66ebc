"""A vehicle of one geometry, its maker, and the honest updates that flows are made of.

`Site` builds the vehicle, lets it take one honest update, so that both slots have been used, and
leaves it on. Flows and the judge use the same few steps: `offer` the next release, `cycle` once,
`wait`. When a fault has cut the power, whatever was under way ends with `Struck`.

It does not know what faults there are, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from muptane.bench.factory import FirstImage
from muptane.bench.faults.flow import the_same
from muptane.bench.faults.geometry import Geometry
from muptane.bench.faults.patient import Change, Patient
from muptane.bench.faults.works import Works
from muptane.bench.feeder import OfficeSource, feed
from muptane.bench.maker import image_number
from muptane.bench.plan import BadVehicle, EcuPlan, VehiclePlan
from muptane.bench.provisioning import AllianceSupply
from muptane.bench.world import World
from uptane import ids
from uptane.errors import PeerRefused, Refusal
from uptane.uds.codes import DID_IMAGE

SETTLE_S = 3.0  # for a trial to be confirmed
SESSION_S = 6.0  # for a session that a broken cycle left open to end
CYCLE_S = 3600.0
FILLER = 0x0901  # a record that nothing else uses
FILLER_SHARES = (8, 32, 800)  # of half the records: first by large commits, then by small ones
TRIALS = 9  # of a bundle: more than a vehicle needs after one fault


class Struck(BaseException):
    """The power went: what was being played is over."""


class Site:
    """`stake` is the ECU whose image is large: a Secondary of full verification, if there is
    one. `old` and `new` are the releases that a flow begins and may end with, by ECU."""

    def __init__(
        self, plan: VehiclePlan, folder: Path, geometry: Geometry, alter: Change = the_same
    ) -> None:
        self.plan = plan
        self.geometry = geometry
        self.stake = stake_of(plan)
        self.world = World(seed=plan.seed)
        self.maker = Works(plan, self.world, geometry, self.stake)
        self._alter = alter
        self.vehicle = Patient(plan, self.world, folder, "cpython", self.change)
        self.maker.provision(self.vehicle)
        self.vehicle.remember()
        self.new = {ecu.name: 1 for ecu in plan.ecu}
        self.old = dict(self.new)
        self.together: tuple[EcuPlan, ...] = ()  # of the bundle that is directed
        self.ended: int | None = None  # the refusal that ended the last cycle
        self.cut: Callable[[], bool] = lambda: False  # has the power gone?

    def change(self, settings: dict[str, Any]) -> None:
        """Give an ECU's board the geometry, and what the flow asks for besides."""
        self.geometry.change(settings)
        self._alter(settings)

    def settle(self) -> None:
        """Power on and take the honest update that precedes every flow; where there is no spare
        slot that could be used, its image is left out."""
        self.vehicle.power_on()
        self.wait(0.5)
        self.offer([ecu.name for ecu in self.plan.ecu if not ecu.in_place])
        self.cycle()
        self.cycle()  # reports what the first installed
        self.begin()

    def begin(self) -> None:
        """What is installed now is old from now on."""
        self.old = dict(self.new)

    # --- the maker -----------------------------------------------------------------------------

    def offer(
        self, names: Iterable[str] = (), large: bool = False, crashing: bool = False
    ) -> None:
        """Release the next image of these ECUs, or of every one, and direct it there."""
        release = max(self.new.values()) + 1
        if large:
            self.maker.large.add(release)
        if crashing:
            self.maker.crashing.add(release)
        self.together = ()
        for ecu in self.plan.ecu:
            if not names or ecu.name in names:
                self.maker.release(ecu, release)
                self.maker.assign(ecu, release)
                self.new[ecu.name] = release

    def offer_data(self) -> None:
        """Release a calibration alone of the ECU at stake, and direct it there."""
        self.maker.before[max(self.new.values()) + 1] = self.new[self.stake.name]
        self.offer([self.stake.name])

    def offer_bundle(self, ecus: Iterable[EcuPlan]) -> None:
        """Release the next images of these ECUs, that of the stake large, and direct them as a
        bundle that is confirmed together."""
        release = max(self.new.values()) + 1
        self.maker.large.add(release)
        self.together = tuple(ecus)
        for ecu in self.together:
            self.maker.release(ecu, release)
            self.new[ecu.name] = release
        images = {ecu.number: self.number(ecu) for ecu in self.together}
        self.maker.office.assign_bundle(self.plan.vin, images, ids.BUNDLE_TOGETHER, TRIALS)

    def source(self) -> OfficeSource:
        """The maker's office, as an honest feeder brings it."""
        return OfficeSource(self.maker.alliance, self.plan.vin, lambda carried: None)

    # --- the vehicle ---------------------------------------------------------------------------

    def run(self, task: Generator[Any, Any, Any], limit_s: float, name: str = "") -> Any:
        """Let a tester play a task with an ECU, or with the Primary, to its end. Refusals."""
        ended: list[Any] = []
        self.vehicle.station(name or self.plan.primary().name).start(task, ended.append)
        self.until(lambda: bool(ended), limit_s)
        if isinstance(ended[0], Refusal):
            raise ended[0]
        return ended[0]

    def wait(self, seconds: float) -> None:
        """Let the vehicle be for that many virtual seconds."""
        end_ns = self.world.now_ns + int(seconds * 1e9)
        self.world.at(end_ns, lambda: None)
        self.until(lambda: self.world.now_ns >= end_ns, seconds + 1)

    def until(self, goal: Callable[[], bool], limit_s: float) -> None:
        """Let things happen until `goal()`. Struck; muptane.bench.world.Stuck after the limit."""
        self.world.run(lambda: self.cut() or goal(), limit_s)
        if self.cut():
            raise Struck

    def cycle(self) -> None:
        """One cycle of the Primary, served by the maker's office, and time for trials."""
        station = self.vehicle.station(self.plan.primary().name)
        self.ended = None
        try:
            self.run(feed(station, self.source()), CYCLE_S)
        except PeerRefused as refusal:
            self.ended = refusal.args[0]
        except Refusal as refusal:
            self.ended = refusal.number
        self.wait(SETTLE_S if self.ended is None else SESSION_S)

    def update(self, cycles: int = 2) -> bool:
        """Cycles until every ECU says that it runs the newest release; False: it never does."""
        for _ in range(cycles):
            self.cycle()
            if self.installed() == {ecu.name: self.number(ecu) for ecu in self.plan.ecu}:
                return True
        return False

    def number(self, ecu: EcuPlan) -> int:
        """The number of the image that is directed to an ECU."""
        return image_number(ecu, self.new[ecu.name])

    def installed(self) -> dict[str, int]:
        """The number of the image that each ECU says it runs; -1 if it does not answer."""
        return {ecu.name: self.says(ecu) for ecu in self.plan.ecu}

    def says(self, ecu: EcuPlan) -> int:
        try:
            return int.from_bytes(self.vehicle.station(ecu.name).read(DID_IMAGE)[:4], "big")
        except Refusal:
            return -1

    def later(self, days: float) -> None:
        """So much time passes."""
        self.world.epoch_s += int(days * 86400)

    # --- the workshop --------------------------------------------------------------------------

    def replace(self, ecu: EcuPlan, counter: int) -> None:
        """A new part, provisioned with the newest metadata and the image that is directed, or the
        whole one that data came to; its reports go on counting from where the office has seen
        them."""
        self.off()
        release = self.new[ecu.name]
        if ecu.regions:
            release = self.maker.before.get(release, release)
        image = self.maker.image(ecu, release)
        first = FirstImage(image_number(ecu, release), release, image.content, image.regions)
        supply = AllianceSupply(self.maker.alliance, None)
        self.vehicle.provision_ecu(ecu.name, supply, first)
        memory = BytesIO(self.vehicle.ecus[ecu.name].flash.read_bytes())
        _, records = self.vehicle.mounted(ecu.name, memory)
        records.commit({ids.RECORD_COUNTER: counter.to_bytes(4, "big")})
        self.vehicle.replace(ecu.name, memory.getvalue())
        self.vehicle.power_on()
        self.wait(SETTLE_S)

    # --- while the vehicle is off --------------------------------------------------------------

    def off(self) -> None:
        """Nobody asks anything any more, and every supply is gone."""
        for ecu in self.plan.ecu:
            self.vehicle.station(ecu.name).drop()
        self.vehicle.power_off()

    def fill(self) -> None:
        """Write to every ECU's records, with the vehicle off, until the next commits have to move
        house."""
        _, block_bytes, blocks = self.geometry.records
        bank_bytes = block_bytes * (blocks // 2)
        for ecu in self.plan.ecu:
            content = self.vehicle.content(ecu.name)
            for share in FILLER_SHARES:
                size = max(bank_bytes // share, 20)
                while True:
                    memory = BytesIO(content)
                    nor, records = self.vehicle.mounted(ecu.name, memory)
                    records.commit({FILLER: bytes(size)})
                    if any(nor.erased):
                        break
                    content = memory.getvalue()
            self.vehicle.replace(ecu.name, content)


def equipped(plan: VehiclePlan, has: tuple[str, ...]) -> VehiclePlan:
    """That vehicle, whose ECU at stake has these abilities besides. BadVehicle."""
    stake = stake_of(plan)
    values: dict[str, object] = dict.fromkeys(has, True)
    if "regions" in values:
        values["regions"] = ["calibration"]
    able = stake.model_copy(update=values)
    return plan.model_copy(update={"ecu": [able if one is stake else one for one in plan.ecu]})


def stake_of(plan: VehiclePlan) -> EcuPlan:
    """The ECU whose image is large. BadVehicle if the vehicle is none for this."""
    if plan.repository:
        raise BadVehicle(
            "flows are those of a vehicle with one Director and one Image repository; "
            "leave out [[repository]]"
        )
    for ecu in plan.secondaries():
        if ecu.verification == "full":
            return ecu
    return plan.secondaries()[0] if plan.secondaries() else plan.primary()
