"""The emulated board. `machine` and `time` are given, because inside CPython many boards share one
process; in a MicroPython process they are the modules of this folder. `settings` are the figures
of the board that is emulated (muptane.bench.settings). It checks nothing.
"""

from boards.unix import layout
from boards.unix.bus import bus
from boards.unix.clocks import WorldClock
from boards.unix.metered import MeteredSuite
from boards.unix.nor import Noise
from uptane.port.board import Board


def build(machine, time, settings: dict) -> Board:  # type: ignore[no-untyped-def,type-arg]
    core = machine.core
    noise = Noise(settings["seed"] + core.elapsed_us())
    board = Board(settings["name"], settings["confirm_ms"])
    board.bitrate = settings["bitrate"]
    board.can = bus(machine, settings)
    board.clock = WorldClock(time, core, board.can)
    # Seeded: only an emulated board may do this.
    board.random = lambda n: bytes([noise.byte() for _ in range(n)])
    board.suite = MeteredSuite(core.charge, settings["costs"], machine.tidy)
    if settings["decrypts"]:
        from boards.unix import secret  # here, because most ECUs have no use for it

        given = (board.suite, core.charge, settings["costs"], machine.tidy)
        board.secrecy = secret.MeteredSecrecy(*given)
    board.deltas, board.diagnosis = settings["deltas"], True
    board.tidy, board.heap = machine.tidy, machine.heap  # type: ignore[method-assign]
    nor = machine.flash(settings["flash"])
    board.records_area = layout.area(settings, nor, "records")
    board.slot_areas = layout.areas(settings, nor, "slots")
    board.region_areas = layout.regions(settings, nor)
    board.depot_areas = layout.areas(settings, nor, "depot")
    board.watchdog, board.reset = machine.WDT(), machine.reset
    applications = machine.applications(nor)
    board.mount, board.unmount = applications.mount, applications.unmount
    return board
