"""Files that never come to their end: drips, clients that stay and bring nothing, that go away.

The floor is in bytes per window, stalls counted as time (`uptane.pace`). What a receiver does to
an ECU that sends, and Secondaries that answer "pending" for ever, tests of whole vehicles play.
Rules: E-03, E-07, V-32, T-49.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from muptane.bench.attacks.attack import ACCEPTED, attack, everywhere
from muptane.bench.attacks.diagnostics import CYCLE, PROGRAMMING, WANTS, ask
from muptane.bench.attacks.meddling import meddling
from muptane.bench.attacks.places import AT_THE_WIRE
from muptane.bench.attacks.stage import Stage
from muptane.bench.attacks.update import SESSION_S
from uptane import ids
from uptane.errors import SlowRetrieval
from uptane.uds.client import Client

BLOCK_BYTES = 66
PAUSE_MS = 4000  # below S3: the session stays open


def drip(stage: Stage, kind: int) -> None:
    """One cycle of the victim in small blocks; each block of a file of that kind comes late."""
    station = stage.vehicle.station(stage.victim.name)

    def late(client: Client, sent: bytes) -> Generator[Any, Any, None]:
        until_ms = station.clock.ticks_ms() + PAUSE_MS
        while station.clock.ticks_ms() < until_ms:
            yield until_ms

    stage.block_bytes = BLOCK_BYTES
    with meddling(stage, kind, late):
        stage.feed()
    stage.vehicle.run(SESSION_S)


@attack(ids=("E-03", "V-32", "T-49"), expected=everywhere(SlowRetrieval), power=AT_THE_WIRE)
def metadata_that_drips(stage: Stage) -> str | int:
    """keep an ECU busy for ever by bringing metadata a few bytes at a time"""
    drip(stage, ids.KIND_METADATA)
    return stage.observed()


@attack(ids=("E-03", "V-32", "T-49"), expected=everywhere(SlowRetrieval), power=AT_THE_WIRE)
def image_that_drips(stage: Stage) -> str | int:
    """keep an ECU in its programming session by bringing an image a few bytes at a time"""
    stage.informed()
    drip(stage, ids.KIND_IMAGE)
    return stage.observed()


@attack(
    ids=("E-07", "E-02", "V-35"),
    expected=everywhere(ACCEPTED),
    power=AT_THE_WIRE,
    limit="nobody can make a repository answer; the ECU runs on with what it has",
)
def repositories_that_do_not_answer(stage: Stage) -> str | int:
    """stop a vehicle by having nobody serve the cycle that was begun"""
    ask(stage, PROGRAMMING, CYCLE, WANTS)
    stage.vehicle.run(60.0)
    return stage.observed()
