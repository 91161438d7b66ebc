"""`make installs [IMAGES=folder]`: a real firmware from one build to the next, in every way.

On every board, and with heaps found by trying; then an image of 4 MB through the heap that one of
64 KB needs. Bytes on the bus and virtual seconds are of CPython nodes (the trace is the same on
both interpreters), heaps of real MicroPython. The builds are those of tests/images.py, or the two
files *.bin of a folder, which sort by age. Figures go to docs/measured.md. Long.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from muptane.bench.installs import KB, WAYS, Done, Install, Way, smallest_heap
from muptane.boards import board_names
from muptane.measured import table, write_section
from tests import images

HEAP_BYTES_MAX = 64 * KB  # promised for a full Secondary, whatever the size of the image
SMALL, LARGE = 64 * KB, 4096 * KB
SLACK = 1  # KB between the figures of a small and a large image


def opaque(length: int, seed: int) -> bytes:
    """Bytes that nobody mounts, the same every time."""
    line = bytes((i * i * 7 + seed) & 0xFF for i in range(251))
    return (line * (length // len(line) + 1))[:length]


def played(way: Way, images: tuple[bytes, bytes], board: str) -> Done | None:
    return Install(way, images, board).play()


def heap_of(way: Way, images: tuple[bytes, bytes]) -> int:
    """KB of the smallest heap above code on MicroPython; 0: more than is promised."""

    def play(heap_bytes: int) -> Done | None:
        return Install(way, images, "unix", "micropython", heap_bytes).play()

    return smallest_heap(play, HEAP_BYTES_MAX) // KB


def large_passes(heap_kb: int) -> bool:
    """Does the large image install through a heap of that size?"""
    images = (opaque(SMALL, 1), opaque(LARGE, 2))
    return Install(WAYS[0], images, "unix", "micropython", heap_kb * KB).play() is not None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=images.FOLDER)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    files = sorted(options.images.glob("*.bin"))
    if len(files) != 2:
        print(f"installs: {options.images} holds {len(files)} files *.bin, not two builds; give")
        print("installs: a folder with an older and a newer one: make installs IMAGES=folder")
        return 2
    builds = (files[0].read_bytes(), files[1].read_bytes())
    with ProcessPoolExecutor(options.jobs) as pool:
        runs = {
            (way.name, board): pool.submit(played, way, builds, board)
            for way in WAYS
            for board in board_names()
        }
        heaps = {way.name: pool.submit(heap_of, way, builds) for way in WAYS}
        small = pool.submit(heap_of, WAYS[0], (opaque(SMALL, 1), opaque(SMALL, 2)))
        rows = [row_of(way, {key: run.result() for key, run in runs.items()}) for way in WAYS]
        kept = [(way.name, heaps[way.name].result()) for way in WAYS]
        small_kb = small.result()
        large = {kb: pool.submit(large_passes, kb) for kb in around(small_kb)}
        large_kb = min((kb for kb, run in large.items() if run.result()), default=0)
    text = report(files, rows, kept, (small_kb, large_kb))
    print(text)
    write_section("installs", text)
    return 0 if 0 < large_kb <= small_kb + SLACK else 1


def around(small_kb: int) -> range:
    return range(small_kb - SLACK, small_kb + SLACK + 1)


def row_of(way: Way, done: dict[tuple[str, str], Done | None]) -> tuple[object, ...]:
    """Bytes on the bus, then the virtual seconds on each board."""
    found = [done[way.name, board] for board in board_names()]
    first = next((one for one in found if one is not None), None)
    times = [f"{one.seconds:.1f}" if one else "not taken" for one in found]
    return (way.name, first.bus_bytes if first else 0, *times)


def report(
    files: list[Path],
    rows: list[tuple[object, ...]],
    heaps: list[tuple[str, int]],
    sizes: tuple[int, int],
) -> str:
    """The section of docs/measured.md."""
    old, new = (f"{file.stem}, {file.stat().st_size:,} bytes" for file in files)
    boards = [f"{board}, s" for board in board_names()]
    heads = ("way", "bytes on the bus", *boards)
    small_kb, large_kb = sizes
    return f"""## Installs

Written by `make installs`: {old}, to {new}, on the sedan's full Secondary, through its Primary.
Bytes are the data of all frames of the cycle, from the feeder to the Primary and from there to the
ECU, metadata and reports included; seconds are virtual, from the feeder's first request until the
new image is confirmed, with erasing, programming, hashing, signatures and ciphers charged at the
board's figures; the Primary's are those of `unix`. Where the board's slots are too small for these
images it has SPI NOR beside its flash.

{table(heads, rows)}

The smallest heap above code with which the ECU installs without a reset but that of its trial, on
MicroPython of 64 bits, in steps of 1 KB (a board of 32 bits needs about 0.7 of it); promised are
{HEAP_BYTES_MAX // KB} KB for any size. An opaque image of {SMALL // KB} KB: {small_kb} KB; of \
{LARGE // KB} KB: {large_kb} KB.

{table(("way", "heap, KB"), heaps)}"""


if __name__ == "__main__":
    sys.exit(main())
