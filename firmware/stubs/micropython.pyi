"""What the device core uses of MicroPython's own module; CPython has none."""

from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

def const(value: _T, /) -> _T: ...
def viper(function: Callable[..., object], /) -> Callable[..., object]: ...
def mem_total() -> int: ...
