"""The size and shape of files, functions and modules.

Section 5 of the house: numbers of lines and parameters, a docstring that opens each module, no
work and no mutable state when a device module is imported, no boolean that switches a check off.

It does not judge words (test_words) or how things are refused (test_refusing).
"""

import ast
import re
from collections.abc import Iterator

from tests.house.source import ROOT, Source, bites, keep, python, spares

CODE = ("firmware", "host", "boards")
DEVICE = ("firmware", "boards")

LINE_MAX = 99
FILE_LINES_MAX = 300
WIRING_LINES_MAX = 40  # boards/<board>/board.py
DEVICE_FUNCTION_LINES_MAX = 40
HOST_FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 5
DOCSTRING_LINES_MIN = 3

# Lists in the form of code, where a length means nothing.
DATA = ("tests/vectors", "firmware/uptane/errors.py", "host/muptane/refusals.py")
# A command's parameters are the options that its user sees; Typer fixes their form.
COMMANDS = {"command", "callback"}
SWITCHES = re.compile(
    r"^(skip|no|without|ignore|disable|allow|force|unsafe|insecure|unchecked)_"
    r"|^(check|checked|verify|verified|strict|trusted|force|unsafe|insecure)$"
)


def long_lines(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.lines, 1):
        if len(line) > LINE_MAX:
            yield source.complain(
                number, f"{len(line)} characters", f"break the line before {LINE_MAX}"
            )


def long_files(source: Source) -> Iterator[str]:
    limit = FILE_LINES_MAX
    if re.fullmatch(r"boards/[^/]+/board\.py", source.path):
        limit = WIRING_LINES_MAX
    if len(source.lines) > limit and not source.under(*DATA):
        yield source.complain(
            limit + 1,
            f"{len(source.lines)} lines, more than {limit}",
            "split the module where it says 'and'",
        )


def long_functions(source: Source) -> Iterator[str]:
    """Lines of a function without decorators and docstring, since docstrings cost nothing."""
    limit = DEVICE_FUNCTION_LINES_MAX if source.under(*DEVICE) else HOST_FUNCTION_LINES_MAX
    for function in source.functions():
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if ast.get_docstring(function) is not None:
            said = function.body[0]
            lines -= (said.end_lineno or said.lineno) - said.lineno + 1
        if lines > limit:
            yield source.complain(
                function,
                f"{function.name} has {lines} lines, more than {limit}",
                "take out the step that has a name of its own",
            )


def many_parameters(source: Source) -> Iterator[str]:
    for function in source.functions():
        if any(_last(decorator) in COMMANDS for decorator in function.decorator_list):
            continue
        a = function.args
        names = [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if p]
        if names[:1] in (["self"], ["cls"]):
            names = names[1:]
        if len(names) > PARAMETERS_MAX:
            yield source.complain(
                function,
                f"{function.name} takes {len(names)} parameters, more than {PARAMETERS_MAX}",
                "give the ones that travel together a class",
            )


def _last(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def missing_docstrings(source: Source) -> Iterator[str]:
    said = ast.get_docstring(source.tree)
    empty = source.stem == "__init__" and len(source.tree.body) <= 1
    lines = 0 if said is None else len(said.splitlines())
    brief = empty or source.under("tests", "firmware/apps")
    least = 1 if brief else DOCSTRING_LINES_MIN
    if source.stem == "__init__" and not source.text.strip():
        return
    if lines < least:
        yield source.complain(
            1,
            f"the module opens with {lines} lines of docstring, fewer than {least}",
            "say in five to ten lines what it promises, what it does not do, and its Rules",
        )


def work_at_import(source: Source) -> Iterator[str]:
    """Several nodes share a process under CPython, and a board pays for each import."""
    for node in source.tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Expr | ast.For | ast.While | ast.With):
            yield source.complain(
                node, "work at import", "move it into a function that main or a board calls"
            )
        if isinstance(node, ast.Assign | ast.AnnAssign) and _mutable(node):
            yield source.complain(
                node,
                "mutable state of a module",
                "keep it in an object that somebody owns, or make it a tuple or bytes",
            )
    for inner in ast.walk(source.tree):
        if isinstance(inner, ast.Global):
            yield source.complain(inner, "a global is written", "give the state an owner")


def _mutable(node: ast.Assign | ast.AnnAssign) -> bool:
    """An empty or growing container, or any container under a name that is not a constant's."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    constant = all(isinstance(t, ast.Name) and t.id.upper() == t.id for t in targets)
    value = node.value
    if isinstance(value, ast.Call):
        return _last(value) in {"list", "dict", "set", "bytearray", "deque", "OrderedDict"}
    if isinstance(value, ast.Dict):
        return not value.keys or not constant
    if isinstance(value, ast.List | ast.Set):
        return not value.elts or not constant
    return isinstance(value, ast.ListComp | ast.DictComp | ast.SetComp)


def boolean_switches(source: Source) -> Iterator[str]:
    for function in source.functions():
        a = function.args
        ordered = [*a.posonlyargs, *a.args]
        defaults = list(zip(ordered[len(ordered) - len(a.defaults) :], a.defaults, strict=True))
        defaults += [(p, d) for p, d in zip(a.kwonlyargs, a.kw_defaults, strict=True) if d]
        for parameter, default in defaults:
            flag = isinstance(default, ast.Constant) and isinstance(default.value, bool)
            if flag and SWITCHES.search(parameter.arg):
                yield source.complain(
                    parameter,
                    f"{parameter.arg} switches a check off",
                    "write a second function with a name, or a field of the policy record",
                )


# --- the laws ---------------------------------------------------------------------------------


def test_lines_are_short() -> None:
    keep(long_lines, python())


def test_files_are_short() -> None:
    keep(long_files, python())


def test_functions_are_short() -> None:
    keep(long_functions, python())


def test_functions_take_few_parameters() -> None:
    keep(many_parameters, python())


def test_modules_open_with_their_promise() -> None:
    keep(missing_docstrings, python(*CODE, "tests"))


def test_importing_a_device_module_does_nothing() -> None:
    keep(work_at_import, python("firmware/uptane"))


def test_no_boolean_switches_a_check_off() -> None:
    """T-08."""
    keep(boolean_switches, python("firmware", "host"))


# --- each law bites -----------------------------------------------------------------------------


def test_the_laws_of_size_bite() -> None:
    device, host = "firmware/uptane/cbor.py", "host/muptane/oem/keys.py"
    body = "    pass\n"
    bites(long_lines, host, "x = 1  # " + "y" * 99 + "\n")
    bites(long_files, host, "x = 1\n" * 301)
    bites(long_files, "boards/pico/board.py", "x = 1\n" * 41)
    bites(long_functions, device, "def f():\n" + body * 40)
    bites(long_functions, host, "def f():\n" + body * 60)
    spares(long_functions, device, 'def f():\n    """A\n    B."""\n' + body * 39)
    bites(many_parameters, host, "def f(self, a, b, c, d, *, e, f): pass\n")
    spares(many_parameters, host, "def f(self, a, b, c, d, e): pass\n")
    spares(many_parameters, host, "@app.command()\ndef f(a, b, c, d, e, f): pass\n")


def test_the_law_of_the_docstring_bites() -> None:
    bites(missing_docstrings, "host/muptane/oem/keys.py", "x = 1\n")
    bites(missing_docstrings, "host/muptane/oem/keys.py", '"""Keys."""\nx = 1\n')
    spares(missing_docstrings, "host/muptane/oem/__init__.py", '"""The back office."""\n')


def test_the_law_of_quiet_imports_bites() -> None:
    bites(work_at_import, "firmware/uptane/cbor.py", "for i in range(3): pass\n")
    bites(work_at_import, "firmware/uptane/cbor.py", "setup()\n")
    bites(work_at_import, "firmware/uptane/cbor.py", "_seen = {}\n")
    bites(work_at_import, "firmware/uptane/cbor.py", "BUFFER = bytearray(64)\n")
    bites(work_at_import, "firmware/uptane/cbor.py", "def f():\n    global x\n    x = 1\n")
    spares(work_at_import, "firmware/uptane/cbor.py", "SIZES = {1: 2}\n_K = (1, 2)\n")


def test_the_law_of_switches_bites() -> None:
    bites(boolean_switches, "firmware/uptane/meta/full.py", "def f(raw, verify=True): pass\n")
    bites(boolean_switches, "host/muptane/oem/check.py", "def f(*, skip_expiry=False): pass\n")
    spares(boolean_switches, "firmware/uptane/cose.py", "def f(raw, hashed=False): pass\n")


def test_no_two_files_of_tests_have_one_name() -> None:
    """pytest imports them by name: the second one of a name is an error, wherever it lies."""
    seen: dict[str, str] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        where = str(path.relative_to(ROOT))
        assert path.name not in seen, f"{where} and {seen[path.name]}. Cure: rename one."
        seen[path.name] = where
