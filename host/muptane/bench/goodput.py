"""How much of the wire's limit the device's ISO-TP and UDS reach, read off the frames on the bus.

The limit of some messages is the time that their frames would take back to back: first frame,
consecutive frames, flow control, with their exact bits; single frames and gaps are loss. `linked`
lets two emulated boards talk that have nothing of muptane but its link; `installed` follows a
whole update. Computing and flash are charged at the board's figures, and nothing else is.

It counts no frame that was not on the bus, and knows no number of a target.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from muptane.bench import chips, firmware, plan
from muptane.bench.can.frames import Frame, duration_ns
from muptane.bench.installs import WAYS, Install
from muptane.bench.plan import BusPlan, VehiclePlan
from muptane.bench.vehicle import Vehicle
from muptane.bench.world import S, World
from uptane import ids
from uptane.link.isotp import Channel
from uptane.port.board import Board
from uptane.traffic import Traffic
from uptane.uds.codes import (
    ADDRESS_FORMAT,
    POSITIVE,
    REQUEST_DOWNLOAD,
    REQUEST_TRANSFER_EXIT,
    TRANSFER_DATA,
)

SINGLE, FIRST, CONSECUTIVE, FLOW = range(4)  # the upper half of a frame's first byte
MESSAGE_BYTES = 4095  # the largest without an escape
MESSAGES = 4
PAUSE_MS = 5  # between two of them: as after a request, nobody is busy with the one before


class Trace:
    """A listener of muptane.bench.can.bus.Bus that keeps every frame, when its last bit passed,
    and how long it held the bus."""

    def __init__(self, bus: BusPlan) -> None:
        self._bus = bus
        self.frames: list[tuple[int, Frame, int]] = []

    def __call__(self, now_ns: int, sender: str, frame: Frame) -> None:
        took_ns = duration_ns(frame, self._bus.bitrate, self._bus.data_bitrate)
        self.frames.append((now_ns, frame, took_ns))

    def sent(self, can_id: int, back: int = 0) -> list[Message]:
        """The messages from whoever sends under `can_id`, in their order; the other way, flow
        control comes under `back`."""
        found: list[Message] = []
        for now_ns, frame, took_ns in self.frames:
            kind = frame.data[0] >> 4
            if frame.id == can_id and kind in (SINGLE, FIRST):
                payload = frame.data[1 if frame.data[0] and kind == SINGLE else 2 :]
                found.append(Message(payload, kind == SINGLE, now_ns - took_ns))
            of_it = frame.id == (back if kind == FLOW else can_id)
            if found and of_it and (kind == SINGLE) == found[-1].single:
                found[-1].end_ns = now_ns
                found[-1].wire_ns += took_ns
                found[-1].frames += 1
        return found


@dataclass
class Message:
    """A message: what its first frame holds, when that began and its last one had passed, and how
    long its frames, flow control included, held the bus."""

    head: bytes
    single: bool
    began_ns: int
    end_ns: int = 0
    wire_ns: int = 0
    frames: int = 0


@dataclass(frozen=True)
class Goodput:
    """`share` of the wire's limit; `frames` were counted, `seconds` went by."""

    share: float
    frames: int
    seconds: float


# --- the link alone ------------------------------------------------------------------------------


class Talker:
    """A board with a conversation and no update; it sends `messages` of MESSAGE_BYTES."""

    def __init__(self, board: Board, link: tuple[int, int], messages: int) -> None:
        self._clock = board.clock
        self._traffic = Traffic(board.can, board.clock)
        self._channel: Channel = self._traffic.open(*link, MESSAGE_BYTES)
        self._traffic.listen()
        self._messages = messages
        self._next_ms = 0

    def live(self) -> None:
        content = bytes(index * 89 & 0xFF for index in range(MESSAGE_BYTES))  # stuffs as code does
        while True:
            now = self._clock.ticks_ms()
            self._traffic.receive(now)
            if self._channel.message is not None:
                self._channel.taken()
            if not self._channel.idle():
                self._next_ms = now + PAUSE_MS
            elif self._messages and now >= self._next_ms:
                self._messages -= 1
                self._channel.send(content)
            self._traffic.transmit(now)
            due = [time for time in self._traffic.poll(now) if time is not None]
            if self._messages:
                due.append(max(self._next_ms, now + 1))
            self._clock.wait(min(due, default=now + 1000), self._traffic.frames)


class Link(Vehicle):
    """A vehicle whose ECUs are Talkers; the first sends to the second."""

    def chip(self, settings: dict[str, Any]) -> chips.Chip:
        first, second = self.plan.ecu[:2]
        link, messages = (second.request, second.response), MESSAGES
        if settings["name"] != first.name:
            link, messages = link[::-1], 0

        class Chip(chips.Chip):
            def ecu(self, built: Board) -> Any:
                return Talker(built, link, messages)

        return Chip(settings)


def linked(bus: BusPlan) -> Goodput:
    """Messages of MESSAGE_BYTES between two emulated boards, block size and STmin 0."""
    planned = sedan(bus)
    planned = planned.model_copy(update={"ecu": planned.ecu[:2]})
    trace = Trace(bus)
    with TemporaryDirectory(prefix="muptane-") as folder:
        vehicle = Link(planned, World(seed=planned.seed), Path(folder), "cpython")
        for ecu in vehicle.ecus.values():
            ecu.flash.touch()
        vehicle.bus.listeners.append(trace)
        with vehicle:
            vehicle.run(MESSAGES * MESSAGE_BYTES * 4e5 / bus.bitrate / 1e3 + 0.5)
    messages = trace.sent(planned.ecu[1].request, planned.ecu[1].response)
    if len(messages) != MESSAGES:
        raise LookupError(f"{len(messages)} of {MESSAGES} messages in the time allowed")
    return _share(messages, sum(one.end_ns - one.began_ns for one in messages))


# --- a whole update ------------------------------------------------------------------------------


class Update(Install):
    """An image to the sedan's gateway and on to its full Secondary, whose frames are kept."""

    def __init__(self, bus: BusPlan, images: tuple[bytes, bytes], board: str = "unix") -> None:
        super().__init__(WAYS[0], images, board)
        self.plan = self.plan.model_copy(update={"bus": bus})
        self.trace = Trace(bus)

    def _update(self, vehicle: Vehicle, office: Any) -> Any:
        vehicle.bus.listeners.append(self.trace)
        return super()._update(vehicle, office)

    def transfer(self, name: str) -> Goodput:
        """From the first TransferData to the last response to RequestTransferExit, of the image's
        way to that ECU, into an erased place."""
        ecu = next(ecu for ecu in self.plan.ecu if ecu.name == name)
        requests = self.trace.sent(ecu.request, ecu.response)
        opened = max(index for index, one in enumerate(requests) if _opens_image(one.head))
        blocks = []
        for request in requests[opened + 1 :]:
            if request.head[0] == REQUEST_TRANSFER_EXIT:
                break
            if request.head[0] == TRANSFER_DATA:
                blocks.append(request)
        done = next(
            response
            for response in self.trace.sent(ecu.response)
            if response.began_ns > blocks[-1].end_ns
            and response.head[0] == REQUEST_TRANSFER_EXIT + POSITIVE
        )
        return _share(blocks, done.end_ns - blocks[0].began_ns)


def _opens_image(head: bytes) -> bool:
    """Is it a RequestDownload of an image: its file's kind is the second byte of its number?"""
    return head[:3:2] == bytes((REQUEST_DOWNLOAD, ADDRESS_FORMAT)) and head[4] == ids.KIND_IMAGE


def sedan(bus: BusPlan) -> VehiclePlan:
    """The sedan, on that bus."""
    found = plan.load(firmware.ROOT / "vehicles" / "sedan.toml")
    return found.model_copy(update={"bus": bus})


def _share(messages: list[Message], took_ns: int) -> Goodput:
    wire_ns = sum(message.wire_ns for message in messages if not message.single)
    frames = sum(message.frames for message in messages)
    return Goodput(wire_ns / took_ns, frames, took_ns / S)
