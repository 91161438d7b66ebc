"""A corpus: a folder of inputs for one target, what they do, and the few of them worth keeping.

An input is kept for what no smaller one does: a line of `uptane` that follows another, or a list
of refusals. The memory it takes is the peak of tracemalloc on CPython, for one input.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from muptane.bench import firmware
from scripts.fuzzing import CORPUS, HOST_TARGETS, ROOT, TARGETS, add_paths

FILES_MAX = 24  # of one target in the repository
KEPT_BYTES_MAX = 1200  # of one file there
DEVICE = ROOT / "firmware" / "uptane"
WATCHED = (str(DEVICE), str(ROOT / "host" / "muptane" / "oem"))
TARGET_FILES = (str(ROOT / "tests" / "fuzz"), str(ROOT / "tests" / "host"))
LIST = str(ROOT / "tests" / "fuzz" / "targets.py")  # names the targets, and is none
Effect = tuple[object, ...]


def names() -> dict[str, int]:
    """{target: most bytes of one input}, of the device and of the back office."""
    add_paths()
    found = {}
    for module in (TARGETS, HOST_TARGETS):
        known = importlib.import_module(module).TARGETS
        found.update({name: bytes_max for name, (_, bytes_max) in known.items()})
    return found


def outcome(name: str, raw: bytes) -> list[Any]:
    module = HOST_TARGETS if name.startswith("oem_") else TARGETS
    said: list[Any] = importlib.import_module(module).outcome(name, raw)
    return said


def read(folder: Path) -> list[bytes]:
    """The inputs in a folder, small ones first."""
    inputs = [path.read_bytes() for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(inputs, key=lambda raw: (len(raw), raw))


def refusals(name: str, inputs: Iterable[bytes]) -> Counter[Any]:
    """How many inputs saw each refusal; under 0 those that saw none."""
    seen: Counter[Any] = Counter()
    for raw in inputs:
        seen.update(set(outcome(name, raw)) or {0})
    return seen


def peak_bytes(name: str, inputs: Iterable[bytes]) -> int:
    """The most memory that one of the inputs took, by tracemalloc."""
    most = 0
    for raw in inputs:
        outcome(name, raw)  # what it keeps for ever, it has now
        tracemalloc.start()
        outcome(name, raw)
        most = max(most, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return most


def code_of(name: str) -> str:
    """Which code a target fuzzes: a hash of every file of which the repository's corpus runs a
    function, the target's own included; of the device's as they are compiled, with numbers in
    the place of names."""
    texts = firmware.texts()
    hashing = hashlib.sha256()
    for file in files_run(name, read(CORPUS / name)):
        path = Path(file)
        if path.is_relative_to(DEVICE):
            text = texts[f"uptane/{path.relative_to(DEVICE).with_suffix('').as_posix()}"]
        else:
            text = path.read_text("utf-8")
        hashing.update(f"{path.relative_to(ROOT)}\0{text}\0".encode())
    return hashing.hexdigest()[:8]


def files_run(name: str, inputs: Iterable[bytes]) -> list[str]:
    """The files, of ours, of which these inputs run a function."""
    seen: set[str] = set()

    def called(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            seen.add(frame.f_code.co_filename)

    for raw in inputs:
        outcome(name, raw)  # whatever it imports is imported now
        sys.setprofile(called)
        try:
            outcome(name, raw)
        finally:
            sys.setprofile(None)
    ours = (file for file in seen if file.startswith(WATCHED + TARGET_FILES))
    return sorted(file for file in ours if file != LIST)


def effects(name: str, raw: bytes) -> set[Effect]:
    """What an input does: pairs of lines, one after the other in a function, and refusals."""
    seen: set[Effect] = set()

    def called(frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(WATCHED):
            return None
        last = 0

        def line(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal last
            seen.add((frame.f_code.co_filename, last, frame.f_lineno, event))
            last = frame.f_lineno
            return line

        return line

    sys.settrace(called)
    try:
        said = outcome(name, raw)
    finally:
        sys.settrace(None)
    seen.add(tuple(said[:2]))
    seen.update((number,) for number in said)
    return seen


def keep(name: str, inputs: list[bytes]) -> int:
    """Make the target's folder in the repository those inputs that do most; returns how many."""
    known = {raw: effects(name, raw) for raw in inputs if len(raw) <= KEPT_BYTES_MAX}
    left: set[Effect] = set().union(*known.values())
    kept = [raw for raw in inputs if raw in known and not outcome(name, raw)][-1:]  # accepted
    left -= set().union(*(known[raw] for raw in kept))
    while left and len(kept) < FILES_MAX:
        best = max(known, key=lambda raw: (len(known[raw] & left), -len(raw)))
        kept.append(best)
        left -= known[best]
    write(CORPUS / name, kept)
    return len(kept)


def write(folder: Path, inputs: Iterable[bytes]) -> None:
    """Make the folder hold these inputs and no others, each under the hash of its bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for raw in inputs:
        (folder / file_name(raw)).write_bytes(raw)


def file_name(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:12]
