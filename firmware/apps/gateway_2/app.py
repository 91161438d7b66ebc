"""Gateway, release 2: the heartbeat comes twice as often and says its release."""

PERIOD_MS = 100
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
        _cabin.send(HEARTBEAT, bytes((2, _beat)))
    return now_ms + PERIOD_MS
