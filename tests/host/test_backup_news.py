"""What `verify` takes for what it is: the office's own work since the backup."""

import pytest
from backup_office import restored
from oem_vehicle import BRAKE, DOOR, NOW, Vehicle

from muptane.oem import garbage
from muptane.oem.authority import DAY_S
from muptane.oem.backup.live import Place
from muptane.oem.inventory import Inventory
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.recovery import advance
from muptane.oem.storage import DirectoryStore
from muptane.oem.targets import entry_of
from uptane import ids


def releases(kept):
    kept.office.release_image(9, b"brake 3", [20], 9, confidential=True)
    kept.office.assign("VIN1", BRAKE, 9)
    kept.report()


def withdraws(kept):
    kept.office.images.withdraw_image(7)
    kept.office.refresh()


def rotates_every_key(kept):
    for repository in (ids.DIRECTOR, ids.IMAGE):
        for role in (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS):
            kept.office.rotate(repository, role)
    kept.office.rotate(ids.DIRECTOR, ids.TIME)


def takes_a_delivery(kept):
    entries = {300: entry_of(b"door 3", [30], 3), 301: entry_of(b"door 4", [30], 4)}
    kept.office.deliver([kept.supplier.sign(entries, kept.now)], {301: b"door 4"})


def ends_a_delegation(kept):
    kept.office.images.end_delegation(16)
    kept.office.refresh()


def registers_and_bundles(kept):
    other = Vehicle("VIN2", first=11)
    kept.office.register_vehicle("VIN2", other.new())
    kept.office.assign_bundle("VIN1", {BRAKE: 7, DOOR: 8})
    kept.report()
    kept.office.accept_manifest("VIN2", other.manifest(kept.office.director.identity))


def collects_after_a_year(kept):
    kept.now += 365 * DAY_S
    kept.report()
    kept.office.refresh()
    kept.now += 2 * DAY_S
    kept.report()
    inventory = Inventory(f"sqlite:///{kept.folder / 'inventory.sqlite'}")
    found = garbage.remove(DirectoryStore(kept.folder / "images"), inventory, kept.now)
    inventory.close()
    assert len(found) > 6
    kept.office.release_image(10, b"brake 4", [20], 10)


WORK = (
    releases, registers_and_bundles, withdraws, rotates_every_key, takes_a_delivery,
    ends_a_delegation, collects_after_a_year,
)  # fmt: skip


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_the_offices_own_work_is_news_and_no_tampering(kept, work):
    """S-19, S-20, R-32: validly signed and newer; and it goes into the next backup."""
    kept.back_up()
    work(kept)
    found = kept.compare()
    assert found and [one.sentence for one in found if one.tampered] == []
    kept.back_up()
    assert [one for one in kept.compare() if "new" in one.sentence] == []


def test_years_of_work_are_no_tampering_either(kept):
    """S-19: all of it, held against the first backup."""
    kept.back_up()
    for work in WORK:
        work(kept)
    assert kept.tampered() == []


def test_an_office_that_was_restored_and_advanced_goes_on_in_the_series(kept, tmp_path):
    """R-39, S-18: what it signed is newer; the owner brings the key for backups along."""
    kept.back_up(with_keys=True)
    folder = tmp_path / "again"
    restored(kept, folder)
    advance(Premises(folder, b"passphrase"), NOW + 60)
    kept.office.close()
    kept.folder, kept.now = folder, NOW + 60
    kept.office = Office.open(lambda: kept.now, Premises(folder, b"passphrase"))
    assert kept.place == Place.of(folder) and kept.tampered() == []
    assert kept.back_up(with_keys=True).receipt.number == 2
