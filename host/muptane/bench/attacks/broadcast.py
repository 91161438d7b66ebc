"""Blocks under the identifier that all Secondaries hear: of other bytes, and for nobody.

Rules: E-03, E-19, E-20, E-31, E-70, E-77, E-78, S-39, V-32, V-64, V-87, V-92.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from muptane.bench.attacks.attack import FULL, INSTALLS, PARTIAL, PRIMARY, Verdict, attack
from muptane.bench.attacks.diagnostics import (
    DEFAULT,
    PROGRAMMING,
    ask,
    download,
    image_file,
    until_time_is_wanted,
)
from muptane.bench.attacks.meddling import standing_in
from muptane.bench.attacks.places import AT_THE_WIRE, ON_THE_BUS
from muptane.bench.attacks.stage import EVIL, Stage
from muptane.bench.can.frames import Frame
from uptane import ids
from uptane.errors import Negative, SlowRetrieval, TooLong, Unwanted, WrongHash
from uptane.limits import BLOCK_BYTES
from uptane.link.broadcast import Air
from uptane.uds.client import Client
from uptane.uds.codes import REQUEST_DOWNLOAD, RID_LISTEN, ROUTINE_CONTROL, START_ROUTINE

TAG = 9
PAUSE_MS = 60  # between two blocks: every ECU has written the first by then
LISTEN = bytes((ROUTINE_CONTROL, START_ROUTINE, RID_LISTEN >> 8, RID_LISTEN & 0xFF, TAG))


def by_secondaries(verdict: Verdict) -> dict[str, Verdict]:
    """On those that listen; a Primary has no such routine."""
    return {PRIMARY: Negative, FULL: verdict, PARTIAL: verdict}


class Spreading(Client):
    """An honest client but for an image, of which it lets the victim hear `content`, in blocks
    that are announced `offset` bytes further."""

    def __init__(self, stage: Stage, content: bytes, offset: int = 0) -> None:
        station = stage.vehicle.station(stage.victim.name)
        super().__init__(station.channel, station.clock)
        self._content = content
        self._offset = offset
        self._clock_ms = station.clock.ticks_ms
        self._port = stage.vehicle.bus.port("spreading", 3)
        self._can_id = stage.vehicle.plan.bus.broadcast

    def request(self, message: Any, length: int = -1) -> Generator[Any, Any, Any]:
        if message[0] == REQUEST_DOWNLOAD and message[4] == ids.KIND_IMAGE:
            yield from super().request(LISTEN + bytes(message))
            yield from self._spread()
        return (yield from super().request(message, length))

    def _spread(self) -> Generator[Any, Any, None]:
        air = Air(8)
        for at in range(0, len(self._content), BLOCK_BYTES):
            block = self._content[at : at + BLOCK_BYTES]
            air.spread(TAG, at + self._offset, block, len(block))
            while (data := air.frame(0)) is not None:
                if self._port.send(Frame(self._can_id, bytes(data))):
                    air.sent(0)
                else:
                    yield self._clock_ms() + 1
            until_ms = self._clock_ms() + PAUSE_MS
            while self._clock_ms() < until_ms:
                yield until_ms


def spread(stage: Stage, content: bytes, offset: int = 0) -> str | int:
    """One cycle of the victim, with `content` on the broadcast in the place of its image."""
    stage.informed()
    station = stage.vehicle.station(stage.victim.name)
    with standing_in(station, Spreading(stage, content, offset)):
        stage.feed()
    return stage.observed()


@attack(
    ids=("E-77", "S-39", "V-92", "V-87"),
    expected=by_secondaries(Unwanted),
    power=ON_THE_BUS,
    broadcast=True,
)
def listening_without_a_want(stage: Stage) -> str | int:
    """flash many ECUs at once, without metadata"""
    ask(stage, PROGRAMMING, LISTEN + download(image_file(stage), len(EVIL)), DEFAULT)
    return stage.observed()


@attack(
    ids=("E-20", "E-77", "V-61", "V-87"),
    expected=by_secondaries(TooLong),
    power=ON_THE_BUS,
    broadcast=True,
)
def listening_to_more_than_wanted(stage: Stage) -> str | int:
    """announce four gigabytes of what is wanted"""
    until_time_is_wanted(stage)
    time = bytes((ids.DIRECTOR, ids.KIND_TIME, 0, 0, 0, 0))
    ask(stage, LISTEN + download(time, 0xFFFFFFFF), DEFAULT)
    return stage.observed()


@attack(
    ids=("E-31", "E-70", "E-78", "V-64", "V-87"),
    expected={FULL: WrongHash, PARTIAL: WrongHash},
    power=AT_THE_WIRE,
    broadcast=True,
)
def other_bytes_spread(stage: Stage) -> str | int:
    """let all ECUs hear another image than the signed one"""
    return spread(stage, EVIL[: len(stage.content)].ljust(len(stage.content), b"!"))


@attack(
    ids=("E-78", "V-64", "V-87"),
    expected={FULL: INSTALLS, PARTIAL: INSTALLS},
    power=AT_THE_WIRE,
    broadcast=True,
)
def blocks_spread_elsewhere(stage: Stage) -> str | int:
    """have parts of an image written where they do not belong"""
    observed = spread(stage, stage.content, 1)
    return observed if stage.runs(stage.content) else "something else"


@attack(
    ids=("E-03", "E-19", "V-32", "V-87"),
    expected={FULL: SlowRetrieval, PARTIAL: SlowRetrieval},
    power=AT_THE_WIRE,
    broadcast=True,
)
def broadcast_that_never_comes(stage: Stage) -> str | int:
    """let an ECU listen for ever"""
    stage.informed()

    class Silent(Spreading):
        def _spread(self) -> Generator[Any, Any, None]:
            until_ms = self._clock_ms() + 60_000
            while self._clock_ms() < until_ms:
                yield from super().request(b"\x3e\x00")
                yield min(until_ms, self._clock_ms() + 2000)

    station = stage.vehicle.station(stage.victim.name)
    with standing_in(station, Silent(stage, b"")):
        stage.feed()
    return stage.observed()
