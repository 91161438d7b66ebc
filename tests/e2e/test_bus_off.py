"""An ECU that a disturbed bus has thrown off comes back by itself and takes its update."""

import pytest
from garage import Garage

from muptane.bench import firmware
from muptane.bench.can.bus import Strike
from muptane.bench.can.confinement import State
from muptane.bench.world import MS
from uptane.errors import Refusal
from uptane.uds.codes import DID_IMAGE

INTERPRETERS = [
    "cpython",
    pytest.param(
        "micropython",
        marks=pytest.mark.skipif(not firmware.available(), reason="no MicroPython here"),
    ),
]


class Disturbed(Garage):
    """Whatever one ECU sends is destroyed for a while; `states` are its controller's."""

    def disturb(self, name, ms):
        port = self.vehicle.ecus[name].node.port
        until_ns = self.world.now_ns + ms * MS
        self.states = []
        told = port.on_state

        def changed(state):
            self.states.append(state)
            told(state)

        port.on_state = changed
        self.vehicle.bus.noise = lambda sender, frame, bits: (
            Strike(20) if sender is port and self.world.now_ns < until_ns else None
        )


@pytest.mark.parametrize("nodes", INTERPRETERS)
@pytest.mark.parametrize("name", ["brake", "gateway"])
def test_an_ecu_comes_back_from_bus_off_and_takes_its_update(tmp_path, nodes, name):
    with Disturbed(tmp_path, nodes) as garage:
        garage.disturb(name, 700)
        garage.vehicle.run(3)
        assert garage.states.count(State.BUS_OFF) >= 2  # it tried while that lasted
        assert garage.states[-1] is State.ACTIVE
        for ecu in garage.plan.ecu:
            garage.publish(ecu.name, 2)
        garage.cycle()
        assert [garage.release(ecu.name) for ecu in garage.plan.ecu] == [2, 2, 2]


def test_what_bus_off_cuts_short_ends_and_the_next_request_works(tmp_path):
    """In the middle of a long answer: time-outs end what was running, on both sides."""
    with Disturbed(tmp_path) as garage:
        station = garage.vehicle.station("brake")
        whole = station.read(DID_IMAGE)
        garage.disturb("brake", 300)
        with pytest.raises(Refusal):
            station.read(DID_IMAGE)
        assert State.BUS_OFF in garage.states
        garage.vehicle.run(1)
        assert station.read(DID_IMAGE) == whole
        garage.publish("brake", 2)
        garage.cycle()
        assert garage.release("brake") == 2


def test_an_ecu_whose_bus_stays_broken_leaves_it_to_the_others(tmp_path):
    with Disturbed(tmp_path) as garage:
        garage.disturb("brake", 30_000)
        garage.vehicle.run(25)
        tries = garage.states.count(State.BUS_OFF)
        assert 8 <= tries <= 18  # 250 ms, doubling up to 2 s
        assert garage.vehicle.bus.errors == 32 * tries
        assert garage.release("door") == 1
