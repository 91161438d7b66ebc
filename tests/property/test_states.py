"""From any state, through honest and hostile messages: nothing is lowered, all becomes current.

The same machine is then given ECUs with a planted fault each, and has to find it.
"""

import pytest
from hypothesis import seed
from hypothesis.stateful import run_state_machine_as_test

from tests.property.faults import FAULTS
from tests.property.machine import Vehicle
from tests.property.makers import ONLINE, Maker, SuppliedMaker
from tests.property.profile import HUNTS, chosen, hunting
from uptane.ids import TIME


@pytest.mark.parametrize(
    ("maker", "robbed"),
    [(Maker, ()), (Maker, (*ONLINE, TIME)), (SuppliedMaker, ())],
    ids=["bit_by_bit", "robbed", "suppliers"],
)
def test_nothing_is_lowered_and_a_newer_bundle_makes_every_ecu_current(maker, robbed) -> None:
    """V-35, V-71.2, V-71.4, V-72, V-73, V-74, V-81, V-82, T-09, T-12, T-17, T-21, R-41"""
    machine = type("Vehicle", (Vehicle,), {"maker": maker, "robbed": robbed})
    run_state_machine_as_test(machine, settings=chosen())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault) -> None:
    """V-35, T-09, T-10, T-12, T-21, V-81, V-82: these ECUs break a law or stay behind."""
    machine = type("Vehicle", (Vehicle,), {"make": fault, "robbed": (*ONLINE, TIME)})
    with pytest.raises(AssertionError):
        for start in range(HUNTS):
            run_state_machine_as_test(seed(start)(machine), settings=hunting())
