"""How a process becomes an emulated ECU: `micropython -m boards.unix.boot ROLE SETTINGS FD`.

ROLE is partial, full or primary, and behind it, as ",deltas", what else it does (`LATER`);
SETTINGS is a JSON file that the bench writes (`muptane.bench.settings`), FD an inherited socket to
the world. The modelled `machine` and `time` lie in this folder and, being first on the path,
override the interpreter's own; everything above them is what runs on any board. With ROLE alone it
only imports what such an ECU imports and makes the models of its chips, which a board has in
silicon: so the heap is measured above which an ECU's own budget begins.
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

NAMES_OF_AN_APPLICATION = 64


def make_room_for_names() -> None:
    """Let the interpreter's table of names grow now, not when an application brings its own.

    The table doubles when it is full, 14 KB at once here; on a board with frozen code the names
    of the code are in ROM and the table is small. So it belongs to the code, not to the budget.
    """
    for i in range(NAMES_OF_AN_APPLICATION):
        getattr(main, f"room_{i}", None)


# What main imports only when it has read who it is.
LATER = {
    "partial": ("uptane.meta.partial",),
    "full": ("uptane.meta.full", "uptane.meta.delegation", "uptane.meta.mapping"),
    "primary": (
        "uptane.meta.full",
        "uptane.meta.delegation",
        "uptane.meta.mapping",
        "uptane.primary",
        "uptane.bundle",
        "uptane.shelf",
        "uptane.image.depot",
        "uptane.uds.client",
    ),
}

for later in LATER:
    LATER[later] += ("uptane.uds.diagnosis",)

# ... or of what its vehicle or its board is built with.
LATER["broadcast"] = ("uptane.link.broadcast", "uptane.uds.hearing")
LATER["fd"] = ("uptane.port.can_pyb", "boards.unix.pyb_can")
LATER["symmetric"] = ("uptane.mac",)
LATER["es256"] = ("uptane.crypto.p256",)
LATER["deltas"] = ("uptane.image.intake", "uptane.image.patching")
LATER["in_place"] = (
    "uptane.store.sole",
    "uptane.lone",
    "uptane.image.rewriting",
    "uptane.image.in_place",
    "uptane.image.plan",
)
LATER["regions"] = ("uptane.store.regions", "uptane.image.scope")
LATER["decrypts"] = ("uptane.image.intake", "uptane.image.decryption", "boards.unix.secret")

if len(sys.argv) > 1:
    for trait in sys.argv[1].split(","):
        for name in LATER[trait]:
            __import__(name)
    gc.threshold(-1)
    make_room_for_names()
    gc.collect()
    gc.threshold(8192)  # and so it stays, see docs/design.md on small heaps
if len(sys.argv) == 2:
    rehearsed = machine.rehearse("fd" in sys.argv[1])
if len(sys.argv) > 3:
    with board.build(machine, time, machine.attach(sys.argv[2], int(sys.argv[3]))) as built:
        main.Ecu(built).live()
