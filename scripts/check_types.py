"""`make types`: mypy --strict on the host, the device core, and each board with its port's stubs.

The stubs of MicroPython's ports stand in for the standard library and contradict each other, so
each set lives in a folder of its own, build/stubs/<port>, installed once from
requirements-stubs-<port>.lock (hashes required) and again only when that file changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
UNIX = ("machine.py", "time.py", "boot.py")


def install_stubs(port: str) -> Path:
    """The folder of a port's stubs, installed if it is not the lock file's."""
    lock = ROOT / f"requirements-stubs-{port}.lock"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    folder = BUILD / "stubs" / port
    stamp = folder / ".lock-sha256"
    if stamp.is_file() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run(
        [*pip, "--target", str(folder), "-r", str(lock)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"types: stubs of {port} cannot be installed\n{done.stderr}")
    stamp.write_text(wanted)
    return folder


def check(title: str, config: str, arguments: list[str], path: str = "") -> bool:
    """One run of mypy, with a cache of its own."""
    print(f"types: {title}", flush=True)
    cache = BUILD / "mypy" / title
    mypy = [sys.executable, "-m", "mypy", "--config-file", config, "--cache-dir", str(cache)]
    environment = {**os.environ, "MYPYPATH": path}
    done = subprocess.run([*mypy, *arguments], cwd=ROOT, env=environment, check=False)
    return done.returncode == 0


def check_board(folder: Path) -> bool:
    """A board's own files, as the interpreter of its port sees them."""
    port = tomllib.loads((folder / "board.toml").read_text(encoding="utf-8"))["port"]
    stubs = install_stubs(port)
    path = ":".join(str(p) for p in (stubs, folder, ROOT / "firmware", ROOT / "firmware/stubs"))
    files = [folder / "board.py", folder / "_boot.py", ROOT / "boards" / "main.py"]
    if port == "unix":  # what stands in for the interpreter's own modules; the rest is core
        files = [folder / name for name in UNIX]
        path += f":{ROOT}"
    arguments = [str(file) for file in files if file.is_file()]
    arguments = ["--custom-typeshed-dir", str(stubs), *arguments]
    return check(folder.name, "mypy-boards.ini", arguments, path)


def main() -> int:
    core = ["firmware/uptane", "firmware/apps", "boards/unix"]
    left_out = [f"--exclude=boards/unix/{name}$" for name in UNIX]
    good = check("core", "mypy.ini", left_out + core)
    good &= check("host", "mypy.ini", ["host/muptane", "scripts"])
    for board in sorted((ROOT / "boards").glob("*/board.toml")):
        good &= check_board(board.parent)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
