"""Brake controller, release 1: brake pressure of one circuit every 100 ms."""

PERIOD_MS = 100
PRESSURE = 0x2A0

if False:  # for the type checker
    from uptane.application import Cabin

_cabin: "Cabin | None" = None
_pressure = 0


def start(cabin: "Cabin") -> None:
    global _cabin
    _cabin = cabin


def step(now_ms: int) -> int:
    global _pressure
    _pressure = (_pressure + 3) % 120
    if _cabin:
        _cabin.send(PRESSURE, bytes((1, _pressure)))
    return now_ms + PERIOD_MS
