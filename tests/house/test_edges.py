"""What stays at its edge: hardware, the device's few modules, and what maker and verifier share.

Laws 2, 4 and 7 of the house. The names of hardware modules, of MicroPython's own modules and of
the numbers that both sides share stand here as data.

It does not look at the order of imports: see test_imports.
"""

from collections.abc import Iterator

from tests.house.source import Source, bites, keep, plain_name, python, spares

# Law 2.
HARDWARE = {"machine", "pyb", "rp2", "esp32", "network", "socket", "select", "os", "time"}
# Law 7: MicroPython's own modules that device code may use, besides the hardware at the edge.
OWN = {
    "array", "binascii", "builtins", "collections", "cryptolib", "deflate", "errno", "gc",
    "hashlib", "heapq", "io", "json", "math", "micropython", "random", "re", "struct", "sys",
    "uctypes", "vfs",
}  # fmt: skip
EDGE = ("firmware/uptane/port", "boards")
# Law 4.
NUMBERS = {
    "uptane.algorithms", "uptane.ids", "uptane.limits", "uptane.errors", "uptane.uds.codes",
}  # fmt: skip
ALL_OF_UPTANE = ("host/muptane/bench", "host/muptane/cli", "host/muptane/tufjson")


def hardware_inside(source: Source) -> Iterator[str]:
    """Law 2."""
    if source.under(*EDGE, "firmware/stubs"):
        return
    for node, _, dotted in source.imports:
        if plain_name(dotted) in HARDWARE and node not in source.for_types:
            yield source.complain(
                node,
                f"{dotted} is hardware",
                "take flash, bus, clock or randomness as an argument; drivers live in "
                "firmware/uptane/port and boards",
            )


def foreign_to_the_device(source: Source) -> Iterator[str]:
    """Law 7 on the device, and for the tests that run on both interpreters."""
    known = OWN | {"uptane"}
    if source.under(*EDGE):
        known |= HARDWARE
    if source.under("tests"):
        known |= HARDWARE | {"claims", "fuzz", "vectors"}
        known |= {"traceback"}  # their runner shows it
        known |= {s.stem for s in python("tests/device")}
    if source.under("firmware/apps"):
        known = OWN
    if source.under("boards", "firmware/apps"):
        known = known | {s.stem for s in python(source.path.rsplit("/", 1)[0])}
    tests = source.under("tests")  # which run on the modelled parts of the unix board
    board = "boards.unix." if tests else ".".join(source.path.split("/")[:2]) + "."
    for node, _, dotted in source.imports:
        name = plain_name(dotted)
        mine = dotted.startswith(board) and dotted.startswith("boards.")
        if not mine and name not in known and node not in source.for_types:
            yield source.complain(
                node,
                f"{dotted} is not on a microcontroller",
                f"write the few lines that are needed, or add {name} to OWN in {__name__} if "
                "MicroPython has it on every board",
            )


def maker_meets_verifier(source: Source) -> Iterator[str]:
    """Law 4."""
    if source.under(*ALL_OF_UPTANE):
        return
    for node, _, dotted in source.imports:
        numbers = any(dotted == n or dotted.startswith(n + ".") for n in NUMBERS)
        if plain_name(dotted) == "uptane" and not numbers:
            yield source.complain(
                node,
                f"{dotted} is the device's code",
                "use a library (cbor2, cwt, nacl): maker and verifier must be able to catch each "
                "other's mistakes; only ids, limits, errors and uds.codes are shared",
            )
        above = dotted.startswith(("muptane.bench", "muptane.cli"))
        if above and source.under("host/muptane/oem"):
            yield source.complain(
                node, f"the back office knows {dotted}", "let the bench call the back office"
            )


# --- the laws ---------------------------------------------------------------------------------


def test_hardware_is_known_at_the_edge_only() -> None:
    keep(hardware_inside, python("firmware"))


def test_the_device_needs_nothing_but_micropython() -> None:
    tests = ("tests/device", "tests/fuzz", "tests/vectors")
    keep(foreign_to_the_device, python("firmware", "boards", *tests))


def test_the_back_office_shares_numbers_only_with_the_device() -> None:
    keep(maker_meets_verifier, python("host"))


# --- each law bites -----------------------------------------------------------------------------


def test_the_law_of_the_edge_bites() -> None:
    bites(hardware_inside, "firmware/uptane/store/records.py", "import utime as clock\n")
    bites(hardware_inside, "firmware/apps/door/app.py", "from machine import Pin\n")
    spares(hardware_inside, "firmware/uptane/port/clock.py", "import time\n")


def test_the_law_of_own_modules_bites() -> None:
    bites(foreign_to_the_device, "firmware/uptane/cbor.py", "from typing import Any\n")
    bites(foreign_to_the_device, "tests/device/test_cbor.py", "import pytest\n")
    bites(foreign_to_the_device, "firmware/apps/door/app.py", "from uptane import cbor\n")
    bites(foreign_to_the_device, "boards/pico/board.py", "from boards.unix import silicon\n")
    spares(foreign_to_the_device, "boards/pico/boot.py", "from boards.pico import board\n")
    spares(foreign_to_the_device, "firmware/uptane/cbor.py", "import struct\n")
    for_types = "if False:\n    from typing import Any\n"
    spares(foreign_to_the_device, "firmware/uptane/cbor.py", for_types)


def test_the_law_of_maker_and_verifier_bites() -> None:
    bites(maker_meets_verifier, "host/muptane/oem/check.py", "from uptane.cbor import loads\n")
    bites(maker_meets_verifier, "host/muptane/oem/check.py", "from uptane import cose\n")
    bites(maker_meets_verifier, "host/muptane/oem/seal.py", "import muptane.bench.world\n")
    spares(maker_meets_verifier, "host/muptane/oem/check.py", "from uptane.ids import ROOT\n")
    spares(maker_meets_verifier, "host/muptane/bench/feeder.py", "from uptane import cose\n")
