"""The checkout as the house laws see it: which files there are, and what a law may ask of one.

A law is a function from a `Source` to the complaints it has, one line each: place, what is wrong,
and the cure. `keep` runs a law over files and fails with all complaints; `bites` proves on a few
lines of bad code that the law still complains, so that no law goes blind unnoticed.

It reads files and parses them; it imports and runs nothing of what it looks at.
"""

import ast
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# MicroPython still answers to these under a leading u.
_UNDER_U = re.compile(
    r"^u(os|io|re|sys|time|json|errno|ctypes|random|socket|select|struct|ssl|zlib|binascii"
    r"|hashlib|heapq|machine|asyncio|collections|cryptolib|array|platform)$"
)


class Source:
    """One file: its path below the root with forward slashes, its text, and its syntax tree."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def stem(self) -> str:
        return Path(self.path).stem

    def under(self, *folders: str) -> bool:
        """Whether the file lies in one of these folders, or is one of these files."""
        return any(self.path == f or self.path.startswith(f + "/") for f in folders)

    @property
    def module(self) -> str:
        """The dotted name it is imported by: `uptane.cbor`, `muptane.bench.can.bus`."""
        parts = Path(self.path).with_suffix("").parts
        inside = parts[1:] if parts[0] in ("firmware", "host") else parts
        return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)

    @cached_property
    def imports(self) -> list[tuple[ast.stmt, str, str]]:
        """Every import: its node, the local name it binds, the dotted name it stands for."""
        found: list[tuple[ast.stmt, str, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    local = alias.asname or alias.name.split(".")[0]
                    found.append((node, local, alias.name))
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                for alias in node.names:
                    found.append((node, alias.asname or alias.name, f"{base}.{alias.name}"))
        return found

    @cached_property
    def for_types(self) -> set[ast.AST]:
        """What stands under `if False:` or `if TYPE_CHECKING:`, which no interpreter runs."""
        found: set[ast.AST] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.If):
                never = isinstance(node.test, ast.Constant) and not node.test.value
                if never or self.dotted(node.test).endswith("TYPE_CHECKING"):
                    found.update(inner for line in node.body for inner in ast.walk(line))
        return found

    @cached_property
    def _bound(self) -> dict[str, str]:
        bound = {}
        for node, local, dotted in self.imports:
            whole = isinstance(node, ast.Import) and local == dotted.split(".")[0]
            bound[local] = local if whole else dotted
        return bound

    def dotted(self, node: ast.AST) -> str:
        """What a name or attribute chain stands for after imports, or an empty string."""
        if isinstance(node, ast.Name):
            return self._bound.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        return ""

    def uses(self) -> Iterator[tuple[ast.expr, str]]:
        """Every name and attribute that is read, as the dotted name it stands for."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                yield node, self.dotted(node)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def complain(self, at: ast.AST | int, wrong: str, cure: str) -> str:
        line = at if isinstance(at, int) else getattr(at, "lineno", 1)
        return f"{self.path}:{line}: {wrong}. Cure: {cure}."


Law = Callable[[Source], Iterable[str]]


def plain_name(module: str) -> str:
    """The first part of a dotted name, without the old leading u of MicroPython's modules."""
    first = module.split(".")[0]
    return first[1:] if _UNDER_U.match(first) and first != "uctypes" else first


@cache
def paths() -> tuple[str, ...]:
    """Every file of the checkout that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    names = sorted(set(out.decode().split("\0")) - {""})
    return tuple(name for name in names if (ROOT / name).is_file())


@cache
def read(path: str) -> Source | None:
    """A text file of the checkout, or None for a binary one."""
    try:
        return Source(path, (ROOT / path).read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return None


def texts(*folders: str) -> list[Source]:
    """All text files, or those below some folders (a file may be named too)."""
    found = [source for path in paths() if (source := read(path)) is not None]
    return [source for source in found if not folders or source.under(*folders)]


def python(*folders: str) -> list[Source]:
    """All Python files below some folders."""
    return [source for source in texts(*folders) if source.path.endswith(".py")]


def keep(law: Law, sources: Iterable[Source]) -> None:
    """Fail with every complaint that the law has about these files."""
    complaints = [line for source in sources for line in law(source)]
    assert not complaints, "\n" + "\n".join(complaints)


def bites(law: Law, path: str, text: str) -> None:
    """Prove that the law complains about this text, naming the place and the cure."""
    complaints = list(law(Source(path, text)))
    assert complaints, f"the law {law.__name__} lets this pass:\n{text}"
    for line in complaints:
        assert re.match(rf"^{re.escape(path)}:\d+: .+ Cure: .+\.$", line), line


def spares(law: Law, path: str, text: str) -> None:
    """Prove that the law has nothing against this text."""
    complaints = list(law(Source(path, text)))
    assert not complaints, "\n".join(complaints)
