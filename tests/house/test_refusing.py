"""How things are refused: by a numbered class, without text, and never by accident.

Section 5 of the house: no sentences and no `Error` on the device, nothing that catches everything,
no assert that guards input, no print that serves as a log, no mock and no patching.

It does not look at what the numbers mean: tests/host/test_refusals does.
"""

import ast
from collections.abc import Iterator

from tests.house.source import Source, bites, keep, python, spares

CODE = ("firmware", "host", "boards")

EVERYTHING = {"Exception", "BaseException"}
# Exceptions of Python that say nothing to a peer: on the device a refusal has a number.
WITHOUT_NUMBER = {
    "Exception", "ValueError", "TypeError", "RuntimeError", "KeyError", "IndexError",
    "AssertionError", "ArithmeticError", "LookupError",
}  # fmt: skip
# The runner of the device tests counts whatever a test raises and drops each module after use.
# It forgets the modules of an application that it unmounts: nothing is put in their place.
UNLOADER = "firmware/uptane/port/applications.py"
RUNNER = "tests/device/run.py"
# A mutant stands in a module's place, in a process that is forked for it alone.
MUTATOR = "scripts/mutation/trials.py"
PATCHING = {"MagicMock", "Mock", "monkeypatch", "mocker", "mock"}


def errors_by_name(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Error", "Exception")):
            yield source.complain(
                node,
                f"{node.name} on the device",
                "name what happened, number it in uptane.errors and explain it in "
                "muptane.refusals",
            )


def catching_everything(source: Source) -> Iterator[str]:
    cure = "name the refusals or exceptions that this place knows an answer to"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(c is None or source.dotted(c) in EVERYTHING for c in caught):
                yield source.complain(node, "everything is caught", cure)
        elif isinstance(node, ast.Call):
            name = source.dotted(node.func).rpartition(".")[2]
            if name in {"suppress", "raises"} and any(
                source.dotted(a) in EVERYTHING for a in node.args
            ):
                yield source.complain(node, f"{name} takes everything", cure)


def asserts(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assert):
            yield source.complain(
                node, "an assert outside the tests", "refuse with a class, or narrow the type"
            )


def prints(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and source.dotted(node.func) in {"print", "builtins.print"}:
            yield source.complain(
                node, "a print as a log", "keep a number in the refusal log, or return the value"
            )


def spoken_refusals(source: Source) -> Iterator[str]:
    """On the device; a driver may refuse how it was wired with an exception of Python."""
    driver = source.under("firmware/uptane/port")
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Raise) or node.exc is None:
            continue
        call = node.exc if isinstance(node.exc, ast.Call) else None
        said = [] if call is None else [*call.args, *(k.value for k in call.keywords)]
        if any(_is_text(argument) for argument in said):
            yield source.complain(
                node,
                "a refusal with text",
                "raise the class alone; its sentence stands in muptane.refusals",
            )
        name = source.dotted(call.func if call else node.exc)
        if name in WITHOUT_NUMBER and not driver:
            yield source.complain(
                node, f"{name} has no number", "raise a class of uptane.errors, or add one"
            )


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _is_text(node.func.value)
    constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return constant or isinstance(node, ast.JoinedStr)


def patching(source: Source) -> Iterator[str]:
    cure = "hand in the thing, and put a model with its physics behind the seam"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.arg) and node.arg in PATCHING:
            yield source.complain(node, f"{node.arg} patches what is under test", cure)
    for node, _, dotted in source.imports:
        if PATCHING & set(dotted.split(".")):
            yield source.complain(node, f"{dotted} stands in for the real thing", cure)
    for use, dotted in source.uses():
        if dotted == "sys.modules" and source.path != UNLOADER:
            yield source.complain(use, "sys.modules is patched", cure)


# --- the laws ---------------------------------------------------------------------------------


def test_no_class_on_the_device_is_an_error() -> None:
    keep(errors_by_name, python("firmware/uptane", "firmware/apps"))


def test_nothing_catches_everything() -> None:
    keep(catching_everything, [s for s in python() if s.path != RUNNER])


def test_no_assert_guards_input() -> None:
    keep(asserts, python(*CODE))


def test_no_print_is_a_log() -> None:
    keep(prints, python("firmware", "host/muptane/oem", "host/muptane/bench"))


def test_refusals_on_the_device_carry_no_text() -> None:
    keep(spoken_refusals, python("firmware/uptane"))


def test_nothing_is_mocked_or_patched() -> None:
    keep(patching, [s for s in python() if s.path not in (RUNNER, MUTATOR)])


# --- each law bites -----------------------------------------------------------------------------


def test_the_laws_of_refusing_bite() -> None:
    device, host = "firmware/uptane/cbor.py", "host/muptane/oem/keys.py"
    bites(errors_by_name, device, "class DecodeError(Refusal): number = 1\n")
    bites(catching_everything, host, "try: f()\nexcept Exception: pass\n")
    bites(catching_everything, host, "try: f()\nexcept: pass\n")
    bites(catching_everything, host, "try: f()\nexcept (OSError, BaseException): pass\n")
    bites(catching_everything, "tests/host/test_a.py", "with pytest.raises(Exception): f()\n")
    bites(asserts, device, "def f(n):\n    assert n > 0\n")
    bites(prints, device, "print('here')\n")
    bites(spoken_refusals, device, "raise Truncated('too short')\n")
    bites(spoken_refusals, device, "raise Truncated('%d bytes' % n)\n")
    bites(spoken_refusals, device, "raise Truncated(f'{n} bytes')\n")
    bites(spoken_refusals, device, "raise ValueError\n")
    spares(spoken_refusals, device, "raise Negative(code)\n")
    spares(spoken_refusals, device, "raise Truncated\n")
    spares(catching_everything, host, "try: f()\nexcept (OSError, KeyError): pass\n")


def test_the_law_against_patching_bites() -> None:
    test = "tests/host/test_a.py"
    bites(patching, test, "def test_a(monkeypatch): pass\n")
    bites(patching, test, "from unittest.mock import MagicMock\n")
    bites(patching, test, "from unittest import mock\n")
    bites(patching, test, "import sys\nsys.modules['machine'] = object()\n")
    bites(patching, test, "from sys import modules\nmodules['machine'] = object()\n")
