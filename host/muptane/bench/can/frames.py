"""Frames on a CAN bus and the exact number of bits each takes: classic, remote and CAN FD.

A frame is what its sender asks for: identifier, data, format. Its length on the wire is counted
bit by bit, stuffing included: `frame_bits` of a classic frame, `fd_bits` of an FD frame in its two
phases; `duration_ns` makes time of them. `arbitration_key` is what the bus compares.

It does not know a bus. Sources: ISO 11898-1:2015 (10.4.2 frame formats, 10.5 stuffing); both are
checked in the tests against a second opinion written bit by bit as text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from muptane.bench.world import S
from muptane.identifiers import EXTENDED, EXTENDED_MAX, STANDARD_MAX

CLASSIC_BYTES = 8
FD_BYTES = 64
FD_LENGTHS = (*range(9), 12, 16, 20, 24, 32, 48, 64)  # bytes, by DLC

CRC15 = 0x4599
END_BITS = 12  # ACK slot and delimiter, end of frame (7), intermission (3)
TAIL_BITS = 1 + END_BITS  # with the CRC delimiter
SHORT_CRC_BYTES = 16  # an FD frame with no more data has a CRC of 17 bits


class Frame(NamedTuple):
    """One frame. `id`: bit 31 marks one of 29 bits; `data`: 0..8 bytes, of an FD frame one of
    FD_LENGTHS; `fd`: FD format, with `brs` its data phase at the higher rate; `remote`: a remote
    frame, without data, that asks for so many bytes (None: a data frame)."""

    id: int
    data: bytes = b""
    fd: bool = False
    brs: bool = False
    remote: int | None = None

    @property
    def key(self) -> int:
        """What the bus compares bit by bit: the lower key wins."""
        return arbitration_key(self.id, self.remote is not None)


def fault_of(frame: Frame) -> str:
    """Why no controller can send this frame; "": it can."""
    plain = frame.id & ~EXTENDED
    length = len(frame.data) if frame.remote is None else frame.remote
    if not 0 <= plain <= (EXTENDED_MAX if frame.id & EXTENDED else STANDARD_MAX):
        return f"identifier {plain:#x} is too large; bit 31 marks one of 29 bits"
    if frame.fd and frame.remote is not None:
        return "CAN FD has no remote frames"
    if frame.remote is not None and frame.data:
        return "a remote frame has no data"
    if frame.fd and length not in FD_LENGTHS:
        return f"{length} bytes: an FD frame has 0 to 8, 12, 16, 20, 24, 32, 48 or 64"
    if not frame.fd and length > CLASSIC_BYTES:
        return f"{length} bytes in a frame of classic CAN: 8 at most"
    if frame.brs and not frame.fd:
        return "only an FD frame has a second bit rate"
    return ""


@lru_cache(maxsize=65536)
def arbitration_key(can_id: int, remote: bool = False) -> int:
    """The arbitration field as a number, 33 bits (ISO 11898-1, 10.4.2). A standard data frame wins
    over a remote one, and both over an extended frame that begins with the same 11 bits."""
    if can_id & EXTENDED:
        plain = can_id & EXTENDED_MAX
        return (plain >> 18) << 21 | 0b11 << 19 | (plain & 0x3FFFF) << 1 | remote
    return can_id << 21 | remote << 20


@lru_cache(maxsize=65536)
def frame_bits(can_id: int, data: bytes, remote: int | None = None) -> int:
    """Bits on the wire of a classic frame, intermission included."""
    value, width = classic_head(can_id, data, remote)
    return width + stuff_bits(value, width) + TAIL_BITS


def classic_head(can_id: int, data: bytes, remote: int | None = None) -> tuple[int, int]:
    """What of a classic frame is stuffed, SOF to CRC, before stuffing: (bits as a number, how
    many)."""
    asks = remote is not None
    if can_id & EXTENDED:
        plain = can_id & EXTENDED_MAX
        head = (plain >> 18) << 21 | 0b11 << 19 | (plain & 0x3FFFF) << 1 | asks
        value, width = head << 2, 1 + 11 + 2 + 18 + 1 + 2  # SOF ... RTR, r1, r0
    else:
        value, width = can_id << 3 | asks << 2, 1 + 11 + 3  # SOF, identifier, RTR, IDE, r0
    value = value << 4 | (len(data) if remote is None else remote)
    value = value << 8 * len(data) | int.from_bytes(data, "big")
    width += 4 + 8 * len(data)
    crc = 0
    for at in range(width - 1, -1, -1):
        bit = value >> at & 1
        crc = (crc << 1) ^ (CRC15 if (crc >> 14 & 1) ^ bit else 0)
        crc &= 0x7FFF
    return value << 15 | crc, width + 15


@lru_cache(maxsize=65536)
def fd_bits(can_id: int, data: bytes, brs: bool) -> tuple[int, int]:
    """Bits on the wire of an FD frame: (of the arbitration phase, of the data phase), intermission
    included. What follows the data has fixed stuffing, so its value does not matter."""
    value, head = fd_head(can_id, brs)
    value = value << 5 | FD_LENGTHS.index(len(data))  # ESI of an error-active node, DLC
    value = value << 8 * len(data) | int.from_bytes(data, "big")
    width = head + 5 + 8 * len(data)
    # The fixed stuff bit that opens the CRC field does the work of one that would be due there.
    stuffed = stuff_bits(value >> 1, width - 1)
    early = stuff_bits(value >> (width - head), head)
    crc, fixed = (17, 6) if len(data) <= SHORT_CRC_BYTES else (21, 7)
    nominal = head + early + END_BITS
    return nominal, width - head + stuffed - early + 4 + crc + fixed + 1


def fd_head(can_id: int, brs: bool) -> tuple[int, int]:
    """SOF to BRS of an FD frame, before stuffing: (bits as a number, how many)."""
    if can_id & EXTENDED:
        plain = can_id & EXTENDED_MAX
        head = (plain >> 18) << 20 | 0b11 << 18 | plain & 0x3FFFF  # SRR, IDE
        return head << 4 | 0b0100 | brs, 1 + 11 + 2 + 18 + 4  # RRS, FDF, res, BRS
    return can_id << 5 | 0b00100 | brs, 1 + 11 + 5  # RRS, IDE, FDF, res, BRS


def stuff_bits(value: int, width: int) -> int:
    """How many bits stuffing adds to `width` bits of `value`, most significant first."""
    last, run, stuffed = -1, 0, 0
    for at in range(width - 1, -1, -1):
        bit = value >> at & 1
        run = run + 1 if bit == last else 1
        last = bit
        if run == 5:
            stuffed += 1
            last = 1 - bit
            run = 1
    return stuffed


def stuffed(value: int, width: int) -> str:
    """`width` bits of `value` as they are on the wire, "0" dominant, stuff bits among them."""
    wire, run = "", 0
    for bit in format(value, f"0{width}b"):
        run = run + 1 if wire.endswith(bit) else 1
        wire += bit
        if run == 5:
            wire += "1" if bit == "0" else "0"
            run = 1
    return wire


def wire_bits(frame: Frame) -> str:
    """The frame's bits that have dynamic stuffing, from SOF on: up to its CRC, or in CAN FD to the
    end of its data. Two frames that differ, differ in these."""
    if not frame.fd:
        return stuffed(*classic_head(frame.id, frame.data, frame.remote))
    value, head = fd_head(frame.id, frame.brs)
    value = value << 5 | FD_LENGTHS.index(len(frame.data))
    value = value << 8 * len(frame.data) | int.from_bytes(frame.data, "big")
    return stuffed(value, head + 5 + 8 * len(frame.data))


def bits_of(frame: Frame) -> tuple[int, int]:
    """Bits on the wire at the nominal rate and at the data rate, intermission included."""
    if not frame.fd:
        return frame_bits(frame.id, frame.data, frame.remote), 0
    nominal, data = fd_bits(frame.id, frame.data, frame.brs)
    return (nominal, data) if frame.brs else (nominal + data, 0)


def duration_ns(frame: Frame, bitrate: int, data_bitrate: int = 0) -> int:
    """How long the frame holds a bus of those rates (bit/s)."""
    nominal, data = bits_of(frame)
    return nominal * S // bitrate + (data * S // data_bitrate if data else 0)


def until_ns(frame: Frame, bit: int, bitrate: int, data_bitrate: int = 0) -> int:
    """When, counted from the beginning of the frame, that many of its bits have passed."""
    nominal, data = bits_of(frame)
    head = nominal - END_BITS if data else nominal
    fast = min(max(bit - head, 0), data)
    return (bit - fast) * S // bitrate + (fast * S // data_bitrate if fast else 0)
