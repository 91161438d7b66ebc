"""An office with a fleet, for tests of campaigns. Not a test file."""

from hashlib import sha256

from oem_vehicle import NOW, Vehicle, stored

from muptane.oem import campaigns
from muptane.oem.campaign_tables import Member
from muptane.oem.campaigns import Plan
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from uptane import ids

FLEET = 20


class Maker:
    """An office with a fleet: VIN00 and VIN01 are reserved. Each vehicle has three ECUs."""

    def __init__(self, fleet: int = FLEET, database: str | None = None) -> None:
        place = Premises(database=database)
        self.office = Office.create(lambda: NOW, place, seed=b"campaigns")
        self.vehicles = [Vehicle(f"VIN{at:02}", first=10 * at + 1) for at in range(fleet)]
        for vehicle in self.vehicles:
            self.office.register_vehicle(vehicle.vin, vehicle.new())
            self.tell(vehicle)
        for vehicle in self.vehicles[:2]:
            campaigns.reserve(self.office.inventory, vehicle.vin, NOW)
        self.office.release_image(302, b"door 2", [30], 2)

    def make(self, **fields):
        plan = Plan(name="doors", images=(302,), waves=(25, 100), **fields)
        return campaigns.make(self.office.inventory, plan, NOW)

    def promote(self):
        return campaigns.promote(self.office.inventory, "doors", NOW)

    def turn(self, state, why=""):
        return campaigns.turn(self.office.inventory, "doors", state, NOW, why)

    def status(self):
        return campaigns.status(self.office.inventory, "doors")

    def tell(self, vehicle):
        raw = vehicle.manifest(self.office.director.identity)
        return dict(self.office.accept_manifest(vehicle.vin, raw).directions)

    def told(self):
        """Vehicles that are told to install the door's image, after a report of each."""
        return {one.vin for one in self.vehicles if 302 in self.tell(one).values()}

    def members(self, wave):
        return {one.vehicle_id for one in stored(self.office, Member) if one.wave == wave}

    def install(self, vins, boot=ids.BOOT_CONFIRMED):
        """Each reports that it installed the image, or that it went back."""
        for vehicle in self.vehicles:
            if vehicle.vin in vins:
                door = vehicle.ecus[2]
                if boot == ids.BOOT_CONFIRMED:
                    run(door, b"door 2", 302, 2)
                door.boot = boot
                self.tell(vehicle)


def run(ecu, content, image, release):
    ecu.image, ecu.release = image, release
    ecu.sha256, ecu.length = sha256(content).digest(), len(content)
