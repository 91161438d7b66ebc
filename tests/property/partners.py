"""Our ISO-TP and can-isotp on a line of their own, by the wall clock. Not a test file.

One thread steps both ends in turn; a frame takes the delay of the line, keeps its order and may be
lost. Each end is asked the same few things: `send`, `step`, `idle`, and what it has `received`.
"""

from collections import deque
from dataclasses import dataclass, field
from time import perf_counter_ns

import isotp

from uptane.errors import Refusal
from uptane.link.isotp import Channel
from uptane.link.sending import gap_us

ROOM_BYTES = 70_000
THEIR_TIMEOUT_MS = 400
OUR_BYTE, THEIR_BYTE = 0x55, 0xAA  # of extended addressing
EXTENSION = 0x99  # of mixed addressing
LIMIT_S = 8.0


@dataclass(frozen=True)
class Habits:
    """How an end sends and what it announces: bytes of its longest frame, block size, STmin as on
    the wire."""

    frame_bytes: int
    block_size: int
    st_min: int


@dataclass
class Way:
    """One direction of the line: when each frame was put on it, and what it holds."""

    delay_ns: int
    lost: int = -1  # the index of a frame that never arrives
    log: list[tuple[int, bytes]] = field(default_factory=list)
    held: deque[tuple[int, bytes]] = field(default_factory=deque)

    def put(self, now_ns: int, data: bytes) -> None:
        if len(self.log) != self.lost:
            self.held.append((now_ns + self.delay_ns, data))
        self.log.append((now_ns, data))

    def take(self, now_ns: int) -> bytes | None:
        return self.held.popleft()[1] if self.held and self.held[0][0] <= now_ns else None


class Ours:
    """The device's channel; `refusals` holds what it raised."""

    def __init__(self, mode: isotp.AddressingMode, habits: Habits, out: Way, inward: Way) -> None:
        target, own = heads(mode)
        self.channel = Channel(ROOM_BYTES, habits.frame_bytes, target, own)
        self.channel.block_size, self.channel.st_min = habits.block_size, habits.st_min
        self.received: list[bytes] = []
        self.refusals: list[Refusal] = []
        self._out, self._in = out, inward

    def send(self, message: bytes) -> None:
        self.channel.send(message)

    def idle(self) -> bool:
        return self.channel.idle() and self.channel.due_ms() is None

    def step(self, now_ns: int) -> None:
        channel, now_ms = self.channel, now_ns // 1_000_000
        data = self._in.take(now_ns)
        try:
            while data is not None:
                channel.feed(memoryview(data), now_ms)
                data = self._in.take(now_ns)
            channel.poll(now_ms)
        except Refusal as refusal:
            self.refusals.append(refusal)
        if channel.message is not None:
            self.received.append(bytes(channel.message))
            channel.taken()
        if channel.leaving:
            channel.left(now_ns // 1000)
        frame = channel.frame(now_ms)
        while frame is not None:
            self._out.put(perf_counter_ns(), bytes(frame))
            channel.sent(now_ms)
            frame = channel.frame(now_ms)


class Theirs:
    """can-isotp; `errors` holds what it reported."""

    def __init__(self, mode: isotp.AddressingMode, habits: Habits, out: Way, inward: Way) -> None:
        self._address = address_of(mode)
        self._out, self._in = out, inward
        self._now_ns = 0
        self.received: list[bytes] = []
        self.errors: list[Exception] = []
        self.link = isotp.TransportLayerLogic(
            self._heard,
            lambda message: self._out.put(perf_counter_ns(), bytes(message.data)),
            self._address,
            self.errors.append,
            {
                "tx_data_length": habits.frame_bytes,
                "can_fd": habits.frame_bytes > 8,
                "blocksize": habits.block_size,
                "stmin": habits.st_min,
                "max_frame_size": ROOM_BYTES,
                "rx_flowcontrol_timeout": THEIR_TIMEOUT_MS,
                "rx_consecutive_frame_timeout": THEIR_TIMEOUT_MS,
                "wftmax": 16,
            },
        )

    def send(self, message: bytes) -> None:
        self.link.send(message)

    def idle(self) -> bool:
        return not self.link.transmitting() and not self.link.is_rx_active()

    def step(self, now_ns: int) -> None:
        self._now_ns = now_ns
        self.link.process()
        while self.link.available():
            self.received.append(bytes(self.link.recv() or b""))

    def _heard(self, _: float) -> isotp.CanMessage | None:
        data = self._in.take(self._now_ns)
        if data is None:
            return None
        kind = isotp.TargetAddressType.Physical
        return isotp.CanMessage(
            arbitration_id=self._address.get_rx_arbitration_id(kind),
            data=data,
            extended_id=self._address.is_rx_29bits(),
            is_fd=len(data) > 8,
        )


class Pair:
    """Both ends, the line between them, and the time that goes by."""

    def __init__(
        self,
        mode: isotp.AddressingMode,
        ours: Habits,
        theirs: Habits,
        delays_us: tuple[int, int] = (0, 0),
        lost: tuple[int, int] = (-1, -1),
    ) -> None:
        self.out, self.back = (
            Way(delay * 1000, at) for delay, at in zip(delays_us, lost, strict=True)
        )
        self.ours = Ours(mode, ours, self.out, self.back)
        self.theirs = Theirs(mode, theirs, self.back, self.out)

    def settle(self) -> None:
        """Step both, without rest, until nothing is left to say or to wait for."""
        end_ns = perf_counter_ns() + int(LIMIT_S * 1e9)
        while True:
            now_ns = perf_counter_ns()
            assert now_ns < end_ns, "the conversation is stuck"
            self.ours.step(now_ns)
            self.theirs.step(perf_counter_ns())
            busy = self.out.held or self.back.held
            if not busy and self.ours.idle() and self.theirs.idle():
                return


def heads(mode: isotp.AddressingMode) -> tuple[int, int]:
    """The byte before everything else in our frames and in theirs; -1: none."""
    if mode.name.startswith("Extended"):
        return THEIR_BYTE, OUR_BYTE
    if mode.name.startswith("Mixed"):
        return EXTENSION, EXTENSION
    return -1, -1


def address_of(mode: isotp.AddressingMode) -> isotp.Address:
    """Their address, of the partner of `heads`."""
    bytes_ = {"target_address": OUR_BYTE, "source_address": THEIR_BYTE}
    ids = {"txid": 0x708, "rxid": 0x700}
    if mode.name.startswith("NormalFixed"):
        return isotp.Address(mode, **bytes_)
    if mode.name.startswith("Extended"):
        return isotp.Address(mode, **ids, **bytes_)
    if mode is isotp.AddressingMode.Mixed_29bits:
        return isotp.Address(mode, **bytes_, address_extension=EXTENSION)
    if mode is isotp.AddressingMode.Mixed_11bits:
        return isotp.Address(mode, **ids, address_extension=EXTENSION)
    return isotp.Address(mode, **ids)


def gaps_us(way: Way, back: Way, head: int) -> list[float]:
    """The time between each consecutive frame and the one before it, if no flow control, which
    begins a block, came between them."""
    flows = [at_ns for at_ns, frame in back.log if frame[head] & 0xF0 == 0x30]
    found = []
    for (before_ns, before), (now_ns, frame) in zip(way.log, way.log[1:], strict=False):
        answered = any(before_ns < at_ns < now_ns for at_ns in flows)
        if before[head] & 0xF0 == 0x20 == frame[head] & 0xF0 and not answered:
            found.append((now_ns - before_ns) / 1000)
    return found


__all__ = ["Habits", "Pair", "gap_us", "gaps_us", "heads"]
