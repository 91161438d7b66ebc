"""Applications are mounted from a slot by a real interpreter, with and without VfsRom."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys, vfs
from uptane.errors import BadApplication
from uptane.port.applications import Applications
from vectors.romfs import IMAGE

class Slot:
    address = 0x100

class Plain:  # firmware without VfsRom
    def mount(self, fsobj, mount_point):
        vfs.mount(fsobj, mount_point)
    def umount(self, mount_point):
        vfs.umount(mount_point)

def memory(address, length):
    return (bytes(0x100) + content)[address:address + length]

def refused():
    try:
        applications.mount(Slot, len(content))
    except BadApplication:
        return True

for module in (vfs, Plain()):
    content = IMAGE
    applications = Applications(module, memory)
    path = list(sys.path)
    for _ in range(2):
        app = applications.mount(Slot, len(content))
        app.start(None)
        assert app.step(5) == 15
        assert "app" in sys.modules and "lib.wheel" in sys.modules
    applications.unmount()
    applications.unmount()
    assert "app" not in sys.modules and "lib.wheel" not in sys.modules
    assert sys.path == path
    for content in (b"", b"\\xff" * 300, IMAGE[1:]):
        assert applications.mount(Slot, len(content)) is None
    for content in (IMAGE[:-1], IMAGE[:3], IMAGE.replace(b"step", b"stop"),
                    IMAGE.replace(b"return", b"rEturn"), IMAGE.replace(b"app.py", b"apq.py"),
                    IMAGE.replace(b"from", b"asdf"), IMAGE.replace(b"import", b"lambda")):
        assert refused(), content
        assert sys.path == path and "app" not in sys.modules
print("passed")
"""


def test_an_application_starts_from_its_slot_and_leaves_no_trace_when_unmounted(
    tmp_path: Path,
) -> None:
    interpreter = shutil.which("micropython") or str(ROOT / ".venv/bin/micropython")
    if not Path(interpreter).exists():
        pytest.skip("micropython is not installed")
    script = tmp_path / "mounts.py"
    script.write_text(SCRIPT)
    paths = f"{ROOT / 'firmware'}:{ROOT / 'tests'}"
    done = subprocess.run(
        [interpreter, "-X", "heapsize=200k", str(script)],
        env={**os.environ, "MICROPYPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "passed\n", done.stdout + done.stderr
