"""The board as `uptane.main` sees it; boards/<board>/board.py alone knows pins and fills it in.

A record without behaviour; what it holds are shapes (firmware/stubs/shapes.pyi), so the same main
runs on a real board, in the emulator and inside CPython. It checks nothing.
"""

import sys

if False:  # for the type checker; both compilers drop the block
    from collections.abc import Callable
    from typing import Any

    from shapes import Bus, Cell, Clock, Watchdog
    from uptane.crypto.suite import Suite
    from uptane.store.area import Area


class Board:
    can: "Bus"
    clock: "Clock"
    random: "Callable[[int], bytes]"  # so many bytes from the hardware's source
    records_area: "Area"
    slot_areas: "list[Area]"  # two
    depot_areas: "list[Area]"  # cells for Secondaries' images; empty unless a Primary
    suite: "Suite"
    watchdog: "Watchdog"
    reset: "Callable[[], object]"  # does not return
    mount: "Callable[[Cell, int], Any]"  # (area, length) -> module; BadApplication
    unmount: "Callable[[], None]"

    def __init__(self, name: str, confirm_ms: int = 2000) -> None:
        self.name = name
        self.confirm_ms = confirm_ms  # a trial image has run so long before it is confirmed
        # ("micropython", "1.29.0")
        version = ".".join([str(part) for part in sys.implementation.version[:3]])
        self.interpreter = (sys.implementation.name, version)
        self.depot_areas = []
