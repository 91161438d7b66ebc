"""A vehicle's history is decided by its seed, whatever interpreter runs it, and its ECUs answer in
time while they compute: as long as the figures of a board say, not as long as this machine takes.
"""

from pathlib import Path

import pytest
from garage import Garage
from tap import Message

from muptane.bench import firmware
from muptane.bench.world import MS
from muptane.boards import load_board
from uptane.limits import P2_MS, P2_PROGRAMMING_MS, P2_STAR_MS
from uptane.uds.codes import TESTER_PRESENT

WANTS = b"\x31\x01\x02\x01"
FRAME_MS = 1  # between the end of a request and that of a response stands at least its own frame


class History:
    """What a vehicle did in some updates: its trace, and what every ECU said to each request.

    `waits` holds (ECU, request, [ms until each response: the 0x78s and the final one]).
    """

    def __init__(self, folder, nodes, updates, **how):
        self.waits = []
        self._messages = {}
        self._open = {}
        with Garage(folder, nodes, **how) as garage:
            self._plan = garage.plan
            garage.vehicle.bus.listeners.append(self._hear)
            for release in range(2, 2 + updates):
                for ecu in garage.plan.ecu:
                    garage.publish(ecu.name, release)
                garage.cycle()
                for ecu in garage.plan.ecu:
                    assert garage.release(ecu.name) == release
                    assert garage.refusals(ecu.name) == []
            self.trace = garage.world.trace()
            self.wakes = garage.world.wakes
            self.frames = garage.vehicle.bus.frames
            self.overruns = [ecu.node.overruns for ecu in garage.vehicle.ecus.values()]

    def _hear(self, now_ns, sender, frame):
        message = self._messages.setdefault(frame.id, Message()).feed(frame.data)
        for ecu in self._plan.ecu if message else ():
            if frame.id == ecu.request and message[0] != TESTER_PRESENT:
                self._open[ecu.name] = message, now_ns, []
                self.waits.append((ecu.name, message, self._open[ecu.name][2]))
            elif frame.id == ecu.response and ecu.name in self._open:
                _, since_ns, waits_ms = self._open[ecu.name]
                waits_ms.append((now_ns - since_ns) / MS)
                self._open[ecu.name] = message, now_ns, waits_ms

    def pendings(self, name):
        """How many 0x78 came between a question for wants and its answer."""
        return sum(
            len(waits_ms) - 1
            for ecu, request, waits_ms in self.waits
            if ecu == name and request[:4] == WANTS
        )


def without_flash_time(settings):
    """A flash that takes no time, so that all that takes time is computing."""
    settings["flash"]["program_us"] = 0
    for region in settings["flash"]["regions"]:
        region[3] = 0


def as_pyboard(settings):
    without_flash_time(settings)
    costs = load_board("pyboard_v11").costs
    settings["wake_us"], settings["frame_us"] = costs.wake, costs.frame
    settings["costs"] = {name: getattr(costs, name) for name in settings["costs"]}


def as_if_computing_were_free(settings):
    without_flash_time(settings)
    settings["costs"] = dict.fromkeys(settings["costs"], 0)


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Makes a History in a folder of its own."""

    def make(nodes="cpython", updates=1, **how):
        return History(Path(tmp_path_factory.mktemp("car")), nodes, updates, **how)

    return make


@pytest.mark.skipif(not firmware.available(), reason="no MicroPython for this machine")
def test_both_interpreters_have_the_same_history(history):
    """Two updates, so that slots and depot are erased again. The trace holds every frame, wake,
    boot and reset with its nanosecond."""
    ours, theirs = history(updates=2), history("micropython", updates=2)
    assert (ours.frames, ours.wakes) == (theirs.frames, theirs.wakes)
    assert ours.trace == theirs.trace


def test_a_seed_decides_the_history_and_another_seed_another_one(history):
    first, again, other = history(seed=7), history(seed=7), history(seed=8)
    assert first.trace == again.trace
    assert first.trace != other.trace


def test_pending_is_said_during_a_signature_at_the_pyboards_costs(history):
    """An Ed25519 check takes half a second there: no ECU leaves its client without an answer for
    longer than P2, then P2* (ISO 14229-2)."""
    made = history(change=as_pyboard)
    for name in ("gateway", "brake"):
        assert made.pendings(name) >= 2
    assert made.pendings("door") < made.pendings("brake"), "it computed while the brake was asked"
    for name, request, waits_ms in made.waits:
        if request[0] in (0x3E, 0x10):
            continue
        assert waits_ms, (name, request)
        assert waits_ms[0] <= P2_MS + FRAME_MS, (name, request[:4], waits_ms)
        assert all(wait_ms <= P2_STAR_MS + FRAME_MS for wait_ms in waits_ms[1:])


def test_nothing_is_pending_where_computing_is_free(history):
    made = history(change=as_if_computing_were_free)
    assert [made.pendings(name) for name in ("gateway", "brake", "door")] == [0, 0, 0]


def test_a_flash_that_stalls_its_chip_stays_within_what_was_announced(history):
    """Computing is free and erasing takes a second: nothing is there that says 0x78 in time."""

    def erasing(settings):
        settings["costs"] = dict.fromkeys(settings["costs"], 0)

    made = history(updates=2, change=erasing)
    longest_ms = max(wait_ms for _, _, waits_ms in made.waits for wait_ms in waits_ms)
    assert P2_MS < 1000 < longest_ms < P2_PROGRAMMING_MS
    assert made.overruns == [0, 0, 0]
