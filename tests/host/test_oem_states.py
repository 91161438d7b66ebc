"""What a request reads and writes, on both databases, also when two come at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from databases import server, url
from oem_vehicle import BRAKE, DOOR, GATEWAY, NOW, newest, stored

from muptane.oem.director import Director
from muptane.oem.errors import Overtaken, Replayed, UnknownVehicle
from muptane.oem.fleet import last_report, newest_assignment
from muptane.oem.inventory import (
    DecisionMade,
    Ecu,
    Inventory,
    ManifestReceived,
    Oddity,
    ReportReceived,
    RoleFile,
)
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.states import KnownEcu, KnownReport, vehicle_state
from uptane import ids

__all__ = ["server", "url"]

ROUNDS = 12


@pytest.fixture
def office(url):
    """On both databases."""
    made = Office.create(lambda: NOW, Premises(database=url), seed=b"states")
    for number, hardware in ((7, 20), (8, 30)):
        made.release_image(number, b"image", [hardware], 2)
    yield made
    made.close()


def test_what_is_read_at_once_is_what_the_rows_say(office, vehicle):
    """R-11, R-13, R-17: of each ECU all columns, its newest report and its newest wish."""
    office.assign("VIN1", BRAKE, 7)
    office.assign("VIN1", DOOR, 8)
    vehicle.ecus[2].attacks, vehicle.ecus[1].tried = [21, 35], [1, 7, 2]
    for _ in range(3):
        office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    with office.inventory.work() as work:
        state = vehicle_state(work, "VIN1")
    with office.inventory.begin() as session:
        for one in state.ecus:
            row, report = session.get_one(Ecu, one.ecu.id), last_report(session, one.ecu.id)
            assert tuple(getattr(row, name) for name in KnownEcu._fields) == one.ecu
            assert tuple(getattr(report, name) for name in KnownReport._fields) == one.report
            assert (row.key, row.place) == (one.ecu.key, one.ecu.place)
            wish = newest_assignment(session, one.ecu.id)
            assert one.wish == (None if wish is None else (wish.image, wish.bundle_id))
    assert [one.ecu.id for one in state.ecus] == [GATEWAY, BRAKE, DOOR]
    assert (state.counter, state.versions) == (3, dict.fromkeys((3, 2, 1), 4))
    assert not state.bundled and not state.mapped


def test_what_is_written_belongs_to_its_message(office, vehicle):
    """R-34: reports and decision name the row of the message that they came with, or answer."""
    for _ in range(2):
        office.accept_manifest("VIN1", vehicle.manifest(office.director.identity))
    by_counter = {row.counter: row.id for row in stored(office, ManifestReceived)}
    for row in stored(office, ReportReceived):
        assert row.manifest_id == by_counter[row.counter]
    decisions = sorted(stored(office, DecisionMade), key=lambda row: row.id)
    assert [row.manifest_id for row in decisions] == [None, by_counter[1], by_counter[2]]


@pytest.mark.parametrize("name", ["VIN\x00", "V\udc80N", "VÄN", "", "V" * 33, "VIN2"])
def test_a_transport_may_name_the_vehicle_as_it_likes(office, vehicle, name):
    """R-10, E-75: no database has to store what no vehicle can be called."""
    raw = vehicle.manifest(office.director.identity)
    with pytest.raises(UnknownVehicle):
        office.accept_manifest(name, raw)
    with pytest.raises(UnknownVehicle):
        office.assign(name, BRAKE, 7)
    assert office.director.read(name, ids.TARGETS, 0) is None
    (odd,) = stored(office, Oddity)
    assert odd.raw == raw and odd.vehicle_id.isascii()
    office.accept_manifest("VIN1", raw)


@pytest.mark.parametrize("bundled", [False, True])
def test_two_directors_at_once_take_each_message_once(office, vehicle, url, bundled):
    """R-13, R-15, E-73: whoever comes second begins anew, and sees what the first one wrote."""
    if bundled:  # which is asked for by objects, in the same transaction
        office.assign_bundle("VIN1", {BRAKE: 7, DOOR: 8})
    held = office.director.authority.holders.values()
    signers = [signer for one in held for signer in one.signers]
    inventories = [Inventory(url), Inventory(url)]
    directors = [Director.open(inventory, signers) for inventory in inventories]
    raws = [vehicle.manifest(office.director.identity) for _ in range(ROUNDS)]

    def take(director):
        taken = []
        for number, raw in enumerate(raws, 1):
            try:
                taken.append((number, director.receive_manifest("VIN1", raw, NOW)))
            except (Replayed, Overtaken):
                continue
        return taken

    with ThreadPoolExecutor(2) as pool:
        taken = [one for found in pool.map(take, directors) for one in found]
    for inventory in inventories:
        inventory.close()
    counters = [number for number, _ in taken]
    assert ROUNDS in counters and len(set(counters)) == len(counters)
    kept = sorted(stored(office, ManifestReceived), key=lambda row: row.id)
    assert [row.counter for row in kept] == sorted(counters)
    versions = sorted(row.version for row in stored(office, RoleFile) if row.role == ids.TARGETS)
    assert versions == list(range(1, len(counters) + 2))
    assert newest(office, "VIN1").version == versions[-1]
    decided = {decision.targets_version for _, decision in taken}
    assert decided == set(versions[1:])
