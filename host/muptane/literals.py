"""Numbers instead of their names: what a board is given of the device's sources.

MicroPython's const() knows a name in its own module only, so a number that another module names
costs there an import, an entry in the name table and a lookup at every use. `inlined` puts the
number in the place of the name and drops definitions that nobody asks for any more; every line
stays where it was, so a traceback still points into the source. Numbers of 30 bits and more stay
objects with a name. It knows no module by name and does NOT compile.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

SMALL = 1 << 30  # a small integer on every port
Constants = dict[str, dict[str, int]]  # module -> name -> number


@dataclass
class Source:
    """One module: its text, its tree, and which of its names are bound more than once."""

    name: str
    text: str
    tree: ast.Module = field(init=False)
    pinned: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text)
        self.pinned = set(_pinned(self.tree))


def inlined(texts: dict[str, str]) -> dict[str, str]:
    """{module: source} with numbers in the place of their names. Imports between the modules name
    them as the keys do."""
    sources = [Source(name, text) for name, text in texts.items()]
    constants: Constants = {}
    before = -1
    while before != (before := sum(map(len, constants.values()))):  # a constant made of others
        for source in sources:
            constants[source.name] = _constants(source, _known(source, constants))
    kept = _asked_for(sources, constants)
    return {
        source.name: _rewritten(source, _known(source, constants), constants, kept)
        for source in sources
    }


# --- what is known ---------------------------------------------------------------------------


def _pinned(tree: ast.Module) -> Iterator[str]:
    """Names that must stay: bound twice or below the top, or used where no position is exact."""
    bound: set[str] = set()
    top = {id(target) for target, _, _ in _definitions(tree)}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            if id(node) not in top or node.id in bound:
                yield node.id
            bound.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.arg):
            names = [node.arg]
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names = node.names
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names = [node.name]
        elif isinstance(node, ast.JoinedStr):
            names = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.asname or alias.name for alias in node.names]
            if node in tree.body:
                names, first = [name for name in names if name in bound], names
                bound.update(first)
        yield from names


def _definitions(tree: ast.Module) -> Iterator[tuple[ast.Name, ast.expr, ast.stmt]]:
    """Name, value and statement of each `name = value` at the top."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                yield target, node.value, node


def _constants(source: Source, known: dict[str, int]) -> dict[str, int]:
    """Names in capitals to which the top of a module gives a small integer, once."""
    found: dict[str, int] = {}
    for target, expression, _ in _definitions(source.tree):
        if target.id.isupper() and target.id not in source.pinned:
            value = _number(expression, {**known, **found})
            if value is not None and -SMALL <= value < SMALL:
                found[target.id] = value
    return found


def _number(node: ast.expr, known: dict[str, int]) -> int | None:
    """The value of an expression that is a number, made of numbers and known names alone."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant):
            if type(inner.value) is not int:
                return None
        elif isinstance(inner, ast.Name):
            if inner.id not in known:
                return None
        elif not isinstance(
            inner, ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop | ast.expr_context
        ):
            return None
    value = eval(compile(ast.Expression(node), "constant", "eval"), {"__builtins__": {}}, known)
    return value if type(value) is int else None


def _known(source: Source, constants: Constants) -> dict[str, int]:
    """Its own constants and those that it imports, by the names that it has for them."""
    known = dict(constants.get(source.name, {}))
    for node in source.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in constants:
            for alias in node.names:
                local = alias.asname or alias.name
                if alias.name in constants[node.module] and local not in source.pinned:
                    known[local] = constants[node.module][alias.name]
    return known


def _asked_for(sources: list[Source], constants: Constants) -> dict[str, set[str]]:
    """{module: names of its constants that some module still reads}, by import or as attribute."""
    attributes: set[str] = set()
    imported: dict[str, set[str]] = {source.name: set() for source in sources}
    for source in sources:
        known = _known(source, constants)
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
            elif isinstance(node, ast.ImportFrom) and node.module in imported:
                for alias in node.names:
                    if (alias.asname or alias.name) not in known or node not in source.tree.body:
                        imported[node.module].add(alias.name)
    return {name: names | attributes for name, names in imported.items()}


# --- what is written -------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """New text for a stretch of a source, by line (from 1) and byte of the line."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def _rewritten(
    source: Source, known: dict[str, int], constants: Constants, kept: dict[str, set[str]]
) -> str:
    edits = [*_imports(source, known, constants), *_uses(source, known)]
    for target, _, node in _definitions(source.tree):
        if target.id in constants[source.name] and target.id not in kept[source.name]:
            edits = [edit for edit in edits if not _within(edit, node)]
            edits.append(_edit(node, ""))
    lines = [line.encode() for line in source.text.splitlines(keepends=True)]
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        _apply(lines, edit)
    return b"".join(lines).decode()


def _imports(source: Source, known: dict[str, int], constants: Constants) -> Iterator[Edit]:
    for node in source.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in constants:
            left = [
                f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                for alias in node.names
                if (alias.asname or alias.name) not in known
            ]
            if len(left) < len(node.names):
                yield _edit(node, f"from {node.module} import {', '.join(left)}" if left else "")


def _uses(source: Source, known: dict[str, int]) -> Iterator[Edit]:
    with_dot = {id(n.value) for n in ast.walk(source.tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in known:
            value = known[node.id]
            yield _edit(node, f"({value})" if value < 0 or id(node) in with_dot else str(value))


def _edit(node: ast.stmt | ast.expr, text: str) -> Edit:
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return Edit((node.lineno, node.col_offset), end, text)


def _within(edit: Edit, node: ast.stmt) -> bool:
    whole = _edit(node, "")
    return whole.start <= edit.start and edit.end <= whole.end


def _apply(lines: list[bytes], edit: Edit) -> None:
    """Replace a stretch and keep the number of lines."""
    (first, begin), (last, end) = edit.start, edit.end
    head, tail = lines[first - 1][:begin], lines[last - 1][end:]
    lines[first - 1] = head + edit.text.encode() + tail
    for line in range(first, last):
        lines[line] = b"\n"
