"""The mutants of a module: cosmic-ray's operators, and one of ours that takes a statement away.

A mutant is one small change of the source that still compiles. Left out are changes that no
verdict can see: in annotations, in `if False:` blocks (the type checker's), from another
comparison to `is` (the interpreter's own affair). What cosmic-ray does to names (VariableReplacer,
VariableInserter) needs a list of names and is not used. It does NOT run anything.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import parso
from cosmic_ray import plugins  # type: ignore[import-untyped]
from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import-untyped]
from cosmic_ray.mutating import mutate_code  # type: ignore[import-untyped]
from cosmic_ray.operators.operator import Operator  # type: ignore[import-untyped]

UNUSED = re.compile(
    "Variable(Replacer|Inserter)|RemoveDecorator"
    "|Comparison.*_([LG]tE?|(Not)?Eq)_Is(Not)?$|Comparison.*_(Is_Eq|IsNot_NotEq)$"
)
TAKEN = ("atom_expr", "power", "yield_expr", "raise_stmt")


class RemoveStatement(Operator):  # type: ignore[misc]
    """Takes away a call, a yield, a raise, or what is stored in an attribute or under a key."""

    def mutation_positions(self, node: Any) -> Iterator[Any]:
        if node.type == "simple_stmt":
            taken = node.children[0]
            stored = taken.type == "expr_stmt" and taken.children[0].type in TAKEN
            if taken.type in TAKEN or stored:
                yield taken.start_pos, taken.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        taken = node.children[0]
        nothing = parso.parse("pass").children[0]  # type: ignore[no-untyped-call]
        nothing.prefix = taken.get_first_leaf().prefix
        node.children[0] = nothing
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, and what makes it."""

    module: str
    function: str
    operator: str
    occurrence: int
    lines: tuple[int, int]  # of the statement, without the block under it
    at_import: bool  # every test that uses the module meets it


@dataclass(frozen=True)
class Change:
    """What a mutant's source says: the line before and after, the whole, and its program."""

    was: str
    now: str
    source: str
    program: str  # without layout


class Module:
    """A module and its mutants, in the order of the source."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.source = path.read_text(encoding="utf-8")
        self._tree = ast.parse(self.source)
        self._unseen = list(_unseen(self._tree))
        self.mutants = sorted(self._find(), key=lambda m: (m.lines, m.operator, m.occurrence))

    def _find(self) -> Iterator[Mutant]:
        nodes = list(ast_nodes(get_ast(self.source)))
        for name in operators():
            operator = _operator(name)
            places = (p for node in nodes for p in operator.mutation_positions(node))
            for occurrence, (start, _) in enumerate(places):
                if any(first <= start < last for first, last in self._unseen):
                    continue
                function, lines = _enclosing(self._tree, start[0])
                yield Mutant(self.name, function, name, occurrence, lines, not function)

    def change(self, mutant: Mutant) -> Change | None:
        """The mutant's source, or None if it does not compile or is the same program."""
        source = mutate_code(self.source, _operator(mutant.operator), mutant.occurrence)
        if source is None:
            return None
        try:
            program = ast.dump(ast.parse(source))
            if program == ast.dump(self._tree):
                return None
            compile(source, str(self.path), "exec")
        except SyntaxError:
            return None
        for was, now in zip(self.source.splitlines(), source.splitlines(), strict=False):
            if was != now:
                return Change(was.strip(), now.strip(), source, program)
        return None


def operators() -> list[str]:
    """The names of the operators in use."""
    known = [name for name in plugins.operator_names() if not UNUSED.search(name)]
    return [*sorted(known), RemoveStatement.__name__]


def _operator(name: str) -> Any:
    if name == RemoveStatement.__name__:
        return RemoveStatement()
    return plugins.get_operator(name)()


def _unseen(tree: ast.Module) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where a change cannot be seen: from and to."""
    for node in ast.walk(tree):
        hidden: list[Any] = []
        if isinstance(node, ast.AnnAssign | ast.arg):
            hidden = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            hidden = [node.returns]
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Constant):
            hidden = [node]
        for each in hidden:
            if each is not None:
                start, end = (each.lineno, each.col_offset), (each.end_lineno, each.end_col_offset)
                yield start, end


def _enclosing(tree: ast.Module, line: int) -> tuple[str, tuple[int, int]]:
    """The function that a line is in ("" at the top), and the lines of its statement."""
    names: list[str] = []
    body: list[ast.stmt] = tree.body
    function = ""
    lines = (line, line)
    while True:
        found = [s for s in body if s.lineno <= line <= (s.end_lineno or s.lineno)]
        if not found:
            return function, lines
        statement = found[0]
        body = [child for child in ast.walk(statement) if isinstance(child, ast.stmt)]
        body = [child for child in body if child is not statement]
        first = min((child.lineno for child in body), default=0)
        lines = (statement.lineno, first - 1 if first else statement.end_lineno or line)
        lines = (lines[0], max(lines))
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.append(statement.name)
            if isinstance(statement, ast.FunctionDef) and line >= first:
                function = ".".join(names)
        if first == 0 or line < first:
            return function, lines
        body.sort(key=lambda child: child.lineno)
        body = _direct(body)


def _direct(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Those statements that are in no other."""
    outer: list[ast.stmt] = []
    for statement in statements:
        if not outer or statement.lineno > (outer[-1].end_lineno or 0):
            outer.append(statement)
    return outer
