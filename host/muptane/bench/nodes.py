"""The world's side of an ECU: wakes it, hands it what arrived, takes what it sends.

An ECU's interpreter answers one message with one message (boards/unix/silicon.py has the format),
in lock-step: virtual time stands still while it computes and then moves by what it says computing
cost. A `Node` keeps what is on its way to it, knows what it sleeps for, and starts it anew after a
reset. It does not know what an ECU does, nor which interpreter runs it.
"""

from __future__ import annotations

import struct
from collections import deque

from boards.unix import silicon
from muptane.bench.can.frames import Frame
from muptane.bench.can.port import Port
from muptane.bench.interpreters import Interpreter, NodeDied
from muptane.bench.world import US, WAKES, Event, World


class Node:
    """The world's side of one ECU."""

    def __init__(
        self, world: World, index: int, port: Port, interpreter: Interpreter, rx_queue: int = 32
    ) -> None:
        self.world = world
        self.index = index
        self.port = port
        self.interpreter = interpreter
        self.rx_queue = rx_queue
        self.boot_ns = 0
        self.resets = 0
        self.overruns = 0
        self.powered = False
        self._received: deque[Frame] = deque()
        self._unqueued = 0  # frames that the node will have sent by the end of its slice
        self._power_cuts = 0
        self._busy_until_ns = 0
        self._rx_min = 0
        self._tx_low = silicon.NOT_SENDING
        self._timer: Event | None = None
        self._wake: Event | None = None
        port.on_frame = self._arrived
        port.on_sent = self._left
        port.switch(on=False)

    # --- power -------------------------------------------------------------------------------

    def power_on(self) -> None:
        """Start the interpreter; it lives from now on."""
        self.powered = True
        self._begin_life()

    def power_off(self) -> None:
        """Now: what is queued is lost, the frame on the wire broken; the flash keeps its file."""
        self.powered = False
        self._power_cuts += 1
        self._unqueued = self._busy_until_ns = 0
        self._forget()
        self._silence()
        self.interpreter.stop()

    def _boot(self) -> None:
        """The reset happens: the controller forgets what it had still to send."""
        self._silence()
        at_ns = self.world.now_ns + self.boot_ns
        self._wake = self.world.at(at_ns, self._begin_life, WAKES, self.index)

    def _silence(self) -> None:
        self.port.cut()
        self.port.switch(on=False)

    def _begin_life(self) -> None:
        self._forget()
        self.port.switch(on=True)  # a board makes its controller before anything else
        self.world.note("boot", self.port.name)
        self._obey(self.interpreter.start())

    def _forget(self) -> None:
        self._received.clear()
        self.port.filters = None
        self.port.bus.filters_changed()
        self._cancel()

    def _cancel(self) -> None:
        for event in (self._timer, self._wake):
            if event is not None:
                event.cancel()
        self._timer = self._wake = None

    # --- what the bus does to it -------------------------------------------------------------

    def _arrived(self, frame: Frame) -> None:
        if not self.powered:
            return
        if len(self._received) >= self.rx_queue:
            self.overruns += 1
            return
        self._received.append(frame)
        if self._rx_min and len(self._received) >= self._rx_min:
            self._wake_soon()

    def _left(self, frame: Frame) -> None:
        if self.powered and self._drained():
            self._wake_soon()

    def _drained(self) -> bool:
        """The node waits for its transmit slots, and they are nearly empty."""
        if self._tx_low == silicon.NOT_SENDING:
            return False
        return len(self.port.queue) + self._unqueued <= self._tx_low

    # --- lock-step ---------------------------------------------------------------------------

    def _wake_soon(self) -> None:
        if self._wake is None:
            at_ns = max(self.world.now_ns, self._busy_until_ns)
            self._wake = self.world.at(at_ns, self._woken, WAKES, self.index)

    def _woken(self) -> None:
        self._cancel()
        self.world.wakes += 1
        self.world.note("wake", self.port.name)
        self._obey(self.interpreter.exchange(self._news()))

    def _news(self) -> bytes:
        frames = [
            self._received.popleft() for _ in range(min(len(self._received), silicon.FRAMES_MAX))
        ]
        # Rounded up: the node must never think that its time has not come yet.
        now_us = -(-self.world.now_ns // US)
        free = self.port.queue_frames - len(self.port.queue)
        head = struct.pack(silicon.WORLD_HEAD, now_us, len(frames), free, 0, self.overruns)
        return head + b"".join(
            struct.pack(silicon.RECEIVED, frame.id, len(frame.data), frame.data)
            for frame in frames
        )

    def _obey(self, message: bytes) -> None:
        kind, _, records, until_us, busy_us, rx_min, tx_low = struct.unpack_from(
            silicon.NODE_HEAD, message
        )
        self._busy_until_ns = self.world.now_ns + busy_us * US
        if kind == silicon.FILTER:
            self._filter(message, records)
            self._wake_soon()
            return
        for i in range(records):
            self._send(message, silicon.NODE_HEAD_BYTES + i * silicon.SENT_BYTES)
        if kind == silicon.RESET:
            self.resets += 1
            self.world.note("reset", self.port.name)
            self._forget()
            self.interpreter.stop()
            self._wake = self.world.at(self._busy_until_ns, self._boot, WAKES, self.index)
            return
        self._rx_min, self._tx_low = rx_min, tx_low
        if until_us != silicon.NEVER:
            at_ns = max(until_us * US, self._busy_until_ns)
            self._timer = self.world.at(at_ns, self._woken, WAKES, self.index)
        if (rx_min and len(self._received) >= rx_min) or self._drained():
            self._wake_soon()

    def _send(self, message: bytes, at: int) -> None:
        after_us, can_id, length, data = struct.unpack_from(silicon.SENT, message, at)
        frame = Frame(can_id, data[:length])
        self._unqueued += 1
        power_cuts = self._power_cuts
        self.world.at(self.world.now_ns + after_us * US, lambda: self._queue(frame, power_cuts))

    def _queue(self, frame: Frame, power_cuts: int) -> None:
        if power_cuts != self._power_cuts:
            return
        self._unqueued -= 1
        if not self.port.send(frame):
            raise NodeDied(f"{self.port.name} overfilled its transmit queue")

    def _filter(self, message: bytes, records: int) -> None:
        at = silicon.NODE_HEAD_BYTES
        self.port.filters = [
            struct.unpack_from("<II", message, at + i * silicon.SENT_BYTES) for i in range(records)
        ]
        self.port.bus.filters_changed()
