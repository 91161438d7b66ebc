"""docs/requirements.md is today's, and its checker sees what it has to see.

A small checkout with a planted fault stands in for ours where a fault is needed. It does not judge
whether a test proves what its docstring says.
"""

from pathlib import Path

from scripts.requirements import ATTACKS, PAGE, RULES, WAITS, Complaint, Survey, may_wait

HONEST = """
[V-71]
level = "SHALL"
section = "STD 5.4.4.3"
text = "Root is stepped through, one version after the other."

[R-60]
level = "practice"
section = "DEP"
text = "The time server answers a list of tokens."

[R-61]
level = "practice"
section = "DEP"
text = "The Primary gathers the tokens of its Secondaries."

[E-08]
level = "attack"
section = "REF 3.3"
text = "An old Timestamp is replayed to an ECU."
"""
A_TEST = '''def test_that_roots_are_stepped_through():
    """{head}"""
'''
AN_ATTACK = 'ATTACK = Attack(name="old_timestamp", ids=("E-08",))\n'


def checkout(folder: Path, head: str, rules: str = HONEST, attack: str = AN_ATTACK) -> Path:
    """A checkout of one test, one attack and a page that is today's."""
    for path, text in (
        (RULES, rules),
        ("tests/host/test_roots.py", A_TEST.format(head=head)),
        (f"{ATTACKS}/old.py", attack),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    (folder / PAGE).write_text(Survey(folder).page(), encoding="utf-8")
    return folder


def complaints(folder: Path) -> list[str]:
    return [str(complaint) for complaint in Survey(folder).complaints()]


# --- the law ----------------------------------------------------------------------------------


def ours() -> list[Complaint]:
    return Survey().complaints()


def test_the_page_is_todays_and_every_marker_has_its_form() -> None:
    found = [str(complaint) for complaint in ours() if not complaint.gap]
    assert not found, "\n" + "\n".join(found)


def test_no_rule_is_left_out() -> None:
    """V-01: all of them are proved, or it is said why not, or for what they wait."""
    found = [str(complaint) for complaint in ours() if complaint.gap]
    assert not found, "\n" + "\n".join(found)


# --- the checker bites --------------------------------------------------------------------------


def test_a_whole_checkout_has_no_complaint(tmp_path: Path) -> None:
    head = "V-71.2.3, R-60..R-61: one after the other, and E-09 is only mentioned."
    folder = checkout(tmp_path, head)
    assert complaints(folder) == []
    page = (folder / PAGE).read_text(encoding="utf-8")
    assert "| `host/test_roots.py::test_that_roots_are_stepped_through` (2.3) |" in page
    assert "| `attack old_timestamp` |" in page


def test_every_form_of_a_marker_is_read(tmp_path: Path) -> None:
    for head in (
        "V-71, R-60 to R-61.",
        "V-71, R-60, R-61",
        "R-60..R-61, V-71; one at a time.",
        "V-71.2.4a, R-60, R-61, on one geometry.",
    ):
        assert complaints(checkout(tmp_path, head)) == [], head


def test_an_unknown_id_is_seen(tmp_path: Path) -> None:
    unknown = "V-" + "99"
    folder = checkout(tmp_path, f"V-71, {unknown}, R-60..R-61: more than there is.")
    assert complaints(folder) == [
        f"host/test_roots.py::test_that_roots_are_stepped_through: {unknown} is not a rule. "
        "Cure: correct the id, or add it to docs/rules.toml."
    ]
    folder = checkout(tmp_path, "V-71, R-60, R-61", attack=AN_ATTACK.replace("E-08", unknown))
    assert f"attack old_timestamp: {unknown} is not a rule." in complaints(folder)[0]


def test_a_marker_that_is_none_is_seen(tmp_path: Path) -> None:
    folder = checkout(tmp_path, "V-7: one digit is missing.")
    assert any("begins like an id and is none. Cure: begin as in" in c for c in complaints(folder))


def test_attacks_are_read_in_every_form(tmp_path: Path) -> None:
    for attack in (
        '@attack("old_timestamp", ids=("E-08",))\ndef play(garage):\n    pass\n',
        'Attack("old_timestamp", ("E-08",), aim="a freeze")\n',
        'ATTACKS = [Attack(name="old_timestamp", ids=["E-08"])]\n',
    ):
        folder = checkout(tmp_path, "V-71, R-60, R-61", attack=attack)
        assert complaints(folder) == [], attack
        assert "| `attack old_timestamp` |" in (folder / PAGE).read_text(encoding="utf-8")


def test_ids_of_an_attack_that_are_not_written_out_prove_nothing(tmp_path: Path) -> None:
    folder = checkout(tmp_path, "V-71, R-60, R-61", attack='Attack(name="old", ids=IDS)\n')
    assert [line[:4] for line in complaints(folder)] == ["E-08"]
    folder = checkout(tmp_path, "V-71, R-60, R-61", attack='Attack(name="old", ids=(ID,))\n')
    assert any(f"{ATTACKS}/old.py:1: ids that nobody" in c for c in complaints(folder))


def test_a_wait_outside_the_list_is_seen(tmp_path: Path) -> None:
    waiting = HONEST.replace("\n\n[R-60]", '\nwaits = "oem"\n\n[R-60]')
    folder = checkout(tmp_path, "R-60, R-61: the Root waits.", waiting)
    assert complaints(folder) == [
        "docs/rules.toml: [V-71]: it waits for 'oem', and may not. "
        "Cure: write the test; WAITS in scripts/requirements.py is the list."
    ]


def test_a_wait_within_the_list_is_shown_beside_the_tests(tmp_path: Path) -> None:
    waiting = HONEST.replace("\n\n[R-61]", '\nwaits = "oem"\n\n[R-61]')
    folder = checkout(tmp_path, "V-71, R-60, R-61", waiting)
    assert complaints(folder) == []
    assert "stepped_through`<br>*waits for: oem* |" in (folder / PAGE).read_text(encoding="utf-8")


def test_a_rule_without_proof_is_seen(tmp_path: Path) -> None:
    folder = checkout(tmp_path, "V-71, R-60", attack="")
    assert complaints(folder) == [
        "R-61: nothing proves it. Cure: write the test and begin its docstring with 'R-61: ', "
        "or say why it need not be.",
        "E-08: nothing proves it. Cure: write the attack that names E-08 in its ids, or a test.",
    ]


def test_a_step_that_no_test_names_is_seen(tmp_path: Path) -> None:
    stepped = HONEST.replace(
        "Root is stepped", "Root is (1) trusted, (2) followed and (2.3) stepped"
    )
    folder = checkout(tmp_path, "V-71.2.3, R-60, R-61", stepped)
    assert complaints(folder) == [
        "V-71.1: no test names this step. "
        "Cure: begin the docstring of the test that shows it with 'V-71.1'."
    ]


def test_what_is_not_applicable_needs_no_proof_and_may_have_none(tmp_path: Path) -> None:
    aside = HONEST.replace("\n\n[R-61]", '\nnot_applicable = "No time server."\n\n[R-61]')
    assert complaints(checkout(tmp_path, "V-71, R-61", aside)) == []
    found = complaints(checkout(tmp_path, "V-71, R-60, R-61", aside))
    assert len(found) == 1 and "it is not applicable and proved by host/test_roots" in found[0]


def test_a_stale_page_is_seen(tmp_path: Path) -> None:
    folder = checkout(tmp_path, "V-71, R-60, R-61")
    test = folder / "tests/host/test_roots.py"
    test.write_text(test.read_text().replace("roots_are", "each_root_is"), encoding="utf-8")
    stale = "docs/requirements.md: it is not today's. Cure: run `make requirements`."
    assert complaints(folder) == [stale]
    (folder / PAGE).unlink()
    assert complaints(folder) == [stale]


def test_the_list_of_waits_names_rules_and_each_once() -> None:
    rules = Survey().rules
    named = [rule for area in WAITS.values() for rule in area]
    assert len(named) == len(set(named))
    assert all(rule in rules or rule in ("R", "S") for rule in named)
    assert may_wait("R-14", "oem") and not may_wait("V-14", "oem")
