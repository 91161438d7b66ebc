"""A Director, its inventory and a random fleet, by Hypothesis: whatever is wanted, and whatever
the vehicles make of it, none is ever offered images that conflict (R-14, R-35).

The model beside it is a dozen lines: what each ECU runs, and what it was ever told. It installs
any of that at any later time, as somebody on the way to it could bring about (E-06, E-10), or
never; it does not go back to a lower release (V-63).
"""

import itertools

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from oem_vehicle import NOW, Vehicle

from muptane.oem.demands import Demand, Piece, clash
from muptane.oem.errors import OemRefusal
from muptane.oem.office import Office
from uptane import ids

HARDWARE = (10, 20, 30)
RELEASES = (1, 2, 3, 4)
VEHICLES = ("VIN0", "VIN1")

demand = st.builds(
    lambda kind, hardware, releases: Demand(
        kind=kind, hardware=hardware, lowest=min(releases), highest=max(releases)
    ),
    st.sampled_from(("needs", "conflicts")),
    st.sampled_from(HARDWARE),
    st.tuples(st.sampled_from(RELEASES), st.sampled_from(RELEASES)),
)
place = st.tuples(st.sampled_from(VEHICLES), st.sampled_from((0, 1, 2)))


class Lives(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.office = Office.create(lambda: NOW, seed=b"lives")
        self.vehicles = {}
        self.told = {}  # (vin, ecu) -> images
        for at, vin in enumerate(VEHICLES):
            made = self.vehicles[vin] = Vehicle(vin, first=10 * at + 1)
            self.office.register_vehicle(vin, made.new())
        self.demands = {}
        for hardware in HARDWARE:
            self.release(hardware, 1, ())
        for vehicle in self.vehicles.values():
            for ecu in vehicle.ecus:
                ecu.image, ecu.release = 10 * ecu.hardware + 1, 1
            self.report(vehicle)

    def teardown(self):
        self.office.close()

    def release(self, hardware, number, demands):
        image = 10 * hardware + number
        self.office.release_image(image, b"image %d" % image, [hardware], number)
        self.office.demand(image, demands)
        self.demands[image] = tuple(demands)

    def piece(self, ecu, image):
        return Piece(ecu.number, ecu.hardware, image, image % 10, self.demands[image])

    def report(self, vehicle):
        raw = vehicle.manifest(self.office.director.identity)
        decision = self.office.accept_manifest(vehicle.vin, raw)
        for ecu, image in decision.directions.items():
            self.told.setdefault((vehicle.vin, ecu), set()).add(image)

    # --- what happens -------------------------------------------------------------------------

    @rule(hardware=st.sampled_from(HARDWARE), demands=st.lists(demand, max_size=2))
    def release_next(self, hardware, demands):
        number = max(image % 10 for image in self.demands if image // 10 == hardware) + 1
        if number in RELEASES:
            others = [one for one in demands if one.hardware != hardware]
            self.release(hardware, number, others)

    @rule(place=place, data=st.data())
    def want(self, place, data):
        vehicle = self.vehicles[place[0]]
        ecu = vehicle.ecus[place[1]]
        ours = sorted(image for image in self.demands if image // 10 == ecu.hardware)
        image = data.draw(st.sampled_from(ours))
        by = data.draw(st.sampled_from((self.office.want, self.assign)))
        try:
            by(vehicle.vin, {ecu.number: image})
        except OemRefusal as refusal:
            assert str(image) in str(refusal)

    def assign(self, vin, wishes):
        for ecu, image in wishes.items():
            self.office.assign(vin, ecu, image)

    @rule(place=place, data=st.data())
    def install(self, place, data):
        vehicle = self.vehicles[place[0]]
        ecu = vehicle.ecus[place[1]]
        told = self.told.get((vehicle.vin, ecu.number), ())
        able = sorted(image for image in told if image % 10 >= ecu.release)
        if able:
            ecu.image = data.draw(st.sampled_from(able))
            ecu.release = ecu.image % 10

    @rule(vin=st.sampled_from(VEHICLES))
    def tell(self, vin):
        self.report(self.vehicles[vin])

    # --- what holds ---------------------------------------------------------------------------

    @invariant()
    def nothing_that_runs_conflicts(self):
        for vehicle in self.vehicles.values():
            runs = [self.piece(ecu, ecu.image) for ecu in vehicle.ecus]
            for one, other in itertools.combinations(runs, 2):
                assert clash(one, other) is None

    @invariant()
    def nothing_that_is_offered_conflicts(self):
        for vehicle in self.vehicles.values():
            targets = self.office.director.authority.verify(
                self.office.director.read(vehicle.vin, ids.TARGETS, 0), ids.TARGETS
            )
            at = {ecu.number: ecu for ecu in vehicle.ecus}
            offered = [
                self.piece(at[ecu], image)
                for image, entry in targets.images.items()
                for ecu in entry.ecus
            ]
            for one, other in itertools.combinations(offered, 2):
                assert clash(one, other) is None


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
