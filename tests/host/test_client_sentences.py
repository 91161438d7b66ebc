"""`muptane client` and its user: whatever goes wrong is a sentence, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_client_stories import muptane
from tuf_shop import Shop

from muptane.cli import client
from muptane.tufjson.names import path_hash
from muptane.tufjson.pipe import Silent
from uptane import errors


@pytest.mark.parametrize("command", ["init", "refresh"])
@pytest.mark.parametrize("folder", ["file/x", "file", "/proc/nope"])
def test_a_folder_that_is_none_is_told(tmp_path: Path, command: str, folder: str) -> None:
    """V-36: where metadata is kept."""
    root = tmp_path / "file"
    root.write_bytes(Shop().raws["1.root.json"])
    where = ["--metadata-dir", tmp_path / folder, "--metadata-url", "http://127.0.0.1:1/"]
    done = muptane(*where, command, *([root] if command == "init" else []))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_name_that_is_no_text_is_a_wrong_call(tmp_path: Path) -> None:
    """V-36"""
    there = ["--metadata-dir", tmp_path, "--metadata-url", "http://127.0.0.1:1/"]
    target = ["--target-base-url", "http://127.0.0.1:1/", "--target-dir", tmp_path]
    done = muptane(*there, *target, "--target-name", "\udcff", "download")
    assert done.returncode == 2
    assert "UTF-8" in done.stderr and "Traceback" not in done.stderr
    with pytest.raises(errors.BadText):
        path_hash("\udcff")


def test_an_interpreter_that_ends_early_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """V-36: as a refusal is, by exit code 1."""
    with pytest.raises(client.typer.Exit) as ended, client.Verdict():
        raise Silent
    assert ended.value.exit_code == 1
    assert "MicroPython ended before it had decided" in capsys.readouterr().err
