"""Packing: a folder becomes a ROMFS that the real interpreter runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from muptane.oem.errors import NotAnApplication
from muptane.oem.pack import pack_application, pack_file

SOURCE = (
    "from parts import lamp\ndef start(board):\n    return lamp.ON\ndef step(now_ms):\n    pass\n"
)
MOUNT = """
import vfs, sys
vfs.mount(vfs.VfsRom(memoryview(open(%r, 'rb').read())), '/application')
sys.path.insert(0, '/application')
import app
print(app.start(None), app.__file__)
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "blinker"
    (made / "parts" / "__pycache__").mkdir(parents=True)
    (made / "app.py").write_text(SOURCE)
    (made / "parts" / "lamp.py").write_text("ON = 42\n")
    (made / "parts" / "__pycache__" / "lamp.pyc").write_bytes(b"stale")
    (made / ".hidden").write_text("x")
    return made


def test_a_folder_packs_to_the_same_bytes_and_says_nothing(folder, tmp_path, capsys):
    packed = pack_application(folder)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert pack_application(copy) == packed and packed[:3] == b"\xd2\xcd\x31"
    assert SOURCE.encode() in packed and b"stale" not in packed and b".hidden" not in packed
    assert capsys.readouterr() == ("", "")


def test_the_real_interpreter_runs_what_was_packed(folder, tmp_path):
    interpreter = Path(sys.executable).parent / "micropython"
    if not interpreter.exists():
        pytest.skip("no MicroPython for this machine")
    image = tmp_path / "image"
    image.write_bytes(pack_application(folder))
    done = subprocess.run(
        [interpreter, "-c", MOUNT % str(image)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["42", "/application/app.mpy"]


@pytest.mark.parametrize("source", [None, "def start(board): pass\n", "def start(:\n", "\0"])
def test_a_folder_that_no_ecu_could_start_is_refused(folder, source):
    (folder / "app.py").unlink()
    if source is not None:
        (folder / "app.py").write_text(source)
    with pytest.raises(NotAnApplication):
        pack_application(folder)


def test_names_are_ascii(folder):
    (folder / "lämp.py").write_text("")
    with pytest.raises(NotAnApplication):
        pack_application(folder)


def test_any_file_is_an_opaque_image(tmp_path):
    path = tmp_path / "firmware.bin"
    path.write_bytes(bytes(range(256)))
    assert pack_file(path) == bytes(range(256))
