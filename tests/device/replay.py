"""Replays the corpus of the fuzzer: every input, on whatever interpreter runs this file.

    micropython -X heapsize=2m tests/device/replay.py [bytes of heap that are left]

Prints `target input outcome` for each, so that two interpreters can be held against each other.
With a number, all but so many bytes of heap are taken away first. Not a test file.
"""

import gc
import os
import sys

FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."

for path in ("/../..", "/../../firmware", "", "/.."):
    if FOLDER + path not in sys.path:
        sys.path.insert(0, FOLDER + path)

from fuzz.targets import TARGETS, outcome  # noqa: E402  # the path comes first

CORPUS = FOLDER + "/../fuzz/corpus"


def inputs(name):
    """[(file name, bytes), ...] of a target, in order."""
    folder = CORPUS + "/" + name
    found = []
    for file in sorted(os.listdir(folder)):
        with open(folder + "/" + file, "rb") as opened:
            found.append((file, opened.read()))
    return found


def take_heap(left_bytes):
    """Allocate until no more than about so many bytes are free; returns what was allocated."""
    taken = []
    for piece_bytes in (65536, 4096, 256):
        try:
            while gc.mem_free() > left_bytes + piece_bytes:
                taken.append(bytearray(piece_bytes))
        except MemoryError:  # there is no hole of that size: smaller ones
            pass
    return taken


def main(arguments):
    loaded = {name: inputs(name) for name in TARGETS}
    gc.collect()
    taken = take_heap(int(arguments[0])) if arguments else []
    for name in sorted(loaded):
        for file, raw in loaded[name]:
            print(name, file, outcome(name, raw))
    return 0 if taken or not arguments else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
