"""A vehicle whose brake comes from a supplier, from its signature to the confirmed image."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from garage import APPLICATIONS, Garage, Lying

from muptane.oem.delegations import Delegation
from muptane.oem.errors import NotDelegated
from muptane.oem.keys import Holders, Signer
from muptane.oem.pack import pack_application
from muptane.oem.supplier import Supplier
from muptane.oem.targets import entry_of
from uptane import errors, ids
from uptane.errors import PeerRefused

ROLE = 16


class Supplied(Garage):
    """The brake's second image is listed by nobody but the supplier's role 16."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.brake = self.vehicle_ecu("brake")
        signer = Signer.from_seed(b"brakes")
        self.supplier = Supplier(ROLE, Holders.of(signer), self.office.images.identity)
        first = self.brake.number * 100
        self.delegation = Delegation(
            ranges=((first, first + 99),),
            hardware=(self.brake.hardware,),
            roles=(self.supplier.delegate,),
        )
        self.image = first + 2

    def deliver(self) -> None:
        content = pack_application(APPLICATIONS / f"{self.brake.application}_2")
        listed = {self.image: entry_of(content, [self.brake.hardware], 2)}
        raw = self.supplier.sign(listed, self.office.now())
        self.office.delegate(self.delegation, [raw], {self.image: content})
        self.office.assign(self.plan.vin, self.brake.number, self.image)


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Supplied]:
    with Supplied(tmp_path) as one:
        yield one


def test_an_image_of_a_supplier_is_installed(garage: Supplied) -> None:
    """V-15, V-50, V-76: the Primary resolves, relays, and the full Secondary resolves again."""
    garage.deliver()
    assert garage.image not in garage.office.images.images
    assert garage.release("brake") == 1
    garage.cycle()
    assert garage.release("brake") == 2
    garage.cycle()
    assert garage.refusals("brake") == garage.refusals("gateway") == []


def test_a_supplier_that_is_withheld_ends_the_cycle_and_a_later_one_succeeds(
    garage: Supplied,
) -> None:
    """T-22, E-56"""
    garage.deliver()
    lying = Lying(garage, (ids.IMAGE, ids.KIND_METADATA, ROLE), lambda raw: None)
    with pytest.raises(PeerRefused) as refused:
        garage.cycle(lying)
    assert refused.value.args[0] == errors.Withheld.number
    assert garage.release("brake") == 1
    garage.cycle()
    assert garage.release("brake") == 2


def test_the_office_takes_nothing_that_is_not_the_suppliers(garage: Supplied) -> None:
    """R-06, E-91"""
    garage.deliver()
    door = garage.vehicle_ecu("door")
    listed = {door.number * 100 + 2: entry_of(b"evil", [door.hardware], 2)}
    with pytest.raises(NotDelegated):
        garage.office.deliver([garage.supplier.sign(listed, garage.office.now())], {})
