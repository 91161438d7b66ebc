"""Door module, release 1: is the door locked, once a second."""

PERIOD_MS = 1000
STATE = 0x310
LOCKED = 1

_cabin = None


def start(cabin) -> None:
    global _cabin
    _cabin = cabin


def step(now_ms: int) -> int:
    _cabin.send(STATE, bytes((1, LOCKED)))
    return now_ms + PERIOD_MS
