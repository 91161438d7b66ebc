"""Frames of the bus as messages of python-can, and back.

Times are bus time, nanoseconds since 1970. It opens nothing and sends nothing.
"""

from __future__ import annotations

from typing import Any

import can

from muptane.bench.can.frames import Frame
from muptane.bench.world import S
from muptane.identifiers import EXTENDED, EXTENDED_MAX


def frame_of(message: can.Message) -> Frame:
    """What python-can asks to be sent."""
    can_id = message.arbitration_id | (EXTENDED if message.is_extended_id else 0)
    if message.is_remote_frame:
        return Frame(can_id, remote=message.dlc)
    fd = message.is_fd
    return Frame(can_id, bytes(message.data), fd, fd and message.bitrate_switch)


def message_of(frame: Frame, time_ns: int, channel: str | int) -> can.Message:
    """A frame that passed."""
    return can.Message(
        timestamp=time_ns / S,
        arbitration_id=frame.id & EXTENDED_MAX,
        is_extended_id=bool(frame.id & EXTENDED),
        is_remote_frame=frame.remote is not None,
        is_fd=frame.fd,
        bitrate_switch=frame.brs,
        dlc=len(frame.data) if frame.remote is None else frame.remote,
        data=frame.data,
        channel=channel,
        check=False,
    )


def error_message(time_ns: int, channel: str | int) -> can.Message:
    """A frame that was destroyed."""
    return can.Message(timestamp=time_ns / S, is_error_frame=True, channel=channel)


def pair_of(one: Any) -> tuple[int, int]:
    """A filter of python-can as the bus has it: bit 31 marks 29 bits, and is only compared when
    the filter says which kind it wants."""
    if "extended" not in one:
        return one["can_id"], one["can_mask"]
    marked = one["can_id"] | (EXTENDED if one["extended"] else 0)
    return marked, one["can_mask"] | EXTENDED
