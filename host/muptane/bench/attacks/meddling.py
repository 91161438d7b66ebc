"""A client that does something of its own after each block of a file.

`meddling` puts it in the place of the honest one that a victim's tester has, for the length of a
`with`. What it does is a generator: it may send requests, or let time pass. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from muptane.bench.attacks.stage import Stage
from muptane.bench.station import Station
from uptane.uds.client import Client
from uptane.uds.codes import REQUEST_DOWNLOAD, TRANSFER_DATA

KIND = 4  # where the kind of the file stands in a RequestDownload
# (client, the block as it was sent): what follows it.
Then = Callable[[Client, bytes], Generator[Any, Any, None]]


class Meddler(Client):
    """`then` follows each block to the ECU of a file of that kind; `blocks` counts them."""

    def __init__(self, station: Station, kind: int, then: Then) -> None:
        super().__init__(station.channel, station.clock)
        self.honest = Client(station.channel, station.clock)
        self.blocks = 0
        self._kind = kind
        self._then = then
        self._announced = -1

    def request(self, message: Any, length: int = -1) -> Generator[Any, Any, Any]:
        """As a client's; the response is that to the honest request."""
        sent = bytes(message if length < 0 else message[:length])
        reply = bytes((yield from super().request(message, length)))
        if sent[0] == REQUEST_DOWNLOAD:
            self._announced = sent[KIND]
        elif sent[0] == TRANSFER_DATA and self._announced == self._kind and len(sent) > 2:
            self.blocks += 1
            yield from self._then(self.honest, sent)
        return memoryview(reply)


@contextmanager
def meddling(stage: Stage, kind: int, then: Then) -> Iterator[Meddler]:
    """The victim's tester is a Meddler for as long as this lasts."""
    station = stage.vehicle.station(stage.victim.name)
    honest = station.client
    station.client = Meddler(station, kind, then)
    try:
        yield station.client
    finally:
        station.client = honest
