"""`make flash BOARD= PORT=`: compile the client and copy it to a board with mpremote.

What is copied: `uptane/` as .mpy (bytecode, numbers in the place of their names), the board's own
`board.py` and the `main.py` that starts it. With --dry-run the mpremote commands are printed
and nothing is sent; what is compiled stays in build/mpy/<board>.

It does not flash MicroPython itself, shrink a filesystem or provision keys:
see boards/<board>/README.md.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# also without an installed muptane
sys.path[:0] = [str(ROOT), str(ROOT / "host"), str(ROOT / "firmware")]

from muptane.bench.firmware import NotCompiled, compile_text, module_of  # noqa: E402
from muptane.boards import BadBoard, BoardSpec, load_board  # noqa: E402
from muptane.literals import inlined  # noqa: E402

HALT = "open('halt', 'w').close(); import machine; machine.reset()"
RESTART_S = "5"
TARGETS = {"filesystem": ":", "card": ":/sd/"}


def sources(board: str) -> list[tuple[Path, Path]]:
    """(source, place on the board without suffix) of everything that is copied."""
    firmware = ROOT / "firmware"
    client = sorted((firmware / "uptane").rglob("*.py"))
    pairs = [(source, source.relative_to(firmware).with_suffix("")) for source in client]
    return [*pairs, (ROOT / "boards" / board / "board.py", Path("board"))]


def compile_all(spec: BoardSpec, folder: Path) -> int:
    """Everything as .mpy under `folder`; the number of bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    total = 0
    places = {str(place): source.read_text("utf-8") for source, place in sources(spec.name)}
    texts = inlined({module_of(place): text for place, text in places.items()})
    for place in places:
        out = folder / f"{place}.mpy"
        try:
            # the architecture only matters for viper code; bytecode is the same for every one
            compile_text(texts[module_of(place)], place, out, spec.arch)
        except NotCompiled as refused:
            raise SystemExit(f"flash: {refused}") from None
        total += out.stat().st_size
    shutil.copy(ROOT / "boards" / "main.py", folder / "main.py")
    return total


def mpremote_commands(spec: BoardSpec, port: str, folder: Path) -> list[list[str]]:
    """Halt the board, whose watchdog would reset it in the middle; copy and let it go."""
    places = {role.code for _, role in spec.roles if role.holds}
    targets = [TARGETS[place] for place in ("filesystem", "card") if place in places]
    if not targets:
        raise SystemExit(
            f"flash: {spec.name} has no room for files, its client must be frozen:"
            f" boards/{spec.name}/README.md"
        )
    entries = sorted(str(entry) for entry in folder.iterdir())
    mpremote = [sys.executable, "-m", "mpremote"]
    copy = ["fs", "cp", "-r", *entries, targets[0], "+", "fs", "rm", ":halt", "+", "reset"]
    return [
        [*mpremote, "connect", port, "exec", "--no-follow", HALT],
        [*mpremote, "sleep", RESTART_S, "+", "connect", port, *copy],
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="flash", description="Copy the client to a board.")
    parser.add_argument("board", help="a folder of boards/")
    parser.add_argument("port", help="serial port, as mpremote takes it: /dev/ttyACM0, auto")
    parser.add_argument("--dry-run", action="store_true", help="print the command only")
    options = parser.parse_args(arguments)
    try:
        spec = load_board(options.board)
    except BadBoard as error:
        raise SystemExit(f"flash: {error}") from error
    if spec.port == "unix":
        raise SystemExit("flash: unix is the emulated board; there is nothing to flash")
    folder = ROOT / "build" / "mpy" / spec.name
    total = compile_all(spec, folder)
    commands = mpremote_commands(spec, options.port, folder)
    print(f"flash: {spec.title}: {total} bytes of .mpy in {folder.relative_to(ROOT)}", flush=True)
    for command in commands:
        print(shlex.join(command), flush=True)
        if not options.dry_run and (code := subprocess.run(command, check=False).returncode):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
