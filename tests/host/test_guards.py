"""For each guard of the store a planted bug shows which kind of fault needs it.

The bugs stand in docs/guards.toml; every kind under every bug, and the table that comes of it, is
`make guards`.
"""

from pathlib import Path

import pytest

from muptane.measured import rows_of
from scripts.guarding.guards import LIST, BadList, Guard, listed, load
from scripts.guarding.kinds import KINDS, SOUND, Outcome, play, plays
from scripts.guards import HEADS, complaints

GUARDS = listed()


def named(guard: Guard) -> str:
    return guard.name.replace(" ", "-")


def package(guard: Guard) -> str:
    return f"planted_{GUARDS.index(guard)}"


@pytest.mark.parametrize("guard", GUARDS, ids=named)
def test_a_store_without_a_guard_works_until_a_fault_needs_it(
    guard: Guard, tmp_path: Path
) -> None:
    """E-79, E-89, V-88: with no fault nothing is missed; with the fault that the list names first
    a value falls back, a corruption is accepted or the ECU is lost."""
    store = load(tmp_path, package(guard), guard)
    assert play(store, SOUND).verdict == ""
    for kind in guard.faults[:1]:
        assert play(store, plays(kind, guard.module)).verdict, kind


@pytest.mark.parametrize("kind", KINDS)
def test_the_store_as_it_is_survives_what_is_played(kind: str, tmp_path: Path) -> None:
    """E-79, E-89, V-88"""
    store = load(tmp_path, f"sound_{KINDS.index(kind)}")
    outcome = play(store, (*plays(kind), *plays(kind, "regions")))
    assert outcome.verdict == "", outcome
    assert outcome.cases >= 2


def test_every_module_and_kind_is_in_the_list() -> None:
    """E-79: and most guards are needed by a single fault."""
    modules = {"area", "log", "records", "regions", "slots", "span", "trials"}
    assert {guard.module for guard in GUARDS} == modules
    assert {kind for guard in GUARDS for kind in guard.faults} == set(KINDS)
    single = [guard for guard in GUARDS if any("+" not in kind for kind in guard.faults)]
    assert 2 * len(single) > len(GUARDS)


def test_the_written_table_is_of_the_list() -> None:
    """E-79: names, places and kinds; the verdicts are what `make guards` found."""
    written = [
        (name, where, {need.split(":")[0] for need in needs.split("; ")} & {*KINDS})
        for name, where, needs in rows_of("guards", len(HEADS))
    ]
    assert written == [
        (guard.name, f"{guard.module}.{guard.function}", {*guard.faults}) for guard in GUARDS
    ]


def test_a_bug_that_cannot_be_planted_is_told(tmp_path: Path) -> None:
    """E-79: the list cannot rot."""
    source = "class A:\n    def f(self):\n        return 1\n\ndef f():\n    return 2, 2\n"
    good = Guard("g", "m", "A.f", "return", "yield", ())
    assert good.plant(source).splitlines()[2] == "        yield 1"
    for function, was in (("f", "2"), ("A.f", "return 2"), ("A.g", "return 1")):
        with pytest.raises(BadList):
            Guard("g", "m", function, was, "pass", ()).plant(source)
    entry = 'name = "g"\nmodule = "m"\nfunction = "f"\nwas = ""\nnow = ""\nfaults = []\n'
    why = 'why = "It stays so."\n'
    path = tmp_path / "list.toml"
    for text in ('why = ""', f"{why}[[guard]]\n{entry}{why}"):
        path.write_text("[[guard]]\n" + entry + text)
        with pytest.raises(BadList):
            listed(path)
    assert LIST.name == "guards.toml"


def test_what_is_not_as_the_list_has_it_is_told() -> None:
    """E-79"""
    guard = Guard("g", "m", "f", "", "", ("cut",))
    fine, bad = Outcome(1), Outcome(1, "bricked", "case", "why")
    assert complaints(guard, (fine, {"cut": bad, "lie": fine})) == []
    assert complaints(guard, (fine, {"cut": fine, "lie": fine})) == ["g: cut is not noticed"]
    assert complaints(guard, (fine, {"cut": bad, "lie": bad})) == ["g: bricked by lie, case: why"]
    assert complaints(None, (fine, {"cut": bad})) == [
        "the store as it is: bricked by cut, case: why"
    ]
    (said,) = complaints(guard, (bad, {"cut": bad}))
    assert "without any fault" in said
