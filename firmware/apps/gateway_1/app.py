"""Gateway, release 1: a heartbeat every 200 ms."""

PERIOD_MS = 200
HEARTBEAT = 0x100

if False:  # for the type checker
    from uptane.application import Cabin

_cabin: "Cabin | None" = None
_beat = 0


def start(cabin: "Cabin") -> None:
    global _cabin
    _cabin = cabin


def step(now_ms: int) -> int:
    global _beat
    _beat = (_beat + 1) & 0xFF
    if _cabin:
        _cabin.send(HEARTBEAT, bytes((1, _beat)))
    return now_ms + PERIOD_MS
