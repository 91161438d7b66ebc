"""Door module, release 1: is the door locked, once a second."""

PERIOD_MS = 1000
STATE = 0x310
LOCKED = 1

if False:  # for the type checker
    from uptane.application import Cabin

_cabin: "Cabin | None" = None


def start(cabin: "Cabin") -> None:
    global _cabin
    _cabin = cabin


def step(now_ms: int) -> int:
    if _cabin:
        _cabin.send(STATE, bytes((1, LOCKED)))
    return now_ms + PERIOD_MS
