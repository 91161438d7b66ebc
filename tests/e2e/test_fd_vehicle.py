"""A vehicle on CAN FD takes its update in frames of 64 bytes, the same on both interpreters."""

import pytest
from garage import Garage

from muptane.bench import firmware


class FdGarage(Garage):
    def planned(self):
        bus = super().planned().bus.model_copy(update={"data_bitrate": 2_000_000})
        return super().planned().model_copy(update={"bus": bus})


class Drive:
    """One update of every ECU."""

    def __init__(self, folder, nodes, kind=FdGarage):
        self.frames = []
        with kind(folder, nodes) as garage:
            garage.vehicle.bus.listeners.append(lambda *heard: self.frames.append(heard[1:]))
            for ecu in garage.plan.ecu:
                garage.publish(ecu.name, 2)
            garage.cycle()
            for ecu in garage.plan.ecu:
                assert garage.release(ecu.name) == 2
                assert garage.refusals(ecu.name) == []
            self.trace = garage.world.trace()
            self.errors = garage.vehicle.bus.errors
            self.overruns = [ecu.node.overruns for ecu in garage.vehicle.ecus.values()]


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    return Drive(tmp_path_factory.mktemp("fd"), "cpython")


def test_every_frame_is_fd_with_a_faster_data_phase(drive):
    assert all(frame.fd and frame.brs for _, frame in drive.frames)
    assert drive.errors == 0
    assert drive.overruns == [0, 0, 0]


def test_everybody_sends_long_frames(drive):
    longest = {}
    for sender, frame in drive.frames:
        longest[sender] = max(longest.get(sender, 0), len(frame.data))
    for name in ("gateway", "brake", "door", "tester-gateway"):
        assert longest[name] == 64


def test_an_update_takes_far_fewer_frames(drive, tmp_path):
    classic = Drive(tmp_path, "cpython", Garage)
    assert len(drive.frames) < len(classic.frames) / 2
    assert not any(frame.fd for _, frame in classic.frames)


@pytest.mark.skipif(not firmware.available(), reason="no MicroPython for this machine")
def test_both_interpreters_have_the_same_history(drive, tmp_path):
    assert Drive(tmp_path, "micropython").trace == drive.trace
