"""An impostor: answers in the place of an ECU, whose power it takes, whatever it likes.

It speaks ISO-TP on the ECU's diagnostic identifiers and holds no key. Not a test file.
"""

from collections.abc import Callable

from garage import Garage

from muptane.bench.can.frames import Frame
from muptane.bench.world import MS
from uptane.link.isotp import Channel


class Impostor:
    """On the bus in the place of an ECU, whose power it takes: answers each request by `reply`."""

    def __init__(self, garage: Garage, name: str, reply: Callable[[bytes], bytes | None]) -> None:
        plan = garage.vehicle_ecu(name)
        garage.vehicle.ecus[name].node.power_off()
        self._world = garage.world
        self._channel = Channel(4095)
        self._reply = reply
        self._response_id = plan.response
        self._port = garage.vehicle.bus.port(f"impostor-{name}", 64)
        self._port.filters = [(plan.request, 0x7FF)]
        self._port.on_frame = self._arrived
        garage.vehicle.bus.filters_changed()
        self.off = False

    def say(self, message: bytes) -> None:
        """Something that nobody asked for."""
        self._channel.send(message)
        self._transmit()

    def _arrived(self, frame: Frame) -> None:
        if self.off:
            return
        now = self._world.now_ns // MS
        self._channel.feed(memoryview(frame.data), now)
        if self._channel.message is not None:
            reply = self._reply(bytes(self._channel.message))
            self._channel.taken()
            if reply is not None:
                self._channel.send(reply)
        self._transmit()

    def _transmit(self) -> None:
        now = self._world.now_ns // MS
        while (out := self._channel.frame(now)) is not None:
            self._port.send(Frame(self._response_id, bytes(out)))
            self._channel.sent(now)


def polite(request: bytes) -> bytes:
    """The shortest positive response that could be right."""
    if request[0] == 0x10:
        return b"\x50" + request[1:2] + b"\x00\x32\x01\xf4"
    return bytes((request[0] + 0x40,)) + request[1:4]
