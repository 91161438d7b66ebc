"""can-isotp on the modelled bus: somebody else's ISO-TP in virtual time, to be measured against.

It gets a queue that takes every frame, as python-can's blocking `send` does, and is run whenever
a frame has come or gone; what it computes costs no time. Its own timers read the wall clock, so
nothing that waits (STmin, time-outs) means anything here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import isotp

from muptane.bench.can.bus import Bus
from muptane.bench.can.frames import Frame
from uptane.link.sending import PADDING

QUEUE_FRAMES = 4096


class ForeignLink:
    """One conversation: frames leave under `tx_id`, those of `rx_id` are heard. `on_message` is
    told of what was received."""

    def __init__(self, bus: Bus, name: str, tx_id: int, rx_id: int) -> None:
        self._fd = bus.data_bitrate > 0
        self._port = bus.port(name, QUEUE_FRAMES)
        self._port.fifo = True
        self._port.filters = [(rx_id, 0x9FFFFFFF)]
        self._port.on_frame = self._arrived
        self._port.on_sent = lambda frame: self._process()
        bus.filters_changed()
        self._arrivals: deque[isotp.CanMessage] = deque()
        self.on_message: Callable[[bytes], None] = lambda message: None
        self._rx_id = rx_id
        params = {"tx_data_length": 64, "can_fd": True, "bitrate_switch": True} if self._fd else {}
        params |= {"stmin": 0, "blocksize": 0, "tx_padding": PADDING, "tx_data_min_length": 8}
        self._link = isotp.TransportLayerLogic(
            lambda _: self._arrivals.popleft() if self._arrivals else None,
            self._send,
            isotp.Address(isotp.AddressingMode.Normal_11bits, txid=tx_id, rxid=rx_id),
            params=params,
        )

    def send(self, message: bytes) -> None:
        """Begin to send a message."""
        self._link.send(message)
        self._process()

    def idle(self) -> bool:
        """Has everything left?"""
        return not self._link.transmitting() and not self._port.queue

    def _send(self, message: isotp.CanMessage) -> None:
        frame = Frame(message.arbitration_id, bytes(message.data), message.is_fd, self._fd)
        if not self._port.send(frame):
            raise OSError(f"more than {QUEUE_FRAMES} frames wait")

    def _arrived(self, frame: Frame) -> None:
        self._arrivals.append(
            isotp.CanMessage(arbitration_id=frame.id, data=frame.data, is_fd=frame.fd)
        )
        self._process()

    def _process(self) -> None:
        self._link.process()
        while self._link.available():
            received = self._link.recv()
            if received is not None:
                self.on_message(bytes(received))
