"""What the tests of the device say about it, on both interpreters."""

import sys

if False:  # for the type checker
    from collections.abc import Callable, Generator
    from typing import Any


def raises(
    refusal: "type[Exception]", callable: "Callable[..., object]", *args: object
) -> Exception:
    """Claim that a call raises exactly this refusal, and return it."""
    try:
        callable(*args)
    except refusal as raised:
        assert type(raised) is refusal, f"{raised!r} instead of {refusal}"
        return raised
    raise AssertionError(f"no {refusal.__name__}")


def run(generator: "Generator[None, None, Any]") -> "Any":
    """Run a generator, which only yields None, to its end; return what it returns."""
    return count_slices(generator)[0]


def count_slices(generator: "Generator[None, None, Any]") -> "tuple[Any, int]":
    """Return what a generator returns, and how many times it yielded."""
    slices = 0
    while True:
        try:
            assert next(generator) is None
        except StopIteration as end:
            return end.value, slices
        slices += 1


class Locked:
    """A block that may take no memory from the heap: on MicroPython, whoever tries fails."""

    def __init__(self) -> None:
        on_device = sys.implementation.name == "micropython"
        self._micropython = __import__("micropython") if on_device else None

    def __enter__(self) -> None:
        if self._micropython:
            self._micropython.heap_lock()

    def __exit__(self, _kind: object, _value: object, _trace: object) -> None:
        if self._micropython:
            self._micropython.heap_unlock()
