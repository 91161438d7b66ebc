"""From any state, through honest and hostile messages: nothing is lowered, all becomes current.

The same machine is then given ECUs with a planted fault each, and has to find it.
"""

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.property.machine import Vehicle
from tests.property.makers import Maker, SuppliedMaker
from tests.property.profile import chosen


@pytest.mark.parametrize("maker", [Maker, SuppliedMaker])
def test_nothing_is_lowered_and_a_newer_bundle_makes_every_ecu_current(maker) -> None:
    """V-35, V-71.2, V-71.4, V-72, V-73, V-74, V-81, V-82, T-09, T-12, T-17, T-21, R-41"""
    machine = type("Vehicle", (Vehicle,), {"maker": maker})
    run_state_machine_as_test(machine, settings=chosen())
