"""A DBC file of a vehicle: what its applications say on the bus, for the tools that read frames.

The frames of an application are described in frames.toml beside it (firmware/apps); `write_dbc`
makes a database of those that a vehicle runs. The release in the first byte says which signals
follow: it is the multiplexer. Diagnostics are in the PDX files (`muptane.odx`).
Source: cantools; the DBC format.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cantools.database import Database
from cantools.database.can import Message, Node, Signal
from pydantic import BaseModel, ConfigDict, ValidationError

RELEASE = "Release"


class BadFrames(Exception):
    """A frames.toml that cannot be used; the message says where and why."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SignalPlan(Strict):
    """One byte. `since`: the release that brought it."""

    name: str
    since: int
    maximum: int
    unit: str | None = None
    comment: str | None = None


class FramePlan(Strict):
    """One frame; `period_ms`: how often, by release."""

    id: int
    name: str
    period_ms: dict[int, int]
    comment: str
    signals: list[SignalPlan]


def read_frames(path: Path) -> dict[str, list[FramePlan]]:
    """{application: its frames}. BadFrames."""
    try:
        raw: dict[str, list[Any]] = tomllib.loads(path.read_text("utf-8"))
        return {
            name: [FramePlan.model_validate(frame) for frame in frames]
            for name, frames in raw.items()
        }
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadFrames(f"{path}: {error}") from error


def write_dbc(
    path: Path, applications: Mapping[str, str], frames: Mapping[str, Iterable[FramePlan]]
) -> int:
    """Write what the ECUs {name: application} say; the number of frames. An application that
    nobody described says nothing here. OSError."""
    messages = [
        _message(ecu, frame)
        for ecu, name in applications.items()
        for frame in frames.get(name, ())
    ]
    database = Database(
        sorted(messages, key=lambda message: message.frame_id),
        [Node(name) for name in applications],
        version="",
    )
    path.write_text(database.as_dbc_string(), encoding="cp1252", newline="")
    return len(messages)


def _message(ecu: str, frame: FramePlan) -> Message:
    releases = sorted(frame.period_ms)
    signals = [Signal(RELEASE, 0, 8, maximum=255, is_multiplexer=True, comment="of the firmware")]
    for index, plan in enumerate(frame.signals):
        signals.append(
            Signal(
                plan.name,
                8 * (index + 1),
                8,
                maximum=plan.maximum,
                unit=plan.unit,
                comment=plan.comment,
                multiplexer_ids=[release for release in releases if release >= plan.since],
                multiplexer_signal=RELEASE,
            )
        )
    periods = ", ".join(f"release {one}: {frame.period_ms[one]} ms" for one in releases)
    return Message(
        frame.id,
        frame.name,
        1 + len(frame.signals),
        signals,
        comment=f"{frame.comment} {periods}",
        senders=[ecu],
        cycle_time=frame.period_ms[releases[-1]],
    )
