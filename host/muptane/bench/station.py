"""A computer on the bus: speaks the device's own ISO-TP and UDS client in virtual time.

A `Station` has a controller on the bus and one conversation with one ECU. It runs generators of
`uptane.uds` (a request, a feeding) and costs no virtual time but that of the bus: what is
measured with it is the ECU, not the tester.

It does not do real time: there an independent stack (udsoncan, can-isotp) takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from muptane.bench.can.bus import Bus
from muptane.bench.can.frames import Frame
from muptane.bench.world import MS, US, Event, World
from uptane.errors import Refusal
from uptane.link.isotp import Channel
from uptane.uds.client import Client
from uptane.uds.codes import READ_DATA_BY_IDENTIFIER

MESSAGE_BYTES = 4095
TX_QUEUE = 3


class WorldClock:
    """The device's clock shape, on the world's time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def ticks_ms(self) -> int:
        return self._world.now_ns // MS


class Station:
    """A tester that sends requests on `request_id` and hears responses on `response_id`."""

    def __init__(self, world: World, bus: Bus, name: str, link: tuple[int, int]) -> None:
        self.world = world
        self.clock = WorldClock(world)
        self._fd = bus.data_bitrate > 0
        self.channel = Channel(MESSAGE_BYTES, 64 if self._fd else 8)
        self.client = Client(self.channel, self.clock)
        self._request_id, response_id = link
        self._port = bus.port(name, TX_QUEUE)
        self._port.filters = [(response_id, 0x9FFFFFFF)]
        self._port.on_frame = self._arrived
        self._port.on_sent = lambda frame: self._pump()
        bus.filters_changed()
        self._task: Generator[Any, Any, Any] | None = None
        self._until_ms = 0
        self._timer: Event | None = None
        self._done: Callable[[Any], None] = lambda value: None

    # --- what a user asks of it --------------------------------------------------------------

    def start(self, task: Generator[Any, Any, Any], done: Callable[[Any], None]) -> None:
        """Run a generator beside everything else; `done` gets what it returns, or the Refusal
        that ended it."""
        self._task = task
        self._done = done
        self._until_ms = 0
        self.world.at(self.world.now_ns, self._pump)

    def drop(self) -> None:
        """Leave whatever is under way: nobody waits for its end any more."""
        self._task = None
        self.channel.abort()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def run(self, task: Generator[Any, Any, Any], limit_s: float = 120.0) -> Any:
        """Run a generator to its end in virtual time and return what it returns."""
        ended: list[Any] = []
        self.start(task, ended.append)
        self.world.run(lambda: bool(ended), limit_s)
        if isinstance(ended[0], Refusal):
            raise ended[0]
        return ended[0]

    def request(self, message: bytes) -> bytes:
        """One UDS request; returns the positive response. Negative, NoReply."""

        def ask() -> Generator[Any, Any, bytes]:
            return bytes((yield from self.client.request(message)))

        return bytes(self.run(ask()))

    def read(self, did: int) -> bytes:
        """ReadDataByIdentifier."""
        return self.request(bytes((READ_DATA_BY_IDENTIFIER, did >> 8, did & 0xFF)))[3:]

    # --- what the world does to it -----------------------------------------------------------

    def _arrived(self, frame: Frame) -> None:
        try:
            self.channel.feed(memoryview(frame.data), self.clock.ticks_ms())
        except Refusal:
            self.channel.abort()
        self._until_ms = 0
        self._pump()

    def _pump(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._step()
        self._transmit()
        self._sleep()

    def _step(self) -> None:
        while self._task is not None and self._until_ms <= self.clock.ticks_ms():
            try:
                until = next(self._task)
            except StopIteration as end:
                self._task = None
                self._done(end.value)
            except Refusal as refusal:
                self._task = None
                self._done(refusal)
            else:
                self._until_ms = until or 0
                if until is not None:
                    return

    def _transmit(self) -> None:
        now = self.clock.ticks_ms()
        if self.channel.leaving and not self._port.queue:
            self.channel.left(self.world.now_ns // US)
        frame = self.channel.frame(now)
        while frame is not None and self._port.send(self._framed(frame)):
            self.channel.sent(now)
            if self.channel.idle():
                self._until_ms = 0
                self._step()
            frame = self.channel.frame(now)

    def _framed(self, data: bytearray | memoryview) -> Frame:
        return Frame(self._request_id, bytes(data), self._fd, self._fd)

    def _sleep(self) -> None:
        now = self.clock.ticks_ms()
        try:
            self.channel.poll(now)
        except Refusal:
            self._until_ms = 0
        due = [self.channel.due_ms()]
        if self._task is not None:
            due.append(self._until_ms)
        times = [max(time, now + 1) * MS for time in due if time is not None]
        if self.channel.leaving and not self._port.queue:
            times.append(self.world.now_ns + self.channel.rest_us * US)
        if times:
            self._timer = self.world.at(min(times), self._pump)
