"""The figures of a board as its emulator wants them: one flat dictionary, written as JSON.

What a board is stands in its board.toml (`muptane.boards`); this module only rearranges, and
gathers program units into strokes of a page, which take as long together as each would alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from muptane.boards import BoardSpec
from muptane.regions import NUMBERS

STROKE_BYTES = 256  # a flash stroke of the emulator: one program unit costs a wake of its own
RING = 3  # of rx_queue, what the controller itself holds; the rest is the driver's ring
CONFIRM_MS = 500


def settings_of(
    spec: BoardSpec, flash: Path, bitrate: int, data_bitrate: int = 0
) -> dict[str, Any]:
    """`flash` is the file that keeps the content; `bitrate` that of the vehicle's bus, and
    `data_bitrate`, if it has CAN FD."""
    part = spec.flash
    stroke_bytes = max(STROKE_BYTES, part.program_bytes)
    return {
        "bitrate": bitrate,
        "data_bitrate": data_bitrate,
        "data_bytes": 64 if data_bitrate else 8,
        "tx_queue": spec.can.tx_queue,
        "rx_queue": spec.can.rx_queue,
        "ring": max(spec.can.rx_queue - RING, 2),
        "in_order": spec.can.equal_ids == "fifo",
        "wake_us": spec.costs.wake,
        "frame_us": spec.costs.frame,
        "confirm_ms": CONFIRM_MS,
        "costs": {
            "ed25519_verify": spec.costs.ed25519_verify,
            "ed25519_sign": spec.costs.ed25519_sign,
            "sha256_block": spec.costs.sha256_block,
            "x25519_agree": spec.costs.x25519_agree,
            "chacha20_block": spec.costs.chacha20_block,
        },
        "flash": {
            "path": str(flash.absolute()),
            "regions": [
                [address, block_bytes, blocks, part.times.erase_us[block_bytes]]
                for address, block_bytes, blocks in part.sectors
            ],
            "program_bytes": part.program_bytes,
            "program_us": part.times.program_us * (stroke_bytes // part.program_bytes),
            "page_bytes": stroke_bytes,
        },
        "records": list(part.map.records),
        "slots": [list(part.map.slot_a), list(part.map.slot_b)],
        "regions": [],
        "depot": [list(cell) for cell in part.map.depot],
        "deltas": False,
        "decrypts": False,
    }


def heap_bytes(spec: BoardSpec, verification: str) -> int:
    """The budget above code of an ECU with that verification (partial, full, primary)."""
    budget: int = getattr(spec.heap, verification)
    return budget


def regions_of(spec: BoardSpec, names: Iterable[str]) -> list[list[Any]]:
    """[[REGION_..., place, other place], ...] of these regions of a board, ascending."""
    found = {NUMBERS[name]: spec.flash.map.regions[name] for name in names}  # type: ignore[index]
    return [[number, *map(list, found[number])] for number in sorted(found)]


def place_of(spec: BoardSpec) -> list[int]:
    """[address, bytes of an erase block, blocks] of the only place for an image that a board has
    without a spare slot: both slots, if they are one piece of flash; else the first."""
    (address, block_bytes, blocks), second = spec.flash.map.slot_a, spec.flash.map.slot_b
    if second[:2] == (address + block_bytes * blocks, block_bytes):
        blocks += second[2]
    return [address, block_bytes, blocks]
