"""Pico with an MCP2515 on SPI 0 (pins below), 16 MHz crystal, 250 kbit/s.

The addresses of board.toml; a test compares them. Without the chip: OSError(ENODEV).
"""

import os
import time

import rp2
import uctypes
import vfs
from machine import SPI, WDT, Pin, idle, reset

from uptane.crypto.suite import Suite
from uptane.port import mcp2515
from uptane.port.applications import Applications
from uptane.port.board import Board
from uptane.port.can_mcp2515 import CanMcp2515
from uptane.port.clock_ticks import ClockTicks
from uptane.port.flash_rp2 import FlashRp2, mapped
from uptane.store.area import Area


def build() -> Board:
    flash = FlashRp2(rp2.Flash(), 0x0A_0000, 1_441_792)
    spi = SPI(0, 10_000_000, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
    chip = mcp2515.Mcp2515(spi, Pin(17, Pin.OUT, value=1))
    bitrate = 250_000
    can = CanMcp2515(chip, mcp2515.bit_timing(16_000_000, bitrate), Pin(20, Pin.IN, Pin.PULL_UP))
    board = Board("pico_mcp2515", overlaps=False)  # its controller holds two frames
    board.can, board.bitrate, board.clock = can, bitrate, ClockTicks(time, idle, can)
    board.random = os.urandom  # ring oscillator: good enough for nonces, its only use
    board.records_area = Area(flash, 0x0E_0000, 4_096, 16, 256)
    board.slot_areas = [Area(flash, at, 4_096, 64, 256) for at in (0x0F_0000, 0x13_0000)]
    board.depot_areas = [Area(flash, at, 4_096, 64, 256) for at in (0x17_0000, 0x1B_0000)]
    board.suite, board.reset = Suite(), reset
    board.watchdog = WDT(timeout=8_000)  # the part allows 8,388 at most
    applications = Applications(vfs, mapped(uctypes.bytearray_at))
    board.mount, board.unmount = applications.mount, applications.unmount
    return board
