"""The figures of a board as its emulator wants them: one flat dictionary, written as JSON.

What a board is stands in its board.toml (`muptane.boards`); this module only rearranges.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def settings_of(spec: Any, flash: Path, bitrate: int) -> dict[str, Any]:
    return {
        "bitrate": bitrate,
        "tx_queue": 3,
        "rx_queue": 16,
        "in_order": True,
        "wake_us": 50,
        "frame_us": 30,
        "confirm_ms": 500,
        "costs": {"ed25519_verify": 500_000, "ed25519_sign": 400_000, "sha256_block": 40},
        "heap_bytes": [32 << 10, 64 << 10, 96 << 10],
        "flash": {
            "path": str(flash.absolute()),
            "regions": [
                [0x080A0000, 0x20000, 3, 1_000_000],
                [0x08100000, 0x4000, 4, 250_000],
                [0x08110000, 0x10000, 1, 550_000],
                [0x08120000, 0x20000, 7, 1_000_000],
            ],
            "program_bytes": 4,
            "program_us": 16 * 64,
            "page_bytes": 256,
        },
        "records": [0x08100000, 0x4000, 4],
        "slots": [[0x08120000, 0x20000, 2], [0x08160000, 0x20000, 2]],
        "depot": [[0x081A0000, 0x20000, 2], [0x080C0000, 0x20000, 2]],
    }
