"""A program on the bus: its connection, its controller, and the language it speaks.

The `Dialect` makes frames of what the program says and bytes of what it is told; the `Member` has
the controller of MAILBOXES transmit mailboxes. Who speaks a language without word of a frame's
leaving waits: its frames queue here, and while they do nobody reads its connection. A program that
does not read loses frames, never the bus its time; one that leaves may finish what it has queued.

It opens no socket and knows no language.
"""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING

from muptane.bench.can.bus import Bus
from muptane.bench.can.confinement import State
from muptane.bench.can.frames import Frame, fault_of
from muptane.bench.can.port import Port
from muptane.bench.world import S

if TYPE_CHECKING:
    from collections.abc import Callable

MAILBOXES = 3
WAITING_MAX = 16  # frames of a patient program that wait for a mailbox; then it is not read
LEAVE_NS = S  # N_As of ISO 15765-2: as long, what a program left behind may wait to be sent
BACKLOG_BYTES = 256 * 1024  # towards a program that does not read
READ_BYTES = 65536


class Broken(Exception):
    """A program broke the protocol; the message is for its author."""


class Dialect:
    """A language: what a program of it says, and how it is told things. `patient`: its frames wait
    for a mailbox; those of the others fail."""

    patient = True

    def __init__(self, member: Member) -> None:
        self.member = member

    def greet(self) -> None:
        """The program has connected."""

    def take(self, raw: bytes) -> None:
        """It said that. Broken."""
        raise NotImplementedError

    def frame(self, frame: Frame) -> bytes:
        """Somebody else's frame."""
        raise NotImplementedError

    def sent(self, frame: Frame, number: int) -> bytes:
        """Its own frame has left."""
        return b""

    def failed(self, frame: Frame, number: int, why: str) -> bytes:
        """Its own frame never will."""
        return b""

    def lost(self, frames: int) -> bytes:
        """So many frames were not told, because it did not read."""
        return b""

    def error(self, frame: Frame) -> bytes:
        """A frame was destroyed on the bus."""
        return b""

    def state(self, state: State, tec: int, rec: int) -> bytes:
        """Its own controller is in another error state."""
        return b""

    def refusal(self, why: str) -> bytes:
        """It broke the protocol, and is put out."""
        return b""


class Member:
    """One program. `clock` says what time it is in the world, `title` what the bus is called."""

    def __init__(
        self,
        bus: Bus,
        connection: socket.socket,
        speaks: Callable[[Member], Dialect],
        clock: Callable[[], int],
        title: str,
    ) -> None:
        self.bus = bus
        self.connection = connection
        self.title = title
        self.port: Port | None = None
        self.gone = False
        self.backlog = bytearray()
        self._clock = clock
        self._numbers: list[tuple[Frame, int]] = []
        self._waiting: deque[tuple[Frame, int]] = deque()
        self._coming = 0  # frames on their way to the port
        self._lost = 0
        self._leaves_at_ns: int | None = None
        self._dialect = speaks(self)
        self._dialect.greet()

    # --- what it says ------------------------------------------------------------------------

    def listened_to(self) -> bool:
        """Whether its connection is to be read now."""
        return len(self._waiting) + self._coming < WAITING_MAX or not self._dialect.patient

    def hear(self) -> None:
        """Its connection has something for us."""
        try:
            raw = self.connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            raw = b""
        if not raw:
            self.gone = True
            return
        try:
            self._dialect.take(raw)
        except Broken as why:
            self.put_out(str(why))

    def join(self, name: str) -> None:
        """Give it a controller, which lets everything in."""
        self.port = self.bus.port(name or "unnamed", MAILBOXES)
        self.port.on_frame = self._frame
        self.port.on_sent = self._sent
        self.port.on_state = self._state
        self.bus.error_listeners.append(self._error)
        self.filter([(0, 0)])

    def filter(self, filters: list[tuple[int, int]]) -> None:
        if self.port is not None:
            self.port.filters = filters
            self.bus.filters_changed()

    def send(self, frame: Frame, number: int = 0) -> None:
        """The program wants to send that, now. Broken."""
        why = fault_of(frame)
        if frame.fd and not self.bus.data_bitrate:
            why = "the bus is classic CAN, and knows no FD frames"
        if why:
            raise Broken(why)
        self._coming += 1
        self.bus.world.at(self._clock(), lambda: self._send(frame, number))

    def _send(self, frame: Frame, number: int) -> None:
        self._coming -= 1
        if self.port is None:
            return
        if self._dialect.patient:
            self._waiting.append((frame, number))
            self._feed()
        elif not self.port.send(frame):
            why = f"all {MAILBOXES} mailboxes are full: wait for SENT before the next frame"
            self.say(self._dialect.failed(frame, number, why))
        else:
            self._numbers.append((frame, number))

    def _feed(self) -> None:
        """Let those that wait have the mailboxes that are free."""
        while self._waiting and self.port is not None and self.port.send(self._waiting[0][0]):
            self._numbers.append(self._waiting.popleft())

    # --- what it is told ---------------------------------------------------------------------

    def time_ns(self) -> int:
        """Nanoseconds since 1970, as the clocks of this world show them."""
        return self.bus.world.epoch_s * S + self.bus.world.now_ns

    def _frame(self, frame: Frame) -> None:
        if len(self.backlog) > BACKLOG_BYTES:
            self._lost += 1
            return
        if self._lost:
            self.say(self._dialect.lost(self._lost))
            self._lost = 0
        self.say(self._dialect.frame(frame))

    def _sent(self, frame: Frame) -> None:
        at = next(at for at, (one, _) in enumerate(self._numbers) if one == frame)
        _, number = self._numbers.pop(at)
        self.say(self._dialect.sent(frame, number))
        self._feed()

    def _error(self, now_ns: int, sender: str, frame: Frame) -> None:
        if len(self.backlog) <= BACKLOG_BYTES:
            self.say(self._dialect.error(frame))

    def _state(self, state: State) -> None:
        if self.port is not None:
            self.say(self._dialect.state(state, self.port.counts.tec, self.port.counts.rec))

    def say(self, raw: bytes) -> None:
        """Write to its connection, now or when it takes it."""
        if not raw:
            return
        self.backlog += raw
        self.flush()
        if len(self.backlog) > 2 * BACKLOG_BYTES:  # it sends, and never reads what came of it
            self.backlog.clear()
            self.gone = True

    def flush(self) -> None:
        """Give its connection what it takes now."""
        try:
            while self.backlog:
                del self.backlog[: self.connection.send(self.backlog)]
        except BlockingIOError:
            pass
        except OSError:
            self.backlog.clear()
            self.gone = True

    # --- the end -----------------------------------------------------------------------------

    def put_out(self, why: str) -> None:
        self.say(self._dialect.refusal(why))
        self.gone = True

    def leave(self) -> bool:
        """The connection is over: end it when nothing of it waits, or LEAVE_NS later; says whether
        it has ended."""
        now_ns = self._clock()
        if self._leaves_at_ns is None:
            self._leaves_at_ns = now_ns + LEAVE_NS
        waits = self.port is not None and bool(self.port.queue or self._coming or self._waiting)
        if waits and now_ns < self._leaves_at_ns:
            return False
        self.close()
        return True

    def close(self) -> None:
        """End it now; what it had queued is lost."""
        if self.port is not None:
            self.bus.error_listeners.remove(self._error)
            self.bus.leave(self.port)
            self.port = None
        self.connection.close()
