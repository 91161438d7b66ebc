"""Campaigns over a random fleet, by Hypothesis: no vehicle is told of an image before its wave,
and no wave begins behind a gate that is closed (S-16, S-17).

The model keeps its own books of who reported what; it shares nothing with the office but names.
"""

from hashlib import sha256

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from oem_vehicle import NOW, Vehicle

from muptane.oem import campaigns
from muptane.oem.campaign_gates import PAUSED, RUNNING, STOPPED
from muptane.oem.campaigns import Plan
from muptane.oem.errors import OemRefusal
from muptane.oem.office import Office
from uptane import ids

VINS = tuple(f"VIN{at}" for at in range(7))
RESERVED = VINS[:2]
DOORS = (302, 303)  # release 2 and 3
ENOUGH, FAILURES, SAMPLE = 60, 25, 4


class Book:
    """What the model knows of one campaign."""

    def __init__(self, image):
        self.image = image
        self.wave = 0
        self.state = RUNNING
        self.members = {}  # vin -> wave
        self.back = set()  # vins that went back since they joined


class Fleet(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.office = Office.create(lambda: NOW, seed=b"campaign lives")
        self.vehicles = {}
        self.offered = {}
        self.reported = {}  # vin -> image that its last report confirmed
        self.releases = {}  # vin -> release of its last report
        self.books = {}
        for image in DOORS:
            self.office.release_image(image, b"door %d" % image, [30], image % 100)
        for at, vin in enumerate(VINS):
            made = self.vehicles[vin] = Vehicle(vin, first=10 * at + 1)
            self.office.register_vehicle(vin, made.new())
            self.tell(vin)
        for vin in RESERVED:
            campaigns.reserve(self.office.inventory, vin, NOW)

    def teardown(self):
        self.office.close()

    def tell(self, vin):
        vehicle = self.vehicles[vin]
        door = vehicle.ecus[2]
        self.reported[vin] = door.image if door.boot == ids.BOOT_CONFIRMED else 0
        self.releases[vin] = door.release
        if door.boot == ids.BOOT_REVERTED:
            self.went_back(vin)
        raw = vehicle.manifest(self.office.director.identity)
        decision = self.office.accept_manifest(vin, raw)
        image = self.offered[vin] = decision.directions.get(door.number)
        if image is not None and image != door.image:
            assert any(
                book.image == image and book.state == RUNNING and vin in book.members
                for book in self.books.values()
                if vin not in book.back
            )

    def went_back(self, vin):
        for book in self.books.values():
            if vin in book.members:
                book.back.add(vin)
        for book in self.books.values():
            failed = [one for one in book.back if self.reported[one] != book.image]
            installed = [one for one in book.members if self.reported[one] == book.image]
            ended = max(len(failed) + len(installed), SAMPLE)
            if vin in book.members and len(failed) * 100 > FAILURES * ended:
                book.state = STOPPED

    # --- what happens -------------------------------------------------------------------------

    @rule(image=st.sampled_from(DOORS))
    def begin(self, image):
        name = f"doors-{len(self.books)}"
        plan = Plan(
            name=name,
            images=(image,),
            waves=(50, 100),
            enough=ENOUGH,
            failures=FAILURES,
            sample=SAMPLE,
        )
        lower = [vin for vin in RESERVED if self.releases[vin] < image % 100]
        try:
            campaigns.make(self.office.inventory, plan, NOW)
        except OemRefusal:
            assert not lower
            return
        book = self.books[name] = Book(image)
        self.join(name, book)
        assert set(book.members) == set(lower)

    def join(self, name, book):
        """Who takes part now, and did not before, joined in this wave."""
        for vin, wave in campaigns.members(self.office.inventory, name).items():
            assert book.members.setdefault(vin, book.wave) == wave
        status = campaigns.status(self.office.inventory, name)
        of_it = list(book.members.values()).count(book.wave)
        assert (status.wave, status.waves[book.wave].members) == (book.wave, of_it)

    @rule(data=st.data())
    def promote(self, data):
        if not self.books:
            return
        name = data.draw(st.sampled_from(sorted(self.books)))
        book = self.books[name]
        before = [vin for vin, wave in book.members.items() if wave == book.wave]
        there = [vin for vin in before if self.reported[vin] == book.image]
        enough = 100 if book.wave == 0 else ENOUGH
        is_open = book.state == RUNNING and book.wave < 2
        is_open = is_open and len(there) * 100 >= enough * len(before)
        is_open = is_open and (book.wave > 0 or bool(there))
        try:
            campaigns.promote(self.office.inventory, name, NOW)
        except OemRefusal:
            failed = [vin for vin in book.back if self.reported[vin] != book.image]
            assert not is_open or failed
            return
        assert is_open
        book.wave += 1
        self.join(name, book)

    @rule(data=st.data(), state=st.sampled_from((RUNNING, PAUSED, STOPPED)))
    def turn(self, data, state):
        if not self.books or (state == STOPPED and data.draw(st.integers(0, 3))):
            return
        name = data.draw(st.sampled_from(sorted(self.books)))
        try:
            campaigns.turn(self.office.inventory, name, state, NOW)
        except OemRefusal:
            assert self.books[name].state == STOPPED
            return
        self.books[name].state = state

    @rule(vin=st.sampled_from(VINS), good=st.sampled_from((True, True, True, False)))
    def install(self, vin, good):
        door = self.vehicles[vin].ecus[2]
        image = self.offered[vin]
        if image is not None and image % 100 >= door.release:
            door.boot = ids.BOOT_CONFIRMED if good else ids.BOOT_REVERTED
            if good:
                content = b"door %d" % image
                door.image, door.release = image, image % 100
                door.sha256, door.length = sha256(content).digest(), len(content)
        self.tell(vin)
        door.boot = ids.BOOT_CONFIRMED

    @rule(vin=st.sampled_from(VINS))
    def report(self, vin):
        self.tell(vin)

    # --- what holds ---------------------------------------------------------------------------

    @invariant()
    def only_members_of_a_wave_that_began_are_told(self):
        for vin, image in self.offered.items():
            if image is None or image == self.reported[vin]:
                continue
            assert any(
                vin in book.members and book.members[vin] <= book.wave
                for book in self.books.values()
                if book.image == image
            )

    @invariant()
    def the_office_and_the_model_agree_on_who_stopped(self):
        for name, book in self.books.items():
            assert campaigns.status(self.office.inventory, name).state == book.state


TestFleet = Fleet.TestCase
TestFleet.settings = settings(
    max_examples=8,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
