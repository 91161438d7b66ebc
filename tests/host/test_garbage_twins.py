"""No vehicle can tell what was collected: two offices in step, of which one collects garbage."""

import hashlib
from dataclasses import dataclass

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from oem_vehicle import NOW, Vehicle, stored

from muptane.oem import garbage
from muptane.oem.authority import DAY_S
from muptane.oem.deltas import detools
from muptane.oem.enrolment import NewEcu
from muptane.oem.inventory import Parcel, RoleFile
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.published import read_role
from muptane.oem.storage import MemoryStore
from uptane import ids

VINS = ("VIN1", "VIN2")
ROLES = (ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)


def content(number):
    """Images that have most in common, so that deltas are worth it."""
    shared = b"".join(hashlib.sha512(b"%d" % part).digest() for part in range(8))
    return shared[:200] + b"image %d" % number + shared[200:]


class Shelf(Premises):
    """Premises whose store a test can reach."""

    def store(self):
        return self.__dict__.setdefault("shelf", MemoryStore())


class Twins:
    """`tidy` collects garbage, `lazy` never does. Vehicles speak to both."""

    def __init__(self):
        self.now = NOW
        self.shelf = Shelf()
        self.tidy = Office.create(lambda: self.now, self.shelf, seed=b"twins")
        self.lazy = Office.create(lambda: self.now, seed=b"twins")
        self.vehicles = [Vehicle(vin, first=10 * n + 1) for n, vin in enumerate(VINS)]
        for vehicle in self.vehicles:
            ecus = [NewEcu(**{**dict(ecu.new()), "deltas": True}) for ecu in vehicle.ecus]
            self.both(lambda office, v=vehicle.vin, e=ecus: office.register_vehicle(v, e))
        self.released = {}
        self.withdrawn = set()
        for vehicle in range(len(VINS)):
            self.update(vehicle, (0, 0, 0))

    def both(self, act):
        return [act(office) for office in (self.tidy, self.lazy)]

    def close(self):
        self.both(lambda office: office.close())

    # --- what the maker does ------------------------------------------------------------------

    def release(self, hardware):
        number = len(self.released) + 1
        self.released[number] = hardware
        self.put_out(number)

    def put_out(self, number):
        hardware = self.released[number]
        self.both(lambda office: office.release_image(number, content(number), hardware, 2))
        self.withdrawn.discard(number)

    def withdraw(self, number):
        if number in set(self.released) - self.withdrawn:
            self.withdrawn.add(number)
            self.both(lambda office: office.images.withdraw_image(number))

    def assign(self, vehicle, age, kind):
        """The newest image but `age`, if it is still there, on each ECU that it fits."""
        number = len(self.released) - age
        if number not in set(self.released) - self.withdrawn:
            return
        vehicle = self.vehicles[vehicle]
        fits = [e.number for e in vehicle.ecus if e.hardware in self.released[number]]
        if kind == "bundle":
            wishes = dict.fromkeys(fits, number)
            self.both(
                lambda office: office.assign_bundle(vehicle.vin, wishes, ids.BUNDLE_TOGETHER)
            )
        else:
            self.both(lambda office: office.assign(vehicle.vin, fits[0], number))

    def season(self, report):
        """Months in which vehicles report, or not, and install nothing."""
        for days in (100, 2):
            self.both(lambda office: office.refresh())
            self.now += days * DAY_S
            for vehicle in report:
                self.update(vehicle, (0, 0, 0))
        self.both(lambda office: office.refresh())
        garbage.remove(self.shelf.store(), self.tidy.inventory, self.now)
        self.compare()

    # --- what vehicles do ---------------------------------------------------------------------

    def update(self, vehicle, outcomes):
        """A manifest, an answer, and of each ECU: nothing, a trial, a trial given up, or the
        image confirmed."""
        vehicle = self.vehicles[vehicle]
        raw = vehicle.manifest(self.tidy.director.identity)
        tidy, lazy = self.both(lambda office: office.accept_manifest(vehicle.vin, raw))
        assert tidy == lazy
        targets = self.same(vehicle.vin, ids.DIRECTOR, ids.KIND_METADATA, ids.TARGETS, 0)
        entries = read_role(targets, ids.TARGETS).images
        for number, entry in entries.items():
            self.fetch(vehicle.vin, number, entry)
        for ecu, outcome in zip(vehicle.ecus, outcomes, strict=True):
            wanted = [number for number, entry in entries.items() if ecu.number in entry.ecus]
            self.install(ecu, wanted, outcome)

    def install(self, ecu, wanted, outcome):
        if ecu.boot != ids.BOOT_TRIAL and outcome and wanted and ecu.image != wanted[0]:
            ecu.before = ecu.image, ecu.sha256
            ecu.image, ecu.sha256 = wanted[0], hashlib.sha256(content(wanted[0])).digest()
            ecu.boot = ids.BOOT_TRIAL
        if outcome == 3:
            ecu.boot = ids.BOOT_CONFIRMED
        if outcome == 2 and ecu.boot == ids.BOOT_TRIAL:
            ecu.image, ecu.sha256 = ecu.before
            ecu.boot = ids.BOOT_REVERTED

    def fetch(self, vin, number, entry):
        """What an entry names, however it travels."""
        if ids.CUSTOM_DELTA in entry.custom:
            digest = entry.custom[ids.CUSTOM_DELTA][ids.DELTA_HASHES][ids.ALG_SHA256]
            self.same(vin, ids.DIRECTOR, ids.KIND_DELTA, number, digest)
        self.same(vin, ids.DIRECTOR, ids.KIND_IMAGE, number, entry.hashes[ids.ALG_SHA256])

    def same(self, vin, *wanted):
        tidy, lazy = self.both(lambda office: office.answer(vin, *wanted))
        assert tidy == lazy is not None, wanted
        return tidy

    def compare(self):
        """All that a vehicle asks for in a cycle, from whatever Root it stands at."""
        for repository in (ids.DIRECTOR, ids.IMAGE):
            office = self.lazy.director if repository == ids.DIRECTOR else self.lazy.images
            for version in range(1, office.authority.root.version + 1):
                self.same("VIN1", repository, ids.KIND_METADATA, ids.ROOT, version)
        for vin in VINS:
            for repository in (ids.DIRECTOR, ids.IMAGE):
                for role in ROLES:
                    self.same(vin, repository, ids.KIND_METADATA, role, 0)
        for number in set(self.released) - self.withdrawn:
            digest = hashlib.sha256(content(number)).digest()
            self.same("VIN1", ids.IMAGE, ids.KIND_IMAGE, number, digest)


outcomes = st.tuples(*[st.sampled_from((0, 1, 2, 3, 3))] * 3)
wishes = st.tuples(st.integers(0, 1), st.integers(0, 2), st.sampled_from(("bundle", "one")))


@dataclass(frozen=True)
class Year:
    """`hardware` of a new image; `wishes` (vehicle, age of the image, kind); `updates` (vehicle,
    outcomes); numbers `withdrawn`, one put out `again`; vehicles that `report` in the end."""

    hardware: tuple = (20,)
    wishes: tuple = ()
    updates: tuple = ()
    withdrawn: frozenset = frozenset()
    again: int = 0
    rotated: int = ids.ROOT
    report: tuple = (0,)


years = st.builds(
    Year,
    hardware=st.sampled_from(((10,), (20,), (20, 30), (10, 20))),
    wishes=st.lists(wishes, max_size=2),
    updates=st.lists(st.tuples(st.sampled_from((0, 0, 1)), outcomes), max_size=3),
    withdrawn=st.frozensets(st.integers(1, 4)),
    again=st.integers(0, 4),
    rotated=st.sampled_from((ids.ROOT, ids.TIMESTAMP, ids.TARGETS)),
    report=st.sampled_from(((), (0,), (0, 1))),
)

FIRST = Year(wishes=((0, 0, "one"),), updates=((0, (0, 3, 0)), (0, (0, 3, 0))))
ANOTHER = Year(wishes=((0, 0, "one"),), withdrawn=frozenset({1}))
THIRD = Year(wishes=((0, 0, "one"),), report=())
ON_TRIAL = Year(wishes=((0, 0, "one"),), updates=((0, (0, 1, 0)),), withdrawn=frozenset({1}))
GONE_BACK = Year(wishes=((0, 0, "one"),), updates=((0, (0, 2, 0)),))
WISHED = Year(wishes=((0, 0, "one"),), withdrawn=frozenset({1}), report=())
TOGETHER = Year(wishes=((0, 0, "bundle"),))
OVERTAKEN = Year(hardware=(10,), wishes=((0, 0, "bundle"),))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([FIRST, ANOTHER, THIRD])  # the base of a delta is listed nowhere
@example([FIRST, ON_TRIAL, GONE_BACK])  # and so is what an ECU on trial goes back to
@example([WISHED])  # an image that is wanted, and was not directed yet
@example([WISHED, TOGETHER, OVERTAKEN])  # or that is wanted again
@given(st.lists(years, min_size=2, max_size=4))
def test_no_vehicle_can_tell_what_was_collected(life):
    """S-20, R-35, V-50, V-58: after any collection every vehicle finds the same metadata, byte for
    byte, and is sent the same image in the same way, by delta where it was a delta."""
    twins = Twins()
    try:
        for year in life:
            twins.release(year.hardware)
            for wish in year.wishes:
                twins.assign(*wish)
            for update in year.updates:
                twins.update(*update)
            for number in sorted(year.withdrawn):
                twins.withdraw(number)
            if year.again in twins.withdrawn:
                twins.put_out(year.again)
            if year.rotated != ids.ROOT:
                twins.both(lambda office, role=year.rotated: office.rotate(ids.IMAGE, role))
            twins.season(year.report)
        for vehicle in (0, 1):
            twins.update(vehicle, (3, 3, 3))
            twins.update(vehicle, (3, 3, 3))
    finally:
        twins.close()


def test_the_twins_collect_and_patch():
    """The property is not empty: in one such life there are deltas, and garbage of every kind."""
    twins = Twins()
    twins.release((20,))
    twins.release((20,))
    twins.both(lambda office: office.assign("VIN1", 2, 1))
    twins.update(0, (0, 3, 0))
    twins.update(0, (0, 3, 0))
    twins.both(lambda office: office.assign("VIN1", 2, 2))
    twins.update(0, (0, 0, 0))
    targets = twins.same("VIN1", ids.DIRECTOR, ids.KIND_METADATA, ids.TARGETS, 0)
    custom = read_role(targets, ids.TARGETS).images[2].custom
    assert (ids.CUSTOM_DELTA in custom) == (detools is not None)
    twins.update(0, (0, 3, 0))
    twins.update(0, (0, 3, 0))
    twins.withdraw(1)
    twins.season((0, 1))
    left = twins.shelf.store().names()
    spent = f"spent.{hashlib.sha256(content(1)).hexdigest()}.1"
    assert spent in left and spent.removeprefix("spent.") not in left
    assert [name for name in left if "targets" in name] == ["5.targets.cbor"]
    assert stored(twins.tidy, Parcel) == []
    assert len(stored(twins.tidy, RoleFile)) == 6 < len(stored(twins.lazy, RoleFile))
    twins.close()
