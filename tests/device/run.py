"""Run tests/device/test_*.py on whatever interpreter runs this file.

    micropython tests/device/run.py [test_cbor ...]

A module is imported, its test_... functions called in order of name, and dropped, so that one
heap of 2 MB is enough for any number of them. The last line is `NAME N passed, M failed`.
"""

import gc
import os
import sys

if hasattr(gc, "threshold"):  # MicroPython: collect before the heap has fallen to pieces
    gc.threshold(65536)

FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."

for path in ("/../..", "/../../firmware", "", "/.."):
    sys.path.insert(0, FOLDER + path)


def show(error):
    if hasattr(sys, "print_exception"):  # MicroPython
        sys.print_exception(error)
    else:
        import traceback  # MicroPython has none

        traceback.print_exception(error, file=sys.stdout)


def attempt(title, callable, *args):
    """Return what a call returns, or None after showing how it failed."""
    try:
        return callable(*args)
    except Exception as error:  # a runner outlives every kind of failure
        print("FAILED", title)
        show(error)
        return None


def succeed(function):
    function()
    return True


def run_module(name):
    """Return how many tests of a module passed, and how many failed."""
    known = set(sys.modules)
    module = attempt(name, __import__, name)
    if module is None:
        return 0, 1
    tests = [test for test in sorted(dir(module)) if test.startswith("test_")]
    passed = 0
    for test in tests:
        if attempt(name + "." + test, succeed, getattr(module, test)):
            passed += 1
        gc.collect()
    for other in set(sys.modules) - known:
        if other == name or other.startswith("vectors"):
            del sys.modules[other]
    return passed, len(tests) - passed


def main(arguments):
    names = [argument.rsplit("/", 1)[-1].rsplit(".", 1)[0] for argument in arguments]
    if not names:
        files = [file for file in os.listdir(FOLDER) if file.startswith("test_")]
        names = sorted(file[:-3] for file in files if file.endswith(".py"))
    passed = failed = 0
    for name in names:
        good, bad = run_module(name)
        passed += good
        failed += bad
        gc.collect()
    print(f"{sys.implementation.name} {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
