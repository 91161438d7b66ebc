"""`muptane client` and its user: whatever goes wrong is a sentence, and never a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_client_stories import muptane
from tuf_shop import Shop, served

from muptane.bench import firmware
from muptane.cli import client
from muptane.tufjson.names import path_hash
from muptane.tufjson.pipe import Silent
from muptane.tufjson.sentences import say
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
    with pytest.raises(client.typer.Exit) as ended, client.Verdict(False):
        raise Silent
    assert ended.value.exit_code == 1
    assert "MicroPython ended before it had decided" in capsys.readouterr().err


TUF_MODULES = [
    *(firmware.ROOT / "host/muptane/tufjson").glob("*.py"),
    *(firmware.ROOT / f"firmware/uptane/meta/{name}.py"
      for name in ("trusted", "resolver", "files", "verify")),
]  # fmt: skip
OF_A_DIRECTOR = {"DirectorDelegates", "EcuTwice", "NoImage"}
NOT_OURS = re.compile(
    r"\b(ECUs?|Director|devices?|boards?|flash|CBOR|COSE|cddl|vehicle|slot|limits\.py|provision)\b"
)


def raised_for_tuf() -> set[str]:
    """The names of all refusals that following a TUF repository can end with."""
    raised = set()
    for module in TUF_MODULES:
        raised |= set(re.findall(r"raise ([A-Z]\w+)", module.read_text("utf-8")))
    known = {name for name, value in vars(errors).items() if isinstance(value, type)}
    return (raised & known) - OF_A_DIRECTOR


def test_a_tuf_client_is_not_told_of_ecus() -> None:
    """V-36: each refusal in its own words, with a cause and a next step."""
    names = raised_for_tuf()
    assert {"BadShape", "NotProvisioned", "NotOnImageRepository", "Withheld"} <= names
    for name in sorted(names):
        line = say(getattr(errors, name)(), is_uptane=False)
        assert line.startswith(f"refused ({getattr(errors, name).number} {name}): "), line
        assert "likely cause: " in line and "next: " in line
        assert not NOT_OURS.search(line), line


def test_what_concerns_a_director_is_told() -> None:
    """V-36: where there is one."""
    assert "Director" in say(errors.NotOnImageRepository(), is_uptane=True)
    assert "init" in say(errors.NotProvisioned(), is_uptane=True)


def test_the_command_tells_them(tmp_path: Path) -> None:
    """V-36: a folder without a Root, a target that nobody lists, a file that is none."""
    shop = Shop()
    root = tmp_path / "1.json"
    root.write_bytes(shop.raws["1.root.json"])
    with served(shop) as address:
        there = ["--metadata-dir", tmp_path / "m", "--metadata-url", f"{address}/metadata"]
        target = ["--target-base-url", address, "--target-dir", tmp_path, "--target-name", "x"]
        assert "run: muptane client" in muptane(*there, "refresh").stderr
        muptane(*there, "init", root)
        assert "compare --target-name" in muptane(*there, *target, "download").stderr
        shop.raws["timestamp.json"] = b"{}"
        assert "TUF specification" in muptane(*there, "refresh").stderr


def test_the_help_says_what_the_exit_codes_mean() -> None:
    """V-36: of each command the options, of all of them the codes."""
    done = muptane("--help")
    assert done.returncode == 0
    told = " ".join(done.stdout.split())
    assert "Exit code 0: done; 1: refused" in told and "2: called wrongly" in told
