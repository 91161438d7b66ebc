"""How a process becomes an emulated ECU: `micropython -m boards.unix.boot SETTINGS FD`.

SETTINGS is a JSON file that the bench writes (`muptane.bench.nodes.Settings`), FD an inherited
socket to the world. The modelled `machine` and `time` lie in this folder and, being first on the
path, override the interpreter's own; everything above them is what runs on any board. Without
arguments it only imports what an ECU imports: the bench measures the heap for code so.
"""

import gc
import sys

# Code is loaded between long-lived objects: collecting often while importing keeps the heap
# whole, which is worth 20 KB of it later.
gc.threshold(4096)
sys.path.insert(0, "boards/unix")

import time  # noqa: E402

import machine  # noqa: E402  # the path had to be set first

from boards.unix import board  # noqa: E402
from uptane import main  # noqa: E402

gc.collect()
gc.threshold(-1)
if len(sys.argv) > 2:
    with board.build(machine, time, machine.attach(sys.argv[1], int(sys.argv[2]))) as built:
        main.Ecu(built).live()
