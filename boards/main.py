"""What a real board runs after power-up: its own `board`, and the Uptane client on it.

A file `halt` keeps the client from starting: while it runs, the watchdog would reset the board in
the middle of being copied to (scripts/flash.py leaves the file there and removes it).
"""

import os

import board

from uptane.main import Ecu

if "halt" not in os.listdir():
    with board.build() as built:
        Ecu(built).live()
