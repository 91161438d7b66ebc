"""`make mutants`: it notices what the tests do, says what they miss, and does both honestly."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.mutants import judge
from scripts.mutation.mutants import Module

ROOT = Path(__file__).resolve().parents[2]
PUMP = '''"""A pump."""

if False:
    LEFT_OUT = 1 + 2


def allowed(level: "int | None") -> bool:
    if level is None:
        raise ValueError
    return level >= 20


def emptied(level: int) -> int:
    while level:
        level -= 1
    return level
'''
STRONG = """from planted_pump import allowed, emptied

def test_levels():
    assert allowed(20) and not allowed(19) and allowed(21)

def test_emptied():
    assert emptied(3) == 0

def test_none():
    try:
        allowed(None)
    except ValueError:
        return
    assert False
"""
WEAK = STRONG.replace("allowed(20) and not allowed(19) and ", "")
ENTRY = {"module": "m", "function": "f", "operator": "o", "was": "a", "now": "b"}
WHY = {**ENTRY, "why": "It is the same."}


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "scripts.mutants", "--jobs", "1", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def planted(folder: Path, tests: str, *more: str) -> "subprocess.CompletedProcess[str]":
    source, suite, listed = folder / "source", folder / "tests", folder / "list.toml"
    source.mkdir(exist_ok=True)
    suite.mkdir(exist_ok=True)
    (source / "planted_pump.py").write_text(PUMP)
    (suite / "test_planted_pump.py").write_text(tests)
    listed.write_text("")
    return run("--source", str(source), "--tests", str(suite), "--list", str(listed), *more)


def test_a_weak_test_lets_a_mutant_survive_and_fails_the_run(tmp_path: Path) -> None:
    done = planted(tmp_path, WEAK)
    assert done.returncode == 1, done.stdout + done.stderr
    line = "| allowed | core/ReplaceComparisonOperator_GtE_Gt | return level >= 20 | "
    assert f"survives, and is not in the list: planted_pump {line}return level > 20" in done.stdout


def test_a_strong_test_kills_that_mutant_and_loops_without_end(tmp_path: Path) -> None:
    done = planted(tmp_path, STRONG)
    assert ", killed " in done.stdout and "Traceback" not in done.stderr, done.stderr
    assert "return level >= 20 |" not in done.stdout
    assert "| level -= 1 | " not in done.stdout  # runs for ever, and is stopped


def test_a_second_run_tries_only_what_survived(tmp_path: Path) -> None:
    refused = planted(tmp_path, WEAK, "--again", "1")
    assert refused.returncode == 1
    assert "planted_pump was not run whole as it is; run it whole first" in refused.stderr
    first = planted(tmp_path, WEAK).stdout
    again = planted(tmp_path, STRONG, "--again", "1").stdout
    assert re.findall("mutants: [0-9]+", again) == re.findall("mutants: [0-9]+", first)
    assert "return level >= 20 |" in first and "return level >= 20 |" not in again
    survivors = [int(re.findall("survivors ([0-9]+)", text)[0]) for text in (first, again)]
    assert survivors[0] > survivors[1]


def test_tests_that_fail_unmutated_end_the_run(tmp_path: Path) -> None:
    done = planted(tmp_path, STRONG.replace("not allowed(19)", "allowed(19)"))
    assert done.returncode == 1
    assert "fails without any mutant" in done.stderr


@pytest.mark.parametrize(
    ("survivors", "listed", "whole", "complaint"),
    [
        ([ENTRY], [], {"m"}, "survives"),
        ([ENTRY], [], set(), "survives"),
        ([ENTRY, ENTRY], [WHY], {"m"}, "survives"),
        ([], [WHY], {"m"}, "is no survivor"),
        ([ENTRY], [ENTRY], {"m"}, "no reason"),
    ],
)
def test_the_list_and_the_survivors_are_held_together(
    survivors: list[dict[str, str]],
    listed: list[dict[str, str]],
    whole: set[str],
    complaint: str,
) -> None:
    (found,) = judge(survivors, listed, whole)
    assert complaint in found


def test_a_true_list_has_nothing_to_complain_of() -> None:
    assert judge([ENTRY], [WHY], {"m"}) == []
    assert judge([], [WHY], {"another"}) == []
    assert judge([ENTRY, ENTRY], [WHY], set()) == []


def test_what_no_verdict_can_see_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "pump.py").write_text(PUMP)
    module = Module("pump", tmp_path / "pump.py")
    assert all(mutant.function in ("allowed", "emptied") for mutant in module.mutants)
    changes = [module.change(mutant) for mutant in module.mutants]
    assert "pass" in [change.now for change in changes if change and change.was[:5] == "raise"]


def test_a_sample_of_the_thresholds_mutants_is_noticed() -> None:
    done = run("verify", "--sample", "5", "--seed", "2", "--only", "test_thresholds")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mutants: 5, " in done.stdout
