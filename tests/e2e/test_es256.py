"""A whole vehicle of a maker who signs by ES256 only, and one ECU that cannot check that."""

from pathlib import Path

import cbor2
import pytest
from garage import Garage

from muptane.bench.plan import VehiclePlan
from muptane.bench.vehicle import Nodes
from muptane.oem.keys import Holders, Signer
from muptane.oem.office import Office
from uptane import algorithms, errors, ids
from uptane.errors import PeerRefused


class Es256(Garage):
    """Every key of both repositories and of the time is one of P-256."""

    able = ("gateway", "brake", "door")

    def planned(self) -> VehiclePlan:
        plan = super().planned()
        ecus = [ecu.model_copy(update={"p256": ecu.name in self.able}) for ecu in plan.ecu]
        return plan.model_copy(update={"ecu": ecus})

    def founded(self) -> Office:
        return Office.create(self.world.seconds, seed=b"es256", algorithm=algorithms.ALG_ES256)


class WithoutDoor(Es256):
    """The suite of one board is not built with ES256."""

    able = ("gateway", "brake")


@pytest.mark.parametrize("nodes", ["cpython", "micropython"])
def test_a_vehicle_takes_an_update_signed_by_es256(tmp_path: Path, nodes: Nodes) -> None:
    """V-06, V-91, R-63: Roots, Targets and the time, by full and by partial verification."""
    with Es256(tmp_path, nodes) as garage:
        for name in Es256.able:
            garage.publish(name, 2)
        garage.cycle()
        assert [garage.release(name) for name in Es256.able] == [2, 2, 2]
        assert [garage.refusals(name) for name in Es256.able] == [[], [], []]


def test_an_ecu_that_cannot_check_them_refuses_and_stays_as_it_is(tmp_path: Path) -> None:
    """T-27, V-36: below the threshold, for the time and for Targets; the others go on."""
    with WithoutDoor(tmp_path) as garage:
        for name in Es256.able:
            garage.publish(name, 2)
        garage.cycle()
        assert [garage.release(name) for name in Es256.able] == [2, 2, 1]
        assert errors.BelowThreshold.number in garage.refusals("door")


def test_a_root_whose_own_keys_nobody_can_check_is_not_followed(tmp_path: Path) -> None:
    """T-27, V-71.2.3: Root keys of P-256 in a vehicle without ES256 are refused, not trusted
    unseen; other roles may get them and lose them again."""
    with Garage(tmp_path) as garage:
        director, now = garage.office.director, garage.office.now()
        honest = director.authority.holders[ids.TARGETS]
        es256 = Signer.generate(algorithms.ALG_ES256)
        director.rotate({ids.TARGETS: Holders.of(es256)}, now)
        garage.publish("door", 2)
        refused_by_all(garage)
        assert root_version(garage) == 2
        director.rotate({ids.TARGETS: honest}, now)
        garage.cycle()
        assert garage.release("door") == 2
        director.rotate({ids.ROOT: Holders.of(es256)}, now)
        refused_by_all(garage)
        assert root_version(garage) == 3


def refused_by_all(garage: Garage) -> None:
    with pytest.raises(PeerRefused):
        garage.cycle()
    garage.vehicle.run(6)
    assert errors.BelowThreshold.number in garage.refusals("gateway")


def root_version(garage: Garage) -> int:
    """Of the Director's Root that the gateway stores."""
    raw = garage.vehicle.records("gateway").read(ids.RECORD_METADATA)
    assert raw is not None
    version: int = cbor2.loads(cbor2.loads(raw).value[2])[ids.KEY_VERSION]
    return version
