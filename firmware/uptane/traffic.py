"""An ECU's conversations on its bus: frames that arrived to their channels, theirs to the bus.

It finds the conversation of a frame by its CAN identifier, keeps every STmin, brings the
controller back from bus-off, and says until when there is nothing to do but wait for frames. What
is said in a conversation it does NOT know.
Rules: S-37, V-32.
"""

from uptane.busoff import BusOff
from uptane.errors import Refusal
from uptane.link.isotp import Channel
from uptane.link.sending import CLASSIC_BYTES, PADDING

if False:  # for the type checker
    from shapes import Bus, Clock
    from uptane.link.broadcast import Air

LISTENING = 0  # as the identifier of what is sent: nothing ever is
STANDARD = 0x7FF  # the bits of an identifier
EXTENDED = 0x3FFFFFFF  # of one with 29, and of its mark
COALESCE = 4  # frames of a message that may wait for each other; of its last ones, half
COALESCE_MS = 5


class Traffic:
    """`can` and `clock` are the board's. `open` every conversation, then `listen`."""

    def __init__(self, can: "Bus", clock: "Clock") -> None:
        self._can = can
        self._clock = clock
        self._channels: dict[int, tuple[int, Channel | Air]] = {}
        self._bus_off = BusOff(can)
        self._shouted: tuple[int, bytearray] | None = None
        self.frames = 1  # how many are worth to wake for

    def open(self, tx_id: int, rx_id: int, message_bytes: int) -> Channel:
        """A conversation, for messages received of at most so many bytes; with LISTENING as
        `tx_id` one that says nothing, not even flow control."""
        channel = Channel(message_bytes, self._can.frame_bytes)
        self._channels[rx_id] = (tx_id, channel)
        return channel

    def share(self, can_id: int, sending: bool) -> "Air":
        """Blocks under one identifier, for several ECUs: to be sent, or to be heard."""
        from uptane.link.broadcast import Air  # here, because not every vehicle has them

        air = Air(self._can.frame_bytes)
        self._channels[can_id] = (can_id if sending else LISTENING, air)
        return air

    def shout(self, can_id: int, message: bytes) -> None:
        """Put a message of one frame on the bus before everything else, for all who listen."""
        frame = bytearray((len(message),)) + message
        while len(frame) < CLASSIC_BYTES:
            frame.append(PADDING)
        self._shouted = (can_id, frame)

    def listen(self) -> None:
        """Let in what the conversations are about, and nothing else."""
        masks = [(rx_id, STANDARD if rx_id <= STANDARD else EXTENDED) for rx_id in self._channels]
        self._can.set_filters(masks)

    def receive(self, now_ms: int) -> bool:
        """Hand every frame that has arrived to its conversation; False if there was none."""
        self._bus_off.tend(now_ms)
        can = self._can
        frame = can.receive()
        if frame is None:
            return False
        while frame is not None:
            route = self._channels.get(frame[0])
            if route is not None:
                try:
                    route[1].feed(frame[1], now_ms)
                except Refusal:
                    pass  # the conversation's own time-out speaks of it
            frame = can.receive()
        return True

    def transmit(self, now_ms: int) -> None:
        """Give the bus as many frames as it takes."""
        send = self._can.send
        if self._shouted is not None and send(self._shouted[0], self._shouted[1]):
            self._shouted = None
        for tx_id, channel in self._channels.values():
            if tx_id == LISTENING:
                channel.abort()
            if channel.leaving and not self._can.unsent():
                channel.left(self._clock.ticks_us())
            frame = channel.frame(now_ms)
            while frame is not None and send(tx_id, frame):
                channel.sent(now_ms)
                frame = channel.frame(now_ms)

    def poll(self, now_ms: int) -> "list[int | None]":
        """Give up what has waited too long; the times at which there is something to do again.
        Sets `frames`."""
        self.frames = 1
        due = [self._bus_off.due_ms]
        for _, channel in self._channels.values():
            try:
                channel.poll(now_ms)
            except Refusal:
                continue
            due.append(channel.due_ms())
            if channel.leaving:
                due.append(now_ms + channel.rest_us // 1000)
            left = channel.frames_left()
            if left:
                self.frames = min((left + 1) // 2, COALESCE)
                due.append(now_ms + COALESCE_MS)
        return due
