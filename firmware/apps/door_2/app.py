"""Door module, release 2: lock and window, four times a second."""

PERIOD_MS = 250
STATE = 0x310
LOCKED = 1
WINDOW_PERCENT = 40

if False:  # for the type checker
    from uptane.application import Cabin

_cabin: "Cabin | None" = None


def start(cabin: "Cabin") -> None:
    global _cabin
    _cabin = cabin


def step(now_ms: int) -> int:
    if _cabin:
        _cabin.send(STATE, bytes((2, LOCKED, WINDOW_PERCENT)))
    return now_ms + PERIOD_MS
