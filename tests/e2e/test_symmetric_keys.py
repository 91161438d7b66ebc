"""A whole vehicle in which one Secondary has a symmetric key, and lies about it on the bus."""

import hashlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cbor2 import CBORTag
from garage import SEDAN, Garage
from grammar import conforms
from nacl.signing import SigningKey

from muptane.bench import plan
from muptane.bench.factory import decryption_of, seed_of, symmetric_of
from muptane.bench.feeder import OfficeSource
from muptane.bench.plan import VehiclePlan
from muptane.bench.vehicle import Nodes
from muptane.oem.errors import BadSeal, Malformed
from uptane import ids
from uptane.identity import Identity


def mixed(verification: str) -> VehiclePlan:
    """The sedan, whose Secondary of this verification has a symmetric key."""
    sedan = plan.load(SEDAN)
    able = [ecu.model_copy(update={"decrypts": True}) for ecu in sedan.ecu]
    ecus = [
        ecu.model_copy(update={"key": "symmetric"})
        if (ecu.role, ecu.verification) == ("secondary", verification)
        else ecu
        for ecu in able
    ]
    return sedan.model_copy(update={"ecu": ecus})


class Full(Garage):
    """Its full Secondary has the symmetric key."""

    def planned(self) -> VehiclePlan:
        return mixed("full")


class Partial(Garage):
    """Its partial Secondary has it."""

    def planned(self) -> VehiclePlan:
        return mixed("partial")


class Mistaken(Partial):
    """The maker's inventory holds another kind of key than the ECU."""

    def registered(self) -> VehiclePlan:
        return plan.load(SEDAN)


class Heard(OfficeSource):
    """Keeps the manifests that it carried; `lie` is what the office gets instead."""

    def __init__(self, garage: Garage, lie: Callable[[bytes], bytes] = lambda raw: raw) -> None:
        super().__init__(garage.office, garage.plan.vin, lambda carried: None)
        self.manifests: list[bytes] = []
        self._lie = lie

    def take(self, file: bytes, raw: bytes) -> Generator[Any, Any, None]:
        self.manifests.append(raw)
        yield from super().take(file, self._lie(raw))


@pytest.mark.parametrize(
    ("nodes", "kind"),
    [("cpython", Full), ("cpython", Partial), ("micropython", Partial)],
)
def test_a_vehicle_with_a_symmetric_key_takes_an_update(
    tmp_path: Path, nodes: Nodes, kind: type[Garage]
) -> None:
    """V-24, V-44, R-44: its report goes through the Primary as it is, and the update arrives."""
    with kind(tmp_path, nodes) as garage:
        planned = garage.plan
        symmetric = next(ecu for ecu in planned.ecu if ecu.key == "symmetric")
        for name in ("gateway", "brake", "door"):
            garage.publish(name, 2)
        source = Heard(garage)
        garage.cycle(source)
        garage.cycle(source)
        assert [garage.release(ecu.name) for ecu in planned.ecu] == [2, 2, 2]
        for raw in source.manifests:
            conforms("vehicle-file", raw)
            reports = cbor2.loads(cbor2.loads(raw)[0])[5]
            tags = {cbor2.loads(r.content)[3]: r.tag for r in map(taken_apart, reports)}
            assert tags == {e.number: 17 if e is symmetric else 18 for e in planned.ecu}
        record = garage.vehicle.records(symmetric.name).read(ids.RECORD_IDENTITY)
        assert record is not None
        conforms("identity-record", record)


class Parts:
    """A report file's content, and the tag of its seal."""

    def __init__(self, raw: bytes) -> None:
        self.content, seal = cbor2.loads(raw)
        self.tag = seal.tag


def taken_apart(raw: bytes) -> Parts:
    return Parts(raw)


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    with Partial(tmp_path) as one:
        yield one


def test_a_tag_forged_on_the_way_is_refused_and_the_next_cycle_is_good(garage: Garage) -> None:
    """E-74, R-12: the manifest is dropped as a whole, an oddity stays, and nothing is directed."""
    garage.publish("door", 2)
    source = Heard(garage, lambda raw: forged(garage, raw))
    garage.cycle(source)
    assert type(source.refused) is BadSeal
    assert garage.office.director.oddities()[-1][2].startswith("BadSeal")
    assert garage.release("door") == 1
    garage.cycle()
    assert garage.release("door") == 2


def forged(garage: Garage, raw: bytes) -> bytes:
    """The manifest with one bit of the MAC changed, signed again by a Primary that was taken."""
    content, seal = cbor2.loads(raw)
    fields = cbor2.loads(content)
    at = next(i for i, report in enumerate(fields[5]) if taken_apart(report).tag == 17)
    fields[5][at] = fields[5][at][:-1] + bytes([fields[5][at][-1] ^ 1])
    return resealed(garage, cbor2.dumps(fields, canonical=True), seal)


def resealed(garage: Garage, content: bytes, seal: CBORTag) -> bytes:
    """A manifest by whoever holds the Primary's key."""
    digest = hashlib.sha256(content).digest()
    identity = garage.office.director.identity
    aad = cbor2.dumps(["muptane", 1, 6, identity, 6])
    covered = cbor2.dumps(["Signature1", seal.value[0], aad, digest])
    key = SigningKey(seed_of(garage.plan, garage.plan.primary()))
    fields = [seal.value[0], seal.value[1], digest, key.sign(covered).signature]
    return cbor2.dumps([content, CBORTag(18, fields)])


def test_every_key_of_a_vehicle_is_derived_for_itself(garage: Garage) -> None:
    """V-24, T-43: no secret of an ECU serves two purposes or two ECUs."""
    secrets = []
    for ecu in garage.plan.ecu:
        raw = garage.vehicle.records(ecu.name).read(ids.RECORD_IDENTITY)
        identity = Identity(raw)
        if ecu.key == "symmetric":
            assert identity.symmetric == symmetric_of(garage.plan, ecu)
            assert identity.decryption is None
            secrets.append(identity.symmetric)
        else:
            assert identity.symmetric is None
            assert identity.decryption == decryption_of(garage.plan, ecu)
            secrets += [identity.seed, identity.decryption]
    assert len(set(secrets)) == 5


def test_a_symmetric_report_of_an_ecu_that_signs_is_refused(tmp_path: Path) -> None:
    """V-24, E-74: what the inventory says of the key counts, not what comes."""
    with Mistaken(tmp_path) as garage:
        source = Heard(garage)
        garage.cycle(source)
        assert type(source.refused) is Malformed
