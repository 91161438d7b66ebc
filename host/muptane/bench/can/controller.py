"""The world's side of an ECU's CAN controller: transmit buffers, received frames, modes, states.

A frame goes into a numbered transmit buffer and from there to the bus by its priority; what is
received waits for the ECU, as much as there is room for. The ECU is told by numbers what
boards/unix/silicon.py describes; which interface it sees (machine.CAN, pyb.CAN) is its own matter.

It does not model: a frame on the wire that is taken back and then fails (it is sent again).
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable

from boards.unix import silicon
from muptane.bench.can.confinement import State
from muptane.bench.can.frames import Frame, duration_ns
from muptane.bench.can.port import Port

NORMAL, SLEEP, LOOPBACK, SILENT, SILENT_LOOPBACK = range(5)  # machine.CAN.MODE_...
COUNT_MAX = 0xFF  # of the times that a state was entered


class Controller:
    """`rx_queue`: how many received frames it keeps. Whoever owns it sets what is to happen when
    a frame was received, one has left, or its state became worse."""

    def __init__(self, port: Port, rx_queue: int) -> None:
        self.port = port
        self.rx_queue = rx_queue
        self.overruns = 0
        self.received: deque[Frame] = deque()
        self.on_received: Callable[[], None] = lambda: None
        self.on_left: Callable[[], None] = lambda: None
        self.on_worse: Callable[[], None] = lambda: None
        self._handed: list[Frame] = []  # by the last news
        self._faults = 0  # FRAME_FULL, FRAME_OVERRUN, not yet told
        self._buffers: list[tuple[int, Frame]] = []  # in the order in which they were filled
        self._promised: set[int] = set()  # buffers that the ECU fills later in its slice
        self._given_up = 0
        self._entered: dict[State, int] = {}
        self._mode = NORMAL
        self._state = State.ACTIVE
        self._looped_ns = 0
        port.recovers = False
        port.on_frame = self._arrived
        port.on_sent = self._left
        port.on_state = self._changed

    # --- power and modes ---------------------------------------------------------------------

    def off(self) -> None:
        """No power: what it had still to send is gone."""
        self.port.cut()
        self.port.switch(on=False)
        self._buffers.clear()
        self._promised.clear()

    def begin(self, mode: int = NORMAL) -> None:
        """From reset, in machine.CAN.MODE_..., or silicon.STOPPED: it knows nothing any more."""
        self.off()
        self.forget()
        self._mode = mode
        self._state = State.ACTIVE
        self._entered.clear()
        self._given_up = self._faults = 0
        self.port.silent = mode in (SLEEP, SILENT)
        self.port.loops = mode == LOOPBACK
        if mode <= SILENT:
            self.port.switch(on=True)

    def forget(self) -> None:
        """Nothing is received any more, and what was is gone."""
        self.received.clear()
        self._handed.clear()
        self.filter([])
        self.port.filters = None

    # --- what its owner does -----------------------------------------------------------------

    def filter(self, filters: list[tuple[int, int]], first: bool = True) -> None:
        """Let these in, too; alone, if they are the first."""
        self.port.filters = filters if first else (self.port.filters or []) + filters
        self.port.bus.filters_changed()

    def promise(self, index: int) -> bool:
        """That buffer will be filled; False: it is not free."""
        if index in self.unsent():
            return False
        self._promised.add(index)
        return True

    def fill(self, index: int, frame: Frame) -> bool:
        """Now it is; False: the controller has no such buffer."""
        self._promised.discard(index)
        self._buffers.append((index, frame))
        if self._mode == SILENT_LOOPBACK:
            world = self.port.bus.world
            took_ns = duration_ns(frame, self.port.bus.bitrate, self.port.bus.data_bitrate)
            self._looped_ns = max(world.now_ns, self._looped_ns) + took_ns
            world.at(self._looped_ns, lambda: self._left(frame))
            return True
        return self.port.silent or self.port.send(frame)

    def unsent(self) -> set[int]:
        """The buffers that are not free."""
        return self._promised.union(index for index, _ in self._buffers)

    def cancel(self, index: int) -> None:
        """Take that buffer's frame back, unless it is on the wire."""
        for at, (held, frame) in enumerate(self._buffers):
            if held != index:
                continue
            first = all(other != frame for _, other in self._buffers[:at])
            if not (first and self.port.bus.carries(self.port) == frame):
                del self._buffers[at]
                self.port.withdraw(frame)
                self._given_up |= 1 << index
            return

    def restart(self, empty: bool = True) -> None:
        """Come back from bus-off; `empty`: what waits to be sent is gone."""
        if empty:
            for _, frame in self._buffers:
                if self.port.bus.carries(self.port) != frame:
                    self.port.withdraw(frame)
            self._buffers.clear()
        self._entered.clear()
        self.port.restart()

    # --- what the bus does -------------------------------------------------------------------

    def _arrived(self, frame: Frame) -> None:
        if len(self.received) >= self.rx_queue:
            self.overruns += 1
            self._faults |= silicon.FRAME_OVERRUN
            return
        self.received.append(frame)
        if len(self.received) == self.rx_queue:
            self._faults |= silicon.FRAME_FULL
        self.on_received()

    def _left(self, frame: Frame) -> None:
        for held in self._buffers:
            if held[1] == frame:
                self._buffers.remove(held)
                break
        if self._mode in (LOOPBACK, SILENT_LOOPBACK) and self.port.lets_in(frame.id):
            self._arrived(frame)
        self.on_left()

    def _changed(self, state: State) -> None:
        worse = state.value > self._state.value
        self._state = state
        if worse:
            self._entered[state] = (self._entered.get(state, 0) + 1) & COUNT_MAX
            self.on_worse()

    # --- what it tells -----------------------------------------------------------------------

    def unread(self, frames: int) -> None:
        """So many of the frames told last were not taken, and come again."""
        if frames:
            self.received.extendleft(reversed(self._handed[-frames:]))
        self._handed = []

    def news(self, now_us: int, frames_max: int, data_bytes: int) -> bytes:
        """A message to the ECU, with so many frames at most."""
        count = min(len(self.received), frames_max)
        if frames_max:
            self._handed = [self.received.popleft() for _ in range(count)]
        counts = self.port.counts
        entered = [self._entered.get(state, 0) for state in list(State)[1:]]
        masks = sum(1 << index for index in self.unsent()), self._given_up
        told = (self._state.value, *masks, counts.tec, counts.rec, *entered, self.overruns)
        self._given_up = 0
        message = struct.pack(silicon.WORLD_HEAD, now_us, count, data_bytes, *told)
        for frame in self._handed[:count]:
            message += packed(frame, self._faults, data_bytes)
            self._faults = 0
        return message


def packed(frame: Frame, faults: int, data_bytes: int) -> bytes:
    """A received frame, as the ECU is told it."""
    flags = (
        faults | (silicon.FRAME_FD if frame.fd else 0) | (silicon.FRAME_FAST if frame.brs else 0)
    )
    length = len(frame.data)
    if frame.remote is not None:
        flags |= silicon.FRAME_REMOTE
        length = frame.remote
    head = struct.pack(silicon.RECEIVED, frame.id, flags, length)
    return head + frame.data.ljust(data_bytes, b"\0")


def unpacked(can_id: int, flags: int, data: bytes) -> Frame:
    """A frame that the ECU sends."""
    if flags & silicon.FRAME_REMOTE:
        return Frame(can_id, remote=len(data))
    fd, fast = bool(flags & silicon.FRAME_FD), bool(flags & silicon.FRAME_FAST)
    return Frame(can_id, data, fd, fast)
