"""The world's side of an ECU: wakes it, hands it what arrived, takes what it sends.

An ECU's interpreter answers one message with one message (boards/unix/silicon.py has the format),
in lock-step: virtual time stands still while it computes and then moves by what it says computing
cost. A `Node` keeps what is on its way to it, knows what it sleeps for, and starts it anew after a
reset. It does not know what an ECU does, nor which interpreter runs it.
"""

from __future__ import annotations

import struct
from typing import NoReturn

from boards.unix import silicon
from muptane.bench.can.controller import Controller, unpacked
from muptane.bench.can.frames import Frame
from muptane.bench.can.port import Port
from muptane.bench.interpreters import Interpreter, NodeDied
from muptane.bench.world import MS, US, WAKES, Event, World


class Node:
    """The world's side of one ECU."""

    def __init__(
        self, world: World, index: int, port: Port, interpreter: Interpreter, rx_queue: int = 32
    ) -> None:
        self.world = world
        self.index = index
        self.port = port
        self.interpreter = interpreter
        self.controller = Controller(port, rx_queue)
        self.boot_ns = 0
        self.resets = 0
        self.powered = False
        self._lives = 0  # ended by a loss of power
        self._busy_until_ns = 0
        self._command = silicon.WAIT, 0  # what the node asked last
        self._data_bytes = silicon.CLASSIC_BYTES
        self._rx_min = 0
        self._tx_low = silicon.NOT_SENDING
        self._watch = 0
        self._timer: Event | None = None
        self._wake: Event | None = None
        self.controller.on_received = self._arrived
        self.controller.on_left = self._left
        self.controller.on_worse = self._worse
        self.controller.off()

    @property
    def overruns(self) -> int:
        """Frames that found no room."""
        return self.controller.overruns

    # --- power -------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Start the interpreter; it lives from now on."""
        self.powered = True
        self._begin_life()

    def power_off(self) -> None:
        """Now: what is queued is lost, the frame on the wire broken; the flash keeps its file."""
        self.powered = False
        self._lives += 1
        self._busy_until_ns = 0
        self._forget()
        self.controller.off()
        self.interpreter.stop()

    def _boot(self) -> None:
        """The reset happens: the controller forgets what it had still to send."""
        self.controller.off()
        at_ns = self.world.now_ns + self.boot_ns
        self._wake = self.world.at(at_ns, self._begin_life, WAKES, self.index)

    def _begin_life(self) -> None:
        self._forget()
        self.controller.begin()  # a board makes its controller before anything else
        self.world.note("boot", self.port.name)
        self._obey(self.interpreter.start())

    def _forget(self) -> None:
        self.controller.forget()
        self._cancel()

    def _cancel(self) -> None:
        for event in (self._timer, self._wake):
            if event is not None:
                event.cancel()
        self._timer = self._wake = None

    # --- what the bus does to it -------------------------------------------------------------

    def _arrived(self) -> None:
        if self._rx_min and len(self.controller.received) >= self._rx_min:
            self._wake_soon()

    def _left(self) -> None:
        if self.powered and self._drained():
            self._look_soon()

    def _look_soon(self) -> None:
        """Its transmit buffers are nearly empty; who is not told looks a little later."""
        if self._watch & silicon.WATCH_TICKS:
            self._wake_soon(-(-self.world.now_ns // MS) * MS)
        else:
            self._wake_soon()

    def _worse(self) -> None:
        if self.powered and self._watch & silicon.WATCH_STATE:
            self._wake_soon()

    def _drained(self) -> bool:
        """The node waits for its transmit buffers, and they are nearly empty."""
        if self._tx_low == silicon.NOT_SENDING:
            return False
        return len(self.controller.unsent()) <= self._tx_low

    # --- lock-step ---------------------------------------------------------------------------

    def _wake_soon(self, at_ns: int = 0) -> None:
        at_ns = max(at_ns, self.world.now_ns, self._busy_until_ns)
        if self._wake is not None and at_ns < self._wake.time_ns:
            self._wake.cancel()
            self._wake = None
        if self._wake is None:
            self._wake = self.world.at(at_ns, self._woken, WAKES, self.index)

    def _woken(self) -> None:
        self._cancel()
        self.world.wakes += 1
        self.world.note("wake", self.port.name)
        self._obey(self.interpreter.exchange(self._news()))

    def _news(self) -> bytes:
        """Whoever slept hears of frames, whoever asked for something that it is done."""
        kind, value = self._command
        if kind == silicon.MODE:
            self.controller.begin(value)
        elif kind == silicon.CANCEL:
            self.controller.cancel(value)
        elif kind == silicon.RESTART:
            self.controller.restart(empty=bool(value))
        # Rounded up: the node must never think that its time has not come yet.
        now_us = -(-self.world.now_ns // US)
        frames_max = silicon.FRAMES_MAX if kind == silicon.WAIT else 0
        return self.controller.news(now_us, frames_max, self._data_bytes)

    def _obey(self, message: bytes) -> None:
        kind, self._data_bytes, records, unread, until_us, busy_us, value, watch, low = (
            struct.unpack_from(silicon.NODE_HEAD, message)
        )
        self._busy_until_ns = self.world.now_ns + busy_us * US
        self._command = kind, value
        if kind == silicon.FILTER:
            self._filter(message, records, first=bool(value))
        else:
            self._send_all(message, records)
        if kind == silicon.RESET:
            self._reset()
        elif kind != silicon.WAIT:
            self._wake_soon()
        else:
            self.controller.unread(unread)
            self._watch = watch
            self._sleep(until_us, value, low)

    def _sleep(self, until_us: int, rx_min: int, tx_low: int) -> None:
        self._rx_min, self._tx_low = rx_min, tx_low
        if until_us != silicon.NEVER:
            at_ns = max(until_us * US, self._busy_until_ns)
            self._timer = self.world.at(at_ns, self._woken, WAKES, self.index)
        if rx_min and len(self.controller.received) >= rx_min:
            self._wake_soon()
        elif self._drained():
            self._look_soon()

    def _reset(self) -> None:
        self.resets += 1
        self.world.note("reset", self.port.name)
        self._forget()
        self.interpreter.stop()
        self._wake = self.world.at(self._busy_until_ns, self._boot, WAKES, self.index)

    def _send_all(self, message: bytes, records: int) -> None:
        for i in range(records):
            at = silicon.NODE_HEAD_BYTES + i * (silicon.SENT_BYTES + self._data_bytes)
            after_us, can_id, index, flags, length = struct.unpack_from(silicon.SENT, message, at)
            at += silicon.SENT_BYTES
            frame = unpacked(can_id, flags, message[at : at + length])
            if not self.controller.promise(index):
                self._overfilled()
            self._queue_at(self.world.now_ns + after_us * US, index, frame)

    def _queue_at(self, at_ns: int, index: int, frame: Frame) -> None:
        lives = self._lives

        def queue() -> None:
            if lives == self._lives and not self.controller.fill(index, frame):
                self._overfilled()

        self.world.at(at_ns, queue)

    def _overfilled(self) -> NoReturn:
        raise NodeDied(f"{self.port.name} overfilled its transmit queue")

    def _filter(self, message: bytes, records: int, first: bool) -> None:
        size = silicon.SENT_BYTES + self._data_bytes
        at = silicon.NODE_HEAD_BYTES
        filters = [struct.unpack_from("<II", message, at + i * size) for i in range(records)]
        self.controller.filter(filters, first)
