"""Somebody else's CAN bus in the place of the modelled one: any interface of python-can.

The vehicle's ECUs still wait for each other as on one wire, the lowest identifier first, one frame
at a time; each frame then goes out through the interface and has left when the interface echoes
it (`receive_own_messages=true`, where it can), or after as long as its bits take. What comes in
from outside reaches every ECU whose filters let it through. In real time only: `wait` is called
between events (muptane.bench.realtime).

What happens on the real wire happens there: no errors, no noise and no other port are modelled.
Which interfaces there are, and what they want, is python-can's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import can
from can.util import cast_from_string

from muptane.bench.can.bus import Attempt, Bus
from muptane.bench.can.frames import Frame, duration_ns
from muptane.bench.can.port import Port
from muptane.bench.join.messages import frame_of, message_of
from muptane.bench.world import MS, World

ECHO = "receive_own_messages"
AGAIN_NS = MS  # until a frame is offered again to an interface that was full
OUTSIDE = "outside"


class BadBus(Exception):
    """There is no such bus; the message says why."""


class BusGone(Exception):
    """The bus was there, and is no more; the message says why."""


def settings_of(text: str) -> dict[str, str]:
    """ "interface=socketcan,channel=can0" as python-can's settings. BadBus."""
    pairs = [part.partition("=") for part in text.split(",") if part]
    if not pairs or any(not name or not equals for name, equals, _ in pairs):
        raise BadBus(f"{text!r}: say interface=NAME,channel=CHANNEL and what else it needs")
    return {name.strip(): value.strip() for name, _, value in pairs}


class Outside(Bus):
    """A Bus whose wire is an interface of python-can. `clock` says what time it is in the world
    (RealTime.now_ns). BadBus; BusGone while it runs."""

    def __init__(self, world: World, bitrate: int, text: str, clock: Callable[[], int]) -> None:
        super().__init__(world, bitrate)
        settings = settings_of(text)
        self._echoes = settings.get(ECHO, "").lower() == "true"
        self._clock = clock
        self.title = f"{settings.get('interface', '?')} {settings.get('channel', '')}".strip()
        options: dict[str, Any] = {"bitrate": bitrate}
        options |= {name: cast_from_string(value) for name, value in settings.items()}
        try:
            self._interface = can.Bus(**options)
        except (can.CanError, ValueError, TypeError, OSError) as error:
            raise BadBus(f"{text}: {error}") from error

    # --- out -------------------------------------------------------------------------------

    def _begin(self, sending: list[tuple[Port, Frame]]) -> None:
        port, frame = sending[0]
        attempt = Attempt([port], frame, self.world.now_ns)
        self._attempt = attempt
        try:
            self._interface.send(message_of(frame, 0, self.title), timeout=0)
        except can.CanOperationError:  # full: somebody else holds the wire
            attempt.end = self.world.at(self.world.now_ns + AGAIN_NS, lambda: self._again(attempt))
            return
        if not self._echoes:
            end_ns = self.world.now_ns + duration_ns(frame, self.bitrate)
            attempt.end = self.world.at(end_ns, lambda: self._passed(attempt))

    def _again(self, attempt: Attempt) -> None:
        if self._attempt is attempt:
            self._attempt = None
            self.contend()

    def cut(self, port: Port) -> None:
        """Nobody calls a frame back from a wire out there: its sender hears no more of it."""
        attempt = self._attempt
        if attempt is not None and port in attempt.senders:
            if attempt.end is not None:
                attempt.end.cancel()
            self._attempt = None
            self.contend()

    # --- in --------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Take what comes from outside; return after `seconds`, or as soon as something came."""
        try:
            message = self._interface.recv(seconds)
        except can.CanError as error:
            raise BusGone(f"the bus {self.title} has gone ({error})") from error
        self.world.idle_until(self._clock())
        if message is not None and not message.is_error_frame:
            frame, echo = frame_of(message), not message.is_rx
            self.world.at(self._clock(), lambda: self._came(frame, echo))

    def _came(self, frame: Frame, echo: bool) -> None:
        attempt = self._attempt
        if self._echoes and echo:
            if attempt is not None and attempt.frame == frame:
                self._passed(attempt)
            return
        self.busy_ns += duration_ns(frame, self.bitrate)
        self.frames += 1
        self.payload_bytes += len(frame.data)
        self.world.note("frame", OUTSIDE, frame.id, frame.data)
        for listener in self.listeners:
            listener(self.world.now_ns, OUTSIDE, frame)
        self._deliver(Attempt([], frame, self.world.now_ns))

    def close(self) -> None:
        self._interface.shutdown()
