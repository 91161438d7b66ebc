"""Listening on a vehicle's bus: frames to messages, messages to exchanges, exchanges to files.

Written from ISO 15765-2 and ISO 14229-1 alone, so that what the device says is not understood by
the device's own code. The bus loses nothing here: what does not fit together is an error. Not a
test file.
"""

from dataclasses import dataclass
from typing import Any

SINGLE, FIRST, CONSECUTIVE, FLOW = range(4)
PENDING = 0x78
NEGATIVE = 0x7F
DOWNLOAD, UPLOAD, DATA, EXIT = 0x34, 0x35, 0x36, 0x37
UNANSWERED = bytes((0x3E, 0x80))
PLAIN, FORMATS = 0x00, 0x46
FILE_BYTES = 6


class Message:
    """The message that the frames of one CAN identifier make up."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._length = 0
        self._next = 0

    def feed(self, data: bytes) -> bytes | None:
        """Take one frame; returns the message that it completes."""
        kind, low = data[0] >> 4, data[0] & 0x0F
        if kind == FLOW:
            return None
        assert kind in (SINGLE, FIRST, CONSECUTIVE)
        if kind == SINGLE:
            assert 1 <= low <= 7
            return bytes(data[1 : 1 + low])
        if kind == FIRST:
            self._length = low << 8 | data[1]
            self._bytes = bytearray(data[2:])
            self._next = 1
            return None
        assert low == self._next
        self._next = (self._next + 1) % 16
        self._bytes += data[1:]
        if len(self._bytes) < self._length:
            return None
        return bytes(self._bytes[: self._length])


@dataclass(frozen=True)
class Exchange:
    """A request and its final response. `ecu` is who answered."""

    ecu: str
    request: bytes
    response: bytes


@dataclass(frozen=True)
class File:
    """A file that passed: to an ECU (0x34) or from it (0x35)."""

    ecu: str
    service: int
    number: bytes
    content: bytes


class Tap:
    """Everything that was said to and by the ECUs of `plan`, from when it was attached on."""

    def __init__(self, plan: Any) -> None:
        self.exchanges: list[Exchange] = []
        self.files: list[File] = []
        self.pendings = 0
        self._messages: dict[int, Message] = {}
        self._requests: dict[str, bytes] = {}
        self._open: dict[str, tuple[int, bytes, int]] = {}
        self._content: dict[str, bytearray] = {}
        self._speakers = {
            can_id: (ecu.name, can_id == ecu.request)
            for ecu in plan.ecu
            for can_id in (ecu.request, ecu.response)
        }

    def hear(self, now_ns: int, sender: str, frame: Any) -> None:
        """A listener of muptane.bench.can.bus.Bus."""
        if frame.id not in self._speakers:
            return
        message = self._messages.setdefault(frame.id, Message()).feed(frame.data)
        if message is None or message == UNANSWERED:
            return
        ecu, is_request = self._speakers[frame.id]
        if is_request:
            self._requests[ecu] = message
        elif message[0] == NEGATIVE and message[2] == PENDING:
            self.pendings += 1
        else:
            self._exchanged(Exchange(ecu, self._requests.pop(ecu), message))

    def _exchanged(self, done: Exchange) -> None:
        self.exchanges.append(done)
        service = done.request[0]
        if done.response[0] != service + 0x40:
            return
        if service in (DOWNLOAD, UPLOAD):
            assert done.request[1:3] == bytes((PLAIN, FORMATS))
            number, size = done.request[3 : 3 + FILE_BYTES], done.request[3 + FILE_BYTES :]
            self._open[done.ecu] = service, number, int.from_bytes(size, "big")
            self._content[done.ecu] = bytearray()
        elif service == DATA:
            sent = done.request if self._open[done.ecu][0] == DOWNLOAD else done.response
            self._content[done.ecu] += sent[2:]
        elif service == EXIT:
            opened, number, size = self._open.pop(done.ecu)
            content = bytes(self._content.pop(done.ecu))
            assert len(content) == size
            self.files.append(File(done.ecu, opened, number, content))
