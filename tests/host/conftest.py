"""An office with images, and a vehicle in it, for the tests of the Director; another on a disk."""

import pytest
from backup_office import Kept
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


@pytest.fixture(scope="session")
def kept_once(tmp_path_factory):
    """An office on a disk, made once; see `backup_office`."""
    made = Kept(tmp_path_factory.mktemp("kept"))
    made.close()
    return made


@pytest.fixture
def kept(kept_once, tmp_path):
    """A copy of it to hurt."""
    made = kept_once.copied(tmp_path / "kept")
    yield made
    made.close()


@pytest.fixture
def series(kept):
    """Three backups."""
    receipts = []
    for number in (20, 21, 22):
        kept.office.release_image(number, b"image %d" % number, [20], number)
        receipts.append(kept.back_up().receipt)
    kept.receipts = receipts
    return kept
