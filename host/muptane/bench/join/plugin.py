"""The virtual bus as an interface of python-can: `can.Bus(interface="muptane", channel=...)`.

`MuptaneBus` joins a bus that `muptane vehicle run` holds open (channel "127.0.0.1:PORT" or
"unix:PATH"), so every tool that is built on python-can can. A send takes one of the three
mailboxes that a controller has and waits for one while all are taken, so a tool is never further
ahead of the wire than three frames. Timestamps are bus time; the bus says its own bit rate.

FD frames pass on a bus that is CAN FD (`bus.data_bitrate`). Error frames come in when they are
asked for, and `state` is that of the program's own controller; neither can be sent or set. It has
no `fileno`: frames that are read while a send waits would not make a descriptor readable, so a
Notifier takes a thread.
"""

from __future__ import annotations

import select
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Condition
from time import monotonic
from typing import TypedDict, Unpack

import can

from muptane.bench.can.frames import fault_of
from muptane.bench.join import wire
from muptane.bench.join.messages import error_message, frame_of, message_of, pair_of
from muptane.bench.join.wire import Record

READ_BYTES = 65536
SEND_TIMEOUT_S = 1.0  # N_As of ISO 15765-2
# By the number of a STATE record; python-can knows three.
STATES = {
    1: can.BusState.ACTIVE,
    2: can.BusState.ACTIVE,
    3: can.BusState.PASSIVE,
    4: can.BusState.ERROR,
}


class Options(TypedDict, total=False):
    """What python-can may be given for this interface, besides channel and filters."""

    name: str  # what the bus calls this program
    send_timeout_s: float  # how long a send waits for a mailbox if it does not say
    receive_own_messages: bool  # hear a frame of one's own when it has left
    receive_errors: bool  # hear of every frame that was destroyed on the bus
    bitrate: int  # must be that of the bus
    data_bitrate: int  # must be that of the bus
    fd: bool  # the bus must be CAN FD


class MuptaneBus(can.BusABC):
    """One program's controller on the virtual bus. One thread may send and another receive.
    CanInitializationError when the bus cannot be joined."""

    def __init__(
        self,
        channel: str,
        can_filters: can.typechecking.CanFilters | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._is_shutdown = True  # until there is something to shut down
        self._channel = channel
        self._send_timeout_s = options.get("send_timeout_s", SEND_TIMEOUT_S)
        self._own = options.get("receive_own_messages", False)
        self._errors = options.get("receive_errors", False)
        self._stream = wire.Stream()
        self._changed = Condition()
        self._reading = False
        self._ended = ""  # why there will be no more records
        self._inbox: deque[can.Message] = deque()
        self._mailboxes: dict[int, can.Message] = {}
        self._failed: dict[int, str] = {}
        self._number = 0
        self._depth = 0
        self.lost = 0  # frames that came while nobody read, and are gone
        self.tec = self.rec = 0  # error counters of the program's controller, at its last change
        self._state = can.BusState.ACTIVE
        self._socket = self._connect(options.get("name", "python-can"))
        self._welcome(options)
        self._is_shutdown = False
        fd = self.data_bitrate > 0
        self._can_protocol = can.CanProtocol.CAN_FD if fd else can.CanProtocol.CAN_20
        super().__init__(channel, can_filters=can_filters)

    # --- joining and leaving -----------------------------------------------------------------

    def _connect(self, name: str) -> socket.socket:
        try:
            family, address = wire.address(self._channel)
        except ValueError as error:
            raise can.CanInitializationError(str(error)) from error
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._send_timeout_s)
            connection.connect(address)
            if family == socket.AF_INET:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            hello = wire.MAGIC + name.encode()[: wire.DATA_BYTES_MAX - len(wire.MAGIC)]
            connection.sendall(Record(wire.HELLO, data=hello).packed())
        except OSError as error:
            connection.close()
            raise can.CanInitializationError(
                f"no bus at {self._channel} ({error.strerror or error}): is `muptane vehicle run` "
                "running, and is that the channel it printed?"
            ) from error
        return connection

    def _welcome(self, options: Options) -> None:
        """Wait for WELCOME and learn from it."""
        self.bitrate = self.data_bitrate = 0
        if not self._until(lambda: self._depth > 0 or bool(self._ended), self._send_timeout_s):
            self._ended = "it did not say WELCOME; something else listens there"
        why = self._ended or self._unlike(options)
        if why:
            self._socket.close()
            raise can.CanInitializationError(f"the bus at {self._channel} cannot be joined: {why}")

    def _unlike(self, options: Options) -> str:
        """In what the bus is not as it was asked for."""
        for name, has in (("bitrate", self.bitrate), ("data_bitrate", self.data_bitrate)):
            asked = options.get(name)
            if asked not in (None, has):
                return f"its {name} is {has} bit/s, not {asked}: leave it out"
        if options.get("fd") and not self.data_bitrate:
            return "it is classic CAN and knows no FD frames: leave fd=True out"
        return ""

    def shutdown(self) -> None:
        """Wait until what was sent has left, and leave the bus."""
        super().shutdown()
        if self._socket.fileno() >= 0:
            self._until(lambda: not self._mailboxes or bool(self._ended), self._send_timeout_s)
            with self._changed:
                self._ended = self._ended or "the interface was shut down"
                self._changed.notify_all()
            with suppress(OSError):  # wakes whoever reads
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    # --- sending -----------------------------------------------------------------------------

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        """Put a frame into a mailbox; wait for one while all are taken, `timeout` seconds at most
        (0: not at all). CanOperationError says why a frame is not sent."""
        if msg.is_error_frame:
            raise can.CanOperationError(
                "an error frame cannot be sent: `muptane` has noise for it"
            )
        if msg.is_fd and not self.data_bitrate:
            raise can.CanOperationError("an FD frame cannot be sent: this bus is classic CAN")
        if why := fault_of(frame_of(msg)):
            raise can.CanOperationError(f"the frame cannot be sent: {why}")
        wait_s = self._send_timeout_s if timeout is None else timeout
        if not self._until(lambda: self._put(msg), wait_s):
            raise can.CanOperationError(
                f"frame {msg.arbitration_id:X} was not sent: all {self._depth} mailboxes have "
                f"been full for {wait_s} s. Frames of lower identifiers hold the bus, or the "
                "vehicle stands still; look at the bus load, send less, or give send() a longer "
                "timeout"
            )

    def _put(self, msg: can.Message) -> bool:
        """Give the bus a frame if a mailbox is free; says whether it was. Holds the lock."""
        what = f"frame {msg.arbitration_id:X} was not sent"
        if self._ended:
            raise can.CanOperationError(f"{what}: {self._ended}; join the bus again")
        if self._failed:
            number, why = self._failed.popitem()
            raise can.CanOperationError(f"{what}, and an earlier one ({number}) failed: {why}")
        if len(self._mailboxes) >= self._depth:
            return False
        self._number = (self._number + 1) & 0xFFFF
        self._mailboxes[self._number] = msg
        self._write(wire.carrying(wire.SEND, frame_of(msg), self._number))
        return True

    def flush_tx_buffer(self) -> None:
        """Wait until what was sent has left."""
        self._until(lambda: not self._mailboxes or bool(self._ended), self._send_timeout_s)

    def _write(self, record: Record) -> None:
        try:
            self._socket.sendall(record.packed())
        except OSError as error:
            why = f"the bus at {self._channel} has gone ({error.strerror or error})"
            raise can.CanOperationError(f"{why}: is the vehicle still running?") from error

    # --- receiving ---------------------------------------------------------------------------

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        self._until(lambda: bool(self._inbox) or bool(self._ended), timeout)
        with self._changed:
            if self._inbox:
                return self._inbox.popleft(), False  # it may have come before the filters did
            if self._ended:
                raise can.CanOperationError(f"{self._ended}; join the bus again")
        return None, False

    def _apply_filters(self, filters: can.typechecking.CanFilters | None) -> None:
        """Let the bus hold back what the filters do; what they let in is looked at again here."""
        pairs = [(0, 0)]
        if filters and len(filters) <= wire.FILTERS_MAX:
            pairs = [pair_of(one) for one in filters]
        data = b"".join(struct.pack(wire.FILTER_PAIR, *pair) for pair in pairs)
        self._write(Record(wire.FILTER, data=data))

    # --- the connection ----------------------------------------------------------------------

    def _until(self, reached: Callable[[], bool], timeout_s: float | None) -> bool:
        """Read records until `reached()`, or time is up; returns which. Of several threads that
        wait, one reads for all."""
        end = None if timeout_s is None else monotonic() + timeout_s
        with self._changed:
            while not reached():
                left = None if end is None else max(end - monotonic(), 0.0)
                if not self._reading:
                    self._read(left)
                elif left != 0:
                    self._changed.wait(left)
                if left == 0:
                    return reached()
            return True

    def _read(self, timeout_s: float | None) -> None:
        """Wait for bytes, without holding the lock, and take them."""
        self._reading = True
        self._changed.release()
        raw: bytes | None = None
        try:
            if select.select([self._socket], [], [], timeout_s)[0]:
                raw = self._socket.recv(READ_BYTES)
        except (OSError, ValueError):  # closed by another thread
            raw = b""
        finally:
            self._changed.acquire()
            self._reading = False
        if raw is not None:
            self._take(raw)
        self._changed.notify_all()

    def _take(self, raw: bytes) -> None:
        if not raw:
            self._ended = self._ended or f"the bus at {self._channel} was closed"
        for record in self._stream.feed(raw):
            if record.kind == wire.FRAME:
                message = message_of(record.frame(), record.time_ns, self._channel)
                self._inbox.append(message)
            elif record.kind == wire.SENT:
                sent = self._mailboxes.pop(record.number, None)
                if sent is not None and self._own:
                    own = message_of(frame_of(sent), record.time_ns, self._channel)
                    own.is_rx = False
                    self._inbox.append(own)
            elif record.kind == wire.FAILED:
                self._mailboxes.pop(record.number, None)
                self._failed[record.number] = record.data.decode("utf-8", "replace")
            elif record.kind == wire.LOST:
                self.lost += record.number
            elif record.kind == wire.ERROR and self._errors:
                self._inbox.append(error_message(record.time_ns, self._channel))
            elif record.kind == wire.STATE:
                self._state = STATES[record.number]
                self.tec, self.rec = record.id >> 16, record.id & 0xFFFF
            elif record.kind == wire.WELCOME:
                self._learn(record)
            elif record.kind == wire.REFUSED:
                self._ended = record.data.decode("utf-8", "replace")

    def _learn(self, record: Record) -> None:
        """What WELCOME says of the bus."""
        self._depth, self.bitrate = record.number, record.id
        (self.data_bitrate,) = struct.unpack_from(wire.RATE, record.data)
        name = record.data[wire.RATE_BYTES :].decode("utf-8", "replace")
        fd = f", FD {self.data_bitrate}" if self.data_bitrate else ""
        self.channel_info = f"muptane {self._channel}: {name}, {self.bitrate} bit/s{fd}"

    @property
    def state(self) -> can.BusState:
        """Of this program's controller: ACTIVE, PASSIVE, or ERROR while it is off the bus."""
        return self._state

    @state.setter
    def state(self, new_state: can.BusState) -> None:
        raise NotImplementedError("the state of a controller is what its errors made of it")
