"""The emulated board. `machine` and `time` are given, because inside CPython many boards share one
process; in a MicroPython process they are the modules of this folder. `settings` are the figures
of the board that is emulated (muptane.bench.settings). It checks nothing.
"""

from boards.unix.metered import MeteredSuite
from boards.unix.nor import Noise, Nor
from boards.unix.silicon import WorldClock
from uptane.port.board import Board
from uptane.port.can_machine import CanMachine
from uptane.store.area import Area


def build(machine, time, settings: dict) -> Board:  # type: ignore[no-untyped-def,type-arg]
    core = machine.core
    unit = settings["flash"]["program_bytes"]
    nor = machine.flash(settings["flash"])
    noise = Noise(settings["seed"] + core.elapsed_us())
    board = Board(settings["name"], settings["confirm_ms"])
    can = machine.CAN(1, settings["bitrate"])
    board.bitrate = settings["bitrate"]
    board.can = CanMachine(can, settings["ring"], settings["tx_queue"], settings["in_order"])
    board.clock = WorldClock(time, core, board.can)
    # Seeded: only an emulated board may do this.
    board.random = lambda n: bytes([noise.byte() for _ in range(n)])
    board.suite = MeteredSuite(core.charge, settings["costs"], machine.tidy)
    board.tidy, board.heap = machine.tidy, machine.heap  # type: ignore[method-assign]
    board.records_area = _area(nor, settings["records"], unit)
    board.slot_areas = [_area(nor, place, unit) for place in settings["slots"]]
    board.depot_areas = [_area(nor, place, unit) for place in settings["depot"]]
    board.watchdog, board.reset = machine.WDT(), machine.reset
    applications = machine.applications(nor)
    board.mount, board.unmount = applications.mount, applications.unmount
    return board


def _area(nor: Nor, place: "list[int]", unit: int) -> Area:
    return Area(nor, place[0], place[1], place[2], unit)
