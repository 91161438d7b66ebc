"""The driver of an emulated board's bus: over `machine.CAN`, or with CAN FD over `pyb.CAN`.

It checks nothing: `muptane.bench.vehicle` has.
"""

from uptane.port.can_machine import CanMachine

if False:  # for the type checker
    from typing import Any

    from shapes import Bus


def bus(machine: "Any", settings: "dict[str, Any]") -> "Bus":
    """`settings` are the figures of the board (muptane.bench.settings)."""
    ring, tx_queue = settings["ring"], settings["tx_queue"]
    if settings["data_bitrate"]:
        from uptane.port.can_pyb import CanPyb  # here, because on a classic bus nobody needs it

        return CanPyb(machine.pyb_can(settings), True, ring, tx_queue)
    can = machine.CAN(1, settings["bitrate"])
    return CanMachine(can, ring, tx_queue, settings["in_order"])
