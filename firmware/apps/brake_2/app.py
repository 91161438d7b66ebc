"""Brake controller, release 2: both circuits, twice as often."""

PERIOD_MS = 50
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
        _cabin.send(PRESSURE, bytes((2, _pressure, _pressure)))
    return now_ms + PERIOD_MS
