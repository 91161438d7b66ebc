"""An office with images, and a vehicle in it, for the tests of the Director."""

import pytest
from oem_vehicle import NOW, Vehicle

from muptane.oem.office import Office


@pytest.fixture
def office():
    made = Office.create(lambda: NOW, seed=b"director tests")
    made.release_image(7, b"brake 2", [20], 2)
    made.release_image(8, b"door 2", [30, 31], 2)
    made.release_image(9, b"for both", [20, 30], 3)
    made.release_image(6, b"brake 0", [20], 0)
    yield made
    made.close()


@pytest.fixture
def vehicle(office):
    made = Vehicle()
    office.register_vehicle(made.vin, made.new())
    return made
