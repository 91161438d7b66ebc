"""PYBv1.1: machine.CAN 1 (Y3 receives, Y4 sends) at 500 kbit/s, internal flash.

The wiring and the addresses of board.toml; a test compares them. It does not check the wiring.
"""

import os
import time

import machine
import uctypes
import vfs

from uptane.crypto.suite import Suite
from uptane.port.applications import Applications
from uptane.port.board import Board
from uptane.port.can_machine import CanMachine
from uptane.port.clock_ticks import ClockTicks
from uptane.port.flash_stm32 import FlashStm32
from uptane.store.area import Area


def build() -> Board:
    flash = FlashStm32(machine.mem32, uctypes.bytearray_at)
    bitrate = 500_000
    can = CanMachine(machine.CAN(1, bitrate))
    applications = Applications(vfs, uctypes.bytearray_at)
    board = Board("pyboard_v11")
    board.can, board.bitrate = can, bitrate
    board.clock = ClockTicks(time, machine.idle, can)
    board.random = os.urandom  # the part's random number generator
    board.records_area = Area(flash, 0x0800_8000, 16_384, 2, 4)
    board.slot_areas = [
        Area(flash, 0x080A_0000, 131_072, 1, 4),
        Area(flash, 0x080C_0000, 131_072, 1, 4),
    ]
    board.suite, board.reset = Suite(), machine.reset
    board.watchdog = machine.WDT(timeout=8_000)  # erasing a sector stops the processor for 2 s
    board.mount = applications.mount
    board.unmount = applications.unmount
    return board
