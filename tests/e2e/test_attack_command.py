"""`muptane attack` as a command: what it lists, says and writes."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from muptane.bench.attacks.attack import ATTACKS, Attack, Outcome, everywhere
from muptane.bench.firmware import ROOT
from muptane.cli import attack as command
from muptane.cli.main import app
from uptane.errors import Rollback, WrongHash

NEW = '''"""Theft of hubcaps: what no verifier sees."""
from muptane.bench.attacks.attack import DETECTED, attack

@attack(ids=("V-36",), expected={"backoffice": DETECTED}, power="a jack")
def hubcap_stolen(stage):
    """roll away"""
'''


def test_a_new_file_of_attacks_is_found_by_itself(tmp_path: Path) -> None:
    """V-36: and stands last in the list."""
    (tmp_path / "hubcaps.py").write_text(NEW)
    code = (
        "import sys; from muptane.bench import attacks; attacks.__path__.append(sys.argv.pop());"
        "from muptane.cli.main import app; app()"
    )
    command = [sys.executable, "-c", code, "attack", "list", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{len(ATTACKS) + 1} attacks" in done.stdout
    last = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")][-2:]
    assert last[0] == "Theft of hubcaps: what no verifier sees."


def muptane(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["attack", *arguments])


def test_the_command_plays_and_writes_json(tmp_path: Path) -> None:
    """V-36"""
    file = tmp_path / "outcome.json"
    done = muptane("run", "timestamp_without_end", "--nodes", "cpython", "--json", str(file))
    assert done.exit_code == 0, done.output
    primary, full = json.loads(file.read_text())
    assert primary == {
        "name": "timestamp_without_end",
        "ids": ["E-19", "V-72.1"],
        "verification": "primary",
        "power": ATTACKS["timestamp_without_end"].power,
        "expected": 6,
        "observed": 6,
        "state_unchanged": True,
        "recovers": True,
        "ok": True,
    }
    assert full == {**primary, "verification": "full"}


LOST = "the next honest update does not install"


@pytest.mark.parametrize(
    ("seen", "is_unchanged", "recovers", "told"),
    [
        (Rollback.number, True, True, []),
        (WrongHash.number, True, True, ["verdict: expected 32 Rollback"]),
        (Rollback.number, False, True, ["state: it should be as it was; changed: time of brake"]),
        (Rollback.number, True, False, [f"recovery: {LOST}: not said"]),
    ],
)
def test_the_line_says_which_condition_failed(
    seen: int, is_unchanged: bool, recovers: bool, told: list[str]
) -> None:
    """V-36: and no other."""
    out = StringIO()
    console = Console(file=out, width=200, highlight=False)
    changes = () if is_unchanged else ("time of brake",)
    made = Attack("made_up", ("V-36",), "", "", lambda stage: None, everywhere(Rollback))
    command.told(console, Outcome(made, "full", seen, is_unchanged, recovers, changes))
    first, *lines = out.getvalue().splitlines()
    assert first.startswith("NOT OK" if told else "ok ")
    assert [line.strip() for line in lines] == told


def test_the_command_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """V-36"""
    done = muptane("run", "directer_key_stolen")
    assert done.exit_code == 2
    assert "director_key_stolen" in done.output
    assert muptane("run", "all", "--vehicle", str(tmp_path / "none.toml")).exit_code == 2
    assert muptane("run", "mix_and_match", "--nodes", "tea").exit_code == 2
    fleet = muptane("run", "mix_and_match", "--vehicle", str(ROOT / "vehicles" / "fleet.toml"))
    assert fleet.exit_code == 2
    assert "[[repository]]" in fleet.output
    two = tmp_path / "two.toml"
    two.write_text((ROOT / "vehicles" / "sedan.toml").read_text().rsplit("[[ecu]]", 1)[0])
    lonely = muptane("run", "partial_bundle_seen", "--nodes", "cpython", "--vehicle", str(two))
    assert lonely.exit_code == 2
    assert "needs 2 Secondaries" in lonely.output
    assert f"{len(ATTACKS)} attacks" in muptane("list").output
