"""The board as `uptane.main` sees it; boards/<board>/board.py alone knows pins and fills it in.

What it holds are shapes (firmware/stubs/shapes.pyi), so the same main runs on a real board, in
the emulator and inside CPython. As a context manager it is the guard around main: whatever goes
wrong inside resets the board, and the boot decision brings the ECU back (V-35).
It checks nothing, and catches nothing: an interrupt from the console ends at its prompt.
"""

import gc
import sys

if False:  # for the type checker; both compilers drop the block
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from shapes import Bus, Cell, Clock, Watchdog
    from uptane.crypto.secrecy import Secrecy
    from uptane.crypto.suite import Suite
    from uptane.store.area import Area


class Board:
    can: "Bus"
    bitrate: int  # of that bus, in bit/s
    clock: "Clock"
    random: "Callable[[int], bytes]"  # so many bytes from the hardware's source
    records_area: "Area"
    slot_areas: "list[Area]"  # two
    # beside the application's, (REGION_..., place, other place); empty: it has that region alone
    region_areas: "list[tuple[int, Area, Area]]"
    depot_areas: "list[Area]"  # cells for Secondaries' images; empty unless a Primary
    suite: "Suite"
    watchdog: "Watchdog"
    reset: "Callable[[], object]"  # does not return
    mount: "Callable[[Cell, int], Any]"  # see uptane.port.applications
    unmount: "Callable[[], None]"

    def __init__(self, name: str, confirm_ms: int = 2000, overlaps: bool = True) -> None:
        self.name = name
        self.confirm_ms = confirm_ms  # a trial image has run so long before it is confirmed
        # ("micropython", "1.29.0")
        version = ".".join([str(part) for part in sys.implementation.version[:3]])
        self.interpreter = (sys.implementation.name, version)
        self.depot_areas = []
        self.region_areas = []
        self.overlaps = overlaps  # does it receive frames while it programs flash?
        self.deltas = False  # does it make images of deltas?
        self.diagnosis = False  # has it DTCs, security access and what else a workshop asks for?
        self.secrecy: Secrecy | None = None  # with which it decrypts images, if it does

    def tidy(self) -> None:
        """Collect garbage now, so that what lives long comes to lie beside what lives long."""
        gc.collect()

    def heap(self) -> "tuple[int, int]":
        """(free, allocated) bytes of the interpreter's heap."""
        gc.collect()
        return gc.mem_free(), gc.mem_alloc()  # type: ignore[attr-defined,unused-ignore]

    def last_words(self, error: "BaseException | None") -> None:
        """Say on the console what went wrong, for whoever is listening."""
        if error is not None and hasattr(sys, "print_exception"):  # CPython has none
            sys.print_exception(error)

    def __enter__(self) -> "Board":
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        value: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        if kind is not KeyboardInterrupt and kind is not SystemExit:
            self.last_words(value)
            self.reset()
