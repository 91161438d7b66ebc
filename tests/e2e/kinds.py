"""Frames of every kind, as python-can has them, and what they are compared by. Not a test file."""

import can


def classic(can_id: int, data: bytes = b"", extended: bool = False) -> can.Message:
    return can.Message(arbitration_id=can_id, data=data, is_extended_id=extended)


def fd(can_id: int, data: bytes, extended: bool = False, brs: bool = True) -> can.Message:
    return can.Message(
        arbitration_id=can_id, data=data, is_extended_id=extended, is_fd=True, bitrate_switch=brs
    )


def remote(can_id: int, length: int) -> can.Message:
    return can.Message(
        arbitration_id=can_id, is_extended_id=False, is_remote_frame=True, dlc=length
    )


def facts(message: can.Message) -> tuple[object, ...]:
    return (
        message.arbitration_id,
        message.is_extended_id,
        message.is_fd,
        message.bitrate_switch,
        message.is_remote_frame,
        message.dlc,
        bytes(message.data),
    )


# In the order in which they win against each other, so that they also arrive in it.
EVERY_KIND = [
    classic(0x123, b"\1\2\3"),
    classic(0x124),
    remote(0x125, 5),
    fd(0x126, bytes(range(64))),
    fd(0x127, b"abc", brs=False),
    classic(0x18DA10F1, b"12345678", extended=True),
    fd(0x18DA10F2, bytes(12), extended=True),
]
