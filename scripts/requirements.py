"""`make requirements`: writes docs/requirements.md, which says what proves each rule.

A rule of docs/rules.toml is proved by the tests whose docstring begins with its id ("V-35, E-76:
what it shows."; a step as V-71.2.3, a run as R-60..R-63), and by attacks that name it in `ids`,
for one test plays them all. Or it is `not_applicable`, with a reason, or it `waits` for an area of
work; `WAITS` says which may. `--check` writes nothing and fails with every rule that has none of
the three, with every step of a rule of `STEPPED` that no test names, and when the page is not
today's; each time it says what to do.

It parses and imports nothing. That a test proves what its docstring says is for its reader to
judge.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RULES = "docs/rules.toml"
PAGE = "docs/requirements.md"
TESTS = "tests"
ATTACKS = "host/muptane/bench/attacks"

# An area of work that is not done -> what may wait for it. A letter stands for all of its rules.
WAITS = {
    "storage": ("S-25",),
    "bus": ("V-87",),
    "oem": ("V-41", "E-82", "E-83", "E-84", "E-85", "E-90", "S", "R"),
}  # fmt: skip
# Rules whose sentence numbers its steps: each step needs a test that names it.
STEPPED = ("V-71", "V-72", "V-73", "V-74", "V-75", "V-76")
FAMILIES = {
    "V": "What a vehicle and its ECUs have to do",
    "R": "Repositories, Director, inventory, time server",
    "S": "What the drafts of the best practices ask for",
    "P": "What a POUF has to contain",
    "E": "Attacks, and a few benign cases",
    "T": "Where the sources are silent or disagree",
}
OPEN = "**nothing yet**"

_ID = r"([VRSPET]-\d\d(?:b\b)?)((?:\.\d+[a-z]?)*)"
_ITEM = rf"{_ID}(?:(?:\.\.| to ){_ID})?"
_HEAD = re.compile(rf"{_ITEM}(?:, {_ITEM})*(?=[:.;,]|\s|$)(?!\w)")
_ONE = re.compile(_ID)
_STEP = re.compile(r"\((\d(?:\d|\.\d)*)\)")
_LOOKS_CITED = re.compile(r"[A-Z]-\d")


@dataclass
class Rule:
    """A rule and what there is about it: where it is proved, as `file::function` with a step."""

    level: str
    section: str
    text: str
    not_applicable: str = ""
    waits: str = ""
    proofs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Citation:
    """Somebody says at `place` that he proves `rule`, or its `step` (2.3, or an empty text)."""

    place: str
    rule: str
    step: str = ""


@dataclass(frozen=True)
class Complaint:
    """What is wrong with a rule or a place, and the cure. `gap`: nothing proves it yet."""

    at: str
    wrong: str
    cure: str
    gap: bool = False

    def __str__(self) -> str:
        return f"{self.at}: {self.wrong}. Cure: {self.cure}."


class Survey:
    """A checkout's rules, what its tests and attacks say of them, and the page made of both."""

    def __init__(self, root: Path = ROOT) -> None:
        text = (root / RULES).read_text(encoding="utf-8")
        self.rules = {rule: Rule(**entry) for rule, entry in tomllib.loads(text).items()}
        self.malformed: list[Complaint] = []
        self._root = root
        self._unknown: list[Citation] = []
        for citation in (*self._tests(), *self._attacks()):
            self._note(citation)

    def complaints(self) -> list[Complaint]:
        """Everything that is wrong, the page included."""
        found = list(self.malformed)
        for citation in self._unknown:
            found.append(
                Complaint(
                    citation.place,
                    f"{citation.rule} is not a rule",
                    f"correct the id, or add it to {RULES}",
                )
            )
        for name, rule in self.rules.items():
            found += judge(name, rule)
        page = self._root / PAGE
        if not page.is_file() or page.read_text(encoding="utf-8") != self.page():
            found.append(Complaint(PAGE, "it is not today's", "run `make requirements`"))
        return found

    def page(self) -> str:
        """The Markdown of docs/requirements.md."""
        lines = [HEADER, *_totals(self.rules)]
        for letter, title in FAMILIES.items():
            lines += ["", f"## {letter}: {title}", ""]
            lines += ["| rule | level | in short | proved by |", "|---|---|---|---|"]
            for name, rule in self.rules.items():
                if name[0] == letter:
                    lines.append(f"| {name} | {rule.level} | {rule.text} | {_answer(rule)} |")
        return "\n".join(lines) + "\n"

    def _note(self, citation: Citation) -> None:
        rule = self.rules.get(citation.rule)
        if rule is None:
            self._unknown.append(citation)
            return
        step = f" ({citation.step})" if citation.step else ""
        if (proof := citation.place + step) not in rule.proofs:
            rule.proofs.append(proof)

    def _tests(self) -> Iterator[Citation]:
        for path in sorted((self._root / TESTS).rglob("test_*.py")):
            where = path.relative_to(self._root / TESTS).as_posix()
            for node in ast.parse(path.read_bytes()).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    said = ast.get_docstring(node) or ""
                    yield from self._head(f"{where}::{node.name}", said)

    def _head(self, place: str, said: str) -> Iterator[Citation]:
        """What the beginning of a docstring cites."""
        head = _HEAD.match(said)
        if head is None:
            if _LOOKS_CITED.match(said):
                wrong = f"'{said.splitlines()[0]}' begins like an id and is none"
                cure = "begin as in 'V-35, V-71.2.3, R-60..R-63: what it shows.'"
                self.malformed.append(Complaint(place, wrong, cure))
            return
        for item in re.finditer(_ITEM, head[0]):
            first, step, last, _ = item.groups()
            for rule in self._run(first, last or first):
                yield Citation(place, rule, step.lstrip("."))

    def _run(self, first: str, last: str) -> list[str]:
        """The rules from one to another, in the order of the rules; both of them if unknown."""
        known = list(self.rules)
        if first in known and last in known and known.index(first) <= known.index(last):
            return known[known.index(first) : known.index(last) + 1]
        return sorted({first, last})

    def _attacks(self) -> Iterator[Citation]:
        """The ids that calls and decorators in the files of attacks are given, as a tuple."""
        for path in sorted((self._root / ATTACKS).glob("*.py")):
            where = path.relative_to(self._root).as_posix()
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Call):
                    yield from self._attack(node, where)

    def _attack(self, call: ast.Call, where: str) -> Iterator[Citation]:
        """`ids`, by name or by place, written out. An `ids` that is handed on was so before."""
        given = {word.arg: word.value for word in call.keywords}
        name = given.get("name", call.args[0] if call.args else None)
        called = str(name.value) if isinstance(name, ast.Constant) else Path(where).stem
        for argument in (given["ids"],) if "ids" in given else call.args:
            if not isinstance(argument, ast.Tuple | ast.List):
                continue
            texts = [str(getattr(text, "value", "")) for text in argument.elts]
            found = [match[1] for text in texts if (match := _ONE.fullmatch(text))]
            if found and len(found) == len(texts):
                yield from (Citation(f"attack {called}", rule) for rule in found)
            elif "ids" in given:
                cure = 'write the ids out: ids=("E-08", "E-12")'
                place = f"{where}:{argument.lineno}"
                self.malformed.append(Complaint(place, "ids that nobody can read off", cure))


def judge(name: str, rule: Rule) -> Iterator[Complaint]:
    """What is wrong with what there is about one rule."""
    at = f"{RULES}: [{name}]"
    if rule.waits and not may_wait(name, rule.waits):
        wrong = f"it waits for '{rule.waits}', and may not"
        yield Complaint(at, wrong, "write the test; WAITS in scripts/requirements.py is the list")
    if rule.not_applicable and (rule.proofs or rule.waits):
        other = f"proved by {rule.proofs[0]}" if rule.proofs else f"waiting for '{rule.waits}'"
        yield Complaint(at, f"it is not applicable and {other}", "take back one of the two")
    if not (rule.proofs or rule.waits or rule.not_applicable):
        cure = f"write the test and begin its docstring with '{name}: ', or say why it need not be"
        if name[0] == "E":
            cure = f"write the attack that names {name} in its ids, or a test"
        yield Complaint(name, "nothing proves it", cure, gap=True)
    elif name in STEPPED:
        yield from _steps(name, rule)


def _steps(name: str, rule: Rule) -> Iterator[Complaint]:
    """The steps of its sentence that no test names, itself or a step within it."""
    proved = re.findall(r"\(([\w.]+)\)", " ".join(rule.proofs))
    for step in dict.fromkeys(_STEP.findall(rule.text)):
        if not any(one == step or one.startswith(step + ".") for one in proved):
            cure = f"begin the docstring of the test that shows it with '{name}.{step}'"
            yield Complaint(f"{name}.{step}", "no test names this step", cure, gap=True)


def may_wait(name: str, area: str) -> bool:
    return bool({name, name[0]} & set(WAITS.get(area, ())))


HEADER = f"""# Requirements

Every rule of [rules.toml](rules.toml), with what proves it: tests (below `tests/`, with the step
of the rule in brackets where one is named) and attacks (below `{ATTACKS}`). A rule
that is *not applicable* says why; one that *waits* says for which area of work.

Made by `make requirements` from the docstrings of the tests; `make requirements-check` holds it
against them. Nothing here is written by hand.
"""


def _answer(rule: Rule) -> str:
    answers = [_quoted(proof) for proof in rule.proofs]
    if rule.waits:
        answers.append(f"*waits for: {rule.waits}*")
    if rule.not_applicable:
        answers.append(f"*not applicable:* {rule.not_applicable}")
    return "<br>".join(answers) or OPEN


def _quoted(proof: str) -> str:
    place, bracket, step = proof.partition(" (")
    return f"`{place}`{bracket}{step}"


def _totals(rules: dict[str, Rule]) -> Iterator[str]:
    yield "| | rules | proved | not applicable | only waiting | nothing yet |"
    yield "|---|---|---|---|---|---|"
    for letter in FAMILIES:
        family = [rule for name, rule in rules.items() if name[0] == letter]
        proved = sum(bool(rule.proofs) for rule in family)
        aside = sum(bool(rule.not_applicable) for rule in family)
        waiting = sum(bool(rule.waits and not rule.proofs) for rule in family)
        left = len(family) - proved - aside - waiting
        yield f"| {letter} | {len(family)} | {proved} | {aside} | {waiting} | {left} |"


def main() -> int:
    survey = Survey()
    if "--check" not in sys.argv[1:]:
        (ROOT / PAGE).write_text(survey.page(), encoding="utf-8")
        print(f"{PAGE}: {sum(bool(rule.proofs) for rule in survey.rules.values())} rules proved")
        return 0
    complaints = survey.complaints()
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
