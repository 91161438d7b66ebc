"""Ids and numbers: each is defined once, in its one place, and whoever cites it can look it up.

Rule ids stand in docs/rules.toml with a sentence of our own; numbers that modules agree on in
uptane's ids and limits; ISO 14229's in uds/codes.

It does not prove that a cited rule is kept: the tests that cite it do.
"""

import ast
import re
import tomllib
from collections.abc import Iterator

from tests.house.source import ROOT, Source, bites, keep, python, spares, texts

RULES = tomllib.loads((ROOT / "docs/rules.toml").read_text(encoding="utf-8"))
CITATION = re.compile(r"\b[VRSPET]-\d\d[b]?\b")
CITING = ("firmware", "host", "boards", "tests", "docs", "vehicles", "scenarios", "README.md")

SOURCE_WORDS = {
    "SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT", "CAN", "MAY", "MUST", "COND", "RECOMMENDED",
    "definition", "need", "option", "practice", "topic", "attack", "benign", "trap",
}  # fmt: skip
NUMBERS = (
    "firmware/uptane/ids.py",
    "firmware/uptane/limits.py",
    "firmware/uptane/uds/codes.py",
)
ISO_NAME = re.compile(r"^(NRC|SID)_[A-Z0-9_]+$")


def unknown_rules(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.lines, 1):
        for cited in CITATION.findall(line):
            if cited not in RULES:
                yield source.complain(
                    number,
                    f"{cited} is not a rule",
                    "correct the id, or add the rule to docs/rules.toml",
                )


def constants(source: Source) -> Iterator[tuple[ast.stmt, str, object]]:
    """Names in capitals that a module gives a plain number, with that number."""
    for node in source.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        value = node.value if isinstance(node, ast.Assign) else None
        sign = -1 if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub) else 1
        value = value.operand if isinstance(value, ast.UnaryOp) else value
        if not isinstance(value, ast.Constant) or not isinstance(value.value, int | float):
            continue
        for target in targets:
            if isinstance(target, ast.Name) and target.id == target.id.upper():
                yield node, target.id, sign * value.value


def owners() -> dict[str, tuple[str, object]]:
    """Constant -> its module, the first of `NUMBERS` where two define it, and its number."""
    found: dict[str, tuple[str, object]] = {}
    for path in reversed(NUMBERS):
        for source in python(path):
            found.update({name: (path, number) for _, name, number in constants(source)})
    return found


def second_definitions(source: Source) -> Iterator[str]:
    yield from _second_definitions(source, owners())


def _second_definitions(source: Source, owner: dict[str, tuple[str, object]]) -> Iterator[str]:
    """Between the modules of numbers a name is enough; elsewhere the number has to be equal."""
    seen: set[str] = set()
    for node, name, number in constants(source):
        home, owned = owner.get(name, (source.path, number))
        same = source.path in NUMBERS or number == owned
        if name in seen or (home != source.path and same):
            yield source.complain(node, f"{name} is defined twice", f"import it from {home}")
        seen.add(name)


def iso_names_elsewhere(source: Source) -> Iterator[str]:
    if source.path == "firmware/uptane/uds/codes.py":
        return
    for node, name, _ in constants(source):
        if ISO_NAME.match(name):
            yield source.complain(
                node, f"{name} is ISO 14229's", "define it in firmware/uptane/uds/codes.py"
            )


# --- the laws ---------------------------------------------------------------------------------


def test_every_rule_has_level_section_and_one_sentence() -> None:
    for rule, entry in RULES.items():
        where = f"docs/rules.toml: [{rule}]"
        assert CITATION.fullmatch(rule), f"{where} is no id. Cure: a letter of VRSPET, two digits."
        assert set(entry) - {"not_applicable", "waits"} == {"level", "section", "text"}, (
            f"{where} has {sorted(entry)}. Cure: give it level, section and text."
        )
        assert set(entry["level"].split("/")) <= SOURCE_WORDS, (
            f"{where} has the level {entry['level']}. Cure: use the source's word, or practice."
        )
        assert entry["section"], f"{where} has no source. Cure: name one."
        text = entry["text"]
        single = text.endswith(".") and not re.search(r"[.!?] +[A-Z]", text)
        whole = single and len(text.split()) >= 6
        assert whole, f"{where}: Cure: write one whole sentence."


def test_rules_stand_in_order() -> None:
    lines = (ROOT / "docs/rules.toml").read_text(encoding="utf-8").splitlines()
    ids = [line[1:-1] for line in lines if line.startswith("[")]
    by_family = sorted(ids, key=lambda rule: ("VRSPET".index(rule[0]), rule))
    assert ids == by_family, "docs/rules.toml: Cure: keep the ids in order, V R S P E T."


def test_every_rule_that_is_cited_is_explained() -> None:
    keep(unknown_rules, texts(*CITING))


def test_no_number_is_defined_twice() -> None:
    keep(second_definitions, python("firmware", "host", "boards"))


def test_iso_names_are_defined_in_one_place() -> None:
    keep(iso_names_elsewhere, python("firmware", "host", "boards"))


# --- each law bites -----------------------------------------------------------------------------


def test_the_law_of_cited_rules_bites() -> None:
    unknown = "V-" + "99"
    bites(unknown_rules, "firmware/uptane/cbor.py", f'"""Reads.\n\nRules: {unknown}.\n"""\n')
    spares(unknown_rules, "docs/a.md", "V-71.2.4, R-02b and P-256 are fine.\n")


def test_the_law_of_single_definition_bites() -> None:
    bites(second_definitions, "firmware/uptane/limits.py", "A_MAX = 1\nA_MAX = 2\n")
    home = "firmware/uptane/limits.py"
    owner: dict[str, tuple[str, object]] = {"KID_BYTES": (home, 8)}
    for path, number, complaints in (
        ("host/muptane/oem/keys.py", 8, 1),
        ("host/muptane/oem/keys.py", 9, 0),
        ("firmware/uptane/ids.py", 9, 1),
        (home, 8, 0),
    ):
        source = Source(path, f"KID_BYTES = {number}\n")
        assert len(list(_second_definitions(source, owner))) == complaints
    bites(iso_names_elsewhere, "host/muptane/bench/tester.py", "NRC_BUSY = 0x21\n")
