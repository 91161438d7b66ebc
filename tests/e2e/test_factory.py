"""What an ECU leaves the factory with, and what it catches up with after it was away."""

from collections.abc import Iterator
from pathlib import Path

import cbor2
import pytest
from garage import Garage
from nacl.signing import SigningKey
from played import kind_of
from sqlalchemy import select
from tap import Tap

from muptane.oem.inventory import Ecu
from uptane import ids

ROLES = (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT, ids.TARGETS)
DIRECTOR_ROOT = (ids.DIRECTOR, ids.KIND_METADATA, ids.ROOT)


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Garage(tmp_path) as one:
        yield one


def test_metadata_is_provisioned_as_far_as_an_ecu_verifies(garage: Garage) -> None:
    """V-22: Director Root and Targets, or four roles of both repositories; newest files."""
    for name in garage.vehicle.ecus:
        partial = name == "door"
        expected = {}
        for repository in (ids.DIRECTOR,) if partial else (ids.DIRECTOR, ids.IMAGE):
            for role in (ids.ROOT, ids.TARGETS) if partial else ROLES:
                record = ids.RECORD_METADATA + 0x100 * (repository - ids.DIRECTOR) + role
                expected[record] = garage.office.answer(
                    garage.plan.vin, repository, ids.KIND_METADATA, role, 0
                )
        records = garage.vehicle.records(name)
        kept = {
            number: records.read(number)
            for number in records.numbers()
            if number >= ids.RECORD_METADATA
        }
        assert kept == expected and None not in expected.values()


def test_time_is_provisioned_with_the_key_that_attests_it(garage: Garage) -> None:
    """V-23, V-31: the office's now, and the kid that the Director's Root names for time."""
    key = garage.office.director.authority.root.holders(ids.TIME).keys[0]
    for name in garage.vehicle.ecus:
        raw = garage.vehicle.records(name).read(ids.RECORD_TIME)
        assert raw is not None
        seconds, kid = cbor2.loads(raw)
        assert kid == key.kid
        assert 0 <= garage.office.now() - seconds <= 2


def test_every_ecu_has_a_key_of_its_own(garage: Garage) -> None:
    """V-24, R-17: the seed is in the ECU alone, its public half in the inventory."""
    with garage.office.inventory.begin() as session:
        public = {row.id: row.public for row in session.scalars(select(Ecu))}
    assert len(set(public.values())) == len(garage.vehicle.ecus)
    for name in garage.vehicle.ecus:
        raw = garage.vehicle.records(name).read(ids.RECORD_IDENTITY)
        assert raw is not None
        seed = cbor2.loads(raw)[ids.IDENTITY_SEED]
        number = garage.vehicle_ecu(name).number
        assert bytes(SigningKey(seed).verify_key) == public[number] != seed


def test_an_ecu_that_was_away_is_given_every_root_that_it_missed(garage: Garage) -> None:
    """T-38, V-50, E-41: the Primary keeps the newest alone, and asks for those between."""
    door = garage.vehicle.ecus["door"].node
    door.power_off()
    for _ in range(2):
        garage.office.rotate(ids.DIRECTOR, ids.TARGETS)
        garage.cycle()
    kept = garage.vehicle.records("gateway").read(ids.RECORD_METADATA + ids.ROOT)
    roots = garage.office.director.authority.roots
    assert len(roots) == 3 and kept == roots[-1]
    door.power_on()
    garage.vehicle.run(0.5)
    garage.publish("door", 2)
    tap = Tap(garage.plan)
    garage.vehicle.bus.listeners.append(tap.hear)
    garage.cycle()
    passed: dict[str, list[bytes]] = {name: [] for name in garage.vehicle.ecus}
    for file in tap.files:
        if kind_of(file) == DIRECTOR_ROOT:
            passed[file.ecu].append(file.content)
    assert passed == {"gateway": [roots[1]], "brake": [], "door": list(roots[1:])}
    assert garage.release("door") == 2
