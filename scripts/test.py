"""`make test`: everything that CI runs, in the order in which it is cheapest to fail.

Lint, types, the tests of the host (pytest, on two cores), then the device tests on CPython and on
real MicroPython, whose counts must be equal and not zero. Ends with the line
`device: cpython N passed, micropython N passed`.
"""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
HEAP = "2m"


def run(title: str, *command: str) -> None:
    """One step; ends everything if it fails."""
    begun = time.perf_counter()
    print(f"--- {title}", flush=True)
    done = subprocess.run(command, cwd=ROOT, check=False)
    print(f"--- {title}: {time.perf_counter() - begun:.0f} s", flush=True)
    if done.returncode:
        raise SystemExit(f"{title} failed (exit code {done.returncode})")


def device(*interpreter: str) -> int:
    """How many device tests passed, each module in an interpreter of its own, two at a time."""
    modules = sorted(path.stem for path in (ROOT / "tests" / "device").glob("test_*.py"))
    with ThreadPoolExecutor(2) as pool:  # threads that wait for a process each
        return sum(pool.map(lambda module: device_module(module, *interpreter), modules))


def device_module(module: str, *interpreter: str) -> int:
    """How many tests of one module passed; ends everything if one failed."""
    done = subprocess.run(
        [*interpreter, "tests/device/run.py", module],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.strip().rsplit("\n", 1)[-1]
    found = re.fullmatch(r"\w+ (\d+) passed, 0 failed", last)
    if done.returncode or found is None:
        raise SystemExit(f"device tests failed:\n{done.stdout}{done.stderr}")
    return int(found[1])


def main() -> None:
    run("lint", str(BIN / "ruff"), "check", ".")
    run("format", str(BIN / "ruff"), "format", "--check", "--quiet", ".")
    run("types", sys.executable, "scripts/check_types.py")
    run("host tests", sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal")
    cpython = device(sys.executable)
    micropython = device(str(BIN / "micropython"), "-X", f"heapsize={HEAP}")
    print(f"device: cpython {cpython} passed, micropython {micropython} passed")
    if cpython != micropython or not cpython:
        raise SystemExit("the two interpreters did not run the same device tests")


if __name__ == "__main__":
    main()
