"""Clients that do something of their own: after each block of a file, or in announcing one.

Each stands in the place of the honest one that a victim's tester has, for the length of a `with`
or of a cycle. What a Meddler does is a generator: it may send requests, or let time pass. They
decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from muptane.bench.attacks.stage import Stage
from muptane.bench.station import Station
from uptane.algorithms import FORM_PLAIN
from uptane.uds.client import Client
from uptane.uds.codes import REQUEST_DOWNLOAD, TRANSFER_DATA

FORM, KIND = 1, 4  # where form and kind of the file stand in a RequestDownload
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
    meddler = Meddler(station, kind, then)
    with standing_in(station, meddler):
        yield meddler


@contextmanager
def standing_in(station: Station, client: Client) -> Iterator[None]:
    """That client is the station's for as long as this lasts."""
    honest = station.client
    station.client = client
    try:
        yield
    finally:
        station.client = honest


class Announcer(Client):
    """Announces every file in a form (FORM_... of `uptane.algorithms`) of its own choice, if it is
    to travel in another one than plain."""

    def __init__(self, station: Station, form: int) -> None:
        super().__init__(station.channel, station.clock)
        self._form = form

    def request(self, message: Any, length: int = -1) -> Generator[Any, Any, Any]:
        """As a client's; the response is that to what was announced."""
        sent = message if length < 0 else message[:length]
        if sent[0] == REQUEST_DOWNLOAD and sent[FORM] != FORM_PLAIN:
            sent = bytes((REQUEST_DOWNLOAD, self._form)) + bytes(sent[FORM + 1 :])
        return (yield from super().request(sent))


def feed_announcing(stage: Stage, form: int) -> None:
    """One cycle of the victim, whose files are announced in that form."""
    station = stage.vehicle.station(stage.victim.name)
    with standing_in(station, Announcer(station, form)):
        stage.feed()
