"""A record of everything that passed on a bus: candump log, Vector ASC or BLF, by the file's name.

python-can writes the file; a destroyed frame is an error frame in it. Times are bus time, seconds
since 1970, at the end of each frame.
"""

from __future__ import annotations

from pathlib import Path

import can

from muptane.bench.can.bus import Bus
from muptane.bench.can.frames import Frame
from muptane.bench.join.messages import error_message, message_of
from muptane.bench.world import S

FORMATS = (".log", ".asc", ".blf")
CHANNEL = "muptane"


class BadTrace(Exception):
    """No trace can be written there; the message says why."""


class Trace:
    """Writes what passes on `bus` to `path` until `close`. BadTrace."""

    def __init__(self, bus: Bus, path: Path) -> None:
        if path.suffix not in FORMATS:
            raise BadTrace(f"{path.name}: a trace is {', '.join(FORMATS)}, by its name")
        self._bus = bus
        self.frames = 0
        number = 1 if path.suffix != ".log" else CHANNEL
        self._channel = number
        try:
            self._writer = can.Logger(path)
        except OSError as error:
            raise BadTrace(f"{path}: {error.strerror}; choose another file") from error
        bus.listeners.append(self._passed)
        bus.error_listeners.append(self._broke)

    def _passed(self, now_ns: int, sender: str, frame: Frame) -> None:
        self._write(message_of(frame, self._time_ns(now_ns), self._channel))

    def _broke(self, now_ns: int, sender: str, frame: Frame) -> None:
        self._write(error_message(self._time_ns(now_ns), self._channel))

    def _time_ns(self, now_ns: int) -> int:
        return self._bus.world.epoch_s * S + now_ns

    def _write(self, message: can.Message) -> None:
        self.frames += 1
        self._writer.on_message_received(message)

    def close(self) -> None:
        self._bus.listeners.remove(self._passed)
        self._bus.error_listeners.remove(self._broke)
        self._writer.stop()
