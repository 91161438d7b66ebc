"""A transport for gallia's UDS scanners: ISO-TP over any python-can interface.

gallia finds it by its entry point. The target names the bus and the two identifiers:

    can-isotp://127.0.0.1:20500?tx_id=0x7e0&rx_id=0x7e8

`interface` may be another than muptane's; host and port (or path) are then its channel. ISO-TP is
can-isotp's. What gallia does with answers, and its own `isotp://` over Linux sockets, is gallia's.
"""

from __future__ import annotations

import asyncio

import can
import isotp
from gallia.plugins.plugin import Plugin
from gallia.transports import BaseTransport, TargetURI

PARAMETERS = {"blocking_send": True, "blocksize": 0, "stmin": 0, "tx_padding": 0xCC}
SEND_TIMEOUT_S = 5.0
TURN_S = 0.05  # at most, until a cancelled read gives its thread back


class CanIsotp(BaseTransport, scheme="can-isotp"):
    """can-isotp over python-can. ConnectionError when the bus cannot be joined or has gone."""

    def __init__(self, target: TargetURI) -> None:
        super().__init__(target)
        self._options = target.qs_flat
        self._bus: can.BusABC | None = None
        self._stack: isotp.CanStack | None = None

    async def connect(self, timeout: float | None = None) -> None:
        """Join the bus."""
        interface = self._options.get("interface", "muptane")
        channel = self.target.netloc or self.target.path
        address = isotp.Address(
            isotp.AddressingMode.Normal_11bits,
            txid=int(self._options["tx_id"], 0),
            rxid=int(self._options["rx_id"], 0),
        )
        try:
            self._bus = can.Bus(interface=interface, channel=channel)
        except can.CanError as error:
            raise ConnectionError(str(error)) from error
        self._stack = isotp.CanStack(self._bus, address=address, params=PARAMETERS)
        self._stack.start()

    async def close(self) -> None:
        """Leave the bus."""
        if self._stack is not None:
            self._stack.stop()
        if self._bus is not None:
            self._bus.shutdown()
        self._stack = self._bus = None

    async def read(self, timeout: float | None = None, tags: list[str] | None = None) -> bytes:
        """One message. TimeoutError."""
        return await asyncio.wait_for(self._read(), timeout)

    async def _read(self) -> bytes:
        while True:
            message = await asyncio.to_thread(self._open().recv, True, TURN_S)
            if message is not None:
                return bytes(message)

    async def write(
        self, data: bytes, timeout: float | None = None, tags: list[str] | None = None
    ) -> int:
        """One message, all of it on the wire when this returns. TimeoutError, ConnectionError."""
        stack, send_s = self._open(), timeout or SEND_TIMEOUT_S
        try:
            await asyncio.to_thread(lambda: stack.send(data, send_timeout=send_s))
        except isotp.BlockingSendTimeout as error:
            raise TimeoutError(str(error)) from error
        except isotp.BlockingSendFailure as error:
            raise ConnectionError(str(error)) from error
        return len(data)

    def _open(self) -> isotp.CanStack:
        if self._stack is None:
            raise ConnectionError("the bus is not joined")
        return self._stack

    async def dumpcap_argument_list(self) -> list[str] | None:
        """Nothing that dumpcap could listen to: `muptane vehicle run --trace` records instead."""
        return None


class MuptanePlugin(Plugin):
    """What gallia loads."""

    @classmethod
    def name(cls) -> str:
        return "muptane"

    @classmethod
    def description(cls) -> str:
        return "ISO-TP over python-can"

    @classmethod
    def transports(cls) -> list[type[BaseTransport]]:
        return [CanIsotp]
